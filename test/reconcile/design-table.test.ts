import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** What everybody should hold, situation by situation. Those of sign-ins are in `design-sign-in.test.ts`. */

const app = await startApp(t);
const SECOPS = row('SecOps', 'Incident Response', 'TEAM_ADMIN');
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');

t.test('a user in one mapped group has that team and role', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([SECOPS, row('Hunters', 'Forensics', 'VIEWER')]);
  await world.group('SecOps', [ada]);
  t.same(await world.holds(ada), ['Incident Response TEAM_ADMIN scim:default']);
});

t.test(
  'where several groups give one team, the first row in list order whose group the user has decides',
  async (t) => {
    const world = await newWorld(app);
    const [ada, bob] = [await world.user('ada'), await world.user('bob')];
    await world.map([ANALYSTS, SECOPS]);
    // Pushed in the other order than listed.
    const secops = await world.group('SecOps', [ada, bob]);
    const analysts = await world.group('Analysts', [ada]);
    t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
    t.same(await world.holds(bob), ['Incident Response TEAM_ADMIN scim:default']);
    await world.leave(analysts, ada);
    t.same(await world.holds(ada), ['Incident Response TEAM_ADMIN scim:default']);
    await world.join(analysts, ada);
    await world.leave(secops, ada);
    t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
  },
);

t.test('"conflict_strategy": "highest_role" lets the most permissive role decide instead', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.ask('POST', '/roles', { name: 'CHIEF', rank: 1 });
  const chiefs = row('Chiefs', 'Incident Response', 'CHIEF');
  await world.map([ANALYSTS, SECOPS, chiefs]);
  for (const name of ['Analysts', 'SecOps', 'Chiefs']) await world.group(name, [ada]);
  t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
  const { plan } = await world.map([ANALYSTS, SECOPS], { conflict_strategy: 'highest_role' });
  t.match(plan, { add: 0, change: 1, remove: 0, changes: [{ was: 'EDITOR', role: 'TEAM_ADMIN' }] });
  t.same(await world.holds(ada), ['Incident Response TEAM_ADMIN scim:default']);
  await world.map([ANALYSTS, SECOPS, chiefs], { conflict_strategy: 'highest_role' });
  t.same(
    await world.holds(ada),
    ['Incident Response CHIEF scim:default'],
    'a role of the tenant by its rank',
  );
});

t.test('of several origins of one team a managed one goes before a manual one', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.ask('PUT', `/teams/${world.response}/members/${ada}`, { role: 'VIEWER' });
  t.same(await world.holds(ada), ['Incident Response VIEWER manual']);
  await world.map([ANALYSTS]);
  const analysts = await world.group('Analysts', [ada]);
  t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
  t.same(await world.grants(ada, world.response), ['manual VIEWER', 'scim:default EDITOR']);
  await world.leave(analysts, ada);
  t.same(await world.holds(ada), ['Incident Response VIEWER manual'], 'what loses is kept, and holds again');
});

t.test('group and team names are matched exactly, case-sensitive', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  const { warnings } = await world.map([ANALYSTS, row('SecOps', 'incident response', 'EDITOR')]);
  for (const name of ['analysts', 'Analysts ', 'SecOps']) await world.group(name, [ada]);
  t.same(await world.holds(ada), []);
  t.match(
    warnings.filter(({ pointer }) => pointer === '/mappings/1/team_name'),
    [{ code: 'unknown_team' }, { code: 'near_miss' }],
  );
});

t.test('role names are read in any case, and stored in upper case', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([row('Analysts', 'Incident Response', 'ediTor')]);
  await world.group('Analysts', [ada]);
  t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
  t.match((await world.document()).document, { mappings: [{ role_name: 'EDITOR' }] });
});

t.test(
  'with active: false all grants are suspended: no memberships, no ownership; the group rows stay',
  async (t) => {
    const world = await newWorld(app);
    const [ada, eve] = [await world.user('ada'), await world.user('eve')];
    await world.ask('PUT', `/teams/${world.forensics}/members/${ada}`, { role: 'VIEWER' });
    await world.map([ANALYSTS], {
      tenant_owners_groups: ['IT Admins'],
      tenant_permission: [{ group_name: 'Analysts', permissions: ['BILLING'] }],
    });
    const analysts = await world.group('Analysts', [ada]);
    await world.group('IT Admins', [ada, eve]);
    const held = ['Forensics VIEWER manual', 'Incident Response EDITOR scim:default', 'owner', 'BILLING'];
    t.same(await world.holds(ada), held);
    await world.activate(ada, false);
    t.same(await world.holds(ada), []);
    t.match((await world.scim.ask('GET', `/Groups/${analysts}`)).body.members, [{ value: ada }]);
  },
);

t.test('reactivation recomputes the managed grants and restores the manual ones', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.ask('PUT', `/teams/${world.forensics}/members/${ada}`, { role: 'VIEWER' });
  await world.map([ANALYSTS]);
  await world.group('Analysts', [ada]);
  await world.activate(ada, false);
  t.same(await world.grants(ada, world.forensics), ['manual VIEWER suspended']);
  await world.map([row('Analysts', 'Incident Response', 'VIEWER')]);
  t.same(await world.holds(ada), []);
  await world.activate(ada, true);
  t.same(await world.holds(ada), ['Forensics VIEWER manual', 'Incident Response VIEWER scim:default']);
});

t.test('a member of any tenant_owners_groups is tenant owner', async (t) => {
  const world = await newWorld(app);
  const [ada, bob, eve] = [await world.user('ada'), await world.user('bob'), await world.user('eve')];
  await world.map([ANALYSTS], { tenant_owners_groups: ['IT Admins', 'Founders'] });
  await world.group('IT Admins', [ada]);
  await world.group('Founders', [bob]);
  await world.group('Analysts', [eve]);
  t.same(await world.holds(ada), ['owner']);
  t.same(await world.holds(bob), ['owner']);
  t.same(await world.holds(eve), ['Incident Response EDITOR scim:default']);
});

t.test('userType TENANT_OWNER makes an owner only where the tenant has set ownersByUserType', async (t) => {
  for (const [settings, held] of [
    [{}, []],
    [{ ownersByUserType: true }, ['owner']],
  ] as const) {
    const world = await newWorld(app, settings);
    t.same(await world.holds(await world.user('ada', { userType: 'TENANT_OWNER' })), held);
    const bob = await world.user('bob', { userType: 'Employee' });
    t.same(await world.holds(bob), []);
    await world.userType(bob, 'tenant_owner');
    t.same(await world.holds(bob), held, 'in any case, as userType is no caseExact attribute');
  }
});

t.test(
  'when a row is removed from the mapping, SCIM-managed users lose it in the same transaction',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([ANALYSTS, row('Analysts', 'Forensics', 'VIEWER')]);
    await world.group('Analysts', [ada]);
    const events = await world.eventsOf(() => world.map([ANALYSTS]));
    t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
    t.match(events, [
      { type: 'grant.ended', reason: { cause: 'no_row', row: '/mappings/1', group: { name: 'Analysts' } } },
      { type: 'membership.removed', resource: { id: world.forensics }, before: { users: [ada] } },
      { type: 'group_mapping.updated' },
    ]);
    t.equal(new Set(events.map(({ changeId }) => changeId)).size, 1, 'all is one change');
  },
);

t.test('when the last row of a team is removed, its managed members leave', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([ANALYSTS, row('Hunters', 'Forensics', 'VIEWER')]);
  await world.group('Hunters', [ada]);
  await world.map([ANALYSTS]);
  t.same(await world.holds(ada), []);
});

t.test('"on_unmap": "keep" turns them manual', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([
    ANALYSTS,
    row('Hunters', 'Forensics', 'VIEWER'),
    row('Leads', 'Incident Response', 'VIEWER'),
  ]);
  for (const name of ['Hunters', 'Leads']) await world.group(name, [ada]);
  const { plan } = await world.map([ANALYSTS], { on_unmap: 'keep' });
  t.match(plan, { add: 0, change: 0, remove: 1 }, 'only a team without any row left is kept');
  t.same(await world.holds(ada), ['Forensics VIEWER manual']);
});

t.test('when a group is deleted, its grants end; the row stays, marked inert', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([ANALYSTS], { tenant_owners_groups: [] });
  const analysts = await world.group('Analysts', [ada]);
  await world.scim.ask('DELETE', `/Groups/${analysts}`);
  t.same(await world.holds(ada), []);
  const { document, warnings } = (await world.ask('GET', '/group-mapping')).body;
  t.match(document, { mappings: [ANALYSTS] });
  t.match(warnings, [{ code: 'group_never_seen', pointer: '/mappings/0/group_name' }]);
  await world.group('Analysts', [ada]);
  t.same(await world.holds(ada), ['Incident Response EDITOR scim:default'], 'a new group of the name counts');
});

t.test('a team without any row is never touched by a sync, and takes manual grants always', async (t) => {
  const world = await newWorld(app, { takeover: true });
  const ada = await world.user('ada');
  await world.map([ANALYSTS]);
  const put = await world.ask('PUT', `/teams/${world.forensics}/members/${ada}`, { role: 'EDITOR' });
  t.equal(put.status, 200, 'a user whom a directory manages too');
  const analysts = await world.group('Analysts', [ada]);
  await world.leave(analysts, ada);
  await world.map([SECOPS]);
  await world.activate(ada, false);
  await world.activate(ada, true);
  t.same(await world.holds(ada), ['Forensics EDITOR manual']);
  t.equal((await world.ask('DELETE', `/teams/${world.forensics}/members/${ada}`)).status, 204);
  t.same(await world.holds(ada), []);
});
