import t from 'tap';
import { latencyOf, median, quantile, ratioOf } from '../../bench/statistics.ts';

t.test('a quantile is the value below which that part of the values lies', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
  t.equal(quantile(hundred, 0.5), 50);
  t.equal(quantile(hundred, 0.99), 99);
  t.equal(quantile(hundred, 1), 100);
  t.equal(quantile([7], 0.99), 7, 'of one value it is that one');
  t.equal(quantile([1, 2], 0), 1, 'the smallest is the first');
  t.ok(Number.isNaN(quantile([], 0.5)), 'of none it is none');
});

t.test('a median stands in the middle, whatever the order', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([10, 9, 100]), 10, 'numbers are sorted as numbers');
  t.ok(Number.isNaN(median([])));
});

t.test('latencies come in any order and are left as they are', async (t) => {
  const milliseconds = [5, 1, 100, 2];
  t.same(latencyOf(milliseconds), { p50: 2, p99: 100, max: 100 });
  t.same(milliseconds, [5, 1, 100, 2]);
});

t.test('a ratio compares what was measured in one round, and no other', async (t) => {
  t.equal(ratioOf([10, 100, 20], [5, 50, 10]), 2, 'a fast minute changes both');
  t.equal(ratioOf([10, 100, 20], [100, 5, 10]), 2, 'the median of 0.1, 20 and 2');
  t.equal(ratioOf([10, 20], [5]), 2, 'rounds that only one has do not count');
  t.equal(ratioOf([10], []), undefined);
});
