import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** Who manages a user, and who may write which grants. */

const app = await startApp(t);
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');

t.test("a SCIM-managed user's teams come from that directory's groups only", async (t) => {
  const world = await newWorld(app);
  const entra = await world.directory('entra');
  const ada = await world.user('ada');
  const { id: bob } = await entra.user('bob');
  await world.map([
    { ...ANALYSTS, directory: 'entra' },
    row('Hunters', 'Forensics', 'VIEWER'),
    row('Hunters', 'Incident Response', 'VIEWER'),
  ]);
  for (const name of ['Analysts', 'Hunters']) await world.group(name, [ada]);
  for (const name of ['Analysts', 'Hunters']) await entra.group(name, [bob]);
  const forensics = (directory: string) => `Forensics VIEWER scim:${directory}`;
  t.same(await world.holds(ada), [forensics('default'), 'Incident Response VIEWER scim:default']);
  t.same(await world.holds(bob), [forensics('entra'), 'Incident Response EDITOR scim:entra']);
});

t.test('a user whom a directory adopts is SCIM-managed from then on', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.ask('PUT', `/teams/${world.response}/members/${ada}`, { role: 'VIEWER' });
  await world.map([ANALYSTS]);
  const managedBy = async () => (await world.ask('GET', `/users/${ada}`)).body.managedBy;
  t.equal(await managedBy(), null);
  await world.group('Analysts', [ada]);
  t.equal(await managedBy(), 'scim:default');
  t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
  t.match(await world.ask('PATCH', `/users/${ada}`, { active: false }), {
    status: 409,
    body: { reason: 'managed_user' },
  });
});

t.test('another directory neither sees nor changes whom one directory manages', async (t) => {
  const world = await newWorld(app);
  const entra = await world.directory('entra');
  const ada = await world.user('ada');
  await world.map([ANALYSTS]);
  const { id: analysts } = await entra.group('Analysts');
  const added = await entra.patch(`/Groups/${analysts}`, [
    { op: 'add', path: 'members', value: [{ value: ada }] },
  ]);
  t.equal(added.status, 400);
  t.equal((await entra.ask('DELETE', `/Users/${ada}`)).status, 404);
  t.same(await world.holds(ada), []);
});

t.test(
  'with provisioning `jit` SCIM writes are 403 with a hint; with `scim` and `combined` they are served',
  async (t) => {
    for (const [provisioning, status] of [
      ['jit', 403],
      ['scim', 201],
      ['combined', 201],
    ] as const) {
      const { scim } = await newWorld(app, { provisioning });
      const { status: answered, text } = await scim.ask('POST', '/Users', { userName: 'ada' });
      t.equal(answered, status, provisioning);
      if (status === 403) t.match(text, /provisioning/);
      t.equal((await scim.ask('GET', '/Users')).status, 200, 'reading stays');
    }
  },
);

t.test('a writer adds and removes only grants of its own origin', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  for (const team of [world.response, world.forensics]) {
    await world.ask('PUT', `/teams/${team}/members/${ada}`, { role: 'VIEWER' });
  }
  await world.ask('PUT', `/owners/${ada}`);
  await world.ask('PUT', `/permissions/BILLING/${ada}`);
  await world.map([ANALYSTS], {
    tenant_owners_groups: ['Analysts'],
    tenant_permission: [{ group_name: 'Analysts', permissions: ['BILLING'] }],
  });
  const analysts = await world.group('Analysts', [ada]);
  t.same(await world.grants(ada, world.response), ['manual VIEWER', 'scim:default EDITOR']);
  t.same(await world.grants(ada), ['manual', 'scim:default']);
  const events = await world.eventsOf(() => world.leave(analysts, ada));
  t.same(await world.holds(ada), [
    'Forensics VIEWER manual',
    'Incident Response VIEWER manual',
    'owner',
    'BILLING',
  ]);
  const told = events.filter(({ type }) => /^(grant|owner|permission|membership)\./.test(type));
  t.same(told.map(({ type }) => type).sort(), [
    'grant.ended',
    'grant.ended',
    'grant.ended',
    'membership.changed',
  ]);
  t.notOk(
    told.some(
      ({ type, before }) => type === 'grant.ended' && (before as { origin: string }).origin === 'manual',
    ),
  );
});

t.test(
  'a manual edit is 409 managed_team where the user is synced and the team has a row, and names the group and row',
  async (t) => {
    const world = await newWorld(app);
    const [ada, bob] = [await world.user('ada'), await world.byHand('bob')];
    await world.map([row('Hunters', 'Forensics', 'VIEWER'), ANALYSTS]);
    await world.group('Analysts', [ada]);
    const path = (team: string, user: string) => `/teams/${team}/members/${user}`;
    const held = {
      status: 409,
      body: {
        reason: 'managed_team',
        detail: /"Analysts".*\/mappings\/1/,
        heldBy: [{ group: 'Analysts', row: '/mappings/1' }],
      },
    };
    const before = await world.feed();
    t.match(await world.ask('PUT', path(world.response, ada), { role: 'VIEWER' }), held);
    t.match(await world.ask('DELETE', path(world.response, ada)), held);
    const notHeld = { status: 409, body: { reason: 'managed_team', heldBy: [{ group: 'Hunters' }] } };
    t.match(await world.ask('PUT', path(world.forensics, ada), { role: 'VIEWER' }), notHeld);
    t.same(await world.feed(), before, 'what is refused changes nothing');
    t.equal(
      (await world.ask('PUT', path(world.fraud, ada), { role: 'VIEWER' })).status,
      200,
      'a team without a row',
    );
    t.equal(
      (await world.ask('PUT', path(world.response, bob), { role: 'VIEWER' })).status,
      200,
      'a user who is not synced',
    );
  },
);

t.test('manual grants from before stay', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.ask('PUT', `/teams/${world.response}/members/${ada}`, { role: 'VIEWER' });
  const { plan } = await world.map([ANALYSTS]);
  t.match(plan, { add: 0, change: 0, remove: 0 });
  t.same(await world.holds(ada), ['Incident Response VIEWER manual']);
});

t.test('manual grants from before end where the tenant chose takeover', async (t) => {
  const world = await newWorld(app, { takeover: true });
  const [ada, bob] = [await world.user('ada'), await world.byHand('bob')];
  for (const user of [ada, bob])
    for (const team of [world.response, world.fraud])
      await world.ask('PUT', `/teams/${team}/members/${user}`, { role: 'VIEWER' });
  const { plan } = await world.map([ANALYSTS]);
  t.match(plan, { add: 0, change: 0, remove: 1 });
  t.same(await world.holds(ada), ['Fraud VIEWER manual'], 'a team without a row is not taken over');
  t.same(
    await world.holds(bob),
    ['Fraud VIEWER manual', 'Incident Response VIEWER manual'],
    'nor is a user whom nobody syncs',
  );
});

t.test('there is one table of grants; a membership is its winning grant', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.ask('PUT', `/teams/${world.response}/members/${ada}`, { role: 'TEAM_ADMIN' });
  await world.map([ANALYSTS]);
  await world.group('Analysts', [ada]);
  const { body } = await world.ask<{ members: { role: string; origin: string }[] }>(
    'GET',
    `/teams/${world.response}/members`,
  );
  t.match(body.members, [{ role: 'EDITOR', origin: 'scim:default', via: ['Analysts'] }]);
  t.equal(body.members.length, 1, 'one membership, however many grants hold it');
});

t.test('ended grants move to a history with from and to', async (t) => {
  let now = new Date('2026-03-04T05:00:00.000Z');
  const timed = await startApp(t, { now: () => now });
  const world = await newWorld(timed);
  const ada = await world.user('ada');
  await world.map([ANALYSTS]);
  now = new Date('2026-03-04T06:00:00.000Z');
  const analysts = await world.group('Analysts', [ada]);
  now = new Date('2026-03-04T07:00:00.000Z');
  await world.map([row('Analysts', 'Incident Response', 'VIEWER')]);
  now = new Date('2026-03-04T08:00:00.000Z');
  await world.leave(analysts, ada);
  const { rows } = await timed.context.db.pool.query(
    `select origin, role, since, until from access_grant_history where tenant_id = $1 order by position`,
    [world.tenant.id],
  );
  const at = (hour: number) => new Date(Date.UTC(2026, 2, 4, hour));
  t.same(rows, [
    { origin: 'scim:default', role: 'EDITOR', since: at(6), until: at(7) },
    { origin: 'scim:default', role: 'VIEWER', since: at(7), until: at(8) },
  ]);
  t.same(await world.grants(ada, world.response), []);
});
