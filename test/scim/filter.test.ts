import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ScimError } from '../../src/scim/error.ts';
import { parseElementFilter, parseFilter } from '../../src/scim/filter.ts';
import { FILTER_LIMITS } from '../../src/scim/filter-lexer.ts';
import { resolveAttributePath } from '../../src/scim/path.ts';
import { GROUP_TYPE } from '../../src/scim/resource-types.ts';
import type { AttributePath, FilterNode } from '../../src/scim/types.ts';
import { runs } from '../support/runs.ts';
import { reading, refusal } from '../support/scim.ts';
import { accepted, refused, tolerated } from './filter-cases.ts';
import { expected, meanings, nameOf, parsed, TYPE, write } from './filter-spelling.ts';

/** A node in short: `name operator value`, `+` before a name of an extension, `(… and …)`, `name[…]`. */
function short(node: FilterNode): string {
  switch (node.kind) {
    case 'constant':
      return String(node.value);
    case 'and':
    case 'or':
      return `(${node.filters.map(short).join(` ${node.kind} `)})`;
    case 'not':
      return `not ${short(node.filter)}`;
    case 'present':
      return `${nameOf(node.path)} pr`;
    case 'element':
      return `${nameOf(node.path)}[${short(node.filter)}]`;
    case 'compare':
      return `${nameOf(node.path)} ${node.operator} ${JSON.stringify(node.value)}`;
  }
}

for (const [section, rows] of accepted) {
  t.test(section, async (t) => {
    for (const [filter, node] of rows) {
      const used = reading();
      t.equal(short(parseFilter(filter, TYPE, used)), node, filter);
      t.strictSame([...used.tolerances], [], 'no tolerance was needed');
      t.equal(short(parseFilter(filter, TYPE, reading(true))), node, 'strictly too');
    }
  });
}

t.test('a comparison keeps the value as it was written, for the PATCH that creates an element', async (t) => {
  const rows: [filter: string, value: unknown, literal: unknown][] = [
    ['userName eq "BJensen"', 'bjensen', 'BJensen'],
    ['hired eq "2020-01-01T00:00:00+01:00"', '2019-12-31T23:00:00.000000000Z', '2020-01-01T00:00:00+01:00'],
    ['active eq "True"', true, 'True'],
    ['active eq false', false, false],
    ['age eq 5', 5, 5],
    ['title eq null', null, null],
  ];
  for (const [filter, value, literal] of rows) {
    const node = parseFilter(filter, TYPE, reading());
    t.strictSame(node.kind === 'compare' && [node.value, node.literal], [value, literal], filter);
  }
});

t.test('tolerances are noted by name, and strict mode refuses them by name', async (t) => {
  for (const [name, filter, node] of tolerated) {
    const used = reading();
    t.equal(short(parseFilter(filter, TYPE, used)), node, filter);
    t.strictSame([...used.tolerances], [name], filter);
    t.match(
      refusal(() => parseFilter(filter, TYPE, reading(true))),
      new RegExp(`^invalidFilter: .*${name}`),
    );
  }
});

for (const [section, rows] of refused) {
  t.test(section, async (t) => {
    for (const [filter, word] of rows) {
      const answer = refusal(() => parseFilter(filter, TYPE, reading())) ?? 'none';
      t.ok(answer.startsWith('invalidFilter: ') && answer.includes(word), answer);
      t.match(answer, /at character \d+ of the filter/);
    }
  });
}

t.test('filters on groups', async (t) => {
  const rows: [filter: string, node: string][] = [
    ['displayName eq "SecOps"', 'displayName eq "secops"'],
    ['id eq "X" and members eq "Y"', '(id eq "X" and members.value eq "Y")'],
    ['members.$ref pr', 'members.$ref pr'],
    [
      'members[value eq "Y" and type eq "User"]',
      'members[(members.value eq "Y" and members.type eq "user")]',
    ],
  ];
  for (const [filter, node] of rows) t.equal(short(parseFilter(filter, GROUP_TYPE, reading())), node, filter);
  t.throws(() => parseFilter('userName eq "x"', GROUP_TYPE, reading()), /not an attribute of a Group/);
});

t.test('element filters, for PATCH paths, are relative to the attribute', async (t) => {
  const path = resolveAttributePath(TYPE, 'emails') as AttributePath;
  const tags = resolveAttributePath(TYPE, 'tags') as AttributePath;
  t.equal(short(parseElementFilter('type eq "Work"', path, reading())), 'emails.type eq "work"');
  t.equal(short(parseElementFilter('value eq "A"', tags, reading())), '+tags eq "a"');
  t.throws(() => parseElementFilter('userName eq "x"', path, reading()), /element of "emails"/);
  t.throws(() => parseElementFilter('emails[type eq "x"]', path, reading()), /Brackets inside brackets/);
  t.throws(() => parseElementFilter('type eq work', path, reading(true)), /filterBareWord/);
});

t.test('limits hold at N and refuse N + 1', async (t) => {
  const { characters, depth, terms } = FILTER_LIMITS;
  const ofLength = (length: number) => `title eq "${'x'.repeat(length - 'title eq ""'.length)}"`;
  const ofDepth = (levels: number) => `${'('.repeat(levels)}title pr${')'.repeat(levels)}`;
  const ofNots = (levels: number) => `${'not('.repeat(levels)}title pr${')'.repeat(levels)}`;
  const ofBrackets = (levels: number) => `${'('.repeat(levels - 1)}emails[type pr]${')'.repeat(levels - 1)}`;
  const ofTerms = (count: number) => Array(count).fill('id pr').join(' and ');
  const ofTrailing = (count: number) => `${ofTerms(count - 2)} and emails[type pr].value pr`;
  const cases: [make: (size: number) => string, limit: number][] = [
    [ofLength, characters],
    [ofDepth, depth],
    [ofNots, depth],
    [ofBrackets, depth],
    [ofTerms, terms],
    [ofTrailing, terms],
  ];
  for (const [make, limit] of cases) {
    t.ok(parseFilter(make(limit), TYPE, reading()), `${make.name} ${limit}`);
    const answer = refusal(() => parseFilter(make(limit + 1), TYPE, reading()));
    t.match(answer, new RegExp(`^invalidFilter: .*${limit}`));
  }
});

t.test('input that makes other parsers slow or overflow the stack is refused at once', async (t) => {
  const inputs = [
    `userName eq "${'\n'.repeat(8000)}`,
    `userName eq "${'\\'.repeat(8000)}`,
    `userName eq "${'\\"'.repeat(4000)}`,
    `userName eq "${'a'.repeat(8000)}`,
    '('.repeat(8192),
    'not('.repeat(2048),
    'emails['.repeat(1000),
    ' '.repeat(8192),
    'a.'.repeat(4096),
    `title eq ${'-'.repeat(8000)}"`,
    `title eq ${'1'.repeat(8000)}"`,
    'title pr and '.repeat(600),
    '"'.repeat(8191),
    '('.repeat(1_000_000),
  ];
  for (const input of inputs) {
    t.match(
      refusal(() => parseFilter(input, TYPE, reading())),
      /^invalidFilter: /,
    );
  }
});

t.test('a filter in any spelling parses to what it means', async () => {
  fc.assert(
    fc.property(meanings, fc.gen(), (meaning, generate) => {
      const text = write(meaning, (count) => generate(fc.nat, { max: count - 1 }));
      fc.pre(text.length <= FILTER_LIMITS.characters);
      assert.deepStrictEqual(parsed(parseFilter(text, TYPE, reading())), expected(meaning));
    }),
    { numRuns: runs(2_000, 40_000) },
  );
});

t.test('only ScimErrors escape from a filter, whatever it is', async () => {
  const snippet = fc.constantFrom(
    ...[
      '(',
      ')',
      '[',
      ']',
      '"',
      '\\',
      '.',
      ':',
      ' ',
      '\n',
      '\0',
      '\ud800',
      '-',
      '1',
      'not',
      'and',
      'or',
      'eq',
      'pr',
    ],
    ...[
      'title',
      'emails',
      'type',
      '__proto__',
      'constructor',
      '"x"',
      'null',
      'true',
      '].value eq ',
      ' pr and ',
      'İ',
    ],
  );
  const seeds = [
    ...accepted.flatMap(([, rows]) => rows),
    ...tolerated.map(([, filter]) => [filter] as const),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat(4), snippet), { maxLength: 4 }))
    .map(([[filter], edits]) =>
      edits.reduce((text, [at, removed, inserted]) => {
        const position = at % (text.length + 1);
        return text.slice(0, position) + inserted + text.slice(position + removed);
      }, filter),
    );
  const random = fc.oneof(
    mutated,
    fc.string({ unit: 'binary' }),
    fc.array(snippet).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(random, fc.boolean(), (text, strict) => {
      try {
        parseFilter(text, TYPE, reading(strict));
      } catch (error) {
        return error instanceof ScimError && error.status === 400 && error.scimType === 'invalidFilter';
      }
      return true;
    }),
    { numRuns: runs(5_000, 200_000) },
  );
});
