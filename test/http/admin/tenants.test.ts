import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import { DEFAULT_SETTINGS } from '../../../src/tenants/settings.ts';
import { startApp } from '../../support/app.ts';

interface TenantBody {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
}

const now = new Date('2026-03-04T05:06:07.000Z');
const app = await startApp(t, { now: () => now });

t.test('a tenant is made with every setting, and is found by id and by name', async (t) => {
  const made = await app.admin<TenantBody>('POST', '/tenants', {
    name: 'acme',
    settings: { strictScim: true },
  });
  t.equal(made.status, 201);
  t.match(made.body, { name: 'acme', displayName: null, createdAt: now.toISOString() });
  t.same(made.body.settings, { ...DEFAULT_SETTINGS, strictScim: true });
  t.same((await app.admin('GET', '/tenants/acme')).body, made.body);
  t.same((await app.admin('GET', `/tenants/${made.body.id}`)).body, made.body);
  t.same((await app.admin('GET', `/tenants/${made.body.id.toUpperCase()}`)).body, made.body);
});

t.test('it has the directory default from the start, and both are told', async (t) => {
  const { body: tenant } = await app.admin<TenantBody>('POST', '/tenants', { name: 'told' });
  const listed = await app.admin<{ directories: unknown[] }>('GET', '/tenants/told/directories');
  t.match(listed.body.directories, [{ name: 'default', displayName: null }]);
  await app.sealEvents();
  const { events } = (await app.admin<FeedPage>('GET', '/tenants/told/events')).body;
  t.match(events, [
    { type: 'tenant.created', resource: { type: 'Tenant', id: tenant.id }, actor: { kind: 'operator' } },
    { type: 'directory.created', resource: { type: 'Directory' }, before: null, after: { name: 'default' } },
  ]);
  t.same(events[0]?.after, tenant);
  t.equal(events[0]?.changeId, events[1]?.changeId);
});

t.test('a name is taken once, and the tenant of that name is as it was', async (t) => {
  await app.admin('POST', '/tenants', { name: 'taken', displayName: 'First' });
  const again = await app.admin('POST', '/tenants', { name: 'taken', displayName: 'Second' });
  t.match(again, { status: 409, body: { code: 'conflict', reason: 'name_taken', pointer: '/name' } });
  t.match((await app.admin('GET', '/tenants/taken')).body, { displayName: 'First' });
});

const LONG = 'a'.repeat(63);
const NAMES: readonly (readonly [name: unknown, status: number])[] = [
  ['a', 201],
  ['0-9', 201],
  [LONG, 201],
  [`${LONG}a`, 400],
  ['', 400],
  ['Upper', 400],
  ['-a', 400],
  ['a-', 400],
  ['a b', 400],
  ['a/b', 400],
  ['ü', 400],
  ['a\n', 400],
  ['0198c0de-0000-7000-8000-00000000002a', 400],
  [7, 400],
  [null, 400],
];
for (const [name, status] of NAMES) {
  t.test(`the name ${JSON.stringify(name)} is ${status}`, async (t) => {
    const answer = await app.admin('POST', '/tenants', { name });
    t.equal(answer.status, status);
    if (status === 400) t.match(answer.body, { code: 'invalid_request', pointer: '/name' });
  });
}

const BODIES: readonly (readonly [what: string, body: unknown, pointer: string | undefined])[] = [
  ['without a name', {}, '/name'],
  ['with an unknown member', { name: 'x', plan: 'gold' }, '/plan'],
  ['with an unknown member whose name needs escaping', { name: 'x', 'a/b~c': 1 }, '/a~1b~0c'],
  ['with an unknown setting', { name: 'x', settings: { colour: 1 } }, '/settings/colour'],
  ['with a setting of another type', { name: 'x', settings: { strictScim: 'true' } }, '/settings/strictScim'],
  [
    'with a setting of another value',
    { name: 'x', settings: { provisioning: 'all' } },
    '/settings/provisioning',
  ],
  ['with settings that are a list', { name: 'x', settings: [] }, '/settings'],
  ['with a display name of 201 characters', { name: 'x', displayName: 'd'.repeat(201) }, '/displayName'],
  ['with a control character', { name: 'x', displayName: 'a\u0007b' }, '/displayName'],
  ['with half a surrogate pair', '{"name":"x","displayName":"\\ud800"}', undefined],
  ['with NUL', { name: 'x', displayName: 'a\0b' }, undefined],
  ['that is a list', [], ''],
  ['that is null', null, ''],
  ['that is no JSON', '{"name":', undefined],
  ['with a name given twice', '{"name":"x","name":"y"}', undefined],
  ['with __proto__', '{"name":"x","__proto__":{"settings":{}}}', undefined],
];
for (const [what, body, pointer] of BODIES) {
  t.test(`a new tenant ${what} is 400, and where the fault lies`, async (t) => {
    const answer = await app.admin('POST', '/tenants', body);
    t.match(answer, { status: 400, headers: { 'content-type': 'application/problem+json' } });
    t.match(answer.body, { type: 'about:blank', title: 'Bad Request', status: 400, code: 'invalid_request' });
    t.equal(answer.body.pointer, pointer);
  });
}

t.test('a refused value says which values are possible', async (t) => {
  const { body } = await app.admin('POST', '/tenants', { name: 'x', settings: { linkByEmail: 'always' } });
  t.equal(body.hint, 'Possible: never, verified_domains.');
});

t.test('a change is a merge: what is not named stays, null returns to the default', async (t) => {
  const settings = { strictScim: true, takeover: true };
  await app.admin('POST', '/tenants', { name: 'merged', displayName: 'Merged Ltd.', settings });
  const changed = await app.admin<TenantBody>('PATCH', '/tenants/merged', {
    settings: { strictScim: null, adoptUnmanaged: false },
  });
  t.equal(changed.body.displayName, 'Merged Ltd.');
  t.same(changed.body.settings, { ...DEFAULT_SETTINGS, takeover: true, adoptUnmanaged: false });
  const unnamed = await app.admin<TenantBody>('PATCH', '/tenants/merged', { displayName: null });
  t.match(unnamed.body, { displayName: null, settings: { takeover: true } });
  t.same((await app.admin('GET', '/tenants/merged')).body, unnamed.body);
});

t.test('only what differs from the defaults is stored, so that a default can still change', async (t) => {
  const settings = { strictScim: true, adoptUnmanaged: true, provisioning: 'combined' };
  const { body } = await app.admin<TenantBody>('POST', '/tenants', { name: 'sparse', settings });
  const { kysely } = app.context.db;
  const row = await kysely
    .selectFrom('tenant')
    .select('settings')
    .where('tenant_id', '=', body.id)
    .executeTakeFirst();
  t.same(row?.settings, { strictScim: true });
});

t.test('a change is told with before and after; one that changes nothing is not told', async (t) => {
  const before = (await app.admin<TenantBody>('POST', '/tenants', { name: 'quiet' })).body;
  t.same(
    (await app.admin('PATCH', '/tenants/quiet', { displayName: null, settings: { takeover: false } })).body,
    before,
  );
  t.same((await app.admin('PATCH', '/tenants/quiet', {})).body, before);
  const after = (await app.admin('PATCH', '/tenants/quiet', { displayName: 'Loud' })).body;
  await app.sealEvents();
  const feed = await app.admin<FeedPage>('GET', '/tenants/quiet/events?type=tenant.updated');
  t.match(feed.body.events, [{ before, after }]);
  t.equal(feed.body.events.length, 1);
});

t.test('the name of a tenant is for ever', async (t) => {
  await app.admin('POST', '/tenants', { name: 'fixed' });
  t.match(await app.admin('PATCH', '/tenants/fixed', { name: 'loose' }), {
    status: 400,
    body: { pointer: '/name' },
  });
});

t.test('lists come in pages, and each tenant once', async (t) => {
  const all = (await app.admin<{ tenants: TenantBody[] }>('GET', '/tenants?limit=1000')).body;
  t.notOk('next' in all);
  const names: string[] = [];
  let after = '';
  do {
    const page = await app.admin<{ tenants: TenantBody[]; next?: string }>('GET', `/tenants?limit=4${after}`);
    names.push(...page.body.tenants.map((tenant) => tenant.name));
    after = page.body.next === undefined ? '' : `&after=${page.body.next}`;
  } while (after !== '');
  t.same(
    names,
    all.tenants.map((tenant) => tenant.name),
  );
  const exact = await app.admin('GET', `/tenants?limit=${all.tenants.length}`);
  t.notOk('next' in exact.body, 'a page that ends with the list names no next one');
});

const QUERIES: readonly (readonly [query: string, pointer: string])[] = [
  ['limit=0', 'limit'],
  ['limit=1001', 'limit'],
  ['limit=-1', 'limit'],
  ['limit=1e1', 'limit'],
  ['limit=', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['after=acme', 'after'],
  ['after=%00', 'after'],
  ['after=urn:uuid:0198c0de-0000-7000-8000-00000000002a', 'after'],
  ['offset=1', 'offset'],
];
for (const [query, pointer] of QUERIES) {
  t.test(`the query ${query} is 400`, async (t) => {
    t.match(await app.admin('GET', `/tenants?${query}`), {
      status: 400,
      body: { code: 'invalid_request', pointer },
    });
  });
}

t.test('deleting a tenant leaves nothing of it but the notice of its deletion', async (t) => {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.name}`;
  await app.admin('POST', `${path}/directories`, { name: 'okta' });
  const key = await app.scimKey(tenant, 'okta');
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'bjensen' };
  const { status, body } = await app.send('POST', '/api/scim/v2/Users', { key, body: user });
  t.equal(status, 201);
  const group = { displayName: 'Employees', members: [{ value: body.id }] };
  t.equal((await app.send('POST', '/api/scim/v2/Groups', { key, body: group })).status, 201);
  await app.sealEvents();

  t.match(await app.admin('DELETE', path), { status: 204, text: '' });
  t.equal((await app.admin('GET', path)).status, 404);
  t.equal((await app.admin('DELETE', path)).status, 404);
  t.same(await rowsLeftBy(tenant.id), []);
  await app.sealEvents();
  const { events } = (await app.admin<FeedPage>('GET', `/events?resource=${tenant.id}`)).body;
  t.match(events, [
    { type: 'tenant.deleted', before: { name: tenant.name }, actor: { kind: 'operator' }, after: null },
  ]);
  t.equal(events.length, 1);
});

/** The tables that hold a row of the tenant. */
async function rowsLeftBy(tenantId: string): Promise<string[]> {
  const { pool } = app.context.db;
  const { rows: tables } = await pool.query<{ table_name: string }>(
    `select table_name from information_schema.columns where column_name = 'tenant_id' and table_schema = 'public'`,
  );
  const left = tables.map(async ({ table_name: table }) => {
    const { rowCount } = await pool.query(`select from "${table}" where tenant_id = $1 limit 1`, [tenantId]);
    return rowCount === 0 ? [] : [table];
  });
  return (await Promise.all(left)).flat();
}

t.test('paths that are no tenant are 404, whatever text they hold', async (t) => {
  for (const text of ['nobody', 'Nobody', '%00', '%ff', '%F0%9F%98%80', 'a%2Fb', '..', "'", '0198c0de']) {
    t.equal((await app.admin('GET', `/tenants/${text}/api-keys`)).status, text === '%ff' ? 400 : 404, text);
  }
});

t.test('unknown paths, wrong methods and wrong media types are problem documents', async (t) => {
  const headers = { 'content-type': 'application/problem+json' };
  t.match(await app.admin('GET', '/colours'), { status: 404, headers, body: { code: 'not_found' } });
  const wrongMethod = await app.admin('PUT', '/tenants');
  t.match(wrongMethod, { status: 405, body: { code: 'method_not_allowed' } });
  t.same(String(wrongMethod.headers.allow).split(', ').sort(), ['GET', 'HEAD', 'POST']);
  const send = (type: string, body: string) =>
    app.send('POST', '/api/admin/v1/tenants', {
      key: app.operatorKey,
      body,
      headers: { 'content-type': type },
    });
  t.match(await send('text/plain', '{"name":"x"}'), {
    status: 415,
    headers,
    body: { code: 'unsupported_media_type' },
  });
  t.match(await send('application/json', `"${'x'.repeat(2_000_000)}"`), {
    status: 413,
    body: { code: 'too_large' },
  });
});
