import t from 'tap';
import { startApp } from '../support/app.ts';
import { sentBy } from '../support/costs.ts';
import { runs, SEED } from '../support/runs.ts';
import { meet, randomWriters } from './race-world.ts';

/**
 * The same writers as in races.test.ts, races-mapping.test.ts and races-renames.test.ts, in crowds: where pairs meet as two
 * requests, here batches meet.
 */

const app = await startApp(t);
const ROUNDS = runs(6, 400);
const CROWD = 8;
t.setTimeout(900_000);
t.comment(`ROLLCALL_SEED=${SEED}`);

const CROWDS = [
  ['a group PATCH'],
  ['a deactivation'],
  ['a gain or loss of an owner'],
  ['a group PATCH', 'a deactivation'],
  ['a group PATCH', 'a gain or loss of an owner'],
  ['a deactivation', 'a gain or loss of an owner'],
  ['a group PATCH', 'a group rename'],
  ['a deactivation', 'a mapping PUT'],
  ['a group PATCH', 'an edit by hand', 'a deactivation'],
] as const;

/** What is one of these statements each time that requests are carried out together, or one alone. */
const WRITES = new Set(['change_members', 'update_users']);

for (const kinds of CROWDS) {
  t.test(`a crowd, each ${kinds.join(' or ')}, leaves what is desired`, async (t) => {
    const { world, writers } = await randomWriters(app);
    let sent = 0;
    for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
      const crowd = kinds.flatMap((kind) => Array.from({ length: CROWD }, () => writers[kind]));
      const { statements } = await sentBy(() => meet(t, app, world, crowd));
      sent += statements.filter((name) => WRITES.has(name)).length;
    }
    if (kinds.length === 1) t.ok(sent < (ROUNDS * CROWD * 3) / 4, `${sent} statements, not one each`);
  });
}
