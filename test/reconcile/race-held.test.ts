import t from 'tap';
import type { Answer } from '../support/app.ts';
import { startApp } from '../support/app.ts';
import { backendsWaiting } from '../support/events.ts';
import { newWorld, row } from '../support/world.ts';

/** Windows too short to be hit by chance: the first writer is held in its last write while the second comes. */

const app = await startApp(t);
const { db } = app.context;

/** Lets `first` come as far as the grants of this user, then `second` to its end or to where it waits for the first. */
async function heldAt(
  userId: string,
  first: () => Promise<Answer<unknown>>,
  second: () => Promise<Answer<unknown>>,
): Promise<number[]> {
  const holder = await db.pool.connect();
  await holder.query('begin');
  await holder.query('select from access_grant where user_id = $1 for update', [userId]);
  const one = first();
  await backendsWaiting(db, 1);
  const other = second();
  await Promise.race([other, backendsWaiting(db, 2)]);
  await holder.query('rollback');
  holder.release();
  return [(await one).status, (await other).status];
}

async function start() {
  const world = await newWorld(app);
  await world.map([row('Analysts', 'Incident Response', 'EDITOR')], {
    tenant_owners_groups: ['IT Admins', 'Founders'],
  });
  return { ...world, ada: await world.user('ada'), bob: await world.user('bob') };
}

t.test('who is activated while their group is being deleted holds nothing of it', async (t) => {
  const world = await start();
  const { ada, bob } = world;
  await world.activate(ada, false);
  const group = await world.group('Analysts', [ada, bob]);
  const statuses = await heldAt(
    bob,
    () => world.scim.ask('DELETE', `/Groups/${group}`),
    () => world.activate(ada, true),
  );
  t.same(statuses, [204, 200]);
  t.same(await world.holds(ada), []);
  t.equal(await world.drift(), 0);
});

t.test('of two last owners one is kept who leaves while the other is leaving', async (t) => {
  const world = await start();
  const { ada, bob } = world;
  const [admins, founders] = [await world.group('IT Admins', [ada]), await world.group('Founders', [bob])];
  const statuses = await heldAt(
    ada,
    () => world.leave(admins, ada),
    () => world.leave(founders, bob),
  );
  t.same(statuses, [204, 204]);
  t.same([await world.grants(ada), await world.grants(bob)], [[], ['retention']]);
});

t.test('the last owner by hand is not taken while the other is leaving', async (t) => {
  const world = await start();
  const { ada } = world;
  const hand = await world.byHand('hand');
  const admins = await world.group('IT Admins', [ada]);
  await world.ask('PUT', `/owners/${hand}`);
  const statuses = await heldAt(
    ada,
    () => world.leave(admins, ada),
    () => world.ask('DELETE', `/owners/${hand}`),
  );
  t.same(statuses, [204, 409]);
  t.same([await world.grants(ada), await world.grants(hand)], [[], ['manual']]);
});

t.test('an owner who is made while the last is leaving leaves nothing to be retained', async (t) => {
  const world = await start();
  const { ada, bob } = world;
  const [admins, founders] = [await world.group('IT Admins', [ada]), await world.group('Founders')];
  const statuses = await heldAt(
    ada,
    () => world.leave(admins, ada),
    () => world.join(founders, bob),
  );
  t.same(statuses, [204, 204]);
  t.same([await world.grants(ada), await world.grants(bob)], [[], ['scim:default']]);
});
