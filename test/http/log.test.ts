import type { InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import { buildApp } from '../../src/app.ts';
import { makeClientRecords } from '../../src/clients/client-records.ts';
import { makeLogger } from '../../src/http/plugins/logger.ts';
import { makeAuthenticator } from '../../src/tenants/authenticate.ts';
import { startApp } from '../support/app.ts';
import { NO_VERIFIERS } from '../support/verifiers.ts';

const USERS = '/api/scim/v2/Users';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const SCIM_GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const SCIM_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** The application with the logger that the service has, and the lines that it wrote. */
async function startLogged(t: Test) {
  const fixtures = await startApp(t);
  const text: string[] = [];
  const log = makeLogger({ level: 'debug', destination: { write: (line: string) => text.push(line) } });
  const context = { ...fixtures.context, log };
  const { authenticate } = makeAuthenticator(context);
  const clients = makeClientRecords(context.db);
  const app = await buildApp(context, {
    authenticate,
    clients,
    verifiers: NO_VERIFIERS,
    trustedProxies: [],
    isDraining: () => false,
  });
  t.teardown(() => app.close());
  const tenant = await fixtures.createTenant();
  const { id: keyId, key } = await fixtures.apiKey(tenant, ['scim'], { directory: 'default' });
  return {
    ...fixtures,
    app,
    tenant,
    keyId,
    key,
    text,
    lines: () => text.map((line) => JSON.parse(line) as Record<string, unknown>),
    ask: (request: InjectOptions) =>
      app.inject({ ...request, headers: { authorization: `Bearer ${key}`, ...request.headers } }),
  };
}

/** The lines about requests; other lines belong to one by its id. */
const requestLines = (lines: readonly Record<string, unknown>[]) =>
  lines.filter((line) => line.msg === 'request');

t.test('each request has one line that says by whom, on which route and how it ended', async (t) => {
  const { ask, app, lines, tenant, keyId, operatorKey } = await startLogged(t);
  const body = { schemas: [SCIM_USER], userName: 'someone' };
  const created = await ask({
    method: 'POST',
    url: USERS,
    payload: body,
    headers: { 'x-request-id': 'call-1' },
  });
  await ask({ method: 'POST', url: USERS, payload: body });
  await ask({ method: 'GET', url: `${USERS}?filter=userName%20eq%20%22someone%22` });
  await app.inject({ method: 'GET', url: USERS });
  await app.inject({
    method: 'GET',
    url: `/api/admin/v1/tenants/${tenant.name}/directories`,
    headers: { authorization: `Bearer ${operatorKey}` },
  });
  await app.inject({ method: 'GET', url: '/nothing/here' });

  t.equal(created.headers['x-request-id'], 'call-1');
  const actor = { kind: 'api_key', id: keyId };
  t.match(requestLines(lines()), [
    {
      requestId: 'call-1',
      level: 'info',
      method: 'POST',
      route: USERS,
      status: 201,
      outcome: 'ok',
      tenant: tenant.id,
      actor,
    },
    { status: 409, outcome: 'refused', scimType: 'uniqueness', tenant: tenant.id, actor },
    { method: 'GET', route: USERS, status: 200, outcome: 'ok' },
    { route: USERS, status: 401, outcome: 'refused', code: 'unauthorized', actor: { kind: 'none' } },
    {
      route: '/api/admin/v1/tenants/:tenant/directories',
      status: 200,
      tenant: tenant.id,
      actor: { kind: 'operator' },
    },
    { method: 'GET', status: 404, outcome: 'refused' },
  ]);
  for (const line of requestLines(lines())) {
    t.type(line.requestId, 'string');
    t.type(line.milliseconds, 'number');
    t.notOk('url' in line);
  }
});

t.test("a caller's x-request-id is taken over only when it is short and plain", async (t) => {
  const { app } = await startLogged(t);
  const idFor = async (sent: string) =>
    (await app.inject({ url: '/healthz', headers: { 'x-request-id': sent } })).headers['x-request-id'];
  for (const sent of ['a', 'req_1.2:3-4', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']) {
    t.equal(await idFor(sent), sent);
  }
  for (const sent of ['', 'x'.repeat(65), 'a b', 'a"b', '{"a":1}', 'ä', '<script>']) {
    t.match(await idFor(sent), /^[0-9a-f-]{36}$/, sent);
  }
});

t.test('which tolerances a request needed stands in its line', async (t) => {
  const { ask, lines } = await startLogged(t);
  const { id } = (
    await ask({ method: 'POST', url: USERS, payload: { schemas: [SCIM_USER], userName: 'a' } })
  ).json();
  await ask({
    method: 'PATCH',
    url: `${USERS}/${id}`,
    payload: { schemas: [PATCH_OP], Operations: [{ op: 'Replace', path: 'active', value: 'False' }] },
  });
  t.type(requestLines(lines()).at(-1)?.tolerances, Array);
  await ask({ method: 'POST', url: `${USERS}/.search`, payload: { filter: 'userName eq a' } });
  const both = ['schemasMissing', 'filterBareWord'];
  t.same(requestLines(lines()).at(-1)?.tolerances, both, 'of the message and of the filter in it');
});

/** Everything that a request can hold and the log must not: `canary` stands in each place once. */
function canaryRequests(canary: string, id: string): InjectOptions[] {
  const scim = { 'content-type': 'application/scim+json' };
  const user = {
    schemas: [SCIM_USER],
    userName: canary,
    password: canary,
    emails: [{ value: `${canary}@example.com` }],
  };
  const patch = (...Operations: object[]) => JSON.stringify({ schemas: [PATCH_OP], Operations });
  const filters = [
    `userName eq "${canary}"`,
    `${canary} eq "x"`,
    `userName eq "${canary}`,
    `userName ${canary} "x"`,
  ];
  return [
    { method: 'POST', url: USERS, headers: scim, payload: JSON.stringify(user) },
    { method: 'POST', url: USERS, headers: scim, payload: JSON.stringify(user) },
    {
      method: 'PUT',
      url: `${USERS}/${id}`,
      headers: scim,
      payload: JSON.stringify({ ...user, [canary]: 1, active: canary }),
    },
    {
      method: 'PATCH',
      url: `${USERS}/${id}`,
      headers: scim,
      payload: patch({ op: canary, path: canary, value: canary }),
    },
    {
      method: 'PATCH',
      url: `${USERS}/${id}`,
      headers: scim,
      payload: patch({ op: 'add', path: `emails[${canary} eq 1]` }),
    },
    { method: 'POST', url: USERS, headers: scim, payload: `{"userName": "${canary}` },
    { method: 'POST', url: USERS, headers: scim, payload: `{"${canary}": 1, "${canary}": 2}` },
    { method: 'POST', url: USERS, headers: { 'content-type': `text/${canary}` }, payload: canary },
    {
      method: 'POST',
      url: '/api/scim/v2/Groups',
      headers: scim,
      payload: JSON.stringify({ schemas: [SCIM_GROUP], displayName: canary, members: [{ value: canary }] }),
    },
    ...filters.map((filter) => ({ url: `${USERS}?filter=${encodeURIComponent(filter)}` })),
    { url: `${USERS}?attributes=${canary}&sortBy=${canary}&count=${canary}&${canary}=1` },
    { url: `${USERS}/${canary}` },
    { url: `${USERS}/%${canary}` },
    { url: `${USERS}/${canary.repeat(100)}` },
    { url: `/api/scim/v2/${canary}` },
    { url: `/${canary}` },
    { url: `/docs/${canary}` },
    { method: 'DELETE', url: `/api/scim/v2/Schemas/${canary}` },
    { url: `/api/admin/v1/tenants/${canary}/directories` },
    { url: `/api/v1/tenants/${canary}/events?after=${canary}` },
    { url: USERS, headers: { authorization: `Bearer ${canary}` } },
    { url: USERS, headers: { authorization: `Basic ${canary}` } },
    {
      url: USERS,
      headers: {
        'if-match': `W/"${canary}"`,
        'if-none-match': canary,
        cookie: canary,
        'x-forwarded-for': canary,
        'user-agent': canary,
        'x-request-id': `${canary}@`,
      },
    },
  ];
}

t.test('no secret, body, name, path or query gets into the log, also not when something fails', async (t) => {
  const { app, ask, key, operatorKey, text, lines, context } = await startLogged(t);
  const canary = 'canarybird';
  const { id } = (
    await ask({ method: 'POST', url: USERS, payload: { schemas: [SCIM_USER], userName: 'a' } })
  ).json();
  for (const credential of [key, operatorKey]) {
    for (const request of canaryRequests(canary, id)) {
      await app.inject({
        ...request,
        headers: { authorization: `Bearer ${credential}`, ...request.headers },
      });
    }
  }
  const before = lines().length;
  // Row and input stand in the errors of PostgreSQL: in its detail, in its message.
  for (const breakage of [
    `alter table scim_user add constraint broken check (user_name_folded not like '${canary}%') not valid`,
    `alter table scim_user drop constraint broken, alter column body type int using 1`,
  ]) {
    await context.db.pool.query(breakage);
    for (const request of canaryRequests(`${canary}2`, id)) await ask(request);
  }
  const failures = requestLines(lines().slice(before)).filter((line) => line.outcome === 'failed');
  t.ok(failures.length > 0, 'some requests did fail');
  t.equal(lines().filter((line) => line.msg === 'request failed').length, failures.length, 'and say why');

  const secrets = [key, operatorKey].flatMap((each) => each.split('_')).filter((part) => part.length > 30);
  for (const word of [canary, ...secrets]) {
    t.same(
      text.filter((line) => line.toLowerCase().includes(word.toLowerCase())),
      [],
      'the log does not hold it',
    );
  }
});

t.test('an error keeps its type, code, constraint, cause and stack, and loses what it quotes', (t) => {
  const text: string[] = [];
  const log = makeLogger({ level: 'info', destination: { write: (line: string) => text.push(line) } });
  const cause = Object.assign(new Error('value "a" of "b\n    at c" is bad'), {
    detail: 'Key (x)=(canary)',
    code: '23514',
    constraint: 'broken',
  });
  log.error(
    {
      err: new TypeError("Cannot read 'canary'", { cause }),
      authorization: 'canary',
      headers: { authorization: 'canary' },
    },
    'x',
  );
  log.error({ err: 'canary' }, 'y');
  t.match(
    text.map((line) => JSON.parse(line)),
    [
      {
        err: {
          type: 'TypeError',
          message: "Cannot read '…'",
          stack: [/^at /],
          cause: { code: '23514', constraint: 'broken', message: 'value "…" is bad' },
        },
      },
      { err: { type: 'string' } },
    ],
  );
  t.notMatch(text.join(), /canary|detail/);
  t.end();
});
