import { readFileSync } from 'node:fs';
import t from 'tap';
import { conformanceText, verdictOf } from './conformance/document.ts';
import { ITEM_COUNT, ITEMS, SECTIONS } from './conformance/items.ts';
import { readCalls, shownByTests } from './conformance/shown.ts';

/** docs/conformance.md says what the suite shows, no more and no less. */

const shown = shownByTests();

t.test('every requirement has an item, in order and once', async (t) => {
  t.same(
    ITEMS.map(({ number }) => number),
    Array.from({ length: ITEM_COUNT }, (_, index) => index + 1),
  );
});

t.test('every item has a test that shows it, or a reason why none can', async (t) => {
  const open = ITEMS.filter((item) => verdictOf(item, shown) === 'open');
  t.same(
    open.map(({ number, asks }) => `${number}: ${asks}`),
    [],
  );
});

t.test('no test shows what is said not to apply', async (t) => {
  const excused = ITEMS.filter(({ verdict }) => verdict && 'notApplicable' in verdict);
  for (const { number } of excused) {
    const tests = shown.filter(({ numbers }) => numbers.includes(number));
    t.same(tests, [], `item ${number}`);
  }
});

t.test('the numbers that tests name are those of items', async (t) => {
  const known = new Set(ITEMS.map(({ number }) => number));
  for (const { file, title, numbers } of shown) {
    t.same(
      numbers.filter((number) => !known.has(number)),
      [],
      `${file}: ${title}`,
    );
  }
});

t.test('items say where they come from, and sections follow each other', async (t) => {
  for (const { number, level, source, asks } of ITEMS) {
    t.match(
      level,
      /^(?:(?:MUST|SHALL|SHOULD)(?: NOT)?|MAY|REQUIRED|OPTIONAL|stmt|should)$/,
      `item ${number}`,
    );
    t.match(source, /^RFC (?:7643|7644|9865|9967) sections? \d/, `item ${number}`);
    t.match(asks, /^\S.*\.$/, `item ${number}`);
  }
  t.equal(SECTIONS[0]?.first, 1);
  t.ok(
    SECTIONS.every(({ first }, index) => first > (SECTIONS[index - 1]?.first ?? 0) && first <= ITEM_COUNT),
  );
});

t.test('only literals can be looked up', async (t) => {
  // Never the name and its parenthesis together: this file is read too.
  const calls = (...texts: string[]) => readCalls(texts.map((text) => `\nawait meets${text}`).join(''));
  t.same(calls(`(t, [1, 20], 'it\\'s so', show)`, `(\n  t,\n  [\n    3,\n  ],\n  "it's so",\n  show)`), [
    { numbers: [1, 20], title: "it's so" },
    { numbers: [3], title: "it's so" },
  ]);
  for (const call of ["(t, NUMBERS, 'x', show)", '(t, [1], title, show)', "(t, [], 'x', show)"])
    t.throws(() => calls(call), /line 2: write/, call);
});

t.test('only calls that run whenever their file does are counted', async (t) => {
  const call = (numbers: string) => ['meets', `(t, ${numbers}, 'x', show);`].join('');
  const comments = [`// await ${call('[3, 12]')}`, `  // ${call('[5]')}`, `/*\n${call('[6]')}\n*/`];
  t.same(readCalls([...comments, call('[7]'), `await ${call('[8]')}`].join('\n')), [
    { numbers: [7], title: 'x' },
    { numbers: [8], title: 'x' },
  ]);
  const elsewhere = [
    `if (false) ${call('[4]')}`,
    `if (deep) {\n  ${call('[4]')}\n}`,
    `  await ${call('[4]')}`,
  ];
  for (const source of elsewhere) t.throws(() => readCalls(source), /line [12]: call .* top level/, source);
});

t.test('docs/conformance.md is what `npm run conformance` writes', async (t) => {
  const committed = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  t.ok(committed === conformanceText(), 'it is fresh');
});
