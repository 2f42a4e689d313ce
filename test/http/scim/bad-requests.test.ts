import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody, GROUP, PATCH_OP, SCIM, USER } from '../../support/client.ts';

/** Whatever a client gets wrong, it reads a SCIM Error (RFC 7644 section 3.12), and nothing has changed. */

const app = await startApp(t);
const key = await app.scimKey(await app.createTenant());
const client = clientOf(app, key);
const { id } = await client.user('somebody', { title: 'T' });

const SCIM_JSON = { 'content-type': 'application/scim+json' };
const MIB = 1024 * 1024;

interface Case {
  readonly name: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly anonymous?: true;
  readonly status: number;
  readonly scimType?: string;
  readonly detail?: RegExp;
}

async function check(t: Test, cases: readonly Case[]): Promise<void> {
  for (const {
    name,
    method = 'GET',
    path,
    body,
    headers = SCIM_JSON,
    anonymous,
    status,
    scimType,
    detail,
  } of cases) {
    const answer = await app.send<ErrorBody>(method, `${SCIM}${path}`, {
      ...(!anonymous && { key }),
      ...(body !== undefined && { body }),
      headers,
    });
    t.equal(answer.status, status, name);
    t.equal(answer.headers['content-type'], 'application/scim+json', `${name}: media type`);
    t.match(
      answer.body,
      { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status) },
      name,
    );
    t.equal(answer.body.scimType, scimType, `${name}: scimType`);
    t.match(answer.body.detail, detail ?? /\S/, `${name}: detail`);
  }
}

const post = (name: string, body: string, scimType: string, detail: RegExp): Case => ({
  name,
  method: 'POST',
  path: '/Users',
  body,
  status: 400,
  scimType,
  detail,
});

t.test('bodies that are not JSON, or not ours', async (t) => {
  await check(t, [
    post('broken JSON', '{"userName": "x"', 'invalidSyntax', /not valid JSON/),
    post('an empty body', '', 'invalidSyntax', /empty/),
    post('a list', '[]', 'invalidSyntax', /object/),
    post('a duplicate key', '{"userName":"x","userName":"y"}', 'invalidSyntax', /"userName" stands twice/),
    post('an escaped duplicate key', '{"a":{"b":1,"\\u0062":2}}', 'invalidSyntax', /"b" stands twice/),
    post(
      'a key twice in other case',
      '{"userName":"x","USERNAME":"y"}',
      'invalidSyntax',
      /userName|USERNAME/,
    ),
    post('__proto__', '{"userName":"x","__proto__":{"polluted":1}}', 'invalidValue', /__proto__/),
    post('NUL', '{"userName":"a\\u0000b"}', 'invalidValue', /NUL/),
    post('half a surrogate pair', '{"userName":"a\\ud800"}', 'invalidValue', /surrogate/),
    post('a number too large', '{"userName":1e400}', 'invalidValue', /userName/),
    post('33 levels', `${'['.repeat(33)}${']'.repeat(33)}`, 'invalidSyntax', /nested/),
    post('a million levels', '['.repeat(1_000_000), 'invalidSyntax', /nested/),
    post('no userName', '{"displayName":"x"}', 'invalidValue', /userName/),
    post('active that is neither', '{"userName":"x","active":"maybe"}', 'invalidValue', /active/),
    post('another schema', '{"schemas":["urn:x"],"userName":"x"}', 'invalidSyntax', /schemas/),
  ]);
  t.equal(({} as Record<string, unknown>).polluted, undefined);
});

t.test('media types, methods, paths and ids', async (t) => {
  const body = '{"userName":"x"}';
  const plain = { 'content-type': 'text/plain' };
  await check(t, [
    { name: 'text/plain', method: 'POST', path: '/Users', body, headers: plain, status: 415 },
    {
      name: 'XML',
      method: 'PUT',
      path: `/Users/${id}`,
      body,
      headers: { 'content-type': 'text/xml' },
      status: 415,
    },
    { name: 'no such endpoint', path: '/Devices', status: 404 },
    { name: 'the wrong method', method: 'DELETE', path: '/Users', status: 405, detail: /GET.*POST/ },
    {
      name: 'the wrong method with a broken body',
      method: 'POST',
      path: `/Users/${id}`,
      body: '{',
      status: 405,
    },
    { name: 'writing discovery', method: 'POST', path: '/Schemas', body: '{}', status: 405 },
    { name: '/Me', path: '/Me', status: 501 },
    { name: 'an id that is no UUID', path: '/Users/010101001010101011001010101011', status: 404 },
    { name: 'an id in upper case', path: `/Users/${id.toUpperCase()}`, status: 404 },
    { name: 'an id with NUL', path: '/Users/a%00b', status: 404 },
    { name: 'a bad escape in the path', path: '/Users/%ZZ', status: 400 },
    { name: 'an endless id', path: `/Users/${'a'.repeat(600)}`, status: 414 },
    { name: 'an encoded slash', path: '/Users%2f', status: 404 },
    { name: 'a filter on discovery', path: '/Schemas?filter=id%20pr', status: 403 },
    { name: 'no key', path: '/Users', anonymous: true, status: 401 },
    {
      name: 'a wrong key',
      path: '/Users',
      anonymous: true,
      headers: { authorization: 'Bearer non-token' },
      status: 401,
    },
    {
      name: 'a wrong key on discovery',
      path: '/Schemas',
      anonymous: true,
      headers: { authorization: 'Bearer x' },
      status: 401,
    },
  ]);
  const allowed = await client.ask('POST', `/Users/${id}`);
  t.match(String(allowed.headers.allow), /PATCH/);
  const challenge = await app.send('GET', `${SCIM}/Users`);
  t.match(String(challenge.headers['www-authenticate']), /^Bearer realm=/);
});

t.test('bodies over the limits', async (t) => {
  const padded = (bytes: number) => '{"displayName":"x"}'.padEnd(bytes);
  const { id: groupId } = await client.group('Large');
  await check(t, [
    { name: '1 MiB and a byte', method: 'POST', path: '/Users', body: padded(MIB + 1), status: 413 },
    {
      name: '16 MiB and a byte',
      method: 'PUT',
      path: `/Groups/${groupId}`,
      body: padded(16 * MIB + 1),
      status: 413,
    },
    {
      name: 'too many parts',
      method: 'PUT',
      path: `/Groups/${groupId}`,
      body: `{"displayName":"x","members":[${'{},'.repeat(5 * MIB)}0]}`,
      status: 400,
      scimType: 'invalidSyntax',
      detail: /1500000/,
    },
  ]);
  t.equal((await client.ask('PUT', `/Groups/${groupId}`, padded(16 * MIB))).status, 200, '16 MiB are read');
});

t.test('names that no index of the database could hold', async (t) => {
  const { id: groupId } = await client.group('Named');
  const long = randomBytes(3_000).toString('hex');
  const user = { schemas: [USER], userName: 'named' };
  const group = { schemas: [GROUP], displayName: 'Named too' };
  const cases = [
    ['/Users', id, 'userName', user],
    ['/Users', id, 'externalId', user],
    ['/Groups', groupId, 'displayName', group],
    ['/Groups', groupId, 'externalId', group],
  ] as const;
  const refused = { status: 400, scimType: 'invalidValue' };
  for (const [endpoint, resource, name, whole] of cases) {
    const body = JSON.stringify({ ...whole, [name]: long });
    const patch = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: name, value: long }] };
    const path = `${endpoint}/${resource}`;
    const detail = new RegExp(`${name}.*2000 bytes`);
    await check(t, [
      { name: `POST ${name}`, method: 'POST', path: endpoint, body, ...refused, detail },
      { name: `PUT ${name}`, method: 'PUT', path, body, ...refused, detail },
      { name: `PATCH ${name}`, method: 'PATCH', path, body: JSON.stringify(patch), ...refused, detail },
    ]);
  }
  const kept = randomBytes(1_000).toString('hex');
  const { body } = await client.ask('POST', '/Users', { ...user, userName: kept, externalId: kept });
  t.match(body, { userName: kept, externalId: kept }, '2,000 bytes are kept');
  const named = await client.ask('POST', '/Groups', { ...group, displayName: kept, externalId: kept });
  t.match(named.body, { displayName: kept, externalId: kept });
});

t.test('parameters', async (t) => {
  const filters: readonly [name: string, filter: string][] = [
    ['empty', ''],
    ['newlines without an end', `userName eq "${'\n'.repeat(40)}`],
    ['8,193 characters', `userName eq "${'x'.repeat(8_193)}"`],
    ['51 parentheses', `${'('.repeat(51)}title pr${')'.repeat(51)}`],
    ['501 terms', Array(501).fill('title pr').join(' or ')],
    ['unknown attribute', 'shoeSize eq 44'],
    ['__proto__', '__proto__ eq "x"'],
    ['a prototype word as connective', 'title pr constructor title pr'],
    ['infix not', 'title pr not title pr'],
    ['a value path in a value path', 'emails[type[value eq "x"]]'],
    ['order of booleans', 'active gt true'],
    ['no operator', 'userName'],
    ['an open bracket', 'emails[type eq "work"'],
    ['NUL', 'userName eq "a\\u0000"'],
    ['half a surrogate pair', 'userName eq "\\ud800"'],
  ];
  await check(t, [
    ...filters.map(
      ([name, filter]): Case => ({
        name,
        path: `/Users?filter=${encodeURIComponent(filter)}`,
        status: 400,
        scimType: 'invalidFilter',
      }),
    ),
    { name: 'count', path: '/Users?count=ten', status: 400, scimType: 'invalidValue', detail: /count/ },
    {
      name: 'two filters',
      path: '/Users?filter=title+pr&filter=title+pr',
      status: 400,
      scimType: 'invalidSyntax',
    },
    { name: 'sortBy', path: '/Users?sortBy=shoeSize', status: 400, scimType: 'invalidValue' },
    { name: 'sortOrder', path: '/Users?sortOrder=up', status: 400, scimType: 'invalidValue' },
  ]);
  t.equal(
    (await client.ask('GET', '/Users?count=999999999999999999&startIndex=9007199254740993')).status,
    200,
  );
});

t.test('a refused PATCH leaves the resource as it was', async (t) => {
  const patches: readonly [name: string, operation: object, status: number, scimType: string][] = [
    ['unknown op', { op: 'move', path: 'title' }, 400, 'invalidSyntax'],
    ['unknown path', { op: 'add', path: 'shoeSize', value: 1 }, 400, 'invalidPath'],
    ['prototype path', { op: 'add', path: '__proto__.polluted', value: 1 }, 400, 'invalidPath'],
    ['read-only path', { op: 'replace', path: 'id', value: 'x' }, 400, 'mutability'],
    ['required removed', { op: 'remove', path: 'userName' }, 400, 'mutability'],
    ['no path to remove', { op: 'remove' }, 400, 'noTarget'],
    ['broken path', { op: 'add', path: 'emails[type eq', value: 'x' }, 400, 'invalidFilter'],
    ['no value', { op: 'add', path: 'title' }, 400, 'invalidValue'],
  ];
  for (const [name, operation, status, scimType] of patches) {
    const operations = [{ op: 'replace', path: 'title', value: 'Changed' }, operation];
    const body = JSON.stringify({ schemas: [PATCH_OP], Operations: operations });
    const answer = await client.ask<ErrorBody>('PATCH', `/Users/${id}`, body);
    t.equal(answer.status, status, name);
    t.ok(
      answer.body.scimType === scimType || answer.body.scimType === 'invalidPath',
      `${name}: ${answer.body.scimType}`,
    );
  }
  const { body } = await client.ask('GET', `/Users/${id}`);
  t.match(body, { title: 'T', meta: { version: 'W/"1"' } });
});

t.test('§3.5.1 in strict mode our own answer may come back with PUT, and not with PATCH', async (t) => {
  const strict = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
  const user = await strict.user('echoed');
  await strict.group('Echo', [user.id]);
  const { body: ours } = await strict.ask('GET', `/Users/${user.id}`);
  t.equal(ours.groups?.length, 1);
  const answer = await strict.ask('PUT', `/Users/${user.id}`, ours);
  t.equal(answer.status, 200);
  t.strictSame(answer.body, ours);
  const patched = await strict.patch(`/Users/${user.id}`, [{ op: 'replace', value: { id: user.id } }]);
  t.match(patched, { status: 400, body: { scimType: 'invalidSyntax', detail: /pathless/ } });
});

t.test('what looks wrong and is not', async (t) => {
  const other = await client.user('nobody');
  const accepted = [
    await app.send('POST', `${SCIM}/Users`, {
      key,
      body: '{"userName":"j"}',
      headers: { 'content-type': 'application/json; charset=UTF-8' },
    }),
    await client.ask('DELETE', `/Users/${other.id}`, undefined, SCIM_JSON),
    await client.ask('GET', '/Users', undefined, { ...SCIM_JSON, accept: 'text/html' }),
    await client.ask('POST', '/Users', '\uFEFF{"userName":"bom"}'),
  ];
  t.same(
    accepted.map(({ status }) => status),
    [201, 204, 200, 201],
  );
  const url = new URL(await app.app.listen({ port: 0, host: '127.0.0.1' }));
  const bare = await fetch(`${url.origin}${SCIM}/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: new TextEncoder().encode('{"userName":"untyped"}'),
  });
  t.equal(bare.status, 201, 'a body without a media type');
});

t.test('what is not even HTTP', async (t) => {
  const url = new URL(app.app.listeningOrigin);
  const get = (path: string, header = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`;
  const broken = await rawRequest(url, get(`${SCIM}/Users`, 'Broken'));
  t.match(broken, /^HTTP\/1\.1 400 .*application\/scim\+json.*"status":"400"/s);
  const long = await rawRequest(url, get(`${SCIM}/Users?filter=${'x'.repeat(70_000)}`));
  t.match(long, /^HTTP\/1\.1 431 .*"status":"431".*\.search/s);
  const read = await rawRequest(
    url,
    get(`${SCIM}/Users?filter=${'%41'.repeat(8_193)}`, 'Connection: close\r\n'),
  );
  t.match(read, /^HTTP\/1\.1 401/, 'a long filter is read');
});

t.test('a request that is not sent in time', async (t) => {
  const server: Server = app.app.server;
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = server;
  t.strictSame(
    { headersTimeout, requestTimeout, keepAliveTimeout, timeout },
    { headersTimeout: 20_000, requestTimeout: 60_000, keepAliveTimeout: 72_000, timeout: 900_000 },
  );
  // Node looks at its clock every 30 seconds; this says what it would say then.
  server.once('connection', (socket) => {
    const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    socket.once('data', () => server.emit('clientError', late, socket));
  });
  const answer = await rawRequest(new URL(app.app.listeningOrigin), `POST ${SCIM}/Users HTTP/1.1\r\n`);
  t.match(answer, /^HTTP\/1\.1 408 .*"status":"408".*not sent in time/s);
});

/** Sends bytes that no HTTP client would. */
function rawRequest(url: URL, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(url.port), url.hostname, () => socket.write(text));
    socket.on('data', (bytes) => {
      received += bytes;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}
