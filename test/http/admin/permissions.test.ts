import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';
import { backendsWaiting } from '../../support/events.ts';
import { storeMapping } from '../../support/mapping.ts';

interface PermissionBody {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly createdAt: string;
}

interface PermissionList {
  readonly permissions: readonly PermissionBody[];
  readonly next?: string;
}

const NOW = new Date('2026-03-04T05:06:07.000Z');
const app = await startApp(t, { now: () => NOW });

const list = async ({ id }: Tenant, query = '') =>
  (await app.admin<PermissionList>('GET', `/tenants/${id}/permissions${query}`)).body;
const register = (tenant: Tenant, body: unknown) =>
  app.admin<PermissionBody>('POST', `/tenants/${tenant.id}/permissions`, body);
const withdraw = (tenant: Tenant, name: string) =>
  app.admin('DELETE', `/tenants/${tenant.id}/permissions/${name}`);
const newUser = async (tenant: Tenant, userName: string) =>
  (await app.admin<{ id: string }>('POST', `/tenants/${tenant.id}/users`, { userName })).body.id;

t.test(
  'a permission is registered in any case, kept in upper case, listed and withdrawn; all is told',
  async (t) => {
    const tenant = await app.createTenant();
    const { status, body: made } = await register(tenant, {
      name: 'Audit_log_Read',
      description: 'Reads it',
    });
    t.equal(status, 201);
    t.match(made, { name: 'AUDIT_LOG_READ', description: 'Reads it', createdAt: NOW.toISOString() });
    t.same(await list(tenant), { permissions: [made] });
    t.match(await withdraw(tenant, 'audit_LOG_read'), { status: 204, text: '' });
    t.same(await list(tenant), { permissions: [] });
    await app.sealEvents();
    const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?limit=1000`);
    const resource = { type: 'Permission', id: made.id };
    t.match(
      body.events.filter((event) => event.resource.type === 'Permission'),
      [
        { type: 'permission.registered', resource, actor: { kind: 'operator' }, before: null, after: made },
        { type: 'permission.withdrawn', resource, before: made, after: null },
      ],
    );
  },
);

t.test(
  'a name is taken once in a tenant, whatever its case, and free again once it is withdrawn',
  async (t) => {
    const [tenant, other] = [await app.createTenant(), await app.createTenant()];
    t.equal((await register(tenant, { name: 'AUDIT' })).status, 201);
    t.equal((await register(other, { name: 'AUDIT' })).status, 201);
    t.match(await register(tenant, { name: 'audit' }), {
      status: 409,
      body: { code: 'conflict', reason: 'name_taken', pointer: '/name' },
    });
    t.equal((await withdraw(tenant, 'AUDIT')).status, 204);
    t.equal((await register(tenant, { name: 'audit' })).status, 201);
  },
);

t.test('what is no name is refused with its place, and names nothing in a path', async (t) => {
  const tenant = await app.createTenant();
  for (const name of ['', '1A', '_A', 'A-B', 'A B', 'Ä', 'A'.repeat(64), 'A\n', 'a\u017f', 7, null]) {
    const answer = await register(tenant, { name });
    t.match(answer, { status: 400, body: { pointer: '/name' } }, JSON.stringify(name));
    const path = encodeURIComponent(String(name));
    if (name !== '') t.match(await withdraw(tenant, path), { status: 404 }, path);
  }
  t.match(await register(tenant, { name: 'A', more: 1 }), { status: 400, body: { pointer: '/more' } });
  t.match(await withdraw(tenant, 'ABSENT'), { status: 404, body: { detail: 'Permission not found' } });
});

t.test('what the group mapping names stays, and the refusal says where it is named', async (t) => {
  const tenant = await app.createTenant();
  for (const name of ['AUDIT', 'BILLING']) await register(tenant, { name });
  await storeMapping(app, tenant.id, {
    mappings: [{ group_name: 'A', team_name: 'T', role_name: 'VIEWER' }],
    tenant_permission: [
      { group_name: 'Auditors', permissions: ['AUDIT'] },
      { group_name: 'Admins', permissions: ['BILLING', 'AUDIT'] },
    ],
  });
  const rows = ['/tenant_permission/0/permissions/0', '/tenant_permission/1/permissions/1'];
  t.match(await withdraw(tenant, 'AUDIT'), {
    status: 409,
    body: {
      reason: 'in_use',
      detail: `The permission "AUDIT" is in use: the group mapping names it (${rows.join(', ')})`,
      uses: { rows, users: 0 },
    },
  });
  await storeMapping(app, tenant.id, {
    mappings: [{ group_name: 'A', team_name: 'T', role_name: 'VIEWER' }],
  });
  t.equal((await withdraw(tenant, 'AUDIT')).status, 204, 'only the mapping that holds counts');
});

t.test('what somebody holds stays, also while they are not active', async (t) => {
  const tenant = await app.createTenant();
  await register(tenant, { name: 'AUDIT' });
  const path = `/tenants/${tenant.id}`;
  const holders = [await newUser(tenant, 'ada'), await newUser(tenant, 'bob')];
  for (const id of holders) await app.admin('PUT', `${path}/permissions/AUDIT/${id}`);
  await app.admin('PATCH', `${path}/users/${holders[0]}`, { active: false });
  t.match(await withdraw(tenant, 'AUDIT'), {
    status: 409,
    body: { reason: 'in_use', detail: /users hold it: 2$/, uses: { rows: [], users: 2 } },
  });
  for (const id of holders) await app.admin('DELETE', `${path}/permissions/AUDIT/${id}`);
  t.equal((await withdraw(tenant, 'AUDIT')).status, 204);
});

t.test('a role that the group mapping or a grant has stays too', async (t) => {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}`;
  await app.admin('POST', `${path}/roles`, { name: 'AUDITOR', rank: 600 });
  const { body: team } = await app.admin<{ id: string }>('POST', `${path}/teams`, { name: 'T' });
  const id = await newUser(tenant, 'ada');
  await app.admin('PUT', `${path}/teams/${team.id}/members/${id}`, { role: 'auditor' });
  const remove = () => app.admin('DELETE', `${path}/roles/auditor`);
  t.match(await remove(), { status: 409, body: { reason: 'in_use', uses: { rows: [], users: 1 } } });
  await app.admin('DELETE', `${path}/teams/${team.id}/members/${id}`);
  await storeMapping(app, tenant.id, {
    mappings: [
      { group_name: 'A', team_name: 'T', role_name: 'VIEWER' },
      { group_name: 'B', team_name: 'T', role_name: 'AUDITOR' },
    ],
  });
  t.match(await remove(), {
    status: 409,
    body: {
      reason: 'in_use',
      detail: /"AUDITOR".*\(\/mappings\/1\)$/,
      uses: { rows: ['/mappings/1'], users: 0 },
    },
  });
  const { body } = await app.admin<{ roles: { name: string }[] }>('GET', `${path}/roles`);
  t.equal(body.roles.at(-1)?.name, 'AUDITOR', 'nothing was deleted');
});

t.test('a withdrawal waits for who is giving the permission, and then sees it', async (t) => {
  const { db } = app.context;
  const tenant = await app.createTenant();
  const { body: permission } = await register(tenant, { name: 'AUDIT' });
  const id = await newUser(tenant, 'ada');
  const client = await db.pool.connect();
  await client.query('begin');
  await client.query('select id from scim_user where tenant_id = $1 and id = $2 for update', [tenant.id, id]);
  const giving = app.admin('PUT', `/tenants/${tenant.id}/permissions/AUDIT/${id}`);
  await backendsWaiting(db, 1);
  const withdrawing = withdraw(tenant, 'AUDIT');
  await backendsWaiting(db, 2);
  await client.query('commit');
  client.release();
  t.equal((await giving).status, 200);
  t.match(await withdrawing, { status: 409, body: { reason: 'in_use' } });
  t.match(await list(tenant), { permissions: [{ id: permission.id }] });
});

t.test('a tenant has 1,000 permissions and no more, also when two at once would be the last', async (t) => {
  const { db } = app.context;
  const tenant = await app.createTenant();
  await db.pool.query(
    `insert into permission (tenant_id, id, name, created_at)
     select $1, gen_random_uuid(), 'P_' || n, now() from generate_series(1, 999) n`,
    [tenant.id],
  );
  const client = await db.pool.connect();
  await client.query('begin; lock table permission in share mode');
  const racing = ['LAST', 'ONE_TOO_MANY'].map((name) => register(tenant, { name }));
  await backendsWaiting(db, racing.length);
  await client.query('commit');
  client.release();
  const answers = await Promise.all(racing);
  t.same(answers.map(({ status }) => status).sort(), [201, 409]);
  t.match(answers.find(({ status }) => status === 409)?.body, { reason: 'too_many_permissions' });
  const [first, whole] = [await list(tenant, '?limit=600'), await list(tenant, '?limit=1000')];
  const second = await list(tenant, `?limit=600&after=${first.next}`);
  t.same([...first.permissions, ...second.permissions], whole.permissions, 'pages join to the whole');
  t.equal(second.next, undefined);
});

t.test('permissions go with their tenant, and a key of another tenant sees none', async (t) => {
  const [tenant, other] = [await app.createTenant(), await app.createTenant()];
  await register(tenant, { name: 'AUDIT' });
  const { key } = await app.apiKey(other, ['admin']);
  const path = `/api/admin/v1/tenants/${other.id}/permissions`;
  t.same((await app.send('GET', path, { key })).body, { permissions: [] });
  t.match(await app.send('DELETE', `${path}/AUDIT`, { key }), { status: 404 });
  t.equal((await app.admin('DELETE', `/tenants/${tenant.id}`)).status, 204);
  const { rows } = await app.context.db.pool.query('select from permission where tenant_id = $1', [
    tenant.id,
  ]);
  t.same(rows, []);
});
