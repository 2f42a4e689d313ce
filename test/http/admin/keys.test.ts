import t from 'tap';
import { NIL } from 'uuid';
import type { Scope } from '../../../src/context.ts';
import type { FeedPage } from '../../../src/events/feed.ts';
import { startApp } from '../../support/app.ts';
import { meets } from '../../support/conformance.ts';

interface KeyBody {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly directory: string | null;
  readonly prefix: string;
  readonly key: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

const START = Date.parse('2026-03-04T05:06:07.000Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const clock = { now: START };
const app = await startApp(t, { now: () => new Date(clock.now) });
const tenant = await app.createTenant();
const path = `/tenants/${tenant.name}/api-keys`;

/** What the SCIM surface says to this credential. */
const statusOf = async (key: string) => (await app.send('GET', '/api/scim/v2/Users', { key })).status;
const at = (milliseconds: number) => new Date(milliseconds).toISOString();

t.test('a key is shown once, works at once, and is listed without its secret', async (t) => {
  const issued = await app.admin<KeyBody>('POST', path, { name: 'Okta', scopes: ['scim'] });
  t.match(issued, { status: 201, headers: { 'cache-control': 'no-store' } });
  const { key, ...rest } = issued.body;
  t.match(rest, { name: 'Okta', scopes: ['scim'], directory: 'default', expiresAt: null, lastUsedAt: null });
  t.ok(key.startsWith(rest.prefix));
  t.equal(await statusOf(key), 200);
  const listed = await app.admin<{ apiKeys: KeyBody[] }>('GET', path);
  t.same(listed.body.apiKeys, [rest]);
  t.notMatch(listed.text, key.split('_')[2]);
});

const NAMED: readonly (readonly [what: string, body: object, directory: string | null])[] = [
  ['with the scope scim belongs to the directory default', { scopes: ['scim'] }, 'default'],
  ['can be for another directory', { scopes: ['read', 'scim'], directory: 'okta' }, 'okta'],
  ['without the scope scim has no directory', { scopes: ['jit', 'jit:claims', 'admin', 'read'] }, null],
];
for (const [what, body, directory] of NAMED) {
  t.test(`a key ${what}`, async (t) => {
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
    t.match(await app.admin('POST', path, { name: 'k', ...body }), { status: 201, body: { directory } });
  });
}

const REFUSED: readonly (readonly [what: string, body: unknown, pointer: string])[] = [
  ['without a name', { scopes: ['read'] }, '/name'],
  ['without scopes', { name: 'k' }, '/scopes'],
  ['for nothing', { name: 'k', scopes: [] }, '/scopes'],
  ['with a scope that there is not', { name: 'k', scopes: ['read', 'write'] }, '/scopes/1'],
  ['with a scope named twice', { name: 'k', scopes: ['read', 'read'] }, '/scopes'],
  ['for a directory that there is not', { name: 'k', scopes: ['scim'], directory: 'none' }, '/directory'],
  ['for a directory, and not for scim', { name: 'k', scopes: ['read'], directory: 'default' }, '/directory'],
  ['that has expired', { name: 'k', scopes: ['read'], expiresAt: at(START) }, '/expiresAt'],
  [
    'that expires on no day',
    { name: 'k', scopes: ['read'], expiresAt: '2026-02-30T00:00:00Z' },
    '/expiresAt',
  ],
  [
    'that expires beyond the years that RFC 3339 can write',
    { name: 'k', scopes: ['read'], expiresAt: '9999-12-31T23:59:59-14:00' },
    '/expiresAt',
  ],
  [
    'that expires in a leap second',
    { name: 'k', scopes: ['read'], expiresAt: '2026-12-31T23:59:60Z' },
    '/expiresAt',
  ],
  ['that expires at a number', { name: 'k', scopes: ['read'], expiresAt: START + DAY }, '/expiresAt'],
  ['with an unknown member', { name: 'k', scopes: ['read'], tenant: 'other' }, '/tenant'],
];
for (const [what, body, pointer] of REFUSED) {
  t.test(`a key ${what} is refused`, async (t) => {
    t.match(await app.admin('POST', path, body), { status: 400, body: { code: 'invalid_request', pointer } });
  });
}

meets(t, [10], 'a key ends at the moment of its expiry', async (t) => {
  clock.now = START;
  const body = { name: 'k', scopes: ['scim'], expiresAt: '2026-03-05T06:06:07+01:00' };
  const issued = await app.admin<KeyBody>('POST', path, body);
  t.equal(issued.body.expiresAt, at(START + DAY));
  clock.now = START + DAY - 1;
  t.equal(await statusOf(issued.body.key), 200);
  clock.now = START + DAY;
  t.equal(await statusOf(issued.body.key), 401);
  t.match((await app.admin('GET', path)).text, issued.body.id, 'it is still listed');
});

meets(t, [8, 10], 'a revoked key is refused, is listed no more, and cannot be revoked again', async (t) => {
  const { id, key } = await app.apiKey(tenant, ['scim']);
  t.match(await app.admin('DELETE', `${path}/${id}`), { status: 204, text: '' });
  t.equal(await statusOf(key), 401);
  t.notMatch((await app.admin('GET', path)).text, id);
  for (const gone of [id, 'no-uuid', NIL]) {
    t.match(await app.admin('DELETE', `${path}/${gone}`), {
      status: 404,
      body: { detail: 'API key not found' },
    });
    t.match(await app.admin('POST', `${path}/${gone}/rotate`), {
      status: 404,
      body: { detail: 'API key not found' },
    });
  }
});

t.test('a rotated key goes on beside its successor until the overlap ends', async (t) => {
  clock.now = START;
  const { body: old } = await app.admin<KeyBody>('POST', path, { name: 'Okta', scopes: ['scim', 'read'] });
  const rotated = await app.admin<KeyBody>('POST', `${path}/${old.id}/rotate`, { overlapSeconds: 60 });
  t.match(rotated, { status: 201, headers: { 'cache-control': 'no-store' } });
  const { body: successor } = rotated;
  t.not(successor.id, old.id);
  t.match(successor, { name: 'Okta', scopes: ['scim', 'read'], directory: 'default', expiresAt: null });
  clock.now = START + MINUTE - 1;
  t.same([await statusOf(old.key), await statusOf(successor.key)], [200, 200]);
  clock.now = START + MINUTE;
  t.same([await statusOf(old.key), await statusOf(successor.key)], [401, 200]);
});

const OVERLAPS: readonly (readonly [body: unknown, milliseconds: number])[] = [
  [undefined, DAY],
  [{}, DAY],
  [{ overlapSeconds: 0 }, 0],
  [{ overlapSeconds: 30 * 24 * 3600 }, 30 * DAY],
];
for (const [body, milliseconds] of OVERLAPS) {
  t.test(`rotation with ${JSON.stringify(body)} ends the old key after ${milliseconds} ms`, async (t) => {
    clock.now = START;
    const { id } = await app.apiKey(tenant, ['scim']);
    t.equal((await app.admin('POST', `${path}/${id}/rotate`, body)).status, 201);
    const { apiKeys } = (await app.admin<{ apiKeys: KeyBody[] }>('GET', `${path}?limit=1000`)).body;
    t.equal(apiKeys.find((key) => key.id === id)?.expiresAt, at(START + milliseconds));
  });
}

for (const overlapSeconds of [-1, 1.5, 30 * 24 * 3600 + 1, '60', null]) {
  t.test(`rotation with an overlap of ${JSON.stringify(overlapSeconds)} is refused`, async (t) => {
    const { id } = await app.apiKey(tenant, ['scim']);
    const answer = await app.admin('POST', `${path}/${id}/rotate`, { overlapSeconds });
    t.match(answer, { status: 400, body: { pointer: '/overlapSeconds' } });
  });
}

t.test('a repeated rotation does not multiply keys, and does not revive one that has ended', async (t) => {
  clock.now = START;
  const { id } = await app.apiKey(tenant, ['scim']);
  const rotate = () => app.admin<KeyBody>('POST', `${path}/${id}/rotate`, { overlapSeconds: 60 });
  const answers = await Promise.all([rotate(), rotate(), rotate(), rotate()]);
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409]);
  const successor = answers.find(({ status }) => status === 201)?.body.id;
  const refused = await rotate();
  t.match(refused.body, { code: 'conflict', reason: 'key_rotated', detail: new RegExp(String(successor)) });
  await app.admin('DELETE', `${path}/${successor}`);
  t.equal((await rotate()).status, 201, 'unless the successor was revoked: its answer may have been lost');
  clock.now = START + MINUTE;
  t.match((await rotate()).body, { code: 'conflict', reason: 'key_expired' });
});

t.test('a successor lives as long as the old key did, and no overlap lengthens a life', async (t) => {
  clock.now = START;
  const old = await app.apiKey(tenant, ['scim'], { expiresAt: new Date(START + DAY) });
  clock.now = START + DAY - MINUTE;
  const rotated = await app.admin<KeyBody>('POST', `${path}/${old.id}/rotate`, {});
  t.equal(rotated.body.expiresAt, at(clock.now + DAY));
  clock.now = START + DAY;
  t.same([await statusOf(old.key), await statusOf(rotated.body.key)], [401, 200]);
});

t.test('the last moment that RFC 3339 can write is kept, and no successor outlives it', async (t) => {
  clock.now = START;
  const expiresAt = '9999-12-31T23:59:59.999Z';
  const { body: old } = await app.admin<KeyBody>('POST', path, { name: 'k', scopes: ['read'], expiresAt });
  t.equal(old.expiresAt, expiresAt);
  clock.now = START + DAY;
  const successor = await app.admin<KeyBody>('POST', `${path}/${old.id}/rotate`, {});
  t.match(successor, { status: 201, body: { expiresAt } });
});

t.test('service keys: issued, listed, revoked, and only for what serves all tenants', async (t) => {
  clock.now = START;
  const body = { name: 'Product', scopes: ['read', 'jit'], expiresAt: at(START + DAY) };
  const issued = await app.admin<KeyBody>('POST', '/service-keys', body);
  t.match(issued, { status: 201, headers: { 'cache-control': 'no-store' }, body });
  const { key, ...rest } = issued.body;
  t.same((await app.admin('GET', '/service-keys')).body, { serviceKeys: [rest] });
  const feed = `/api/v1/tenants/${tenant.name}/events`;
  t.equal((await app.send('GET', feed, { key })).status, 200);
  clock.now += SECOND;
  t.equal((await app.admin('DELETE', `/service-keys/${rest.id}`)).status, 204);
  clock.now += SECOND;
  t.equal((await app.send('GET', feed, { key })).status, 401);
  t.same((await app.admin('GET', '/service-keys')).body, { serviceKeys: [] });
  t.equal((await app.admin('DELETE', `/service-keys/${rest.id}`)).status, 404);
  t.equal((await app.admin('DELETE', '/service-keys/none')).status, 404);
  for (const scope of ['scim', 'admin']) {
    const refused = await app.admin('POST', '/service-keys', { name: 'x', scopes: ['read', scope] });
    t.match(refused, {
      status: 400,
      body: { pointer: '/scopes/1', hint: 'Possible: jit, jit:claims, read.' },
    });
  }
});

t.test('issuing, rotating and revoking are told, and no event holds a secret', async (t) => {
  const told = await app.createTenant();
  const old = await app.apiKey(told, ['scim']);
  const keys = `/tenants/${told.id}/api-keys`;
  const successor = (await app.admin<KeyBody>('POST', `${keys}/${old.id}/rotate`, { overlapSeconds: 0 }))
    .body;
  await app.admin('DELETE', `${keys}/${successor.id}`);
  await app.sealEvents();
  const feed = await app.admin<FeedPage>('GET', `/tenants/${told.id}/events`);
  const { id: oldId } = old;
  t.match(feed.body.events.slice(2), [
    { type: 'api_key.issued', resource: { type: 'ApiKey', id: oldId }, after: { directory: 'default' } },
    { type: 'api_key.issued', resource: { id: successor.id } },
    {
      type: 'api_key.rotated',
      resource: { id: oldId },
      before: { expiresAt: null },
      after: { successor: successor.id },
    },
    { type: 'api_key.revoked', resource: { id: successor.id } },
  ]);
  const { rows } = await app.context.db.pool.query('select e::text as line from event e');
  const everything = rows.map((row) => row.line).join('\n');
  for (const { key } of [old, successor]) t.notMatch(everything, key.split('_')[2]);
});

meets(t, [8], 'no key stands in the database', async (t) => {
  const { key } = await app.apiKey(tenant, ['admin']);
  const { key: serviceKey } = await app.serviceKey(['read']);
  const { rows } = await app.context.db.pool.query(
    'select k::text as line from api_key k union all select s::text from service_key s',
  );
  const everything = rows.map((row) => row.line).join('\n');
  for (const each of [key, serviceKey]) {
    const [, , secret = ''] = each.split('_');
    t.notMatch(everything, secret);
    t.notMatch(everything, Buffer.from(secret).toString('hex'));
  }
});

t.test('the last use of a key is written off the request, at most once a minute', async (t) => {
  const used = await app.createTenant();
  const { key } = await app.apiKey(used, ['scim']);
  const { key: serviceKey, id: serviceKeyId } = await app.serviceKey(['read']);
  const lastUses = async () => {
    const [apiKeys, serviceKeys] = [
      await app.admin<{ apiKeys: KeyBody[] }>('GET', `/tenants/${used.id}/api-keys`),
      await app.admin<{ serviceKeys: KeyBody[] }>('GET', '/service-keys'),
    ];
    const ofService = serviceKeys.body.serviceKeys.find((each) => each.id === serviceKeyId);
    return [apiKeys.body.apiKeys[0]?.lastUsedAt, ofService?.lastUsedAt];
  };
  const useAt = async (now: number) => {
    clock.now = now;
    t.equal(await statusOf(key), 200);
    t.equal((await app.send('GET', `/api/v1/tenants/${used.id}/events`, { key: serviceKey })).status, 200);
  };
  await useAt(START);
  t.same(await lastUses(), [null, null], 'no request waits for it');
  await app.flushUsage();
  t.same(await lastUses(), [at(START), at(START)]);
  await useAt(START + MINUTE - 1);
  await app.flushUsage();
  t.same(await lastUses(), [at(START), at(START)]);
  await useAt(START + MINUTE);
  await useAt(START + MINUTE + SECOND);
  await app.flushUsage();
  t.same(await lastUses(), [at(START + MINUTE + SECOND), at(START + MINUTE + SECOND)]);
});

t.test('a last use that cannot be written is written the next time', async (t) => {
  const used = await app.createTenant();
  const { key, id } = await app.apiKey(used, ['scim']);
  await statusOf(key);
  const { pool } = app.context.db;
  await pool.query('alter table api_key rename column last_used_at to hidden');
  await t.rejects(app.flushUsage());
  await pool.query('alter table api_key rename column hidden to last_used_at');
  await app.flushUsage();
  const { rows } = await pool.query('select last_used_at from api_key where id = $1', [id]);
  t.same(rows, [{ last_used_at: new Date(clock.now) }]);
});
