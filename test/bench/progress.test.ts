import t from 'tap';
import { clock, remaining } from '../../bench/progress.ts';

t.test('a clock has minutes and seconds', async (t) => {
  t.same([0, 999, 65_000, 3_600_000].map(clock), ['0:00', '0:01', '1:05', '60:00']);
});

t.test('what is left is told once there is something to tell it from', async (t) => {
  t.equal(remaining(10_000, 2, 100), '');
  t.equal(remaining(10_000, 10, 100), ', about 1:30 left');
  t.equal(remaining(10_000, 10, 8), ', about 0:00 left', 'it is never less than nothing');
});
