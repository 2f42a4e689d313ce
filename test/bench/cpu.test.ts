import t from 'tap';
import { cpuOf, readStat } from '../../bench/cpu.ts';

t.test('proc(5) gives times in hundredths of a second', async (t) => {
  const text =
    '4711 (postgres: a) b (c) S 17 4711 4711 0 -1 4194560 1 2 3 4 150 50 7 3 20 0 1 0 99 1 2 18446744073709551615';
  t.same(readStat(text), { own: 2_000_000, ended: 100_000 }, 'the name may hold anything');
});

t.test('Linux tells what a process that works has used, and nobody else does', async (t) => {
  const before = await cpuOf(process.pid);
  const until = performance.now() + 100;
  let turns = 0;
  while (performance.now() < until) turns += 1;
  const after = await cpuOf(process.pid);
  const hasGrown = before !== undefined && after !== undefined && after > before;
  t.equal(hasGrown, process.platform === 'linux', `after ${turns} turns`);
});

t.test('of a process that is not there nothing is known', async (t) => {
  t.equal(await cpuOf(2 ** 30), undefined);
});
