import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { UserView } from '../../../src/http/admin/user-shape.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { backendsWaiting } from '../../support/events.ts';
import { storeMapping } from '../../support/mapping.ts';

/** What admins give and take by hand, beside what the group mapping gives. */

const NOW = new Date('2026-03-04T05:06:07.000Z');
const app = await startApp(t, { now: () => NOW });
const { pool } = app.context.db;

/** A tenant with a team, a case group, a permission, and what is asked of it. */
async function newWorld(settings: Parameters<typeof app.createTenant>[0] = {}) {
  const tenant = await app.createTenant(settings);
  const path = `/tenants/${tenant.id}`;
  const team = async (name: string, kind = 'team') =>
    (await app.admin<{ id: string }>('POST', `${path}/teams`, { name, kind })).body.id;
  const user = async (userName: string) =>
    (await app.admin<{ id: string }>('POST', `${path}/users`, { userName })).body.id;
  await app.admin('POST', `${path}/permissions`, { name: 'AUDIT' });
  const [secops, fraud] = [await team('SecOps'), await team('Fraud', 'case_group')];
  return {
    tenant,
    secops,
    fraud,
    user,
    scim: clientOf(app, await app.scimKey(tenant)),
    put: (what: string, body?: unknown) => app.admin('PUT', `${path}/${what}`, body),
    remove: (what: string) => app.admin('DELETE', `${path}/${what}`),
    patch: (id: string, body: unknown) => app.admin('PATCH', `${path}/users/${id}`, body),
    map: (document: object) => storeMapping(app, tenant.id, document),
    holds: async (id: string) => {
      const { body } = await app.admin<UserView>('GET', `${path}/users/${id}`);
      const memberships = body.memberships.map(({ team: { name }, role, origin }) => [name, role, origin]);
      return { owner: body.tenantOwner, permissions: body.permissions, memberships };
    },
    grants: async () => {
      const { rows } = await pool.query<AnyBody>(
        'select origin, role, suspended from access_grant where tenant_id = $1 order by target_id, user_id, origin',
        [tenant.id],
      );
      return rows;
    },
    told: () => told(tenant),
  };
}

/** The events of memberships, rights and grants. */
async function told(tenant: Tenant) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?limit=1000`);
  return body.events.filter(({ type }) =>
    /^(membership|owner|grant)\.|^permission\.(added|removed)/.test(type),
  );
}

const NOTHING = { owner: false, permissions: [], memberships: [] };
const MAPPING = {
  mappings: [
    { group_name: 'Analysts', team_name: 'SecOps', role_name: 'EDITOR' },
    { group_name: 'Leads', team_name: 'SecOps', role_name: 'TEAM_ADMIN' },
  ],
  tenant_owners_groups: ['IT Admins'],
  tenant_permission: [{ group_name: 'Auditors', permissions: ['AUDIT'] }],
};

t.test(
  'a membership is given by hand in any case of the role, changed, and taken; all is told',
  async (t) => {
    const { secops, user, put, remove, holds, told } = await newWorld();
    const ada = await user('ada');
    const what = `teams/${secops}/members/${ada}`;
    t.match(await put(what, { role: 'editor' }), {
      status: 200,
      body: { team: secops, user: ada, role: 'EDITOR', origin: 'manual', suspended: false },
    });
    t.same(await holds(ada), { ...NOTHING, memberships: [['SecOps', 'EDITOR', 'manual']] });
    t.match(await put(what, { role: 'VIEWER' }), { status: 200, body: { role: 'VIEWER' } });
    t.match(await remove(what), { status: 204, text: '' });
    t.same(await holds(ada), NOTHING);
    const resource = { type: 'Team', id: secops };
    const events = await told();
    t.match(
      events.filter(({ type }) => type.startsWith('membership.')),
      [
        {
          type: 'membership.added',
          resource,
          after: { role: 'EDITOR', users: [ada] },
          actor: { kind: 'operator' },
        },
        { type: 'membership.changed', resource, before: { role: 'EDITOR' }, after: { role: 'VIEWER' } },
        { type: 'membership.removed', resource, before: { role: 'VIEWER', users: [ada] }, after: null },
      ],
    );
    t.match(events[0]?.reason, { origin: 'manual', cause: 'by_hand' });
  },
);

t.test('ownership and permissions are given and taken by hand', async (t) => {
  const { user, put, remove, holds, told } = await newWorld();
  const [ada, bob] = [await user('ada'), await user('bob')];
  t.match(await put(`owners/${ada}`), {
    status: 200,
    body: { user: ada, origin: 'manual', suspended: false },
  });
  t.equal((await put(`owners/${bob}`)).status, 200);
  t.match(await put(`permissions/audit/${ada}`), {
    status: 200,
    body: { permission: 'AUDIT', user: ada, origin: 'manual', suspended: false },
  });
  t.same(await holds(ada), { ...NOTHING, owner: true, permissions: ['AUDIT'] });
  for (const what of [`owners/${ada}`, `permissions/AUDIT/${ada}`]) {
    t.match(await remove(what), { status: 204, text: '' });
  }
  t.same(await holds(ada), NOTHING);
  const types = (await told()).map(({ type }) => type).filter((type) => !type.startsWith('grant.'));
  t.same(types, ['owner.added', 'owner.added', 'permission.added', 'owner.removed', 'permission.removed']);
});

t.test('the same again writes nothing, and what is not there is taken without a word', async (t) => {
  const { secops, user, put, remove, told } = await newWorld();
  const ada = await user('ada');
  const member = `teams/${secops}/members/${ada}`;
  for (const what of [member, `owners/${ada}`, `permissions/AUDIT/${ada}`]) {
    t.match(await remove(what), { status: 204 }, what);
  }
  t.same(await told(), []);
  const puts = () =>
    Promise.all([put(member, { role: 'EDITOR' }), put(`owners/${ada}`), put(`permissions/AUDIT/${ada}`)]);
  await puts();
  const events = (await told()).length;
  t.same(
    (await puts()).map(({ status }) => status),
    [200, 200, 200],
  );
  t.equal((await told()).length, events);
});

t.test('what is not there is 404, a role that is not is 400, and nothing is written', async (t) => {
  const { tenant, secops, user, put, remove, grants, scim } = await newWorld();
  const ada = await user('ada');
  const group = await scim.group('Analysts');
  const nowhere = '0198c0de-0000-7000-8000-00000000002a';
  const paths: readonly (readonly [path: string, what: string])[] = [
    [`teams/${nowhere}/members/${ada}`, 'Team'],
    [`teams/${tenant.id}/members/${ada}`, 'Team'],
    [`teams/no-id/members/${ada}`, 'Team'],
    [`teams/${secops}/members/${nowhere}`, 'User'],
    [`teams/${secops}/members/${group.id}`, 'User'],
    [`teams/${secops}/members/no-id`, 'User'],
    [`owners/${nowhere}`, 'User'],
    [`permissions/AUDIT/${nowhere}`, 'User'],
    [`permissions/ABSENT/${ada}`, 'Permission'],
    [`permissions/no-name/${ada}`, 'Permission'],
  ];
  for (const [path, what] of paths) {
    const refusal = { status: 404, body: { detail: `${what} not found` } };
    t.match(await put(path, path.startsWith('teams') ? { role: 'EDITOR' } : undefined), refusal, path);
    t.match(await remove(path), refusal, path);
  }
  const member = `teams/${secops}/members/${ada}`;
  t.match(await put(member, { role: 'EMPEROR' }), {
    status: 400,
    body: { reason: 'unknown_role', pointer: '/role', hint: /TEAM_ADMIN, EDITOR/ },
  });
  for (const body of [{}, { role: '' }, { role: null }, { role: 'a b' }, { role: 'EDITOR', x: 1 }]) {
    t.match(await put(member, body), { status: 400, body: { pointer: /^\// } }, JSON.stringify(body));
  }
  t.same(await grants(), []);
});

t.test('a role of the tenant’s own is given like a built-in one', async (t) => {
  const { tenant, fraud, user, put } = await newWorld();
  await app.admin('POST', `/tenants/${tenant.id}/roles`, { name: 'AUDITOR', rank: 600 });
  const ada = await user('ada');
  t.match(await put(`teams/${fraud}/members/${ada}`, { role: 'auditor' }), {
    status: 200,
    body: { role: 'AUDITOR' },
  });
});

t.test('what is given to who is not active is kept, and holds once they are', async (t) => {
  const { secops, user, put, patch, holds, grants, told } = await newWorld();
  const ada = await user('ada');
  await patch(ada, { active: false });
  t.match(await put(`teams/${secops}/members/${ada}`, { role: 'EDITOR' }), {
    status: 200,
    body: { role: 'EDITOR', origin: 'manual', suspended: true },
  });
  t.match(await put(`owners/${ada}`), { status: 200, body: { suspended: true } });
  t.same(await holds(ada), NOTHING);
  t.same(await grants(), [
    { origin: 'manual', role: null, suspended: true },
    { origin: 'manual', role: 'EDITOR', suspended: true },
  ]);
  t.same(
    (await told()).map(({ type }) => type),
    ['grant.added', 'grant.added'],
    'nobody gained anything',
  );
  await patch(ada, { active: true });
  t.same(await holds(ada), { ...NOTHING, owner: true, memberships: [['SecOps', 'EDITOR', 'manual']] });
});

t.test(
  'who a directory manages gets by hand nothing that the mapping gives; it says who gives it',
  async (t) => {
    const { secops, fraud, put, map, scim, holds } = await newWorld();
    await map(MAPPING);
    const { id } = await scim.user('ada');
    const refused: readonly (readonly [what: string, reason: string, heldBy: object[]])[] = [
      [
        `teams/${secops}/members/${id}`,
        'managed_team',
        [
          { group: 'Analysts', row: '/mappings/0' },
          { group: 'Leads', row: '/mappings/1' },
        ],
      ],
      [`owners/${id}`, 'managed_owner', [{ group: 'IT Admins', row: '/tenant_owners_groups/0' }]],
      [
        `permissions/AUDIT/${id}`,
        'managed_permission',
        [{ group: 'Auditors', row: '/tenant_permission/0/permissions/0' }],
      ],
    ];
    for (const [what, reason, heldBy] of refused) {
      const body = what.startsWith('teams') ? { role: 'EDITOR' } : undefined;
      const answer = await put(what, body);
      t.match(
        answer,
        { status: 409, body: { code: 'conflict', reason, detail: /directory "default"/ } },
        what,
      );
      t.same(answer.body.heldBy, heldBy);
    }
    t.same(await holds(id), NOTHING);
    const free = await put(`teams/${fraud}/members/${id}`, { role: 'EDITOR' });
    t.equal(free.status, 200, 'a team without any row is free');
  },
);

t.test('what a group holds is not taken by hand; the refusal names the group and the row', async (t) => {
  const { secops, put, remove, map, scim, holds } = await newWorld();
  await map(MAPPING);
  const { id } = await scim.user('ada');
  for (const group of ['Analysts', 'Leads', 'IT Admins', 'Auditors']) await scim.group(group, [id]);
  const held = {
    owner: true,
    permissions: ['AUDIT'],
    memberships: [['SecOps', 'EDITOR', 'scim:default']],
  };
  t.same(await holds(id), held);
  const what = `teams/${secops}/members/${id}`;
  for (const act of [() => remove(what), () => put(what, { role: 'VIEWER' })]) {
    t.match(await act(), {
      status: 409,
      body: {
        reason: 'managed_team',
        detail: `The user's membership of this team is managed by the directory "default": the group "Analysts" (/mappings/0) holds it`,
        heldBy: [{ group: 'Analysts', row: '/mappings/0' }],
      },
    });
  }
  t.match(await remove(`owners/${id}`), {
    status: 409,
    body: { reason: 'managed_owner', heldBy: [{ group: 'IT Admins', row: '/tenant_owners_groups/0' }] },
  });
  t.match(await remove(`permissions/AUDIT/${id}`), {
    status: 409,
    body: { reason: 'managed_permission', heldBy: [{ group: 'Auditors' }] },
  });
  t.same(await holds(id), held);
});

t.test('a manual grant from before is left to the admins, who may end it', async (t) => {
  const { secops, put, remove, map, scim, holds } = await newWorld();
  const { id } = await scim.user('ada');
  const what = `teams/${secops}/members/${id}`;
  t.equal((await put(what, { role: 'VIEWER' })).status, 200, 'no row yet');
  await map(MAPPING);
  t.match(await put(what, { role: 'VIEWER' }), { status: 409 }, 'also where nothing would change');
  t.same(await holds(id), { ...NOTHING, memberships: [['SecOps', 'VIEWER', 'manual']] });
  t.equal((await remove(what)).status, 204);
  t.same(await holds(id), NOTHING);
});

t.test('where userType makes owners, a directory’s users are not made owners by hand', async (t) => {
  const { put, remove, scim, holds } = await newWorld({ ownersByUserType: true });
  const { id: ada } = await scim.user('ada', { userType: 'TENANT_OWNER' });
  const { id: bob } = await scim.user('bob');
  t.same(await holds(ada), { ...NOTHING, owner: true });
  t.match(await put(`owners/${bob}`), { status: 409, body: { reason: 'managed_owner', heldBy: [] } });
  t.match(await remove(`owners/${ada}`), {
    status: 409,
    body: { reason: 'managed_owner', detail: /userType holds it$/, heldBy: [{ group: null, row: null }] },
  });
});

t.test('whom no directory manages, and no sign-in syncs, admins edit freely', async (t) => {
  const { secops, user, put, remove, map, holds } = await newWorld();
  await map(MAPPING);
  const ada = await user('ada');
  const member = `teams/${secops}/members/${ada}`;
  t.equal((await put(member, { role: 'EDITOR' })).status, 200);
  for (const what of [`owners/${ada}`, `permissions/AUDIT/${ada}`]) t.equal((await put(what)).status, 200);
  t.same(await holds(ada), {
    owner: true,
    permissions: ['AUDIT'],
    memberships: [['SecOps', 'EDITOR', 'manual']],
  });
  t.equal((await remove(member)).status, 204);
});

/** What a sign-in with these groups syncs, and the grants that follow from it. */
async function signIn(
  { tenant, patch }: Awaited<ReturnType<typeof newWorld>>,
  id: string,
  mode: 'standard' | 'enhanced',
  groups = ['Analysts', 'Auditors'],
) {
  await pool.query(
    `insert into jit_sync (tenant_id, user_id, identity_provider, mode, mapping_version, groups, synced_at)
     select $1, $2, 'okta', $3, version, $4, $5 from group_mapping where tenant_id = $1`,
    [tenant.id, id, mode, groups, NOW],
  );
  for (const active of [false, true]) await patch(id, { active });
}

t.test('whom enhanced JIT syncs is refused like whom a directory manages', async (t) => {
  const world = await newWorld();
  const { secops, fraud, user, put, remove, map, holds } = world;
  await map(MAPPING);
  const ada = await user('ada');
  await signIn(world, ada, 'enhanced');
  const held = { ...NOTHING, permissions: ['AUDIT'], memberships: [['SecOps', 'EDITOR', 'jit:okta']] };
  t.same(await holds(ada), held);
  const what = `teams/${secops}/members/${ada}`;
  const body = {
    reason: 'managed_team',
    detail: /sign-in/,
    heldBy: [{ group: 'Analysts', row: '/mappings/0' }],
  };
  t.match(await put(what, { role: 'VIEWER' }), { status: 409, body });
  t.match(await remove(what), { status: 409, body });
  t.match(await put(`owners/${ada}`), { status: 409, body: { reason: 'managed_owner' } });
  t.same(await holds(ada), held);
  t.equal((await put(`teams/${fraud}/members/${ada}`, { role: 'VIEWER' })).status, 200);
});

t.test('what standard JIT gave once is the admins’ to change, and does not come back', async (t) => {
  const world = await newWorld();
  const { secops, user, put, remove, patch, map, holds, told } = world;
  await map(MAPPING);
  const [ada, bob] = [await user('ada'), await user('bob')];
  for (const id of [ada, bob]) await signIn(world, id, 'standard');
  const given = (origin: string, role: string) => ({
    ...NOTHING,
    permissions: ['AUDIT'],
    memberships: [['SecOps', role, origin]],
  });
  t.same(await holds(ada), given('jit:okta', 'EDITOR'));
  const before = (await told()).length;
  t.match(await put(`teams/${secops}/members/${ada}`, { role: 'VIEWER' }), {
    status: 200,
    body: { role: 'VIEWER', origin: 'manual' },
  });
  t.same(await holds(ada), given('manual', 'VIEWER'));
  t.equal((await remove(`teams/${secops}/members/${bob}`)).status, 204);
  t.same(await holds(bob), { ...NOTHING, permissions: ['AUDIT'] });
  t.match(
    (await told()).slice(before).filter(({ type }) => !type.startsWith('grant.')),
    [
      { type: 'membership.changed', after: { role: 'VIEWER', users: [ada] } },
      { type: 'membership.removed', before: { users: [bob] } },
    ],
    'who had what stays did not lose it in between',
  );
  const carol = await user('carol');
  await signIn(world, carol, 'standard', ['Analysts']);
  t.equal((await remove(`teams/${secops}/members/${carol}`)).status, 204);
  t.same(await holds(carol), NOTHING, 'also where nothing else was given');
  for (const id of [ada, bob]) for (const active of [false, true]) await patch(id, { active });
  t.match([await holds(ada), await holds(bob)], [given('manual', 'VIEWER'), { memberships: [] }]);
});

t.test('the last owner is not taken by hand; with another one they are', async (t) => {
  const { user, put, remove, patch, holds, told } = await newWorld();
  const [ada, bob] = [await user('ada'), await user('bob')];
  await put(`owners/${ada}`);
  const refusal = { status: 409, body: { code: 'conflict', reason: 'last_owner' } };
  t.match(await remove(`owners/${ada}`), refusal);
  t.equal((await remove(`owners/${bob}`)).status, 204, 'who is none is none');
  await put(`owners/${bob}`);
  await patch(bob, { active: false });
  t.match(await remove(`owners/${ada}`), refusal, 'one who is not active does not count');
  t.equal((await remove(`owners/${bob}`)).status, 204, 'what is suspended may go');
  await patch(bob, { active: true });
  await put(`owners/${bob}`);
  t.equal((await remove(`owners/${ada}`)).status, 204);
  t.match([await holds(ada), await holds(bob)], [{ owner: false }, { owner: true }]);
  t.notMatch(JSON.stringify(await told()), 'retention');
});

t.test('of two last owners who are taken at once, one stays', async (t) => {
  const { tenant, user, put, remove, holds } = await newWorld();
  const [ada, bob] = [await user('ada'), await user('bob')];
  for (const id of [ada, bob]) await put(`owners/${id}`);
  const client = await pool.connect();
  await client.query('begin');
  await client.query('select from scim_user where tenant_id = $1 for update', [tenant.id]);
  const racing = [ada, bob].map((id) => remove(`owners/${id}`));
  await backendsWaiting(app.context.db, 2);
  await client.query('commit');
  client.release();
  const answers = await Promise.all(racing);
  t.same(answers.map(({ status }) => status).sort(), [204, 409]);
  const owners = [await holds(ada), await holds(bob)].filter(({ owner }) => owner);
  t.equal(owners.length, 1);
});
