import t from 'tap';
import { MAX } from 'uuid';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Explanation } from '../../../src/reconcile/explanation.ts';
import type { Plan } from '../../../src/reconcile/plan.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';

/** Why somebody holds what they hold, held it at a time, or would hold it. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const app = await startApp(t, { now: () => new Date(clock.now) });
const { pool } = app.context.db;

/** Lets an hour pass, and answers the moment before it. */
function later(): string {
  const at = new Date(clock.now).toISOString();
  clock.now += 3_600_000;
  return at;
}

const MAPPING = {
  tenant_owners_groups: ['IT Admins'],
  tenant_permission: [{ group_name: 'Auditors', permissions: ['AUDIT'] }],
  mappings: [
    { group_name: 'Leads', team_name: 'SecOps', role_name: 'TEAM_ADMIN' },
    { group_name: 'Analysts', team_name: 'SecOps', role_name: 'EDITOR' },
    { group_name: 'Analysts', team_name: 'Not made yet', role_name: 'VIEWER' },
    { group_name: 'Analysts', case_group_name: 'Fraud', role_name: 'VIEWER', directory: 'okta' },
  ],
};

async function newWorld(settings: Parameters<typeof app.createTenant>[0] = {}) {
  const tenant = await app.createTenant(settings);
  const path = `/tenants/${tenant.id}`;
  await app.admin('POST', `${path}/directories`, { name: 'okta' });
  const entra = { name: 'entra', kind: 'claims', jit: 'enhanced' };
  await app.admin('POST', `${path}/identity-providers`, entra);
  await app.admin('POST', `${path}/permissions`, { name: 'AUDIT' });
  const team = async (name: string, kind = 'team') =>
    (await app.admin<{ id: string }>('POST', `${path}/teams`, { name, kind })).body.id;
  const put = async (document: object) => {
    const { status, text } = await app.admin('PUT', `${path}/group-mapping?confirm=99`, document);
    const confirm = status === 409 ? JSON.parse(text).confirm : undefined;
    if (confirm !== undefined) return app.admin('PUT', `${path}/group-mapping?confirm=${confirm}`, document);
    return { status, text };
  };
  const world = {
    ...{ tenant, path, team, put },
    secops: await team('SecOps'),
    fraud: await team('Fraud', 'case_group'),
    scim: clientOf(app, await app.scimKey(tenant)),
    explain: async (user: string, at?: string) => {
      const query = at === undefined ? '' : `?at=${at}`;
      const answer = await app.admin<Explanation>('GET', `${path}/users/${user}/explain${query}`);
      return answer;
    },
    tried: (body: object) =>
      app.admin<Explanation & { readonly plan?: Plan }>('POST', `${path}/explain`, body),
  };
  await put(MAPPING);
  return world;
}

const held = ({ memberships, tenantOwner, permissions }: Explanation) => ({
  memberships: memberships.map(({ team, role, origin }) => [team.name, role, origin]),
  owner: tenantOwner?.origin ?? null,
  permissions: permissions.map(({ permission }) => permission),
});

t.test(
  'a membership is explained: the row, the group, the change and its event, and what lost',
  async (t) => {
    const { scim, explain, secops, path } = await newWorld();
    const ada = await scim.user('ada');
    const analysts = await scim.group('Analysts', [ada.id]);
    const leads = await scim.group('Leads', [ada.id]);
    await app.sealEvents();
    const { status, body } = await explain(ada.id);
    t.equal(status, 200);
    t.match(body, {
      user: { id: ada.id, userName: 'ada', active: true, managedBy: 'scim:default' },
      at: new Date(clock.now).toISOString(),
      mappingVersion: 1,
      state: 'active',
      tenantOwner: null,
      permissions: [],
      suspended: [],
      limits: [],
    });
    const group = { id: leads.id, name: 'Leads' };
    t.match(body.memberships, [
      {
        team: { id: secops, name: 'SecOps', kind: 'team' },
        role: 'TEAM_ADMIN',
        origin: 'scim:default',
        gave: { mappingVersion: 1, row: '/mappings/0', group, event: { sequence: Number } },
        heldBy: { mappingVersion: 1, row: '/mappings/0', group },
        lost: [
          {
            origin: 'scim:default',
            role: 'EDITOR',
            row: '/mappings/1',
            group: { id: analysts.id, name: 'Analysts' },
            why: 'later_in_list',
          },
        ],
      },
    ]);
    t.same(
      body.nothing.map(({ row, target, why }) => [row, target.name, target.kind, why]),
      [
        ['/mappings/2', 'Not made yet', 'team', 'unknown_team'],
        ['/mappings/3', 'Fraud', 'case_group', 'other_source'],
      ],
    );
    const gave = body.memberships[0]?.gave;
    const { body: feed } = await app.admin<FeedPage>('GET', `${path}/events?change=${gave?.changeId}`);
    const told = feed.events.find(({ id }) => id === gave?.event?.id);
    t.match(told, { type: 'grant.changed', sequence: gave?.event?.sequence, reason: { row: '/mappings/0' } });
    t.ok(
      feed.events.some(({ type }) => type === 'group.members_added'),
      'the push that it followed from',
    );
  },
);

t.test('what gave a role goes on being told, beside the row that would give it now', async (t) => {
  const { scim, explain, put } = await newWorld();
  const ada = await scim.user('ada');
  await scim.group('Leads', [ada.id]);
  const { body: first } = await explain(ada.id);
  const [leads, analysts] = MAPPING.mappings;
  await put({ mappings: [analysts, leads] });
  const { body } = await explain(ada.id);
  t.match(body, { mappingVersion: 2, memberships: [{ heldBy: { mappingVersion: 2, row: '/mappings/1' } }] });
  t.match(body.memberships[0]?.gave, { mappingVersion: 1, row: '/mappings/0' });
  t.equal(body.memberships[0]?.gave?.changeId, first.memberships[0]?.gave?.changeId);
});

t.test('ownership and permissions are explained, by group, by hand and by userType', async (t) => {
  const { scim, explain, path } = await newWorld({ ownersByUserType: true });
  const ada = await scim.user('ada', { userType: 'TENANT_OWNER' });
  const admins = await scim.group('IT Admins', [ada.id]);
  await scim.group('Auditors', [ada.id]);
  const { body } = await explain(ada.id);
  t.match(body.tenantOwner, {
    origin: 'scim:default',
    gave: { row: null, group: null },
    heldBy: { row: '/tenant_owners_groups/0', group: { id: admins.id } },
    lost: [{ origin: 'scim:default', row: null, why: 'later_in_list' }],
  });
  t.match(body.permissions, [{ permission: 'AUDIT', heldBy: { row: '/tenant_permission/0/permissions/0' } }]);
  const bob = (await app.admin<{ id: string }>('POST', `${path}/users`, { userName: 'bob' })).body;
  await app.admin('PUT', `${path}/owners/${bob.id}`);
  t.match((await explain(bob.id)).body, {
    user: { managedBy: null },
    tenantOwner: { origin: 'manual', gave: { row: null, changeId: String }, heldBy: null, lost: [] },
  });
});

t.test('a manual grant loses against a managed one, and is suspended with the user', async (t) => {
  const { scim, explain, path, secops } = await newWorld();
  const made = await app.admin<{ id: string }>('POST', `${path}/users`, { userName: 'ada' });
  const ada = made.body.id;
  await app.admin('PUT', `${path}/teams/${secops}/members/${ada}`, { role: 'VIEWER' });
  await scim.group('Analysts', [ada]);
  t.match((await explain(ada)).body.memberships, [
    {
      role: 'EDITOR',
      origin: 'scim:default',
      lost: [{ origin: 'manual', role: 'VIEWER', why: 'managed_first' }],
    },
  ]);
  t.equal((await scim.patch(`/Users/${ada}`, [{ op: 'replace', value: { active: false } }])).status, 200);
  const { body } = await explain(ada);
  t.same(held(body), { memberships: [], owner: null, permissions: [] });
  t.match(body.suspended, [
    {
      target: { id: secops, kind: 'team', name: 'SecOps' },
      origin: 'manual',
      role: 'VIEWER',
      why: 'not_active',
    },
  ]);
  t.same(
    body.nothing.map(({ row, why }) => [row, why]),
    [
      ['/mappings/1', 'not_active'],
      ['/mappings/2', 'unknown_team'],
      ['/mappings/3', 'other_source'],
    ],
  );
});

t.test(
  'with highest_role an earlier row loses by its role, and two groups of one row one of them',
  async (t) => {
    const { scim, explain, put } = await newWorld();
    const rows = [
      { group_name: 'Analysts', team_name: 'SecOps', role_name: 'EDITOR' },
      { group_id: 'x-1', team_name: 'SecOps', role_name: 'TEAM_ADMIN' },
      { group_name: 'Leads', team_name: 'SecOps', role_name: 'TEAM_ADMIN' },
    ];
    await put({ conflict_strategy: 'highest_role', mappings: rows });
    const ada = await scim.user('ada');
    for (const name of ['Analysts', 'Leads']) await scim.group(name, [ada.id]);
    for (const displayName of ['One', 'Two']) {
      const body = { displayName, externalId: 'x-1', members: [{ value: ada.id }] };
      await scim.ask('POST', '/Groups', body);
    }
    t.same(
      (await explain(ada.id)).body.memberships.map(({ role, heldBy, lost }) => [
        role,
        heldBy?.group?.name,
        lost.map(({ row, group, why }) => [row, group?.name, why]),
      ]),
      [
        [
          'TEAM_ADMIN',
          'One',
          [
            ['/mappings/1', 'Two', 'another_group'],
            ['/mappings/2', 'Leads', 'later_in_list'],
            ['/mappings/0', 'Analysts', 'lower_role'],
          ],
        ],
      ],
    );
  },
);

t.test('what was changed behind the back of the service shows as not applied', async (t) => {
  const { scim, explain, tenant, tried } = await newWorld();
  const ada = await scim.user('ada');
  await scim.group('Analysts', [ada.id]);
  t.match((await tried({ userId: ada.id })).body, { plan: { add: 0, change: 0, remove: 0, changes: [] } });
  await pool.query(`update access_grant set role = 'VIEWER' where tenant_id = $1`, [tenant.id]);
  t.match((await explain(ada.id)).body.memberships, [
    { role: 'VIEWER', heldBy: null, lost: [{ role: 'EDITOR', row: '/mappings/1', why: 'not_applied' }] },
  ]);
  const { body } = await tried({ userId: ada.id });
  t.match(body.plan, {
    add: 0,
    change: 1,
    remove: 0,
    changes: [{ user: ada.id, role: 'EDITOR', was: 'VIEWER' }],
  });
  await pool.query('delete from access_grant where tenant_id = $1', [tenant.id]);
  t.match((await explain(ada.id)).body, {
    memberships: [],
    nothing: [{ row: '/mappings/1', why: 'not_applied' }],
  });
});

t.test('claims of sign-ins are explained by the version that each was synced by', async (t) => {
  const { explain, path, tenant, put } = await newWorld();
  const made = await app.admin<{ id: string }>('POST', `${path}/users`, { userName: 'ada' });
  const ada = made.body.id;
  await pool.query(`insert into jit_sync values ($1, $2, 'entra', 'standard', 1, '{Analysts,Leads}', $3)`, [
    tenant.id,
    ada,
    new Date(clock.now),
  ]);
  await put({ mappings: [{ group_name: 'Analysts', team_name: 'SecOps', role_name: 'VIEWER' }] });
  t.match((await explain(ada)).body, {
    user: { managedBy: 'jit:entra' },
    mappingVersion: 2,
    memberships: [
      {
        role: 'TEAM_ADMIN',
        origin: 'jit:entra',
        heldBy: { mappingVersion: 1, row: '/mappings/0', group: { id: null, name: 'Leads' } },
        lost: [{ row: '/mappings/1', mappingVersion: 1, why: 'later_in_list' }],
      },
    ],
  });
});

t.test('the past: each moment is explained as it was, whatever came later', async (t) => {
  const { scim, explain, put, path, secops } = await newWorld();
  const before = later();
  const ada = await scim.user('ada');
  const created = later();
  const analysts = await scim.group('Analysts', [ada.id]);
  const analyst = later();
  const leads = await scim.group('Leads', [ada.id]);
  await scim.group('Auditors', [ada.id]);
  const lead = later();
  const seen: Explanation[] = [(await explain(ada.id)).body];
  await app.admin('PATCH', `${path}/teams/${secops}`, { name: 'Security' });
  await put({ mappings: [{ group_name: 'Analysts', team_name: 'Security', role_name: 'VIEWER' }] });
  const mapped = later();
  await scim.ask('DELETE', `/Groups/${leads.id}`);
  await scim.patch(`/Groups/${analysts.id}`, [{ op: 'remove', path: `members[value eq "${ada.id}"]` }]);
  await scim.patch(`/Groups/${analysts.id}`, [{ op: 'replace', path: 'displayName', value: 'Renamed' }]);
  const left = later();
  await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active: false, userName: 'ada.l' } }]);
  const inactive = later();
  await app.admin('DELETE', `${path}/teams/${secops}`);
  await scim.ask('DELETE', `/Users/${ada.id}`);
  const gone = later();

  t.equal((await explain(ada.id)).status, 404);
  t.equal((await explain(ada.id, before)).status, 404, 'she was not there yet');
  t.equal((await explain(ada.id, gone)).status, 404, 'she was deleted by then');
  const at = async (moment: string) => (await explain(ada.id, moment)).body;
  t.same(held(await at(created)), { memberships: [], owner: null, permissions: [] });
  t.match(await at(analyst), {
    at: analyst,
    user: { id: ada.id, userName: 'ada', active: true, managedBy: 'scim:default' },
    mappingVersion: 1,
    state: 'active',
    limits: [],
    memberships: [
      {
        team: { id: secops, name: 'SecOps', kind: 'team' },
        role: 'EDITOR',
        since: analyst,
        gave: { mappingVersion: 1, row: '/mappings/1', group: { id: analysts.id, name: 'Analysts' } },
        heldBy: { mappingVersion: 1, row: '/mappings/1', group: { id: analysts.id, name: 'Analysts' } },
        lost: [],
      },
    ],
  });
  const asLead = await at(lead);
  t.match(asLead.memberships, [
    {
      team: { name: 'SecOps' },
      role: 'TEAM_ADMIN',
      gave: { group: { id: leads.id, name: 'Leads' } },
      lost: [{ row: '/mappings/1', role: 'EDITOR', group: { name: 'Analysts' }, why: 'later_in_list' }],
    },
  ]);
  t.same(asLead, { ...seen[0], at: lead }, 'as it was explained then');
  t.same(held(await at(mapped)), {
    memberships: [['Security', 'VIEWER', 'scim:default']],
    owner: null,
    permissions: [],
  });
  t.match(await at(mapped), { mappingVersion: Number, memberships: [{ heldBy: { row: '/mappings/0' } }] });
  t.same(held(await at(left)), { memberships: [], owner: null, permissions: [] });
  t.match(await at(inactive), { user: { userName: 'ada.l', active: false }, memberships: [] });
});

t.test('a moment is a moment of the past', async (t) => {
  const { scim, explain } = await newWorld();
  const ada = await scim.user('ada');
  for (const [at, reason] of [
    ['2099-01-01T00:00:00Z', 'in_the_future'],
    ['2026-12-31T23:59:60Z', 'invalid_moment'],
    ['0000-01-01T00:00:00Z', 'invalid_moment'],
  ] as const) {
    t.match(await explain(ada.id, at), { status: 400, body: { reason, pointer: 'at' } }, at);
  }
  t.match(await explain(ada.id, 'yesterday'), { status: 400, body: { pointer: 'at' } });
  t.equal((await explain(MAX)).status, 404);
});

t.test('made-up groups are tried, and nothing is written', async (t) => {
  const { tried, scim, tenant } = await newWorld();
  const { body } = await tried({ groups: ['Analysts', 'Leads', 'IT Admins'] });
  t.match(body, {
    user: { id: null, userName: null, active: true, managedBy: null },
    mappingVersion: 1,
    state: 'tried',
    memberships: [
      { role: 'TEAM_ADMIN', gave: null, heldBy: { row: '/mappings/0' }, lost: [{ why: 'later_in_list' }] },
    ],
    tenantOwner: { gave: null, heldBy: { row: '/tenant_owners_groups/0', group: { name: 'IT Admins' } } },
  });
  t.notOk('plan' in body);
  const inOkta = await tried({ groups: ['Analysts'], directory: 'okta' });
  t.same(held(inOkta.body).memberships, [
    ['Fraud', 'VIEWER', 'scim:okta'],
    ['SecOps', 'EDITOR', 'scim:okta'],
  ]);
  const claims = await tried({ groups: ['Analysts'], identityProvider: 'entra' });
  t.same(held(claims.body).memberships, [['SecOps', 'EDITOR', 'jit:entra']]);
  t.match((await tried({ groups: ['Analysts'], active: false })).body, {
    user: { active: false },
    memberships: [],
    nothing: [{ why: 'not_active' }, { why: 'unknown_team' }, { why: 'other_source' }],
  });
  t.match(await tried({ groups: ['x'], directory: 'none' }), {
    status: 400,
    body: { reason: 'unknown_directory', pointer: '/directory' },
  });
  t.match(await tried({ directory: 'okta', identityProvider: 'entra' }), { status: 400 });
  const foreign = (await (await newWorld()).scim.user('ada')).id;
  t.match(await tried({ userId: foreign }), { status: 404 });
  t.match(await tried({ userId: foreign, groups: ['Analysts'] }), { status: 404 });
  t.match(await tried({ userId: MAX }), { status: 404 });
  t.match(await tried({ userId: MAX, groups: [] }), { status: 404 });
  t.same((await scim.ask<AnyBody>('GET', '/Groups')).body.totalResults, 0);
  const { rows } = await pool.query('select from access_grant where tenant_id = $1', [tenant.id]);
  t.same(rows, []);
});

t.test('another document, other groups, another userType are tried on a user', async (t) => {
  const { tried, scim, path, secops } = await newWorld({ ownersByUserType: true, takeover: false });
  const made = await app.admin<{ id: string }>('POST', `${path}/users`, { userName: 'ada' });
  const userId = made.body.id;
  await app.admin('PUT', `${path}/teams/${secops}/members/${userId}`, { role: 'WORKBENCH_USER' });
  const analysts = await scim.group('Analysts', [userId]);
  const document = {
    mappings: [{ group_id: analysts.id, team_name: 'SecOps', role_name: 'VIEWER' }],
  };
  const edited = (await tried({ userId, document })).body;
  t.match(edited, {
    mappingVersion: null,
    memberships: [
      {
        role: 'VIEWER',
        heldBy: { mappingVersion: null, row: '/mappings/0', group: { id: analysts.id } },
        lost: [{ origin: 'manual', role: 'WORKBENCH_USER', why: 'managed_first' }],
      },
    ],
  });
  t.same(held((await tried({ userId, document, groups: ['Analysts'] })).body).memberships, [
    ['SecOps', 'VIEWER', 'scim:default'],
  ]);
  t.same(held((await tried({ userId, groups: [] })).body).memberships, [
    ['SecOps', 'WORKBENCH_USER', 'manual'],
  ]);
  t.same(held((await tried({ userId, userType: 'tenant_OWNER' })).body).owner, 'scim:default');
  t.same(held((await tried({ userId, userType: 'Employee' })).body).owner, null);
  t.match((await tried({ userId, active: false })).body, {
    memberships: [],
    suspended: [{ origin: 'manual', role: 'WORKBENCH_USER' }],
  });
  await app.admin('PATCH', path, { settings: { takeover: true } });
  t.same(held((await tried({ userId, groups: [] })).body).memberships, [], 'takeover would end it');
  t.match(
    await tried({ userId, document: { mappings: [{ group_name: 'x', team_name: 'y', role_name: 'NO' }] } }),
    {
      status: 400,
      body: { reason: 'invalid_mapping', errors: [{ pointer: '/mappings/0/role_name' }] },
    },
  );
});
