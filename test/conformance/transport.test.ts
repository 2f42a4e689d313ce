import t from 'tap';
import { type Method, startApp } from '../support/app.ts';
import {
  clientOf,
  type ErrorBody,
  GROUP,
  type List,
  newClient,
  PATCH_OP,
  type Resource,
  SCIM,
  USER,
} from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** RFC 7644 sections 2, 3.1, 3.2, 3.8 and 7: who is let in, which endpoints there are, and what they speak. */

const app = await startApp(t);
const client = await newClient(app);
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
const SCIM_JSON = 'application/scim+json';

await meets(
  t,
  [3, 12, 14],
  'a request without a valid key is 401 with a challenge, and no password is one',
  async (t) => {
    const credentials = [undefined, 'Bearer none', 'Basic dXNlcjpwYXNzd29yZA==', `Basic ${client.key}`];
    for (const authorization of credentials) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await app.send<ErrorBody>('GET', `${SCIM}/Users`, { headers });
      t.match(answer, { status: 401, body: { schemas: [ERROR], status: '401', detail: /\S/ } });
      t.equal(answer.headers['content-type'], SCIM_JSON);
      t.match(String(answer.headers['www-authenticate']), /^Bearer realm="/);
    }
  },
);

await meets(t, [7, 14], 'a key without the scope scim is 403, whatever else it may do', async (t) => {
  const tenant = await app.createTenant();
  const { key } = await app.apiKey(tenant, ['admin', 'read', 'jit']);
  for (const [method, path] of [
    ['GET', '/Users'],
    ['POST', '/Groups'],
    ['GET', '/Groups/1'],
  ] as const) {
    const answer = await app.send<ErrorBody>(method, `${SCIM}${path}`, { key });
    t.match(answer, { status: 403, body: { schemas: [ERROR], status: '403' } }, `${method} ${path}`);
  }
});

await meets(
  t,
  [4, 5],
  'a key stands for one directory: it reads and changes nothing of another',
  async (t) => {
    const tenant = await app.createTenant();
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
    const okta = clientOf(app, await app.scimKey(tenant, 'okta'));
    const { id } = await okta.user('mine');
    for (const other of [clientOf(app, await app.scimKey(tenant)), await newClient(app)]) {
      const asked = [
        await other.ask('GET', `/Users/${id}`),
        await other.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'theirs' }),
        await other.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'theirs' }]),
        await other.ask('DELETE', `/Users/${id}`),
      ];
      for (const { status } of asked) t.equal(status, 404);
      t.equal((await other.ask<List>('GET', '/Users')).body.totalResults, 0);
    }
    t.match((await okta.ask('GET', `/Users/${id}`)).body, { userName: 'mine', meta: { version: 'W/"1"' } });
  },
);

await meets(t, [6, 8], 'keys come from an administrator only, and one that was forged is none', async (t) => {
  const tenant = await app.createTenant();
  const issue = (credential: object) =>
    app.send<{ key: string }>('POST', `/api/admin/v1/tenants/${tenant.id}/api-keys`, {
      body: { name: 'k', scopes: ['scim'] },
      ...credential,
    });
  t.match(await issue({}), { status: 401 });
  t.match(await issue({ key: await app.scimKey(tenant) }), { status: 403 });
  const { key } = (await issue({ key: app.operatorKey })).body;
  const [start, id, secret = '', sum] = key.split('_');
  const forged = [
    start,
    id,
    secret.startsWith('0') ? `1${secret.slice(1)}` : `0${secret.slice(1)}`,
    sum,
  ].join('_');
  t.equal((await app.send('GET', `${SCIM}/Users`, { key })).status, 200);
  t.equal((await app.send('GET', `${SCIM}/Users`, { key: forged })).status, 401);
});

await meets(t, [9], 'the secret of a key is 43 characters of 62, new each time', async (t) => {
  const tenant = await app.createTenant();
  const secrets = new Set<string>();
  for (let count = 0; count < 20; count += 1) secrets.add((await app.scimKey(tenant)).split('_')[2] ?? '');
  t.equal(secrets.size, 20);
  for (const secret of secrets) t.match(secret, /^[0-9A-Za-z]{43}$/);
  t.ok(new Set([...secrets].join('')).size > 50, 'every character occurs: none is fixed');
});

await meets(t, [15], 'every endpoint of table 2 answers the methods that it lists', async (t) => {
  const { id } = await client.user('methods');
  const group = await client.group('Methods');
  const user = { schemas: [USER], userName: 'methods' };
  const named = { schemas: [GROUP], displayName: 'Methods' };
  const patch = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'externalId', value: 'x' }] };
  const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] };
  const requests: readonly (readonly [Method, string, number, unknown?])[] = [
    ['GET', '/Users', 200],
    ['POST', '/Users', 201, { ...user, userName: 'posted' }],
    ['GET', `/Users/${id}`, 200],
    ['PUT', `/Users/${id}`, 200, user],
    ['PATCH', `/Users/${id}`, 200, patch],
    ['DELETE', `/Users/${id}`, 204],
    ['POST', '/Users/.search', 200, search],
    ['GET', '/Groups', 200],
    ['POST', '/Groups', 201, { ...named, displayName: 'Posted' }],
    ['GET', `/Groups/${group.id}`, 200],
    ['PUT', `/Groups/${group.id}`, 200, named],
    ['PATCH', `/Groups/${group.id}`, 204, patch],
    ['DELETE', `/Groups/${group.id}`, 204],
    ['POST', '/Groups/.search', 200, search],
    ['GET', '/ServiceProviderConfig', 200],
    ['GET', '/ResourceTypes', 200],
    ['GET', '/Schemas', 200],
    ...(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) => [method, '/Me', 501] as const),
  ];
  for (const [method, path, status, body] of requests)
    t.equal((await client.ask(method, path, body)).status, status, `${method} ${path}`);
  for (const path of ['/Bulk', '/.search']) {
    const { status } = await client.ask('POST', path, { schemas: ['urn:x'] });
    t.ok(status === 400 || status === 501, `POST ${path} is known: ${status}`);
  }
});

interface TypeBody {
  readonly name: string;
  readonly endpoint: string;
}

await meets(t, [16], 'the endpoint of a type is its name with an s, as /ResourceTypes says', async (t) => {
  const { body } = await client.ask<{ Resources: TypeBody[] }>('GET', '/ResourceTypes');
  t.ok(body.Resources.length >= 2);
  for (const { name, endpoint } of body.Resources) {
    t.equal(endpoint, `/${name}s`);
    t.equal((await client.ask('GET', endpoint)).status, 200, endpoint);
  }
});

await meets(t, [17], 'PUT to an id that nobody has is 404, and nothing comes of it', async (t) => {
  const other = await newClient(app);
  for (const id of ['0190a000-0000-7000-8000-000000000000', 'nobody']) {
    t.match(await other.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'x' }), { status: 404 });
    t.match(await other.ask('PUT', `/Groups/${id}`, { schemas: [GROUP], displayName: 'x' }), { status: 404 });
  }
  for (const endpoint of ['/Users', '/Groups'])
    t.equal((await other.ask<List>('GET', endpoint)).body.totalResults, 0);
});

await meets(
  t,
  [18, 20],
  'what does not exist is 404, what is not supported 501, and the body says the same',
  async (t) => {
    const requests: readonly (readonly [Method, string, number])[] = [
      ['GET', '/Devices', 404],
      ['GET', '/Users/nobody', 404],
      ['GET', '/Schemas/urn:x', 404],
      ['GET', '/Me', 501],
      ['DELETE', '/Users', 405],
      ['POST', '/Users', 400],
      ['GET', '/Schemas?filter=id%20pr', 403],
    ];
    for (const [method, path, status] of requests) {
      const answer = await client.ask<ErrorBody>(method, path, method === 'POST' ? {} : undefined);
      t.match(answer, { status, body: { schemas: [ERROR], status: String(status) } }, `${method} ${path}`);
    }
  },
);

await meets(t, [19], 'query parameters that are not known change nothing', async (t) => {
  const { id } = await client.user('queried');
  for (const path of [
    '/Users?aadOptscim062020',
    '/Users?foo=bar&foo=baz',
    `/Users/${id}?foo=1`,
    '/Schemas?x=y',
  ])
    t.equal((await client.ask('GET', path)).status, 200, path);
  const created = await client.ask('POST', '/Users?foo=bar', { schemas: [USER], userName: 'created' });
  t.equal(created.status, 201);
});

await meets(t, [23], 'messages name their schema; in strict mode theirs have to as well', async (t) => {
  const { id } = await client.user('messenger');
  const PREFIX = /^urn:ietf:params:scim:api:messages:2\.0:/;
  for (const path of ['/Users', '/Schemas', '/ResourceTypes', '/Users/nobody', '/Me'])
    t.match((await client.ask('GET', path)).body.schemas, [PREFIX], path);
  const Operations = [{ op: 'replace', path: 'title', value: 'T' }];
  for (const schemas of [['urn:x'], [USER]])
    t.match(await client.ask('PATCH', `/Users/${id}`, { schemas, Operations }), {
      status: 400,
      body: { scimType: 'invalidSyntax' },
    });
  const strict = await newClient(app, { strictScim: true });
  const user = await strict.user('strict');
  for (const message of [{ Operations }, { schemas: [], Operations }])
    t.match(await strict.ask('PATCH', `/Users/${user.id}`, message), {
      status: 400,
      body: { scimType: 'invalidSyntax', detail: /schemas/ },
    });
  t.match(await strict.ask('POST', '/Users/.search', {}), { status: 400 });
});

await meets(t, [24], '/Schemas does not know the schemas of messages', async (t) => {
  const { body } = await client.ask<List>('GET', '/Schemas');
  for (const { id } of body.Resources) t.notMatch(id, 'api:messages');
  t.equal((await client.ask('GET', `/Schemas/${PATCH_OP}`)).status, 404);
});

await meets(t, [25], 'an answer is the state that was kept, not the request', async (t) => {
  const { status, body } = await client.ask('POST', '/Users', {
    schemas: [USER],
    username: 'understood',
    shoeSize: 44,
    active: 'False',
    emails: [{ value: 'u@x.example' }, { value: 'u@x.example' }],
    id: 'mine',
  });
  t.equal(status, 201);
  t.match(body, { userName: 'understood', active: false, emails: [{ value: 'u@x.example' }] });
  t.equal((body.emails as unknown[]).length, 1);
  t.notOk('username' in body || 'shoeSize' in body || body.id === 'mine');
  t.same((await client.ask('GET', `/Users/${body.id}`)).body, body);
});

await meets(t, [26], 'JSON in UTF-8 goes in and out as it is; other bytes are refused', async (t) => {
  const displayName = 'Zoë Ødegård 李小龍 👩‍🚀';
  const origin = new URL(await app.app.listen({ port: 0, host: '127.0.0.1' }));
  const post = (body: Uint8Array | string, type = SCIM_JSON) =>
    fetch(`${origin.origin}${SCIM}/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.key}`, 'content-type': type },
      body: body as never,
    });
  const created = await post(
    new TextEncoder().encode(JSON.stringify({ schemas: [USER], userName: 'utf8', displayName })),
  );
  t.equal(created.status, 201);
  const bytes = new Uint8Array(await created.arrayBuffer());
  t.equal(
    (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Resource).displayName,
    displayName,
  );
  t.match(await client.list('/Users', `displayName eq "${displayName}"`), { body: { totalResults: 1 } });
  const latin1 = Buffer.from(JSON.stringify({ schemas: [USER], userName: 'Zoë' }), 'latin1');
  const refused = await post(latin1);
  t.equal(refused.status, 400);
  t.match(await refused.json(), { schemas: [ERROR], scimType: 'invalidSyntax', detail: /UTF-8/ });
  t.equal((await post('<User/>', 'application/xml')).status, 415);
  t.equal(
    (await post(JSON.stringify({ schemas: [USER], userName: 'plain' }), 'application/json')).status,
    201,
  );
});

await meets(
  t,
  [27, 28, 29, 31],
  'whatever Accept asks for, the answer is bare application/scim+json',
  async (t) => {
    const { id } = await client.user('accepting');
    const accepted = [
      undefined,
      SCIM_JSON,
      'application/json',
      `${SCIM_JSON}, application/json;q=0.8`,
      '*/*',
    ];
    for (const accept of accepted) {
      const headers = accept === undefined ? undefined : { accept };
      for (const path of ['/Users', `/Users/${id}`, '/ServiceProviderConfig', '/Users/nobody']) {
        const answer = await client.ask('GET', path, undefined, headers);
        t.equal(answer.status, path.endsWith('nobody') ? 404 : 200);
        t.equal(answer.headers['content-type'], SCIM_JSON, `${path} for ${accept}`);
      }
    }
    const created = await client.ask('POST', '/Users', { schemas: [USER], userName: 'bare' });
    t.equal(created.headers['content-type'], SCIM_JSON);
  },
);
