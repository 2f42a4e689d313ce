import t from 'tap';
import { startApp } from '../support/app.ts';
import { runs, SEED } from '../support/runs.ts';
import { meet, randomWriters } from './race-world.ts';

/** Changes of the mapping meet all other writers, in pairs. */

const app = await startApp(t);
const ROUNDS = runs(200, 1_000);
// Where the machine has other work, the rounds take their time.
t.setTimeout(900_000);
t.comment(`ROLLCALL_SEED=${SEED}`);

const OTHERS = [
  'a group PATCH',
  'a deactivation',
  'a gain or loss of an owner',
  'a group rename',
  'a mapping PUT',
] as const;

for (const other of OTHERS) {
  t.test(`a mapping PUT beside ${other} leaves what is desired`, async (t) => {
    const { world, writers } = await randomWriters(app);
    for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
      await meet(t, app, world, [writers['a mapping PUT'], writers[other]]);
    }
  });
}
