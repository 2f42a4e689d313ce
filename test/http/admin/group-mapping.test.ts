import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';

/** The mapping as an admin edits it: read, tried, stored, reverted. */

const app = await startApp(t);

interface Body {
  readonly version: number;
  readonly document: unknown;
  readonly errors: readonly { readonly pointer: string }[];
  readonly digest: string;
  readonly plan: { readonly digest: string; readonly changes: readonly { readonly teamId: string }[] };
  readonly versions: readonly unknown[];
  readonly next: string;
}

const row = (group_name: string, team_name: string, role_name = 'VIEWER') => ({
  group_name,
  team_name,
  role_name,
});

async function newTenant() {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}/group-mapping`;
  return {
    tenant,
    get: () => app.admin<Body>('GET', path),
    put: (document: object, query = '') => app.admin<Body>('PUT', `${path}${query}`, document),
    ask: (suffix: string, body?: object) => app.admin<Body>(body ? 'POST' : 'GET', `${path}${suffix}`, body),
    client: clientOf(app, await app.scimKey(tenant)),
  };
}

t.test('a tenant without a mapping has version 0, and the first may be made from that', async (t) => {
  const { get, put } = await newTenant();
  t.match((await get()).body, { version: 0, state: 'active', document: null, warnings: [] });
  t.equal((await put({ mappings: [row('A', 'T')] }, '?ifVersion=0')).body.version, 1);
  const late = await put({ mappings: [row('B', 'T')] }, '?ifVersion=0');
  t.equal(late.status, 412, 'somebody else was first');
  t.equal((await get()).body.version, 1);
});

t.test('aliases are read, and the canonical form is answered', async (t) => {
  const { get, put } = await newTenant();
  const sent = {
    user_group_mapping: {
      tenant_owners_group: 'Managers',
      mappings: [{ sso_group: 'A', team_name: 'T', role_name: 'team_admin' }],
    },
  };
  t.equal((await put(sent)).status, 200);
  t.same((await get()).body.document, {
    tenant_owners_groups: ['Managers'],
    mappings: [row('A', 'T', 'TEAM_ADMIN')],
  });
});

t.test('a fault is told at its place, and nothing is stored', async (t) => {
  const { get, put } = await newTenant();
  const { status, body } = await put({ mappings: [row('A', 'T', 'EDITR')], extra: true });
  t.equal(status, 400);
  t.match(body, { code: 'invalid_request', reason: 'invalid_mapping' });
  t.same(body.errors.map(({ pointer }) => pointer).sort(), ['/extra', '/mappings/0/role_name']);
  t.equal((await get()).body.version, 0);
});

t.test('what a dry run planned is what is done, teams that it would make included', async (t) => {
  const { tenant, get, put, client } = await newTenant();
  const { id } = await client.user('ada');
  await client.group('A', [id]);
  const document = { mappings: [row('A', 'New team')] };
  const tried = await put(document, '?dryRun=true&createTeams=true');
  t.equal((await get()).body.version, 0, 'nothing was stored');
  t.equal((await app.admin<{ teams: [] }>('GET', `/tenants/${tenant.id}/teams`)).body.teams.length, 0);
  const done = await put(document, `?createTeams=true&expectDigest=${tried.body.plan.digest}`);
  t.equal(done.status, 200);
  const told = ({ plan: { changes, ...plan } }: Body) => ({
    ...plan,
    changes: changes.map(({ teamId: _, ...change }) => change),
  });
  t.same(told(done.body), told(tried.body));
  t.match(done.body.plan, {
    add: 1,
    changes: [{ change: 'add', user: id, team: 'New team', row: '/mappings/0' }],
  });
});

t.test('a plan that has changed since it was reviewed is refused', async (t) => {
  const { put, client } = await newTenant();
  const { id } = await client.user('ada');
  const { id: group } = await client.group('A', [id]);
  const document = { mappings: [row('A', 'Team')] };
  const tried = await put(document, '?dryRun=true&createTeams=true');
  const { id: other } = await client.user('bob');
  await client.patch(`/Groups/${group}`, [{ op: 'add', path: 'members', value: [{ value: other }] }]);
  const { status, body } = await put(document, `?createTeams=true&expectDigest=${tried.body.plan.digest}`);
  t.equal(status, 409);
  t.match(body, { reason: 'plan_changed', digest: /^[0-9a-f]{32}$/ });
  t.equal((await put(document, `?createTeams=true&expectDigest=${body.digest}`)).status, 200);
});

t.test('older versions can be read and returned to', async (t) => {
  const { get, put, ask } = await newTenant();
  await put({ mappings: [row('A', 'T')] });
  await put({ mappings: [row('B', 'T')] });
  const reverted = await ask('/revert', { version: 1 });
  t.match(reverted.body, { version: 3, state: 'active' });
  t.same((await get()).body.document, { mappings: [row('A', 'T')] });
  t.match((await ask('/versions/2')).body, { state: 'superseded', document: { mappings: [row('B', 'T')] } });
  const { versions, next } = (await ask('/versions?limit=2')).body;
  t.match(versions, [
    { version: 3, cause: { kind: 'revert', version: 1 }, updatedBy: { kind: 'operator' } },
    { version: 2, cause: { kind: 'put' } },
  ]);
  t.match((await ask(`/versions?after=${next}`)).body.versions, [{ version: 1 }]);
  t.equal((await ask('/revert', { version: 9 })).status, 404);
});

t.test('the same document again makes no version and no event', async (t) => {
  const { tenant, put } = await newTenant();
  const events = async () => {
    const { rows } = await app.context.db.pool.query('select count(*) from event where tenant_id = $1', [
      tenant.id,
    ]);
    return rows[0].count;
  };
  await put({ mappings: [row('A', 'T')] });
  const before = await events();
  t.match((await put({ mappings: [row('A', 'T')] })).body, { version: 1, plan: { add: 0 } });
  t.equal(await events(), before);
});
