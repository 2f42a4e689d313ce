import t from 'tap';
import { CASES } from '../../bench/cases/cases.ts';
import { countSlices, estimate } from '../../bench/estimate.ts';
import { readOptions } from '../../bench/options.ts';

const [patch] = CASES.filter(({ name }) => name === 'group-patch');
const [flood] = CASES.filter(({ name }) => name === 'beside-flood-get');
if (!patch || !flood) throw new Error('There are these cases');
const { scale } = readOptions([], ['any']);

t.test(
  'slices are those of everybody, at every place, and one round that warms up at each size',
  async (t) => {
    t.equal(countSlices({ cases: [patch], scale, peers: 3 }), 3 * (3 * 3 + 1) * (1 + 3 + 2));
    t.equal(countSlices({ cases: [patch], scale, peers: 0 }), 3 * (3 * 3 + 1) * (1 + 2), 'without peers');
    t.equal(countSlices({ cases: [flood], scale, peers: 3 }), (3 + 1) * 2, 'the service, and itself alone');
  },
);

t.test('who is to be loaded, and how long a slice takes, makes a run longer', async (t) => {
  const run = { cases: [flood], scale, peers: 3 };
  const least = estimate(run, [1_000]);
  t.ok(least > 8 * 10_000);
  t.ok(estimate(run, [1_000, 1_000_000]) > least + 30_000);
});
