import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import { BUILT_IN_ROLES } from '../../../src/reconcile/roles.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';
import { backendsWaiting, firstFault } from '../../support/events.ts';

interface RoleBody {
  readonly name: string;
  readonly displayName: string | null;
  readonly rank: number;
  readonly builtIn: boolean;
  readonly createdAt: string | null;
}

interface RoleList {
  readonly roles: readonly RoleBody[];
  readonly next?: string;
}

const NOW = new Date('2026-03-04T05:06:07.000Z');
const app = await startApp(t, { now: () => NOW });

const rolesOf = async ({ id }: Tenant, query = '') =>
  (await app.admin<RoleList>('GET', `/tenants/${id}/roles${query}`)).body;
const create = (tenant: Tenant, body: unknown) =>
  app.admin<RoleBody>('POST', `/tenants/${tenant.id}/roles`, body);
const remove = (tenant: Tenant, name: string) => app.admin('DELETE', `/tenants/${tenant.id}/roles/${name}`);

/** The events of the tenant's roles. */
async function told(tenant: Tenant) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?limit=1000`);
  return body.events.filter(({ resource }) => resource.type === 'Role');
}

t.test('every tenant has the built-in roles, most to least permissive', async (t) => {
  const { roles, next } = await rolesOf(await app.createTenant());
  t.same(
    roles.map(({ name, rank, builtIn, createdAt }) => [name, rank, builtIn, createdAt]),
    [
      ['TEAM_ADMIN', 100, true, null],
      ['EDITOR', 200, true, null],
      ['VIEWER', 300, true, null],
      ['CASE_MANAGER', 400, true, null],
      ['WORKBENCH_USER', 500, true, null],
    ],
  );
  t.equal(next, undefined);
});

t.test(
  'a role is added in any case, kept in upper case, listed by rank and deleted; all is told',
  async (t) => {
    const tenant = await app.createTenant();
    const { status, body: made } = await create(tenant, {
      name: 'Team_lead2',
      rank: 150,
      displayName: 'Team lead',
    });
    t.equal(status, 201);
    t.same(made, {
      name: 'TEAM_LEAD2',
      displayName: 'Team lead',
      rank: 150,
      builtIn: false,
      createdAt: NOW.toISOString(),
    });
    const { roles } = await rolesOf(tenant);
    t.same(roles[1], made, 'it stands between TEAM_ADMIN and EDITOR');
    t.equal(roles.length, 6);
    t.match(await remove(tenant, 'team_Lead2'), { status: 204, text: '' });
    t.equal((await rolesOf(tenant)).roles.length, 5);
    const resource = { type: 'Role', id: null };
    t.match(await told(tenant), [
      { type: 'role.created', resource, actor: { kind: 'operator' }, before: null, after: made },
      { type: 'role.deleted', resource, before: made, after: null },
    ]);
    t.equal(
      await firstFault(app.context.db.kysely, tenant.id),
      undefined,
      'the chain holds what has no id too',
    );
  },
);

t.test('a name is taken once in a tenant, whatever its case, and never a built-in one', async (t) => {
  const [tenant, other] = [await app.createTenant(), await app.createTenant()];
  t.equal((await create(tenant, { name: 'AUDITOR', rank: 600 })).status, 201);
  t.equal((await create(other, { name: 'AUDITOR', rank: 600 })).status, 201);
  for (const name of ['auditor', 'AUDITOR', 'editor', 'Workbench_User']) {
    t.match(
      await create(tenant, { name, rank: 700 }),
      { status: 409, body: { code: 'conflict', reason: 'name_taken', pointer: '/name' } },
      name,
    );
  }
});

t.test('no two roles of a tenant have one rank, so that one of two is always the higher', async (t) => {
  const tenant = await app.createTenant();
  t.equal((await create(tenant, { name: 'AUDITOR', rank: 600 })).status, 201);
  for (const rank of [600, ...BUILT_IN_ROLES.map((role) => role.rank)]) {
    t.match(
      await create(tenant, { name: 'READER', rank }),
      { status: 409, body: { code: 'conflict', reason: 'rank_taken', pointer: '/rank' } },
      String(rank),
    );
  }
  t.equal((await told(tenant)).length, 1);
});

t.test('what is no name and what is no rank is refused with its place', async (t) => {
  const tenant = await app.createTenant();
  // The last two become ASCII in upper case: a long s, and the sign for kelvin.
  for (const name of ['', '1A', '_A', 'A-B', 'A B', 'Ä', 'A'.repeat(64), 'A\n', 'a\u017f', 'a\u212a']) {
    const answer = await create(tenant, { name, rank: 10 });
    t.match(answer, { status: 400, body: { pointer: '/name' } }, JSON.stringify(name));
    if (name !== '') t.equal((await remove(tenant, encodeURIComponent(name))).status, 404);
  }
  for (const rank of [0, -1, 1.5, 10_001, '10', null]) {
    t.match(
      await create(tenant, { name: 'A', rank }),
      { status: 400, body: { pointer: '/rank' } },
      String(rank),
    );
  }
  t.match(await create(tenant, { name: 'A' }), { status: 400, body: { pointer: '/rank' } });
  t.equal((await create(tenant, { name: 'A', rank: 1 })).status, 201);
  t.equal((await create(tenant, { name: `Z${'9'.repeat(62)}`, rank: 10_000 })).status, 201);
});

t.test('built-in roles stay, and what is not there is 404', async (t) => {
  const tenant = await app.createTenant();
  for (const name of ['EDITOR', 'editor']) {
    t.match(await remove(tenant, name), { status: 409, body: { reason: 'built_in_role' } });
  }
  t.match(await remove(tenant, 'AUDITOR'), { status: 404, body: { detail: 'Role not found' } });
  t.equal((await rolesOf(tenant)).roles.length, 5);
});

t.test('a tenant adds 100 roles and no more, also when two at once would be the last', async (t) => {
  const { db } = app.context;
  const tenant = await app.createTenant();
  const add = (index: number) => create(tenant, { name: `ROLE_${index}`, rank: 1_000 + index });
  for (let index = 0; index < 99; index += 1) t.equal((await add(index)).status, 201);
  const client = await db.pool.connect();
  await client.query('begin; lock table role in share mode');
  const racing = [99, 100].map(add);
  await backendsWaiting(db, racing.length);
  await client.query('commit');
  client.release();
  const answers = await Promise.all(racing);
  t.same(answers.map(({ status }) => status).sort(), [201, 409]);
  t.match(answers.find(({ status }) => status === 409)?.body, {
    reason: 'too_many_roles',
    hint: 'Delete one that is not needed.',
  });
  const first = await rolesOf(tenant);
  t.match([first.roles.length, first.roles[0]?.name], [100, 'TEAM_ADMIN']);
  const second = await rolesOf(tenant, `?after=${first.next}`);
  t.match([second.roles.length, second.next], [5, undefined]);
  const whole = await rolesOf(tenant, '?limit=1000');
  t.same([...first.roles, ...second.roles], whole.roles, 'pages join to the whole');
  t.equal((await remove(tenant, 'ROLE_7')).status, 204);
  t.equal((await create(tenant, { name: 'SUCCESSOR', rank: 9 })).status, 201, 'there is room again');
});

t.test('roles go with their tenant', async (t) => {
  const tenant = await app.createTenant();
  await create(tenant, { name: 'AUDITOR', rank: 600 });
  t.equal((await app.admin('DELETE', `/tenants/${tenant.id}`)).status, 204);
  const { rows } = await app.context.db.pool.query('select from role where tenant_id = $1', [tenant.id]);
  t.same(rows, []);
});
