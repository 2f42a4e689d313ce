import t from 'tap';
import { startApp } from '../support/app.ts';
import { runs, SEED } from '../support/runs.ts';
import { meet, randomWriters } from './race-world.ts';

/** Writers of users and groups meet, in pairs: what they leave is what the last inputs want. */

const app = await startApp(t);
const ROUNDS = runs(200, 1_000);
// Where the machine has other work, the rounds take their time.
t.setTimeout(900_000);
t.comment(`ROLLCALL_SEED=${SEED}`);

const PAIRS = [
  ['a group PATCH', 'a group PATCH'],
  ['a group PATCH', 'a deactivation'],
  ['a group PATCH', 'a gain or loss of an owner'],
  ['a deactivation', 'a deactivation'],
  ['a deactivation', 'a gain or loss of an owner'],
  ['a deactivation', 'an edit by hand'],
  ['a gain or loss of an owner', 'a gain or loss of an owner'],
] as const;

for (const [one, other] of PAIRS) {
  t.test(`${one} beside ${other} leaves what is desired`, async (t) => {
    const { world, writers } = await randomWriters(app);
    for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
      await meet(t, app, world, [writers[one], writers[other]]);
    }
  });
}
