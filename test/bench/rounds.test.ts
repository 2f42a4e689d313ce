import t from 'tap';
import { type Entry, type RoundOptions, runRounds } from '../../bench/rounds.ts';
import type { Slice } from '../../bench/workload.ts';

const GOOD: Slice = { milliseconds: 10, count: 5, failures: 0, p50: 1, p99: 2, max: 3 };

/** There is no such process, so that nothing is known of its CPU time. */
const NOBODY = 2 ** 30;

/** Contestants that do nothing, and who had a slice so far. */
function contestants(slices: Readonly<Record<string, () => Slice>>) {
  const asked: string[] = [];
  const entries = Object.entries(slices).map(([name, slice]): Entry => {
    const run = async () => {
      asked.push(name);
      return slice();
    };
    const contestant = { name, kind: 'peer', pid: NOBODY, usesPostgres: false } as const;
    return { contestant, workload: { run, close: async () => {} } };
  });
  return { entries, asked };
}

const OPTIONS: RoundOptions = {
  rounds: 2,
  warmUp: true,
  connections: 1,
  slice: 10,
  postgres: NOBODY,
  asked: new AbortController().signal,
  onSlice: () => {},
};

t.test(
  'each round gives everybody a slice, in an order that goes round; the first does not count',
  async (t) => {
    const { entries, asked } = contestants({ a: () => GOOD, b: () => GOOD, c: () => GOOD });
    const courses = await runRounds(entries, OPTIONS);
    t.equal(asked.join(''), 'abc' + 'bca' + 'cab');
    t.same(
      courses.map(({ contestant, slices }) => [contestant.name, slices.length]),
      [
        ['a', 2],
        ['b', 2],
        ['c', 2],
      ],
    );
  },
);

t.test('where the code is warm, every round counts', async (t) => {
  const { entries, asked } = contestants({ a: () => GOOD, b: () => GOOD });
  const courses = await runRounds(entries, { ...OPTIONS, warmUp: false });
  t.equal(asked.length, 4);
  t.same(
    courses.map(({ slices }) => slices.length),
    [2, 2],
  );
});

t.test('who does not answer is not asked again, at no number of connections', async (t) => {
  const silent: Slice = { ...GOOD, failures: 1, fault: 'no answer', silent: true };
  const { entries, asked } = contestants({ a: () => silent, b: () => GOOD });
  const [first] = await runRounds(entries, OPTIONS);
  t.match(
    first?.slices,
    [{ failures: 1, fault: 'no answer' }],
    'it is told also of the round that does not count',
  );
  const [again] = await runRounds(entries, { ...OPTIONS, connections: 8 });
  t.same(again?.slices, []);
  t.equal(asked.filter((name) => name === 'a').length, 1);
});

t.test('a write that is not there afterwards is a failure', async (t) => {
  const lost: Slice = { ...GOOD, check: async () => 'Not written: PATCH /Users/1' };
  const { entries } = contestants({ a: () => lost });
  const [course] = await runRounds(entries, { ...OPTIONS, rounds: 1 });
  t.match(course?.slices, [{ failures: 1, fault: 'Not written: PATCH /Users/1' }]);
});

t.test('a run that is to end ends before the next slice', async (t) => {
  const { entries, asked } = contestants({ a: () => GOOD });
  await t.rejects(
    runRounds(entries, { ...OPTIONS, asked: AbortSignal.abort(new Error('Ended by SIGINT')) }),
    {
      message: 'Ended by SIGINT',
    },
  );
  t.same(asked, []);
});
