import t from 'tap';
import { startApp } from '../support/app.ts';
import { GROUP } from '../support/client.ts';
import { newWorld, row } from '../support/world.ts';

/** The rules of provisioning by their numbers, as the service keeps them: mapping and groups. */

const app = await startApp(t);
const SECOPS = row('SecOps', 'Incident Response', 'TEAM_ADMIN');
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');
const HUNTERS = row('Hunters', 'Forensics', 'VIEWER');

t.test(
  'R1 one mapping document, replaced as a whole, versioned; aliases are read, canonical names written',
  async (t) => {
    const world = await newWorld(app);
    const { group_name: sso_group, ...rest } = ANALYSTS;
    await world.put({
      user_group_mapping: {
        tenant_owners_group: 'IT Admins',
        tenant_permissions: [{ sso_group: 'Auditors', permissions: ['audit_log_read'] }],
        mappings: [{ ...rest, sso_group, role_name: 'editor' }],
      },
    });
    t.same(await world.document().then(({ document }) => document), {
      tenant_owners_groups: ['IT Admins'],
      tenant_permission: [{ group_name: 'Auditors', permissions: ['AUDIT_LOG_READ'] }],
      mappings: [ANALYSTS],
    });
    await world.put({ mappings: [HUNTERS] });
    t.same(
      await world.document().then(({ document }) => document),
      { mappings: [HUNTERS] },
      'nothing is appended',
    );
    t.match((await world.ask('GET', '/group-mapping/versions/1')).body, {
      document: { mappings: [ANALYSTS] },
    });
    t.match(await world.ask('POST', '/group-mapping/revert', { version: 1 }), {
      status: 200,
      body: { version: 3 },
    });
  },
);

t.test('R1 empty mappings and unknown roles are refused with the JSON pointer of the fault', async (t) => {
  const world = await newWorld(app);
  const cases: [object, string][] = [
    [{ mappings: [] }, '/mappings'],
    [{}, '/mappings'],
    [{ mappings: [ANALYSTS, { ...ANALYSTS, role_name: 'KING' }] }, '/mappings/1/role_name'],
    [{ mappings: [{ ...ANALYSTS, team: 'x' }] }, '/mappings/0/team'],
    [{ mappings: [{ ...ANALYSTS, team_name: 7 }] }, '/mappings/0/team_name'],
    [
      { mappings: [ANALYSTS], tenant_permission: [{ group_name: 'A', permissions: ['FLY'] }] },
      '/tenant_permission/0/permissions/0',
    ],
  ];
  for (const [document, pointer] of cases) {
    const body = { reason: 'invalid_mapping', pointer, errors: [{ pointer }] };
    t.match(await world.put(document), { status: 400, body }, pointer);
  }
  t.equal((await world.document()).version, 0, 'nothing was stored');
});

t.test('R1 what may not be meant is warned of and not refused', async (t) => {
  const world = await newWorld(app);
  await world.group('Analysts');
  const { warnings } = await world.map([ANALYSTS, ANALYSTS, row('Analysts', 'Legal', 'VIEWER'), HUNTERS], {
    tenant_owners_groups: ['Analysts'],
  });
  t.same(warnings.map(({ code, pointer }) => `${code} ${pointer}`).sort(), [
    'dead_row /mappings/1',
    'group_never_seen /mappings/3/group_name',
    'owner_group_empty /tenant_owners_groups',
    'unknown_team /mappings/2/team_name',
  ]);
});

t.test(
  'R2 what is held depends on the mapping, the groups, userType and active alone, not on the order of writes',
  async (t) => {
    const held: string[][] = [];
    const steps = ['map', 'join', 'type', 'active'] as const;
    for (const order of [steps, [...steps].reverse(), ['join', 'active', 'map', 'type']] as const) {
      const world = await newWorld(app, { ownersByUserType: true });
      const ada = await world.user('ada', { active: false });
      const work = {
        map: () => world.map([SECOPS, ANALYSTS, HUNTERS]),
        join: async () => {
          for (const name of ['Analysts', 'SecOps', 'Hunters']) await world.group(name, [ada]);
        },
        type: () => world.userType(ada, 'TENANT_OWNER'),
        active: () => world.activate(ada, true),
      };
      for (const step of order) await work[step]();
      held.push(await world.holds(ada));
      t.equal(await world.drift(), 0, 'a sync that is run again writes nothing');
    }
    const all = ['Forensics VIEWER scim:default', 'Incident Response TEAM_ADMIN scim:default', 'owner'];
    t.same(held, [all, all, all]);
  },
);

t.test(
  'R3 per user and team the first row in list order counts; with highest_role the rank, then list order',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    for (const name of ['SecOps', 'Analysts', 'Guests']) await world.group(name, [ada]);
    const guests = row('Guests', 'Incident Response', 'EDITOR');
    const via = async () => (await world.ask('GET', `/users/${ada}`)).body.memberships;
    await world.map([guests, ANALYSTS, SECOPS]);
    t.match(
      await via(),
      [{ role: 'EDITOR', via: ['Guests', 'Analysts', 'SecOps'] }],
      'the rows that lost are told',
    );
    await world.map([guests, ANALYSTS, SECOPS], { conflict_strategy: 'highest_role' });
    t.match(await via(), [{ role: 'TEAM_ADMIN', via: ['SecOps', 'Guests', 'Analysts'] }]);
  },
);

t.test('R4 a membership has one role and at least one origin; a sync writes only its own', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.ask('PUT', `/teams/${world.response}/members/${ada}`, { role: 'VIEWER' });
  await world.map([ANALYSTS]);
  await world.signIn(ada, ['Analysts']);
  t.same(await world.holds(ada), ['Incident Response EDITOR jit:okta']);
  t.same(await world.grants(ada, world.response), ['jit:okta EDITOR', 'manual VIEWER']);
  await world.signIn(ada, []);
  t.same(await world.holds(ada), ['Incident Response VIEWER manual']);
});

t.test(
  'R5 a removed row is lost at once by SCIM, at the next sign-in by enhanced JIT, never by standard JIT',
  async (t) => {
    const world = await newWorld(app);
    const [scim, enhanced, standard] = [
      await world.user('a'),
      await world.byHand('b'),
      await world.byHand('c'),
    ];
    await world.map([ANALYSTS, HUNTERS]);
    await world.group('Analysts', [scim]);
    const signIn = async () => {
      await world.signIn(enhanced, ['Analysts']);
      await world.signIn(standard, ['Analysts'], 'google');
    };
    const held = async () => [
      await world.holds(scim),
      await world.holds(enhanced),
      await world.holds(standard),
    ];
    await signIn();
    const byOkta = ['Incident Response EDITOR jit:okta'];
    const byGoogle = ['Incident Response EDITOR jit:google'];
    await world.map([HUNTERS]);
    t.same(await held(), [[], byOkta, byGoogle]);
    await signIn();
    t.same(await held(), [[], [], byGoogle]);
  },
);

t.test(
  'R6 groups are keyed by our id; rows follow a rename, as the design says; a deleted group gives nothing',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([ANALYSTS]);
    const id = await world.group('Analysts', [ada]);
    await world.rename(id, 'Renamed');
    t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
    await world.group('Analysts', [ada]);
    await world.scim.ask('DELETE', `/Groups/${id}`);
    t.same(await world.holds(ada), [], 'a new group of the old name is another group');
  },
);

t.test('R6 nested members are refused with invalidValue', async (t) => {
  const world = await newWorld(app);
  const inner = await world.group('Inner');
  const outer = await world.group('Outer');
  t.match(await world.join(outer, inner), { status: 400, body: { scimType: 'invalidValue' } });
  const body = { schemas: [GROUP], displayName: 'New', members: [{ value: inner, type: 'Group' }] };
  t.match(await world.scim.ask('POST', '/Groups', body), { status: 400, body: { scimType: 'invalidValue' } });
});
