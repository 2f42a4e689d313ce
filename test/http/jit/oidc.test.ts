import t from 'tap';
import { type Person, startOidcProvider } from '../../support/oidc-provider.ts';
import { EDITOR, newSsoWorld, requireGroups, startSso, VIEWER } from '../../support/single-sign-on.ts';

/** Whole sign-ins by OpenID Connect: a real provider, its code flow over HTTP, and what its ID tokens come to. */

const { app, skip } = await startSso(t);
const idp = await startOidcProvider(t);
const BOB = {
  sub: 'bob',
  email: 'bob@acme.test',
  email_verified: true,
  given_name: 'Bob',
  family_name: 'Builder',
  groups: ['Analysts'],
};
const { groups: _, ...NO_GROUPS } = BOB;

/** A tenant with the provider "corp". */
async function start(rest: object = {}, oidc: object = {}) {
  const world = await newSsoWorld(app);
  await world.provider({
    kind: 'oidc',
    oidc: { issuer: idp.issuer, audience: idp.audience, ...oidc },
    ...rest,
  });
  const post = (idToken: string, more: object = {}) =>
    world.assert({ identityProvider: 'corp', idToken, ...more });
  return { ...world, post, signIn: async (person: Person = BOB) => post(await idp.signIn(person)) };
}

t.test('a person comes by a code flow, comes again unchanged, and with other groups', async (t) => {
  const { post, signIn, holds, eventsOf } = await start();
  const token = await idp.signIn(BOB, 'nonce-1');
  const { status, body } = await post(token, { nonce: 'nonce-1' });
  t.equal(status, 201);
  t.match(body, {
    outcome: 'created',
    user: { userName: 'bob@acme.test', email: 'bob@acme.test', givenName: 'Bob', managedBy: 'jit:corp' },
    access: { signIn: 'allow', teams: [{ role: 'EDITOR', via: ['Analysts'] }] },
    identityProviderGroups: { state: 'list', groups: ['Analysts'] },
  });
  const { id } = body.user;
  t.same(await holds(id), [EDITOR]);
  t.match(await post(token, { nonce: 'nonce-1' }), { status: 409, body: { reason: 'replayed' } });
  const events = await eventsOf(async () => {
    t.match((await signIn()).body, { outcome: 'unchanged', user: { id }, changes: [] });
  });
  t.same(
    events.map(({ type }) => type),
    ['sign_in.accepted'],
  );
  t.match((await signIn({ ...BOB, groups: ['Hunters'] })).body, {
    outcome: 'updated',
    changes: [
      { change: 'add', team: 'Forensics' },
      { change: 'remove', team: 'Incident Response' },
    ],
  });
  t.same(await holds(id), [VIEWER]);
});

const source = { endpoint: 'https://graph.microsoft.com/v1.0/users/bob/getMemberObjects' };
const DISTRIBUTED = { ...NO_GROUPS, _claim_names: { groups: 'src1' }, _claim_sources: { src1: source } };
const STATES = [
  ['a list', { ...BOB, groups: ['Hunters'] }, 'list', [VIEWER], []],
  ['an empty list', { ...BOB, groups: [] }, 'empty', [], []],
  ['no claim', NO_GROUPS, 'absent', [EDITOR], ['groups_absent']],
  ['an empty text', { ...BOB, groups: '' }, 'absent', [EDITOR], ['groups_absent']],
  ['false', { ...BOB, groups: false }, 'absent', [EDITOR], ['groups_absent']],
  ["Entra ID's _claim_names", DISTRIBUTED, 'overage', [EDITOR], ['groups_overage']],
  ["Entra ID's hasgroups", { ...NO_GROUPS, hasgroups: true }, 'overage', [EDITOR], ['groups_overage']],
] as const;
for (const [what, person, state, held, warned] of STATES) {
  t.test(`groups in four states: ${what}`, async (t) => {
    const { signIn, holds } = await start();
    const { id } = (await signIn()).body.user;
    requireGroups(t, await signIn(person), { state, warned });
    t.same(await holds(id), held);
  });
}

t.test('a verified address finds whom SCIM provisioned, an unverified one nobody', async (t) => {
  const { signIn, user } = await start();
  const id = await user('bob@acme.test');
  t.match(await signIn({ ...BOB, email_verified: false }), {
    status: 409,
    body: { reason: 'link_conflict' },
  });
  t.match((await signIn()).body, { outcome: 'linked', user: { id, managedBy: 'scim:default' } });
});

t.test('what does not hold is refused for its reason, kept for the admin, and is no event', async (t) => {
  const { post, ask, eventsOf, count } = await start();
  const told: string[] = [];
  const events = await eventsOf(async () => {
    const token = await idp.signIn(BOB, 'nonce-1');
    const [header = '', payload = '', signature = ''] = token.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const answers = [
      ['nonce', await post(token, { nonce: 'nonce-2' })],
      ['audience', await post(await idp.signIn(BOB, undefined, idp.otherAudience))],
      ['algorithm', await post(`${none}.${payload}.`)],
      ['signature', await post(`${header}.${payload}.${signature.slice(4)}AAAA`)],
      ['malformed', await post('no token')],
    ] as const;
    for (const [reason, { status, body }] of answers) {
      t.match({ status, body }, { status: 422, body: { code: 'assertion_refused', reason } });
      told.unshift(String(body.detail));
    }
  });
  t.same(events, []);
  t.equal(await count('consumed_assertion'), 0);
  await app.flushClients();
  const { body } = await ask<{ refusedRequests: { detail: string; hint: string }[] }>(
    'GET',
    '/refused-requests',
  );
  t.same(
    body.refusedRequests.map(({ detail }) => detail),
    told,
  );
  t.ok(body.refusedRequests.every(({ hint }) => hint !== ''));
});

t.test('a token is too old after its time, and too young where its clock is ahead', async (t) => {
  const { post } = await start();
  const token = await idp.signIn(BOB);
  for (const [seconds, reason] of [
    [362, 'expired'],
    [-62, 'not_yet_valid'],
  ] as const) {
    skip(seconds);
    t.match(await post(token), { status: 422, body: { reason } });
    skip(-seconds);
  }
  t.equal((await post(token)).status, 201);
});

t.test('a key that was rotated is known after ten seconds, and the old one holds beside it', async (t) => {
  const rotating = await startOidcProvider(t);
  const { post } = await start({}, { issuer: rotating.issuer });
  t.equal((await post(await rotating.signIn(BOB))).status, 201);
  const old = await rotating.signIn(BOB);
  rotating.rotate();
  const token = await rotating.signIn(BOB);
  t.match(await post(token), { status: 422, body: { reason: 'signature' } }, 'keys were fetched just now');
  skip(10);
  t.match((await post(token)).body, { outcome: 'unchanged' }, 'the refused assertion was not used up');
  t.equal((await post(old)).status, 200);
  const fetched = rotating.published.length;
  t.equal(fetched, 4, 'discovery document and keys, twice');
  t.equal((await post(await rotating.signIn(BOB))).status, 200);
  t.equal(rotating.published.length, fetched);
});

t.test('without the setting for tests, a provider on this machine is neither set up nor asked', async (t) => {
  const { tenant, gatewayKey } = await start();
  const { app: strict } = await startSso(t, {
    connectionString: app.connectionString,
    allowLoopback: false,
  });
  const lonely = await startOidcProvider(t);
  const oidc = { issuer: lonely.issuer, audience: lonely.audience };
  const path = `/tenants/${tenant.id}/identity-providers`;
  t.match(await strict.admin('POST', path, { name: 'new', kind: 'oidc', jit: 'off', oidc }), {
    status: 400,
    body: { pointer: '/oidc/issuer' },
  });
  t.equal((await app.admin('POST', path, { name: 'new', kind: 'oidc', jit: 'off', oidc })).status, 201);
  const refused = await strict.send('POST', '/jit/assert', {
    key: gatewayKey,
    body: { identityProvider: 'new', idToken: await lonely.signIn(BOB) },
  });
  t.match(refused, { status: 503, body: { code: 'unavailable', reason: 'keys_unavailable' } });
  t.ok(refused.headers['retry-after']);
  t.same(lonely.published, []);
});
