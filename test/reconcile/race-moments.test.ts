import t from 'tap';
import { startApp } from '../support/app.ts';
import { runs } from '../support/runs.ts';
import { newWorld, row } from '../support/world.ts';
import { meet, ownersOf } from './race-world.ts';

/** The moments in which one writer could undo what the other relies on, again and again. */

const app = await startApp(t);
const ROUNDS = runs(200, 1_000);
// Where the machine has other work, the rounds take their time.
t.setTimeout(900_000);
const MAPPINGS = [row('Analysts', 'Incident Response', 'EDITOR'), row('Analysts', 'Later', 'VIEWER')];
const OWNERS = { tenant_owners_groups: ['IT Admins', 'Founders'] };

async function start(...names: string[]) {
  const world = await newWorld(app);
  await world.map(MAPPINGS, OWNERS);
  const users: string[] = [];
  for (const name of names) users.push(await world.user(name));
  const [analysts, admins] = [await world.group('Analysts'), await world.group('IT Admins')];
  // Two, because the writers of one group wait for each other there already.
  const founders = await world.group('Founders');
  return { ...world, users: users as [string, string], analysts, admins, founders };
}

t.test('who is deactivated beside being added to a group holds nothing', async (t) => {
  const world = await start('ada');
  const [ada] = world.users;
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    await meet(t, app, world, [() => world.join(world.analysts, ada), () => world.activate(ada, false)]);
    t.same(await world.holds(ada), []);
    await world.leave(world.analysts, ada);
    await world.activate(ada, true);
  }
});

t.test('who is activated beside being added to a group is a member', async (t) => {
  const world = await start('ada');
  const [ada] = world.users;
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    await world.activate(ada, false);
    await meet(t, app, world, [() => world.activate(ada, true), () => world.join(world.analysts, ada)]);
    t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
    await world.leave(world.analysts, ada);
  }
});

t.test('of two last owners who leave at one time, one is kept', async (t) => {
  const world = await start('ada', 'bob');
  const [ada, bob] = world.users;
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    await world.join(world.admins, ada);
    await world.join(world.founders, bob);
    const after = await meet(t, app, world, [
      () => world.leave(world.admins, ada),
      () => world.leave(world.founders, bob),
    ]);
    t.match(ownersOf(after), [{ origin: 'retention' }]);
  }
});

t.test('where the last owner leaves beside another who comes, only the other is left', async (t) => {
  const world = await start('ada', 'bob');
  const [ada, bob] = world.users;
  await world.join(world.admins, ada);
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    const [from, to] = round % 2 === 0 ? [ada, bob] : [bob, ada];
    const group = (user: string) => (user === ada ? world.admins : world.founders);
    const after = await meet(t, app, world, [
      () => world.leave(group(from), from),
      () => world.join(group(to), to),
    ]);
    t.match(ownersOf(after), [{ user: to, origin: 'scim:default' }]);
    t.equal(ownersOf(after).length, 1);
  }
});

t.test(
  'where an owner is deactivated beside the other who leaves, one is kept, or it is told that none is',
  async (t) => {
    const world = await start('ada', 'bob');
    const [ada, bob] = world.users;
    const alerts = async () => {
      const { rows } = await app.context.db.pool.query(
        `select from event where tenant_id = $1 and type = 'owner.none_left'`,
        [world.tenant.id],
      );
      return rows.length;
    };
    for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
      await world.activate(ada, true);
      await world.join(world.admins, ada, bob);
      const before = await alerts();
      const after = await meet(t, app, world, [
        () => world.activate(ada, false),
        () => world.leave(world.admins, bob),
      ]);
      // If he leaves first, she is the last owner, and cut off; otherwise he is kept.
      const owners = ownersOf(after).map(({ user, origin }) => `${user} ${origin}`);
      const isAlerted = (await alerts()) > before;
      t.same(owners, isAlerted ? [] : [`${bob} retention`]);
    }
  },
);

t.test('what is given by hand beside a deactivation is suspended', async (t) => {
  const world = await start('ada');
  const [ada] = world.users;
  const path = `/teams/${world.fraud}/members/${ada}`;
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    await meet(t, app, world, [
      () => world.ask('PUT', path, { role: 'VIEWER' }),
      () => world.activate(ada, false),
    ]);
    t.same(await world.grants(ada, world.fraud), ['manual VIEWER suspended']);
    await world.activate(ada, true);
    await world.ask('DELETE', path);
  }
});

t.test('who is deleted beside being added to a group, or given a team by hand, holds nothing', async (t) => {
  const world = await start();
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    const user = await world.user(`user-${round}`);
    const add = () =>
      round % 2 === 0
        ? world.join(world.admins, user)
        : world.ask('PUT', `/teams/${world.fraud}/members/${user}`, { role: 'VIEWER' });
    const [, after] = await Promise.all([add(), world.scim.ask('DELETE', `/Users/${user}`)]);
    t.equal(after.status, 204);
    t.same((await meet(t, app, world, [])).grants, []);
  }
});

t.test('who is added to a group that is deleted beside holds nothing of it', async (t) => {
  const world = await start('ada');
  const [ada] = world.users;
  await world.scim.ask('DELETE', `/Groups/${world.analysts}`);
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    const group = await world.group('Analysts');
    await meet(t, app, world, [
      () => world.join(group, ada),
      () => world.scim.ask('DELETE', `/Groups/${group}`),
    ]);
    t.same(await world.holds(ada), []);
  }
});

t.test('who is activated beside the deletion of their group holds nothing of it', async (t) => {
  const world = await start('ada');
  const [ada] = world.users;
  await world.scim.ask('DELETE', `/Groups/${world.analysts}`);
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    await world.activate(ada, false);
    const group = await world.group('Analysts', [ada]);
    await meet(t, app, world, [
      () => world.scim.ask('DELETE', `/Groups/${group}`),
      () => world.activate(ada, true),
    ]);
    t.same(await world.holds(ada), []);
  }
});

t.test(
  'who is added beside the making of a team that a row waits for is a member; of a deleted one nobody is',
  async (t) => {
    const world = await start('ada');
    const [ada] = world.users;
    for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
      await meet(t, app, world, [
        () => world.join(world.analysts, ada),
        () => world.ask('POST', '/teams', { name: 'Later' }),
      ]);
      t.same(await world.holds(ada), ['Incident Response EDITOR scim:default', 'Later VIEWER scim:default']);
      await world.leave(world.analysts, ada);
      const { body } = await world.ask<{ teams: { id: string; name: string }[] }>('GET', '/teams');
      const later = body.teams.find(({ name }) => name === 'Later')?.id;
      await meet(t, app, world, [
        () => world.join(world.analysts, ada),
        () => world.ask('DELETE', `/teams/${later}`),
      ]);
      t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
      await world.leave(world.analysts, ada);
    }
  },
);
