import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import t from 'tap';
import { NIL } from 'uuid';
import type { Scope } from '../../src/context.ts';
import { makeKey } from '../../src/tenants/key-format.ts';
import { type Method, startApp } from '../support/app.ts';
import { meets } from '../support/conformance.ts';

/** Who gets in where: credentials, scopes, revocation, and what the log keeps of it. */

const START = Date.parse('2026-03-04T05:06:07.000Z');
const clock = { now: START };
const now = () => new Date(clock.now);
const log: string[] = [];
const app = await startApp(t, { now, onLog: (line) => log.push(line) });
const tenant = await app.createTenant();
const USERS = '/api/scim/v2/Users';

meets(t, [3, 8], 'every credential that does not hold gets one answer', async (t) => {
  const { id, key } = await app.apiKey(tenant, ['scim']);
  const expired = await app.apiKey(tenant, ['scim'], { expiresAt: new Date(clock.now + 1) });
  const revoked = await app.apiKey(tenant, ['scim']);
  await app.admin('DELETE', `/tenants/${tenant.id}/api-keys/${revoked.id}`);
  clock.now += 1;
  const ids = { keyId: id, tenantId: tenant.id };
  const credentials: readonly (readonly [what: string, credential: string, reason: string | undefined])[] = [
    ['garbage', 'x', 'malformed'],
    ['the prefix alone', 'rc_', 'malformed'],
    ['a changed checksum', `${key.slice(0, -6)}000000`, 'malformed'],
    ['another secret', makeKey(ids).key, 'wrong secret'],
    ['an unknown id', makeKey({ ...ids, keyId: randomUUID() }).key, 'unknown'],
    ['the id with another tenant', makeKey({ ...ids, tenantId: randomUUID() }).key, 'unknown'],
    ['the id without its tenant', makeKey({ keyId: id }).key, 'unknown'],
    ['an expired key', expired.key, 'expired'],
    ['a revoked key', revoked.key, 'revoked'],
    ['a long text', 'x'.repeat(8_000), 'malformed'],
  ];
  for (const surface of [USERS, '/api/admin/v1/tenants', `/api/v1/tenants/${tenant.id}/events`]) {
    const first = await app.send('GET', surface, { key: 'garbage' });
    for (const [what, credential, reason] of credentials) {
      log.length = 0;
      const answer = await app.send('GET', surface, { key: credential });
      t.equal(answer.status, 401, `${what} at ${surface}`);
      t.equal(answer.headers['www-authenticate'], 'Bearer realm="rollcall", error="invalid_token"');
      t.same({ ...answer.body, requestId: 0 }, { ...first.body, requestId: 0 }, what);
      t.match(
        log.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'credential refused'),
        { reason },
        what,
      );
    }
  }
});

const HEADERS: readonly (readonly [
  what: string,
  value: (key: string) => string | string[],
  status: number,
])[] = [
  ['Bearer', (key) => `Bearer ${key}`, 200],
  ['bearer in lower case', (key) => `bearer ${key}`, 200],
  ['BEARER in upper case', (key) => `BEARER ${key}`, 200],
  ['several spaces', (key) => `Bearer   ${key}  `, 200],
  ['no scheme', (key) => key, 401],
  ['another scheme', (key) => `Basic ${key}`, 401],
  ['no space', (key) => `Bearer${key}`, 401],
  ['a tab', (key) => `Bearer\t${key}`, 401],
  ['a scheme without a credential', () => 'Bearer ', 401],
  ['an empty header', () => '', 401],
  ['two credentials', (key) => `Bearer ${key} ${key}`, 401],
  ['two credentials with a comma', (key) => `Bearer ${key}, Bearer ${key}`, 401],
  ['quotes', (key) => `Bearer "${key}"`, 401],
];
for (const [what, value, status] of HEADERS) {
  t.test(`Authorization with ${what} is ${status}`, async (t) => {
    const key = await app.scimKey(tenant);
    for (const [path, credential] of [
      [USERS, key],
      ['/api/admin/v1/tenants', app.operatorKey],
    ] as const) {
      t.match(await app.send('GET', path, { headers: { authorization: String(value(credential)) } }), {
        status,
      });
    }
  });
}

t.test('without a credential the challenge names no error, as RFC 6750 §3.1 wants it', async (t) => {
  const { status, headers } = await app.send('GET', USERS);
  t.equal(status, 401);
  t.equal(headers['www-authenticate'], 'Bearer realm="rollcall"');
});

t.test('two Authorization headers are refused, though each alone would do', async (t) => {
  const key = await app.scimKey(tenant);
  const url = new URL(USERS, await app.app.listen({ port: 0 }));
  const statusWith = (authorization: string[]) => rawStatus(url, authorization);
  t.equal(await statusWith([`Bearer ${key}`]), 200);
  t.equal(await statusWith([`Bearer ${key}`, `Bearer ${key}`]), 401);
});

/** The status of a request with these headers as they are; `inject` and `fetch` would join them. */
function rawStatus(url: URL, authorization: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = authorization.flatMap((value) => ['Authorization', value]);
    const request = httpRequest(url, { headers: ['Host', url.host, ...headers] }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    request.on('error', reject).end();
  });
}

t.test('a refused caller is refused before the body is read', async (t) => {
  const refused = await app.send('POST', USERS, { key: 'x', body: '{"broken' });
  t.equal(refused.status, 401);
  const unscoped = await app.send('POST', '/api/admin/v1/tenants', {
    key: await app.scimKey(tenant),
    body: 'x'.repeat(3_000_000),
  });
  t.equal(unscoped.status, 403);
});

t.test('unknown paths and encoded paths are behind the credential too', async (t) => {
  for (const path of [
    '/api/admin/v1/nothing',
    '/api/v1/nothing',
    '/jit/nothing',
    '/%6ait/assert',
    '/%61pi/admin/v1/tenants',
    '/api/admin/v1//tenants',
  ]) {
    t.equal((await app.send('GET', path)).status, 401, path);
    t.equal((await app.send('GET', path, { key: 'x' })).status, 401, path);
  }
});

type Area = 'open' | 'discovery' | 'scim' | 'jit' | 'operator' | 'admin' | 'product' | 'service';

const SURFACES = /^\/(api|jit)\//;

/** Where a route belongs; a path that this list does not know fails the matrix. */
const AREAS: readonly (readonly [route: RegExp, area: Area])[] = [
  [/ \/(healthz|readyz|docs)(\/|$)/, 'open'],
  [/ \/api\/scim\/v2\/(ServiceProviderConfig|ResourceTypes|Schemas)(\/|$)/, 'discovery'],
  [/ \/api\/scim\/v2\/((Users|Groups|Roles|Entitlements|Bulk|\.search)(\/|$)|$)/, 'scim'],
  [/ \/api\/scim\/v2$/, 'scim'],
  [/ \/api\/admin\/v1\/(tenants|events|service-keys(\/:serviceKey)?)$/, 'operator'],
  [/^DELETE \/api\/admin\/v1\/tenants\/:tenant$/, 'operator'],
  [/ \/api\/admin\/v1\/tenants\/:tenant(\/|$)/, 'admin'],
  [/ \/api\/v1\/tenants\/:tenant\//, 'product'],
  [/ \/api\/v1\/discover$/, 'service'],
  [/ \/jit\/assert$/, 'jit'],
];

interface Holder {
  readonly who: string;
  readonly key?: string;
  /** Where the holder gets in; elsewhere the answer is `refused`. */
  readonly areas: readonly Area[];
  readonly refused: 401 | 403;
}

const OPEN: readonly Area[] = ['open', 'discovery'];
const AREAS_OF_SCOPE: Readonly<Record<Scope, readonly Area[]>> = {
  scim: ['scim'],
  admin: ['admin'],
  read: ['product'],
  jit: ['jit'],
  'jit:claims': ['jit'],
};

async function holders(): Promise<Holder[]> {
  const revoked = await app.apiKey(tenant, ['scim', 'admin', 'read']);
  await app.admin('DELETE', `/tenants/${tenant.id}/api-keys/${revoked.id}`);
  const scopes = Object.entries(AREAS_OF_SCOPE) as [Scope, readonly Area[]][];
  const tenantKeys = scopes.map(async ([scope, areas]) => {
    const { key } = await app.apiKey(tenant, [scope]);
    return { who: `a tenant's ${scope} key`, key, areas: [...OPEN, ...areas], refused: 403 } as const;
  });
  const serviceKeys = (['jit', 'jit:claims', 'read'] as const).map(async (scope) => {
    const { key } = await app.serviceKey([scope]);
    return {
      who: `a service key ${scope}`,
      key,
      areas: [...OPEN, ...AREAS_OF_SCOPE[scope], ...(scope === 'read' ? (['service'] as const) : [])],
      refused: 403,
    } as const;
  });
  return [
    { who: 'the operator', key: app.operatorKey, areas: [...OPEN, 'operator', 'admin'], refused: 403 },
    ...(await Promise.all([...tenantKeys, ...serviceKeys])),
    { who: 'nobody', areas: OPEN, refused: 401 },
    { who: 'garbage', key: 'garbage', areas: ['open'], refused: 401 },
    { who: 'a revoked key', key: revoked.key, areas: ['open'], refused: 401 },
  ];
}

meets(t, [4, 7], 'the matrix of keys and routes is total: each lets in, or refuses', async (t) => {
  const everybody = await holders();
  for (const { method, url, schema } of app.routes) {
    if (SURFACES.test(url) && schema?.hide) continue;
    for (const each of [method].flat()) {
      const route = `${each} ${url}`;
      const [, area] = AREAS.find(([pattern]) => pattern.test(route)) ?? [];
      t.ok(area, `${route} belongs somewhere`);
      const named = area === 'operator' ? NIL : tenant.id;
      const path = url.replace(':tenant', named).replace(/:\w+/, NIL).replace('*', 'index.css');
      for (const { who, key, areas, refused } of everybody) {
        const { status } = await app.app
          .inject({
            method: each as Method,
            url: path,
            headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
          })
          .then(({ statusCode }) => ({ status: statusCode }));
        const entered = status !== 401 && status !== 403;
        const expected = area !== undefined && areas.includes(area);
        t.equal(entered, expected, `${who}: ${route} ${status}`);
        if (!expected) t.equal(status, refused, `${who}: ${route}`);
      }
    }
  }
});

t.test('what the documentation hides does nothing but say so', async (t) => {
  const hidden = app.routes.filter(({ url, schema }) => SURFACES.test(url) && schema?.hide);
  t.ok(hidden.length > 10);
  const keys = {
    '/api/scim/': await app.scimKey(tenant),
    '/api/v1/': (await app.serviceKey(['read'])).key,
    '/jit/': (await app.serviceKey(['jit'])).key,
  };
  for (const { method, url } of hidden) {
    const [, key] = Object.entries(keys).find(([prefix]) => url.startsWith(prefix)) ?? [];
    for (const each of [method].flat().filter((name) => name !== 'HEAD' && name !== 'QUERY')) {
      const { status } = await app.send(each as Method, url, { key: key ?? app.operatorKey });
      t.ok(status === 405 || status === 501, `${each} ${url}: ${status}`);
    }
  }
});

t.test('a refusal for want of a scope names it, as RFC 6750 §3.1 wants it', async (t) => {
  const { key } = await app.serviceKey(['jit']);
  const product = await app.send('GET', `/api/v1/tenants/${tenant.id}/events`, { key });
  t.match(product, { status: 403, body: { code: 'forbidden', reason: 'scope_missing' } });
  t.equal(
    product.headers['www-authenticate'],
    'Bearer realm="rollcall", error="insufficient_scope", scope="read"',
  );
  const admin = await app.send('GET', '/api/admin/v1/tenants', { key });
  t.match(admin, { status: 403, body: { code: 'forbidden', reason: 'operator_only' } });
});

/** Milliseconds by the clock of `other`, in steps of 50, until it refuses the key. */
async function untilRefused(other: typeof app, path: string, key: string): Promise<number> {
  const since = clock.now;
  while (clock.now - since <= 10_000) {
    if ((await other.send('GET', path, { key })).status === 401) return clock.now - since;
    clock.now += 50;
  }
  return Number.POSITIVE_INFINITY;
}

t.test('what one instance ends, the other refuses within a second', async (t) => {
  const other = await startApp(t, { connectionString: app.connectionString, now });
  const doomed = await app.createTenant();
  await app.admin('POST', `/tenants/${doomed.id}/directories`, { name: 'okta' });
  const inOkta = await app.apiKey(doomed, ['scim'], { directory: 'okta' });
  const [revoked, rotated, orphaned] = [
    await app.apiKey(doomed, ['scim']),
    await app.apiKey(doomed, ['scim']),
    await app.apiKey(doomed, ['scim']),
  ];
  const service = await app.serviceKey(['read']);
  const path = `/tenants/${doomed.id}`;
  const feed = `/api/v1${path}/events`;
  const keys = `${path}/api-keys`;
  const ends: readonly (readonly [what: string, asked: string, key: string, end: () => Promise<unknown>])[] =
    [
      ['a revoked key', USERS, revoked.key, () => app.admin('DELETE', `${keys}/${revoked.id}`)],
      [
        'a key rotated without overlap',
        USERS,
        rotated.key,
        () => app.admin('POST', `${keys}/${rotated.id}/rotate`, { overlapSeconds: 0 }),
      ],
      [
        'a key of a deleted directory',
        USERS,
        inOkta.key,
        () => app.admin('DELETE', `${path}/directories/okta?users=release`),
      ],
      ['a revoked service key', feed, service.key, () => app.admin('DELETE', `/service-keys/${service.id}`)],
      ['a key of a deleted tenant', USERS, orphaned.key, () => app.admin('DELETE', path)],
    ];
  for (const [what, asked, key, end] of ends) {
    t.equal((await other.send('GET', asked, { key })).status, 200, `${what} was good, and is remembered`);
    await end();
    const elapsed = await untilRefused(other, asked, key);
    t.ok(elapsed > 0 && elapsed < 1_000, `${what}: ${elapsed} ms`);
  }
});

t.test('a changed setting reaches every instance within a second', async (t) => {
  const other = await startApp(t, { connectionString: app.connectionString, now });
  const changed = await app.createTenant();
  const key = await app.scimKey(changed);
  const create = async () =>
    (await other.send('POST', USERS, { key, body: { userName: randomUUID() } })).status;
  t.equal(await create(), 201);
  await app.admin('PATCH', `/tenants/${changed.id}`, { settings: { provisioning: 'jit' } });
  clock.now += 900;
  t.equal(await create(), 403);
});

meets(t, [8], 'no secret reaches the log, wherever it is put', async (t) => {
  log.length = 0;
  const { key, id } = await app.apiKey(tenant, ['scim', 'admin', 'read']);
  const { key: serviceKey } = await app.serviceKey(['read']);
  const wrong = makeKey({ keyId: id, tenantId: tenant.id }).key;
  for (const secret of [key, serviceKey, wrong, app.operatorKey, 'canary-of-nobody']) {
    const headers = { authorization: `Bearer ${secret}`, 'user-agent': secret, cookie: secret };
    for (const path of [
      USERS,
      `${USERS}/${secret}`,
      `/api/admin/v1/tenants/${secret}`,
      `/nowhere/${secret}`,
    ]) {
      await app.app.inject({ url: `${path}?access_token=${secret}`, headers });
      await app.app.inject({ url: path, headers: { authorization: `Basic ${secret}` } });
      await app.send('POST', path, {
        key: secret,
        body: { name: secret, password: secret, userName: secret },
      });
      await app.send('POST', path, { key: secret, body: `{"${secret}` });
    }
  }
  t.ok(log.length > 50, 'the log was listened to');
  const everything = log.join('');
  t.match(everything, id, 'keys are named by their ids');
  for (const secret of [key, serviceKey, wrong].map((each) => String(each.split('_')[2]))) {
    t.notOk(everything.includes(secret), 'the secret part of a key');
  }
  for (const secret of [app.operatorKey, 'canary-of-nobody']) t.notOk(everything.includes(secret));
});
