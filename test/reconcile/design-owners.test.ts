import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** Who owns the tenant, and why it is never nobody. */

const app = await startApp(t);
const MAPPINGS = [row('Analysts', 'Incident Response', 'EDITOR')];
const OWNERS = { tenant_owners_groups: ['IT Admins'] };

/** A tenant whose owners are the members of "IT Admins": users of these names. */
async function owned(...names: string[]) {
  const world = await newWorld(app, { ownersByUserType: true });
  await world.map(MAPPINGS, OWNERS);
  const users: string[] = [];
  for (const name of names) users.push(await world.user(name));
  return { ...world, users, first: users[0] as string, admins: await world.group('IT Admins', users) };
}

t.test('no change of groups leaves a tenant that had an active owner without one', async (t) => {
  const losses = {
    'the last member leaves': (world: Awaited<ReturnType<typeof owned>>) =>
      world.leave(world.admins, world.first),
    'the group is emptied by PUT': (world: Awaited<ReturnType<typeof owned>>) =>
      world.scim.ask('PUT', `/Groups/${world.admins}`, { displayName: 'IT Admins' }),
    'the group is deleted': (world: Awaited<ReturnType<typeof owned>>) =>
      world.scim.ask('DELETE', `/Groups/${world.admins}`),
  };
  for (const [what, lose] of Object.entries(losses)) {
    const world = await owned('ada');
    const events = await world.eventsOf(() => lose(world));
    t.same(await world.grants(world.first), ['retention'], what);
    t.same(await world.holds(world.first), ['owner'], what);
    t.match(
      events.filter(({ type }) => type.startsWith('owner.')),
      [{ type: 'owner.retained', after: { users: [world.first] } }],
      'an alert event is written',
    );
    t.equal(await world.drift(), 0);
  }
});

t.test('no change of the mapping leaves a tenant that had an active owner without one', async (t) => {
  const world = await owned('ada');
  const { plan } = await world.map(MAPPINGS);
  t.match(plan.owners, { gained: [], lost: [], retained: [/./] }, 'the plan knows it');
  t.same(await world.grants(world.first), ['retention']);
});

t.test('no change of userType leaves a tenant that had an active owner without one', async (t) => {
  const world = await newWorld(app, { ownersByUserType: true });
  const ada = await world.user('ada', { userType: 'TENANT_OWNER' });
  await world.userType(ada, 'Employee');
  t.same(await world.grants(ada), ['retention']);
  await world.userType(ada, 'TENANT_OWNER');
  t.same(await world.grants(ada), ['scim:default'], 'who is owner again needs no retention');
});

t.test('if all go at once, the longest-standing active owner is kept', async (t) => {
  const world = await owned('ada', 'bob', 'cleo');
  const [ada, bob, cleo] = world.users as [string, string, string];
  await world.leave(world.admins, ada);
  await world.join(world.admins, ada);
  await world.activate(bob, false);
  await world.scim.ask('PUT', `/Groups/${world.admins}`, { displayName: 'IT Admins' });
  t.same([await world.holds(ada), await world.holds(bob), await world.holds(cleo)], [[], [], ['owner']]);
});

t.test('of owners who stand equally long, the smallest id is kept', async (t) => {
  const world = await owned('ada', 'bob', 'cleo');
  await world.scim.ask('DELETE', `/Groups/${world.admins}`);
  const [smallest, ...others] = [...world.users].sort();
  t.same(await world.grants(smallest as string), ['retention']);
  for (const other of others) t.same(await world.holds(other), []);
});

t.test('a retention ends in the transaction that makes another owner', async (t) => {
  const world = await owned('ada');
  const bob = await world.user('bob');
  await world.leave(world.admins, world.first);
  const events = await world.eventsOf(() => world.join(world.admins, bob));
  t.same([await world.holds(world.first), await world.holds(bob)], [[], ['owner']]);
  const told = events.filter(({ type }) => /^(owner|grant)\./.test(type));
  t.match(told.map(({ type, before, after }) => [type, before ?? after]).sort(), [
    ['grant.added', { origin: 'scim:default', users: [bob] }],
    ['grant.ended', { origin: 'retention', users: [world.first] }],
    ['owner.added', { users: [bob] }],
    ['owner.removed', { users: [world.first] }],
  ]);
});

t.test('an owner by hand ends a retention too, and the last owner by hand is not taken', async (t) => {
  const world = await owned('ada');
  const bob = await world.byHand('bob');
  await world.leave(world.admins, world.first);
  t.equal((await world.ask('PUT', `/owners/${bob}`)).status, 200);
  t.same([await world.holds(world.first), await world.holds(bob)], [[], ['owner']]);
  t.match(await world.ask('DELETE', `/owners/${bob}`), { status: 409, body: { reason: 'last_owner' } });
});

t.test('deactivating or deleting the last owner does cut their access', async (t) => {
  for (const cut of ['deactivate', 'delete']) {
    const world = await owned('ada');
    const events = await world.eventsOf(() =>
      cut === 'delete'
        ? world.scim.ask('DELETE', `/Users/${world.first}`)
        : world.activate(world.first, false),
    );
    t.same(await world.grants(world.first), []);
    t.same(
      events.flatMap(({ type }) => (type.startsWith('owner.') ? [type] : [])).sort(),
      ['owner.none_left', 'owner.removed'],
      cut,
    );
  }
});

t.test('deactivating or deleting the last owner ends a retention', async (t) => {
  for (const cut of ['deactivate', 'delete']) {
    const world = await owned('ada');
    await world.leave(world.admins, world.first);
    t.same(await world.grants(world.first), ['retention']);
    if (cut === 'delete') await world.scim.ask('DELETE', `/Users/${world.first}`);
    else await world.activate(world.first, false);
    t.same(await world.grants(world.first), [], cut);
    if (cut === 'deactivate') {
      await world.activate(world.first, true);
      t.same(await world.holds(world.first), [], 'it does not come back');
    }
  }
});

t.test('ownership that is managed again after a deactivation is computed anew', async (t) => {
  const world = await owned('ada');
  await world.activate(world.first, false);
  await world.activate(world.first, true);
  t.same(await world.grants(world.first), ['scim:default']);
});

t.test(
  'a mapping change that takes the ownership of anybody wants to be confirmed, a SCIM call is never held back',
  async (t) => {
    const world = await owned('ada', 'bob');
    const bob = world.users[1] as string;
    t.match(await world.put({ mappings: MAPPINGS }), {
      status: 409,
      body: { reason: 'confirm_required', confirm: 1 },
    });
    t.same([await world.holds(world.first), await world.holds(bob)], [['owner'], ['owner']]);
    t.equal((await world.leave(world.admins, bob)).status, 204);
    t.same(await world.holds(bob), []);
  },
);
