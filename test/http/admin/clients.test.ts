import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import { KEPT } from '../../../src/clients/refused-requests.ts';
import { TOLERANCES } from '../../../src/scim/quirks.ts';
import { makeKey } from '../../../src/tenants/key-format.ts';
import { type Method, startApp } from '../../support/app.ts';
import { clientOf, GROUP, PATCH_OP, SCIM, USER } from '../../support/client.ts';

/** What an admin sees of the SCIM clients: the tolerances that they need, and why they were refused. */

interface Tolerance {
  readonly name: string;
  readonly source: string;
  readonly hint: string;
  readonly count: number;
  readonly lastSeenAt: string;
  readonly apiKey: { readonly id: string; readonly name: string };
}

interface Refused {
  readonly id: string;
  readonly at: string;
  readonly apiKey: { readonly id: string; readonly name: string | null };
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly scimType: string | null;
  readonly detail: string;
  readonly hint: string;
  readonly requestId: string;
}

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const app = await startApp(t, { now });
const USERS = `${SCIM}/Users`;

interface OfTenant {
  readonly id: string;
}

async function tolerancesOf({ id }: OfTenant, query = ''): Promise<Tolerance[]> {
  await app.flushClients();
  const { body } = await app.admin<{ tolerances: Tolerance[] }>('GET', `/tenants/${id}/tolerances${query}`);
  return body.tolerances;
}

async function refusedOf({ id }: OfTenant, query = ''): Promise<Refused[]> {
  await app.flushClients();
  const path = `/tenants/${id}/refused-requests${query}`;
  return (await app.admin<{ refusedRequests: Refused[] }>('GET', path)).body.refusedRequests;
}

/** Needs one tolerance: Keycloak's doubled slash. */
const lean = (on: typeof app, key: string) => on.send('GET', '/api/scim/v2//Users', { key });
/** Is refused: 404. */
const stumble = (on: typeof app, key: string, id: string = randomUUID()) =>
  on.send('GET', `${USERS}/${id}`, { key });

t.test('tolerances are counted by key, and the counts of two instances add up', async (t) => {
  const tenant = await app.createTenant();
  const other = await startApp(t, { connectionString: app.connectionString, now });
  const [one, two] = [await app.apiKey(tenant, ['scim']), await app.apiKey(tenant, ['scim'])];
  for (const instance of [app, other]) {
    for (const key of [one.key, one.key, two.key]) t.equal((await lean(instance, key)).status, 200);
  }
  clock.now += 5_000;
  await lean(other, one.key);
  await Promise.all([app.flushClients(), other.flushClients()]);
  const { source, hint } = TOLERANCES.endpointSpelling;
  const expected = (key: { id: string }, count: number, seen: number) => ({
    name: 'endpointSpelling',
    source,
    hint,
    count,
    lastSeenAt: new Date(seen).toISOString(),
    apiKey: { id: key.id, name: 'Test' },
  });
  t.same(await tolerancesOf(tenant), [expected(one, 5, clock.now), expected(two, 2, clock.now - 5_000)]);
  t.same(await tolerancesOf(tenant, `?apiKey=${two.id}`), [expected(two, 2, clock.now - 5_000)]);
});

t.test('many instances that write the same counts at once lose none', async (t) => {
  const tenant = await app.createTenant();
  const keys = await Promise.all(Array.from({ length: 6 }, () => app.scimKey(tenant)));
  const instances = [app, await startApp(t, { connectionString: app.connectionString, now })];
  for (let round = 0; round < 5; round += 1) {
    for (const instance of instances)
      for (const key of round % 2 ? keys : keys.toReversed()) await lean(instance, key);
    await Promise.all(instances.map((instance) => instance.flushClients()));
  }
  t.same(
    (await tolerancesOf(tenant)).map(({ count }) => count),
    keys.map(() => 10),
  );
});

t.test('the lists are paged', async (t) => {
  const tenant = await app.createTenant();
  for (let turn = 0; turn < 3; turn += 1) {
    const key = await app.scimKey(tenant);
    await app.send('GET', '/api/scim/v2//Users?startindex=1', { key });
    await stumble(app, key);
  }
  await app.flushClients();
  for (const [path, list, total] of [
    ['tolerances', 'tolerances', 6],
    ['refused-requests', 'refusedRequests', 3],
  ] as const) {
    const whole = await app.admin<Record<string, object[]>>('GET', `/tenants/${tenant.id}/${path}`);
    t.equal(whole.body[list]?.length, total);
    t.notOk('next' in whole.body);
    const read: object[] = [];
    for (let after = ''; ; ) {
      const { body } = await app.admin<Record<string, object[]> & { next?: string }>(
        'GET',
        `/tenants/${tenant.id}/${path}?limit=2${after}`,
      );
      read.push(...(body[list] ?? []));
      if (body.next === undefined) break;
      after = `&after=${body.next}`;
    }
    t.same(read, whole.body[list]);
  }
});

type Act = (key: string) => Promise<{ readonly status: number; readonly text: string }>;
const asking =
  (method: Method, path: string, body?: unknown, headers: Record<string, string> = {}): Act =>
  (key) =>
    app.send(method, `${SCIM}${path}`, { key, ...(body !== undefined && { body }), headers });

const NOBODY = randomUUID();
const user = { schemas: [USER], userName: 'someone' };
const REFUSED: readonly (readonly [status: number, scimType: string | null, act: Act, hint: RegExp])[] = [
  [400, 'invalidFilter', asking('GET', '/Users?filter=nothing%20eq%20%22x%22'), /Match users on userName/],
  [400, 'invalidSyntax', asking('POST', '/Users', '{"userName"'), /form of SCIM/],
  [400, 'invalidValue', asking('POST', '/Users', { schemas: [USER] }), /required one is missing/],
  [404, null, asking('GET', `/Users/${NOBODY}`), /is not here/],
  [
    404,
    null,
    asking('PATCH', `/Users/${NOBODY}`, {
      schemas: [PATCH_OP],
      Operations: [{ op: 'remove', path: 'title' }],
    }),
    /deleted, or belongs to another directory/,
  ],
  [404, null, asking('GET', '/Nothing'), /Check the base URL/],
  [405, null, asking('PUT', '/Users', user), /Switch that feature off/],
  [409, 'uniqueness', asking('POST', '/Users', user), /match instead of create/],
  [413, null, asking('POST', '/Users', 'x'.repeat(2 ** 20 + 1)), /too large/],
  [415, null, asking('POST', '/Users', 'x', { 'content-type': 'text/plain' }), /application\/scim\+json/],
  [501, null, asking('GET', '/Me'), /does not offer/],
  [403, null, asking('GET', '/Schemas?filter=x'), /discovery endpoints/],
];

t.test('every refusal of a known key is kept, with what the client was told and what to do', async (t) => {
  const tenant = await app.createTenant();
  const { id, key } = await app.apiKey(tenant, ['scim']);
  await app.send('POST', USERS, { key, body: user });
  for (const [status, scimType, act, hint] of REFUSED) {
    const answer = await act(key);
    t.equal(answer.status, status, answer.text);
    const [newest] = await refusedOf(tenant);
    const { detail } = JSON.parse(answer.text) as { detail: string };
    t.match(newest, {
      status,
      scimType,
      detail,
      hint,
      at: now().toISOString(),
      apiKey: { id, name: 'Test' },
    });
  }
  t.equal((await refusedOf(tenant)).length, REFUSED.length, 'and nothing that went well');
});

t.test('a refusal names its request: method, path without the query, request id', async (t) => {
  const tenant = await app.createTenant();
  const key = await app.scimKey(tenant);
  const headers = { 'x-request-id': 'call-7' };
  await app.send('PATCH', `${USERS}/${NOBODY}?attributes=userName`, { key, body: {}, headers });
  t.match(await refusedOf(tenant), [{ method: 'PATCH', path: `${USERS}/${NOBODY}`, requestId: 'call-7' }]);
});

t.test('in strict mode the hint is that of the tolerance', async (t) => {
  const tenant = await app.createTenant({ strictScim: true });
  const client = clientOf(app, await app.scimKey(tenant));
  const { id } = await client.user('someone');
  await client.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }]);
  const { hint, scimType } = TOLERANCES.pathless;
  t.match(await refusedOf(tenant), [{ status: 400, scimType, detail: /"pathless"/, hint }]);
});

t.test(
  'a key without scope scim, an expired and a revoked one are told of; the caller learns nothing',
  async (t) => {
    const tenant = await app.createTenant();
    const unscoped = await app.apiKey(tenant, ['admin']);
    const expired = await app.apiKey(tenant, ['scim'], { expiresAt: new Date(clock.now + 1) });
    const revoked = await app.apiKey(tenant, ['scim']);
    await app.admin('DELETE', `/tenants/${tenant.id}/api-keys/${revoked.id}`);
    clock.now += 1_000;
    const unknown = await app.send('GET', USERS, { key: 'x' });
    for (const [{ id, key }, status, hint] of [
      [unscoped, 403, /issued with this scope/],
      [expired, 401, /has expired.*paste it into the connector/],
      [revoked, 401, /was revoked.*Secret Token/],
    ] as const) {
      const answer = await app.send('GET', USERS, { key });
      t.equal(answer.status, status);
      if (status === 401) t.equal(answer.text, unknown.text);
      t.match((await refusedOf(tenant))[0], { status, hint, apiKey: { id } });
    }
  },
);

t.test('whom no tenant can be told of is not kept', async (t) => {
  const tenant = await app.createTenant();
  const { id } = await app.apiKey(tenant, ['scim']);
  const strangers = [
    undefined,
    'x',
    app.operatorKey,
    (await app.serviceKey(['read'])).key,
    makeKey({ keyId: id, tenantId: tenant.id }).key,
    makeKey({ keyId: randomUUID(), tenantId: tenant.id }).key,
  ];
  for (const key of strangers) {
    for (const path of [USERS, `${SCIM}/Nothing`]) {
      t.ok((await app.send('GET', path, key === undefined ? {} : { key })).status >= 401);
    }
  }
  t.same(await refusedOf(tenant), []);
});

t.test('what fails here is kept too', async (t) => {
  const broken = await startApp(t);
  const tenant = await broken.createTenant();
  const key = await broken.scimKey(tenant);
  await broken.context.db.pool.query('alter table scim_user rename column active to inactive');
  t.equal((await broken.send('GET', USERS, { key })).status, 500);
  await broken.flushClients();
  const { body } = await broken.admin<{ refusedRequests: Refused[] }>(
    'GET',
    `/tenants/${tenant.id}/refused-requests`,
  );
  t.match(body.refusedRequests, [{ status: 500, scimType: null, hint: /request id/ }]);
});

t.test('nobody sees the records of another tenant, and two keys are told apart', async (t) => {
  const [tenant, stranger] = [await app.createTenant(), await app.createTenant()];
  const [one, two] = [await app.apiKey(tenant, ['scim']), await app.apiKey(tenant, ['scim'])];
  const admin = (await app.apiKey(stranger, ['admin'])).key;
  for (const { key } of [one, two]) {
    await lean(app, key);
    await stumble(app, key);
  }
  for (const read of [tolerancesOf, refusedOf]) {
    t.equal((await read(tenant)).length, 2);
    t.same(
      (await read(tenant, `?apiKey=${one.id}`)).map(({ apiKey }) => apiKey.id),
      [one.id],
    );
    t.same(await read(stranger), []);
    t.same(await read(stranger, `?apiKey=${one.id}`), []);
  }
  for (const list of ['tolerances', 'refused-requests']) {
    const path = (id: string) => `/api/admin/v1/tenants/${id}/${list}?apiKey=${one.id}`;
    t.equal((await app.send('GET', path(tenant.id), { key: admin })).status, 404);
    t.match((await app.send('GET', path(stranger.id), { key: admin })).text, /\[\]/);
  }
});

/** So many requests that are refused, each with its number in the path. */
async function stumbleOften(key: string, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number += 1) await stumble(app, key, `n-${number}`);
}

const numbersIn = (refused: readonly Refused[]) => refused.map(({ path }) => Number(path.split('n-')[1]));

t.test('of 2,000 refusals the last 1,000 stay, the newest first', async (t) => {
  const [tenant, neighbour] = [await app.createTenant(), await app.createTenant()];
  const key = await app.scimKey(tenant);
  await stumble(app, await app.scimKey(neighbour));
  for (let at = 0; at < 2_000; at += 200) {
    await stumbleOften(key, at, at + 200);
    await app.flushClients();
  }
  const kept = Array.from({ length: KEPT }, (_, index) => 1_999 - index);
  t.same(numbersIn(await refusedOf(tenant, '?limit=1000')), kept);
  t.equal((await refusedOf(neighbour)).length, 1, "a neighbour's are not counted in");
  const { rows } = await app.context.db.pool.query(
    'select count(*)::int as count from refused_request where tenant_id = $1',
    [tenant.id],
  );
  t.same(rows, [{ count: KEPT }]);
});

t.test('between two flushes only the newest of a flood wait', async (t) => {
  const tenant = await app.createTenant();
  await stumbleOften(await app.scimKey(tenant), 0, 450);
  t.same(
    numbersIn(await refusedOf(tenant, '?limit=1000')),
    Array.from({ length: 200 }, (_, index) => 449 - index),
  );
});

type HostileRequest = readonly [
  method: Method,
  path: string,
  body?: unknown,
  headers?: Record<string, string> | undefined,
];

/** Requests with the canary in every place, all of them refused. */
function hostileRequests(canary: string): readonly HostileRequest[] {
  const scim = { 'content-type': 'application/scim+json' };
  return [
    ['GET', `/Users?filter=${canary}%20eq`],
    ['GET', `/Users/${NOBODY}?access_token=${canary}`],
    ['POST', '/Users', { schemas: [USER], password: canary, emails: [{ value: canary }] }],
    ['POST', '/Users', { schemas: [USER], userName: canary, active: canary }],
    ['POST', '/Users', `{"userName": "a", "password": "${canary}" x}`, scim],
    ['POST', '/Users', `{"password":"${canary}`, scim],
    ['POST', '/Users', `{"password": ${canary}}`, scim],
    ['POST', '/Users', `{"a": "b", "c": "d", "password": "e"}, ${canary}`, scim],
    ['POST', '/Users', canary, scim],
    ['GET', `/Users?filter=active%20eq%20${canary}`],
    ['GET', `/Users?filter=meta.created%20gt%20%22${canary}%22`],
    ...[
      `emails[value eq "${canary}"].nothing`,
      `emails[nothing eq "${canary}"]`,
      `emails[value eq "${canary}`,
      `groups[value eq "${canary}"]`,
      `title[value eq "${canary}"]`,
      'active',
    ].map((path) => {
      const body = { schemas: [PATCH_OP], Operations: [{ op: 'add', path, value: canary }] };
      return ['PATCH', `/Users/${NOBODY}`, body] as const;
    }),
    ['POST', '/Groups', { schemas: [GROUP], displayName: canary, members: [{ value: 7 }] }],
    ['POST', '/Users', canary, { 'content-type': 'text/plain' }],
    ['GET', `/Users/${NOBODY}`, undefined, { 'user-agent': canary, cookie: canary }],
  ];
}

t.test('no secret, body or query stands in a record, whatever was sent', async (t) => {
  const tenant = await app.createTenant();
  const { key } = await app.apiKey(tenant, ['scim']);
  const secret = String(key.split('_')[2]);
  const canary = 'canarybird';
  const requests = hostileRequests(canary);
  for (const [method, path, body, headers = {}] of requests) {
    const { status, text } = await app.send(method, `${SCIM}${path}`, { key, body, headers });
    t.ok(status >= 400, text);
  }
  const paths = [
    `/Users/${key}`,
    `/${key}/Users`,
    `/Users/${secret}`,
    `/Users/Bearer%20${key}`,
    `/Users/${[...secret].map((each) => `%${each.charCodeAt(0).toString(16)}`).join('')}`,
    `/Users/${'x/'.repeat(540)}${secret}`,
    `/Users/${`${'y'.repeat(60)}/`.repeat(19)}${secret}`,
    `/Users/eyJhbGciOiJub25lIn0.${secret}.${secret}`,
  ];
  for (const path of paths) t.ok((await app.send('GET', SCIM + path, { key })).status >= 400, path);
  const member = { schemas: [GROUP], displayName: 'x', members: [{ value: key }] };
  t.match(await app.send('POST', `${SCIM}/Groups`, { key, body: member }), { status: 400 });
  const refused = await refusedOf(tenant);
  t.equal(refused.length, requests.length + paths.length + 1);
  const text = JSON.stringify(refused);
  t.notMatch(text, canary);
  for (let at = 0; at + 12 <= secret.length; at += 1) t.notOk(text.includes(secret.slice(at, at + 12)));
});

t.test('long paths, NUL and control characters are kept as what can be shown', async (t) => {
  const tenant = await app.createTenant();
  const key = await app.scimKey(tenant);
  const { app: server } = app;
  const urls = [
    `${USERS}/${'a/'.repeat(5_000)}`,
    `${USERS}/%00`,
    `${USERS}/a%0Ab%1B[31m`,
    `${SCIM}/\u00e9`,
    `${USERS}/${'%F0%9F%98%80/'.repeat(40)}`,
    `${USERS}?filter=title%00%0A%7F%20eq`,
    `${USERS}?filter=${encodeURIComponent(`${'\u{1f600}'.repeat(600)} eq "x"`)}`,
  ];
  for (const url of urls) {
    const { statusCode } = await server.inject({ url, headers: { authorization: `Bearer ${key}` } });
    t.ok(statusCode >= 400 && statusCode < 500, `${statusCode} ${url.slice(0, 60)}`);
  }
  const long = { schemas: [GROUP], displayName: 'x', members: [{ value: 'z '.repeat(100_000) }] };
  await app.send('POST', `${SCIM}/Groups`, { key, body: long });
  const refused = await refusedOf(tenant);
  t.equal(refused.length, urls.length + 1);
  for (const { path, detail } of refused) {
    t.ok(path.length <= 300 && detail.length <= 500);
    t.notMatch(path + detail, /[\p{Cc}\p{Cs}]/u);
  }
});

/** Lets one flush fail, then the other. */
async function failBoth(t: Test): Promise<void> {
  const { pool } = app.context.db;
  for (const table of ['tolerance_use', 'refused_request']) {
    await pool.query(`alter table ${table} rename to away`);
    await t.rejects(app.flushClients(), table);
    await pool.query(`alter table away rename to ${table}`);
  }
}

t.test('a flush that fails loses nothing, and counts nothing twice', async (t) => {
  const tenant = await app.createTenant();
  const key = await app.scimKey(tenant);
  const act = async () => {
    await lean(app, key);
    await stumble(app, key);
  };
  await act();
  await failBoth(t);
  await act();
  await failBoth(t);
  await act();
  t.match(await tolerancesOf(tenant), [{ name: 'endpointSpelling', count: 3 }]);
  t.equal((await refusedOf(tenant)).length, 3);
  await app.flushClients();
  t.match(await tolerancesOf(tenant), [{ count: 3 }]);
});

t.test('while the database is away the records wait, and are there when it is back', async (t) => {
  const tenant = await app.createTenant();
  const key = await app.scimKey(tenant);
  await lean(app, key);
  await stumble(app, key);
  const { rows } = await app.context.db.pool.query<{ name: string }>('select current_database() as name');
  const administrator = new pg.Client({ connectionString: String(process.env.TEST_DATABASE_URL) });
  await administrator.connect();
  const admit = (admitted: boolean) =>
    administrator.query(`alter database ${rows[0]?.name} allow_connections ${admitted}`);
  await admit(false);
  await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
    rows[0]?.name,
  ]);
  await t.rejects(app.clients.toleranceUses.flush());
  await t.rejects(app.clients.refusedRequests.flush());
  await admit(true);
  await administrator.end();
  t.match(await tolerancesOf(tenant), [{ count: 1 }]);
  t.equal((await refusedOf(tenant)).length, 1);
});

t.test('what was deleted in between fails no flush of the others', async (t) => {
  const [tenant, doomed] = [await app.createTenant(), await app.createTenant()];
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
  const gone = await app.apiKey(tenant, ['scim'], { directory: 'okta' });
  const stays = await app.apiKey(tenant, ['scim']);
  for (const key of [gone.key, stays.key, await app.scimKey(doomed)]) {
    await lean(app, key);
    await stumble(app, key);
  }
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);
  await app.admin('DELETE', `/tenants/${doomed.id}`);
  t.match(await tolerancesOf(tenant), [{ apiKey: { id: stays.id } }]);
  t.same(
    (await refusedOf(tenant)).map(({ apiKey }) => apiKey),
    [
      { id: stays.id, name: 'Test' },
      { id: gone.id, name: null },
    ],
  );
});
