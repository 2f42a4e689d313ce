import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** The rules of provisioning by their numbers, as the service keeps them: users, sign-ins, writers at a time. */

const app = await startApp(t);
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');
const HUNTERS = row('Hunters', 'Forensics', 'VIEWER');

t.test(
  'R7 active: false releases memberships, ownership and permissions, keeps the group rows, and denies sign-in',
  async (t) => {
    const world = await newWorld(app);
    const [ada, eve] = [await world.user('ada'), await world.user('eve')];
    await world.map([ANALYSTS], {
      tenant_owners_groups: ['Analysts'],
      tenant_permission: [{ group_name: 'Analysts', permissions: ['BILLING'] }],
    });
    const analysts = await world.group('Analysts', [ada, eve]);
    const { key } = await app.apiKey(world.tenant, ['read']);
    const access = async () =>
      (await app.send('GET', `/api/v1/tenants/${world.tenant.id}/users/${ada}/access`, { key })).body;
    t.match(await access(), {
      signIn: 'allow',
      tenantOwner: true,
      permissions: ['BILLING'],
      teams: [{ role: 'EDITOR' }],
    });
    await world.activate(ada, false);
    t.match(await access(), { signIn: 'deny', tenantOwner: false, permissions: [], teams: [] });
    t.equal((await world.scim.ask('GET', `/Groups/${analysts}`)).body.members?.length, 2);
    await world.activate(ada, true);
    t.match(await access(), {
      signIn: 'allow',
      tenantOwner: true,
      permissions: ['BILLING'],
      teams: [{ role: 'EDITOR' }],
    });
  },
);

t.test(
  'R7 a deleted user answers 404, is in no group and holds nothing; the name made again starts afresh',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([ANALYSTS]);
    const analysts = await world.group('Analysts', [ada]);
    await world.ask('PUT', `/teams/${world.fraud}/members/${ada}`, { role: 'VIEWER' });
    t.equal((await world.scim.ask('DELETE', `/Users/${ada}`)).status, 204);
    t.equal((await world.scim.ask('GET', `/Users/${ada}`)).status, 404);
    t.same((await world.scim.ask('GET', `/Groups/${analysts}`)).body.members ?? [], []);
    t.same(await world.grants(ada, world.response), []);
    t.same(await world.grants(ada, world.fraud), []);
    const again = await world.user('ada');
    t.same(await world.holds(again), []);
    await world.join(analysts, again);
    t.same(await world.holds(again), ['Incident Response EDITOR scim:default']);
  },
);

t.test('R8 the sources of ownership are userType and tenant_owners_groups, joined by OR', async (t) => {
  const world = await newWorld(app, { ownersByUserType: true });
  const [ada, eve] = [await world.user('ada'), await world.user('eve')];
  await world.map([ANALYSTS], { tenant_owners_groups: ['IT Admins'] });
  const admins = await world.group('IT Admins', [ada, eve]);
  await world.userType(ada, 'TENANT_OWNER');
  await world.leave(admins, ada);
  t.same(await world.holds(ada), ['owner']);
  await world.join(admins, ada);
  await world.userType(ada, 'Employee');
  t.same(await world.holds(ada), ['owner']);
  await world.leave(admins, ada);
  t.same(await world.holds(ada), []);
});

t.test(
  'R8 a PATCH without userType says nothing of it; PUT without it, and PATCH remove, end what it gave',
  async (t) => {
    const world = await newWorld(app, { ownersByUserType: true });
    const [ada] = [
      await world.user('ada', { userType: 'TENANT_OWNER' }),
      await world.user('eve', { userType: 'TENANT_OWNER' }),
    ];
    await world.scim.patch(`/Users/${ada}`, [{ op: 'replace', path: 'title', value: 'Dr' }]);
    t.same(await world.holds(ada), ['owner']);
    await world.scim.ask('PUT', `/Users/${ada}`, { userName: 'ada' });
    t.same(await world.holds(ada), []);
    await world.userType(ada, 'TENANT_OWNER');
    t.same(await world.holds(ada), ['owner']);
    await world.userType(ada, null);
    t.same(await world.holds(ada), []);
  },
);

t.test('R8 standard JIT only grants ownership and never demotes; unknown groups demote nobody', async (t) => {
  const world = await newWorld(app);
  const [ada, bob] = [await world.byHand('ada'), await world.byHand('bob')];
  await world.map([ANALYSTS], { tenant_owners_groups: ['IT Admins'] });
  await world.signIn(ada, ['IT Admins'], 'google');
  await world.signIn(bob, ['IT Admins']);
  for (const groups of [[], ['Analysts'], null]) await world.signIn(ada, groups, 'google');
  await world.signIn(bob, null);
  t.same([await world.holds(ada), await world.holds(bob)], [['owner'], ['owner']]);
});

t.test(
  'R9 the last owner keeps ownership by a retention; who is deactivated is cut off, and an alert is raised',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([ANALYSTS], { tenant_owners_groups: ['IT Admins'] });
    const admins = await world.group('IT Admins', [ada]);
    const kept = await world.eventsOf(async () => t.equal((await world.leave(admins, ada)).status, 204));
    t.same(await world.grants(ada), ['retention']);
    const cut = await world.eventsOf(() => world.activate(ada, false));
    t.same(await world.grants(ada), []);
    const alerts = [...kept, ...cut].filter(({ type }) => /^owner\.(retained|none_left)$/.test(type));
    t.same(
      alerts.map(({ type }) => type),
      ['owner.retained', 'owner.none_left'],
    );
  },
);

t.test('R10 a sign-in never revives who is deactivated', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada', { active: false });
  await world.map([ANALYSTS]);
  t.match(await world.signIn(ada, ['Analysts']), { status: 403, body: { reason: 'deactivated' } });
  t.same(await world.holds(ada), []);
});

t.test(
  'R11 claims are a list, empty, or unknown: unknown gives and takes nothing, empty takes all',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.byHand('ada');
    await world.map([ANALYSTS]);
    await world.signIn(ada, null);
    t.same(await world.holds(ada), []);
    await world.signIn(ada, ['Analysts']);
    await world.signIn(ada, null);
    t.same(await world.holds(ada), ['Incident Response EDITOR jit:okta']);
    await world.signIn(ada, []);
    t.same(await world.holds(ada), []);
  },
);

t.test('R12 a SCIM-managed user gets no teams from JIT, and SCIM adopts whom JIT made', async (t) => {
  const world = await newWorld(app);
  const [ada, bob] = [await world.user('ada'), await world.byHand('bob')];
  await world.map([ANALYSTS, HUNTERS]);
  for (const user of [ada, bob]) await world.signIn(user, ['Analysts']);
  t.same([await world.holds(ada), await world.holds(bob)], [[], ['Incident Response EDITOR jit:okta']]);
  await world.scim.patch(`/Users/${bob}`, [{ op: 'replace', path: 'title', value: 'Dr' }]);
  t.match((await world.ask('GET', `/users/${bob}`)).body, { managedBy: 'scim:default', memberships: [] });
});

t.test(
  'R13 whom no row reaches may sign in without access, or not at all with unmappedUsers: deny',
  async (t) => {
    for (const [settings, signIn] of [
      [{}, 'allow'],
      [{ unmappedUsers: 'deny' }, 'deny'],
    ] as const) {
      const world = await newWorld(app, settings);
      await world.map([ANALYSTS]);
      const ada = await world.byHand('ada');
      t.equal((await world.signIn(ada, ['Strangers'])).status, signIn === 'allow' ? 200 : 403);
      const { key } = await app.apiKey(world.tenant, ['read']);
      const path = `/api/v1/tenants/${world.tenant.id}/users/${ada}/access`;
      t.match((await app.send('GET', path, { key })).body, { signIn, teams: [] });
      await world.signIn(ada, ['Analysts']);
      t.match((await app.send('GET', path, { key })).body, { signIn: 'allow', teams: [{ role: 'EDITOR' }] });
    }
  },
);

t.test(
  'R15 a mapping that takes away more than ten memberships wants a confirmation; a SCIM call never does',
  async (t) => {
    const world = await newWorld(app);
    const users: string[] = [];
    for (let index = 0; index < 11; index += 1) users.push(await world.user(`user-${index}`));
    await world.map([ANALYSTS]);
    const analysts = await world.group('Analysts', users);
    t.match(await world.put({ mappings: [HUNTERS] }), {
      status: 409,
      body: { reason: 'confirm_required', confirm: 11 },
    });
    t.equal((await world.leave(analysts, ...users)).status, 204);
  },
);

t.test(
  'R16 every run is told in its transaction: who, what, by which group, row and version; a dry run is not',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([HUNTERS, ANALYSTS]);
    const analysts = await world.group('Analysts');
    const events = await world.eventsOf(() => world.join(analysts, ada));
    const reason = {
      origin: 'scim:default',
      cause: 'row',
      group: { id: analysts, name: 'Analysts' },
      row: '/mappings/1',
      mappingVersion: 1,
    };
    t.match(
      [...events].sort((left, right) => left.type.localeCompare(right.type)),
      [
        { type: 'grant.added', reason, after: { origin: 'scim:default', role: 'EDITOR', users: [ada] } },
        { type: 'group.members_added', resource: { id: analysts } },
        {
          type: 'membership.added',
          reason,
          resource: { type: 'Team', id: world.response },
          after: { users: [ada] },
        },
      ],
    );
    t.match(
      events.map(({ actor }) => actor.kind),
      ['api_key', 'api_key', 'api_key'],
    );
    t.equal(new Set(events.map(({ changeId, requestId }) => `${changeId} ${requestId}`)).size, 1);
    t.same(await world.eventsOf(() => world.put({ mappings: [HUNTERS] }, '?dryRun=true')), []);
  },
);

t.test('R17 a userName is given once, in whatever case and however many ask at a time', async (t) => {
  const { scim } = await newWorld(app);
  const names = ['Ada', 'ADA', 'ada', 'aDa'];
  const answers = await Promise.all(names.map((userName) => scim.ask('POST', '/Users', { userName })));
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409]);
});

t.test('R17 writers of many members take them in one order: none of them is broken off', async (t) => {
  const world = await newWorld(app);
  await world.map([ANALYSTS, HUNTERS]);
  const users: string[] = [];
  for (let index = 0; index < 20; index += 1) users.push(await world.user(`user-${index}`));
  const groups = [await world.group('Analysts'), await world.group('Hunters')];
  for (let round = 0; round < 5; round += 1) {
    for (const change of ['join', 'leave'] as const) {
      const answers = await Promise.all(
        groups.map((group, index) => world[change](group, ...(index === 0 ? users : [...users].reverse()))),
      );
      t.same(
        answers.map(({ status }) => status),
        [204, 204],
      );
      t.equal(await world.drift(), 0);
    }
  }
});
