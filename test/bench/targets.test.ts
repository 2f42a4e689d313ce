import t from 'tap';
import { CASES } from '../../bench/cases/cases.ts';
import type { Figures, Row } from '../../bench/report/rows.ts';
import { TARGET_CASES, targetTable } from '../../bench/report/targets.ts';

const FIGURES: Figures = { rates: [1], rate: 1, p50: 1, p99: 1, max: 1, count: 1, failures: 0 };

interface Said extends Omit<Partial<Row>, 'figures'> {
  readonly case: string;
  readonly figures?: Partial<Figures>;
}

const rowOf = ({ figures, ...row }: Said): Row => ({
  title: row.case,
  users: 100_000,
  connections: 1,
  contestant: 'rollcall',
  kind: 'service',
  ...row,
  figures: { ...FIGURES, ...figures },
});

/** What the line of this title says was measured, and what became of its must and its stretch. */
function lineOf(title: RegExp, ...rows: readonly Said[]) {
  const lines = targetTable(rows.map(rowOf)).split('\n');
  const cells = lines
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .find((each) => title.test(each[1] ?? ''));
  const [measured, must, stretch] = cells?.slice(4, 7) ?? [];
  return { measured: measured?.split('<br>'), must, stretch };
}

const floor = (connections: number, ratio: number, more: Partial<Row> = {}): Said => ({
  case: 'get-user',
  contestant: 'floor',
  kind: 'anchor',
  connections,
  ...more,
  figures: { ratio },
});

t.test('a target of several figures is met when all are, and missed when one is', async (t) => {
  const title = /^GET a user, to a prepared select/;
  t.same(lineOf(title, floor(1, 0.95), floor(8, 1.2), floor(32, 2.5)), {
    measured: ['floor, c=1: 0.95 ×', 'floor, c=8: 1.20 ×', 'floor, c=32: 2.50 ×'],
    must: 'met',
    stretch: 'met',
  });
  t.match(lineOf(title, floor(1, 0.89), floor(8, 1.2), floor(32, 1.9)), {
    must: 'missed',
    stretch: 'missed',
  });
  t.match(lineOf(title, floor(1, 0.9), floor(32, 2)), {
    measured: ['floor, c=1: 0.90 ×', 'floor, c=8: not measured', 'floor, c=32: 2.00 ×'],
    must: 'not measured',
    stretch: 'met',
  });
  t.match(lineOf(title, floor(1, 0.5)), { must: 'missed', stretch: 'not measured' });
});

t.test('what another size shows is no measurement', async (t) => {
  const small = floor(32, 9, { users: 1_000 });
  t.match(lineOf(/^GET a user, to a prepared/, small), { must: 'not measured', stretch: 'not measured' });
});

t.test('what failed is missed, whoever of the two did', async (t) => {
  const [own, other] = [
    { case: 'post-user', connections: 32, fault: '500' },
    { case: 'post-user', connections: 32, contestant: 'saml-jackson', kind: 'peer', figures: { ratio: 30 } },
  ] as const;
  const title = /^POST a user, to saml-jackson/;
  t.match(lineOf(title, other), { stretch: 'met' });
  t.match(lineOf(title, own, other), { stretch: 'missed' });
  t.match(lineOf(title, { ...other, fault: '500', figures: {} }), { stretch: 'missed' });
});

t.test('each target is computed from its own figure', async (t) => {
  const anchor = { kind: 'anchor', contestant: 'rollcall, other' } as const;
  const members = 100_000;
  const all: readonly (readonly [RegExp, readonly Said[], string, string])[] = [
    [
      /^one member/,
      [{ ...anchor, case: 'growth-group-patch', members, figures: { p50Ratio: 1.1 } }],
      'met',
      'missed',
    ],
    [
      /^32 PATCHes/,
      [
        { case: 'group-crowd', connections: 32, figures: { failures: 1 } },
        { case: 'group-crowd', connections: 32, contestant: 'floor', kind: 'anchor', figures: { ratio: 6 } },
      ],
      'missed',
      'met',
    ],
    [
      /^replace/,
      ['same', 'some', 'all'].map((name) => ({
        case: `group-replace-${name}`,
        users: 200_000,
        members,
        figures: { p50: 390 },
      })),
      'met',
      'missed',
    ],
    [
      /^a mapping change/,
      [
        {
          case: 'mapping-change',
          users: 1_000_000,
          figures: { p50: 2_900, also: { 'bytes of WAL per user': 351 } },
        },
      ],
      'missed',
      'met',
    ],
    [
      /^`eq` filter/,
      ['user-name', 'external-id', 'work-email'].map((name) => ({
        ...anchor,
        case: `growth-filter-${name}`,
        figures: { p50Ratio: 1 },
      })),
      'met',
      'met',
    ],
    [
      /^a deep page/,
      [
        { ...anchor, case: 'growth-list-index', figures: { p50Ratio: 3.1 } },
        { ...anchor, case: 'growth-list-cursor', figures: { p50Ratio: 1.04 } },
      ],
      'missed',
      'met',
    ],
    [
      /flood/,
      ['get', 'post'].map((name) => ({
        ...anchor,
        case: `beside-flood-${name}`,
        users: 1_000,
        figures: { p99Ratio: 1.5 },
      })),
      'met',
      '',
    ],
  ];
  for (const [title, rows, must, stretch] of all)
    t.match(lineOf(title, ...rows), { must, stretch }, `${title}`);
});

t.test('every target is about a case that there is', async (t) => {
  const names = new Set(CASES.map(({ name }) => name));
  t.same(
    [...TARGET_CASES].filter((name) => !names.has(name)),
    [],
  );
  t.notMatch(targetTable([]), /\| (met|missed) \|/);
});
