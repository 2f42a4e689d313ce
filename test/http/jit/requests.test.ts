import { randomUUID } from 'node:crypto';
import t from 'tap';
import { AssertionError, type VerifiedAssertion } from '../../../src/assertions/types.ts';
import type { Verifiers } from '../../../src/assertions/verifiers.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { makeProvider, type SignedInBody } from '../../support/gateway.ts';
import { ADA, newSignInWorld } from '../../support/sign-in.ts';

/** What a gateway may send, by which key, and what a trial shows. */

const verified = (subject: string): VerifiedAssertion => ({
  id: subject,
  expiresAt: new Date(Date.now() + 60_000),
  subject,
  attributes: new Map([['email', [`${subject}@acme.test`]]]),
  groupOverage: false,
  checks: [{ check: 'signature', passed: true }],
});
/** What is posted is its own subject; the identity providers' side is tested with the verifiers. */
const verifiers: Verifiers = {
  saml: {
    async verify(_provider, response, { requestId }) {
      if (response === 'forged') {
        throw new AssertionError('signature', 'The signature does not hold', [
          { check: 'signature', passed: false },
        ]);
      }
      return verified(requestId ?? response);
    },
  },
  oidc: {
    async verify({ id }, _provider, token, { nonce } = {}) {
      if (token === 'away') throw new AssertionError('keys_unavailable', 'The keys cannot be had');
      if (token === 'no database') throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
      return verified(nonce ?? (id.length === 36 ? token : 'no id'));
    },
  },
};
const app = await startApp(t, { verifiers });
const SAML = {
  issuer: 'https://idp.test',
  certificates: ['PEM'],
  audience: 'rollcall',
  acsUrl: 'https://sp.test',
};
const OIDC = { issuer: 'https://idp.test', audience: 'rollcall', algorithms: ['RS256'] };

async function start() {
  const world = await newSignInWorld(app);
  const { id } = world.tenant;
  await makeProvider(app, id, { name: 'saml', kind: 'saml', settings: { saml: SAML } });
  await makeProvider(app, id, { name: 'oidc', kind: 'oidc', settings: { oidc: OIDC } });
  await makeProvider(app, id, { name: 'new', kind: 'saml', settings: { saml: { ...SAML, issuer: null } } });
  const send = (body: unknown, { key = world.gatewayKey, query = '' } = {}) =>
    app.send<SignedInBody>('POST', `/jit/assert${query}`, { key, body });
  return { ...world, send };
}

t.test('three forms sign in: a SAML response, an ID token, claims', async (t) => {
  const { send } = await start();
  const forms = [
    [{ identityProvider: 'saml', samlResponse: 's1' }, 's1'],
    [{ identityProvider: 'saml', samlResponse: 'x', requestId: 's2' }, 's2'],
    [{ identityProvider: 'oidc', idToken: 't1' }, 't1'],
    [{ identityProvider: 'oidc', idToken: 'x', nonce: 't2' }, 't2'],
    [{ identityProvider: 'okta', requestId: 'c1', claims: { sub: 'c1', email: 'c1@acme.test' } }, 'c1'],
  ] as const;
  for (const [body, subject] of forms) {
    t.match(await send(body), { status: 201, body: { user: { userName: `${subject}@acme.test` } } });
  }
});

t.test("the browser's own form post can be relayed as it is, with the rest in the query", async (t) => {
  const { gatewayKey, tenant } = await start();
  const post = (payload: string, query: string) =>
    app.send('POST', `/jit/assert${query}`, {
      key: gatewayKey,
      body: payload,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  const query = `?tenant=${tenant.name}&identityProvider=saml`;
  t.match(await post('SAMLResponse=form%2B1&RelayState=%2Fhome', query), {
    status: 201,
    body: { user: { userName: 'form+1@acme.test' } },
  });
  for (const bad of ['', 'SAMLResponse=a&SAMLResponse=b', 'RelayState=x', 'SAMLResponse=']) {
    t.equal((await post(bad, query)).status, 400, bad);
  }
  t.equal((await post('SAMLResponse=form2', '')).status, 400, 'no identity provider is named');
  const text = await app.send('POST', `/jit/assert${query}`, {
    key: gatewayKey,
    body: 'x',
    headers: { 'content-type': 'text/plain' },
  });
  t.match(text, {
    status: 415,
    body: { detail: /application\/json or application\/x-www-form-urlencoded/ },
  });
});

t.test('what is not exactly one form is refused, and nothing is written', async (t) => {
  const { send, count } = await start();
  const claims = { sub: 'x' };
  const cases = [
    [{}, 400],
    [[], 400],
    [{ identityProvider: 'okta' }, 400],
    [{ identityProvider: 'okta', claims }, 400],
    [{ identityProvider: 'okta', claims, requestId: '' }, 400],
    [{ identityProvider: 'okta', claims, requestId: 'a', nonce: 'b' }, 400],
    [{ identityProvider: 'okta', claims: [], requestId: 'a' }, 400],
    [{ identityProvider: 'okta', claims, requestId: 'a', more: 1 }, 400],
    [{ identityProvider: 'saml', samlResponse: 'x', idToken: 'y' }, 400],
    [{ identityProvider: 'oidc', idToken: 'y', requestId: 'x' }, 400],
    [{ claims, requestId: 'a' }, 400],
    [{ identityProvider: 'okta', samlResponse: 'x' }, 400],
    [{ identityProvider: 'saml', claims, requestId: 'a' }, 400],
    [{ identityProvider: 'new', samlResponse: 'x' }, 409],
    [{ identityProvider: 'nobody', claims, requestId: 'a' }, 404],
    [{ identityProvider: 'No Slug', claims, requestId: 'a' }, 404],
    [{ identityProvider: 'okta', requestId: 'a', claims: { groups: Array(2_001).fill('g') } }, 422],
    [{ identityProvider: 'okta', requestId: 'a', claims: { sub: 'x'.repeat(2_001) } }, 422],
    [
      {
        identityProvider: 'okta',
        requestId: 'a',
        claims: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [n, 1])),
      },
      422,
    ],
  ] as const;
  for (const [body, status] of cases) {
    const answer = await send(body);
    t.equal(answer.status, status, JSON.stringify(body).slice(0, 100));
    t.type(answer.body.detail, 'string');
  }
  const differ = { identityProvider: 'okta', claims, requestId: 'a' };
  t.equal((await send(differ, { query: '?identityProvider=saml' })).status, 400, 'said twice, differently');
  t.match(await send(`{"samlResponse":"${'x'.repeat(512 * 1024)}"}`), {
    status: 413,
    body: { detail: /larger than 512 KiB/ },
  });
  t.match(await send({ identityProvider: 'nobody', claims, requestId: 'a' }), {
    status: 404,
    body: { detail: 'Identity provider not found', hint: /identity-providers lists/ },
  });
  t.equal(await count('scim_user'), 0);
  t.equal(await count('consumed_assertion'), 0);
});

t.test('an assertion that does not hold is 422 with its reason; keys that are away are 503', async (t) => {
  const { send, count } = await start();
  const forged = await send({ identityProvider: 'saml', samlResponse: 'forged' });
  t.match(forged, {
    status: 422,
    body: { code: 'assertion_refused', reason: 'signature', hint: /certificates/ },
  });
  t.notOk('trace' in forged.body, 'only a trial shows what was checked');
  const away = await send({ identityProvider: 'oidc', idToken: 'away' });
  t.match(away, { status: 503, body: { code: 'unavailable', reason: 'keys_unavailable' } });
  t.ok(away.headers['retry-after']);
  t.equal(await count('consumed_assertion'), 0);
});

t.test("what a tenant's own settings may be the cause of is kept for its admins, a 503 too", async (t) => {
  const { send, ask } = await start();
  t.equal((await send({ identityProvider: 'oidc', idToken: 'away' })).status, 503);
  t.equal((await send({ identityProvider: 'oidc', idToken: 'no database' })).status, 503);
  await app.flushClients();
  const { body } = await ask<{ refusedRequests: object[] }>('GET', '/refused-requests');
  t.match(body.refusedRequests, [{ path: '/jit/assert', status: 503, detail: 'The keys cannot be had' }]);
  t.equal(body.refusedRequests.length, 1, 'a database that is away is no matter of the tenant');
});

t.test('claims take the scope jit:claims, everything else the scope jit', async (t) => {
  const { send, tenant } = await start();
  const claims = { identityProvider: 'okta', requestId: randomUUID(), claims: ADA };
  const saml = { identityProvider: 'saml', samlResponse: randomUUID() };
  const [jit, jitClaims] = [await app.apiKey(tenant, ['jit']), await app.apiKey(tenant, ['jit:claims'])];
  const refused = { status: 403, body: { reason: 'scope_missing' } };
  t.match(await send(claims, jit), refused);
  t.match(await send(saml, jitClaims), refused);
  t.equal((await send(claims, jitClaims)).status, 201);
  t.equal((await send(saml, jit)).status, 201);
});

t.test("a service key names the tenant; a tenant's key may name no other", async (t) => {
  const { send, tenant, count } = await start();
  const neighbour = await start();
  const service = await app.serviceKey(['jit', 'jit:claims']);
  const body = (rest: object) => ({
    identityProvider: 'okta',
    requestId: randomUUID(),
    claims: ADA,
    ...rest,
  });
  t.match(await send(body({}), service), { status: 400, body: { pointer: '/tenant' } });
  t.equal((await send(body({ tenant: tenant.name }), service)).status, 201);
  t.equal((await send(body({ tenant: tenant.id.toUpperCase() }), service)).status, 200);
  t.equal((await send(body({ tenant: tenant.name }))).status, 200);
  const foreign = await send(body({ tenant: neighbour.tenant.id }));
  const nowhere = await send(body({ tenant: randomUUID() }));
  t.equal(foreign.status, 404);
  t.same({ ...foreign.body, requestId: 0 }, { ...nowhere.body, requestId: 0 });
  t.equal(await neighbour.count('scim_user'), 0);
  t.equal(await count('scim_user'), 1);
});

type Trace = readonly { readonly check: string; readonly passed: boolean }[];

t.test('a dry run decides like the real one, shows each step, and writes nothing', async (t) => {
  const { post, send, user, eventsOf, count, ask } = await start();
  const events = await eventsOf(async () => {
    const { status, body } = await post(ADA, { query: '?dryRun=true' });
    t.equal(status, 200);
    t.match(body, { outcome: 'created', access: { teams: [{ role: 'EDITOR' }] } });
    t.same(
      body.trace?.map(({ check, passed }) => `${check} ${passed}`),
      [
        'bounds true',
        'not_replayed true',
        'identity_link true',
        'not_rejected true',
        'managed_user true',
        'not_deprovisioned true',
        'email_link true',
        'user_name_free true',
        'not_deactivated true',
        'may_create true',
      ],
    );
    const forged = { samlResponse: 'forged' };
    const path = '/identity-providers/saml/test';
    t.match(await ask('POST', path, forged), {
      status: 422,
      body: { reason: 'signature', trace: [{ check: 'signature', passed: false }] },
    });
    t.match(await ask('POST', '/identity-providers/saml/test', { samlResponse: 'x' }), {
      status: 200,
      body: { outcome: 'created' },
    });
  });
  t.same(events, []);
  for (const table of ['scim_user', 'identity_link', 'consumed_assertion', 'access_grant', 'jit_sync']) {
    t.equal(await count(table), 0, table);
  }
  await user('ada@acme.test', { active: false });
  const refused = await ask<AnyBody & { trace: Trace }>('POST', '/identity-providers/okta/test', {
    requestId: 'a',
    claims: ADA,
  });
  t.match(refused, { status: 403, body: { reason: 'deactivated' } });
  t.match(refused.body.trace.at(-1), { check: 'managed_user', passed: false });
  const used = { identityProvider: 'saml', samlResponse: 'used' };
  await send(used);
  const again = await send(used, { query: '?dryRun=true' });
  t.match(again.body, { outcome: 'unchanged' });
  t.match(
    again.body.trace?.find(({ check }) => check === 'not_replayed'),
    { passed: false },
    'a trial of an assertion that was used says so, and goes on',
  );
});
