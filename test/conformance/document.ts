import type { Item } from './item.ts';
import { ITEMS, SECTIONS } from './items.ts';
import { type ShownBy, shownByTests } from './shown.ts';

/** What became of a requirement. `open` is no verdict: the suite fails where there is one. */
const VERDICTS = ['met', 'met in strict mode only', 'not applicable', 'open'] as const;
type Verdict = (typeof VERDICTS)[number];

/** `docs/conformance.md`: every requirement with its verdict, and the tests that show it. */
export function conformanceText(): string {
  const shown = shownByTests();
  const sections = SECTIONS.map(({ title, first }, index) => {
    const end = SECTIONS[index + 1]?.first ?? Number.POSITIVE_INFINITY;
    const items = ITEMS.filter(({ number }) => number >= first && number < end);
    return `## ${title}\n\n${itemTable(items, shown)}`;
  });
  return `${INTRODUCTION}\n${totals(shown)}\n${sections.join('\n')}`;
}

const INTRODUCTION = `# Conformance

What RFC 7643, RFC 7644, RFC 9865 and RFC 9967 ask of a SCIM service provider, requirement by requirement, in our
words, and the tests that show how Rollcall meets it. The numbers are ours, and stay what they are. A level is the
keyword that the RFC prints, or *stmt* for a plain sentence without one.

Made by \`npm run conformance\` from \`test/conformance/items/\` and the calls of \`meets\` in the tests; not edited by
hand. The suite fails when it is stale, and when a requirement has neither a test nor a verdict. *Met in strict mode
only*: a client that many people use needs the deviation, and the tenant setting \`strictScim\` ends it.
`;

export function verdictOf(item: Item, shown: readonly ShownBy[]): Verdict {
  if (item.verdict && 'notApplicable' in item.verdict) return 'not applicable';
  if (!shown.some(({ numbers }) => numbers.includes(item.number))) return 'open';
  return item.verdict ? 'met in strict mode only' : 'met';
}

const LEVELS: readonly [title: string, keywords: RegExp][] = [
  ['MUST, SHALL, REQUIRED', /^(?:MUST|SHALL|REQUIRED)/],
  ['SHOULD', /^SHOULD/i],
  ['MAY, OPTIONAL', /^(?:MAY|OPTIONAL)/],
  ['stmt', /^stmt/],
];

function totals(shown: readonly ShownBy[]): string {
  const columns = VERDICTS.filter((verdict) => verdict !== 'open');
  const row = (title: string, items: readonly Item[]) => [
    title,
    ...columns.map((column) => String(items.filter((item) => verdictOf(item, shown) === column).length)),
    String(items.length),
  ];
  const levels = LEVELS.map(([title, keywords]) =>
    row(
      title,
      ITEMS.filter(({ level }) => keywords.test(level)),
    ),
  );
  return table(['level', ...columns, 'all'], [...levels, row('all', ITEMS)]);
}

function itemTable(items: readonly Item[], shown: readonly ShownBy[]): string {
  const rows = items.map((item) => [
    String(item.number),
    item.level,
    item.source,
    item.asks,
    verdictText(item, shown),
  ]);
  return table(['', 'level', 'source', 'what is asked', 'verdict'], rows);
}

function verdictText(item: Item, shown: readonly ShownBy[]): string {
  const tests = shown
    .filter(({ numbers }) => numbers.includes(item.number))
    .map(({ file, title }) => `[${file.replace(/^test\/(?:conformance\/)?/, '')}](../${file}): ${title}`);
  return [`**${verdictOf(item, shown)}**${reasonOf(item)}`, ...tests].join('<br>');
}

function reasonOf({ verdict }: Item): string {
  if (!verdict) return '';
  return `: ${'notApplicable' in verdict ? verdict.notApplicable : verdict.strictOnly}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}
