import t from 'tap';
import { growthsOf, growthTable } from '../../bench/report/growth.ts';
import { type Figures, type Row, rowsOf } from '../../bench/report/rows.ts';
import { caseTables, figure, layOut, placeOf } from '../../bench/report/table.ts';
import type { Course, Measured } from '../../bench/rounds.ts';

const CASE = { name: 'get-user', title: 'GET a user' };
const PLACE = { users: 1_000, connections: 8 };

/** A slice of a second. */
const slice = (count: number, more: Partial<Measured> = {}): Measured => ({
  milliseconds: 1_000,
  count,
  failures: 0,
  p50: 2,
  p99: 9,
  max: 10,
  cpu: { own: count * 100, postgres: count * 50, generator: count * 20 },
  ...more,
});

const course = (kind: 'service' | 'anchor' | 'peer', ...slices: Measured[]): Course => {
  const name = { service: 'rollcall', anchor: 'floor', peer: 'other' }[kind];
  return { contestant: { name, kind, pid: 1, usesPostgres: true }, slices };
};

t.test('a row has the medians of its rounds, CPU a request and its ratio to the service', async (t) => {
  const courses = [
    course('service', slice(100), slice(300), slice(200, { p50: 4, max: 50 })),
    course('peer', slice(50), slice(50), slice(50)),
  ];
  const [service, peer] = rowsOf(CASE, PLACE, courses);
  t.match(service, { case: 'get-user', users: 1_000, connections: 8, contestant: 'rollcall' });
  t.same(service?.figures?.rates, [100, 300, 200]);
  t.match(service?.figures, { rate: 200, p50: 2, p99: 9, max: 50, count: 600, failures: 0 });
  t.same(service?.figures?.cpu, { own: 100, postgres: 50, generator: 20 });
  t.equal(service?.figures?.ratio, undefined, 'the service is not compared with itself');
  t.equal(peer?.figures?.ratio, 4);
});

t.test('who fails once is invalid, and nobody is compared with them', async (t) => {
  const failed = slice(100, { failures: 1, fault: 'GET /Users/1: 500' });
  const [service, peer] = rowsOf(CASE, PLACE, [course('service', slice(10)), course('peer', failed)]);
  t.equal(service?.fault, undefined);
  t.equal(peer?.fault, 'GET /Users/1: 500');
  t.equal(peer?.figures?.ratio, undefined);
  t.equal(peer?.figures?.rate, 99, 'failures are no answers');
  const text = caseTables([service, peer].filter((row) => row !== undefined));
  t.match(text, /other .* INVALID: 1 of 100 failed/);
  t.match(text, '  other: GET /Users/1: 500');
  const [, other] = rowsOf(CASE, PLACE, [course('service', failed), course('peer', slice(10))]);
  t.equal(other?.figures?.ratio, undefined, 'nor the service with anybody, where it is the one');
});

t.test('who did not answer is not asked again, and the table says so', async (t) => {
  const [, peer] = rowsOf(CASE, PLACE, [course('service', slice(10)), course('peer')]);
  t.equal(peer?.figures, undefined);
  t.equal(peer?.cannot, 'did not answer fewer connections');
});

t.test('without /proc there is no CPU time, and the rest is there', async (t) => {
  const unknown = slice(10, { cpu: { own: undefined, postgres: undefined, generator: 1 } });
  const [row] = rowsOf(CASE, PLACE, [course('service', unknown)]);
  t.equal(row?.figures?.cpu, undefined);
  t.equal(row?.figures?.rate, 10);
});

t.test('a table is as wide as its widest cells', async (t) => {
  const columns = [
    { head: 'name', align: 'left' },
    { head: 'n', align: 'right' },
  ] as const;
  const text = layOut(columns, [
    ['a', '1,000'],
    ['longer', '2'],
  ]);
  t.equal(text, ['name        n', '------  -----', 'a       1,000', 'longer      2'].join('\n'));
});

t.test('figures have three digits that mean something', async (t) => {
  const figures = [12_345.6, 100, 45.12, 9.876, 0.5, Number.NaN, undefined].map(figure);
  t.same(figures, ['12,346', '100', '45.1', '9.88', '0.50', '', '']);
});

t.test('a place says how many users or members, and connections', async (t) => {
  t.equal(placeOf({ users: 100_000, connections: 8 }), '100,000 users, c=8');
  t.equal(placeOf({ users: 100_000, members: 10, connections: 1 }), '10 members, c=1');
});

t.test('the table names a place once, and says who cannot and why', async (t) => {
  const [row] = rowsOf(CASE, PLACE, [course('service', slice(10))]);
  if (!row) throw new Error('There is a row');
  const { figures: _, ...absent } = row;
  const text = caseTables([row, { ...absent, contestant: 'other', cannot: 'has no cursors' }]);
  t.equal(text.match(/1,000 users, c=8/g)?.length, 1);
  t.match(text, /other .* cannot: has no cursors/);
});

t.test('a case that nobody else has says why', async (t) => {
  const rows = rowsOf({ ...CASE, others: 'no peer has it' }, PLACE, [course('service', slice(10))]);
  t.match(caseTables(rows), /GET a user \(get-user\)\n {2}Only rollcall: no peer has it\n/);
});

t.test('growth compares the sizes of one contestant at the fewest connections', async (t) => {
  const figuresOf = (p50: number) => ({ p50 }) as Figures;
  const row = (users: number, p50: number, more: Partial<Row> = {}): Row => ({
    case: 'get-user',
    title: 'GET a user',
    users,
    connections: 1,
    contestant: 'rollcall',
    kind: 'service',
    figures: figuresOf(p50),
    ...more,
  });
  const rows = [
    row(1_000, 2),
    row(100_000, 3),
    row(1_000, 9, { connections: 8 }),
    row(1_000, 1, { contestant: 'floor', kind: 'anchor' }),
    row(100_000, 1, { contestant: 'floor', kind: 'anchor' }),
    row(1_000, 1, { contestant: 'other', kind: 'peer', fault: '500' }),
    row(100_000, 1, { contestant: 'other', kind: 'peer' }),
  ];
  const growths = growthsOf(rows);
  t.same(
    growths.map(({ contestant, of, sizes }) => ({ contestant, of, sizes })),
    [
      {
        contestant: 'rollcall',
        of: 'users',
        sizes: [
          { size: 1_000, p50: 2 },
          { size: 100_000, p50: 3 },
        ],
      },
    ],
    'anchors and those who failed are left out',
  );
  t.match(growthTable(growths), /GET a user +rollcall +users +1,000: 2.00 → 100,000: 3.00 +1.50 ×/);
});
