import t from 'tap';
import { newSamlIdp, type Responding, respond, type SamlPerson, startSamlSite } from '../../support/samlp.ts';
import { EDITOR, newSsoWorld, requireGroups, startSso, VIEWER } from '../../support/single-sign-on.ts';

/** Whole SAML sign-ins: the responses of a real identity provider, verified, and what they come to. */

const { app, skip } = await startSso(t);
const SP = { audience: 'https://product.example/saml', acsUrl: 'https://product.example/saml/acs' };
const IDP = newSamlIdp('https://idp.example/metadata');
const FRESH = newSamlIdp(IDP.issuer);
const GCM = 'http://www.w3.org/2009/xmlenc11#aes256-gcm';
const CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';

const PROFILE = { email: 'bob@acme.test', firstName: 'Bob', lastName: 'Builder' };
const withGroups = (groups: object): SamlPerson => ({
  nameId: 'bob@acme.test',
  attributes: { ...PROFILE, ...groups },
});
const BOB = withGroups({ groups: ['Analysts'] });

/** A tenant with the provider "corp". */
async function start(rest: object = {}) {
  const world = await newSsoWorld(app);
  const saml = { issuer: IDP.issuer, certificates: [IDP.keys.certificate], ...SP };
  await world.provider({ kind: 'saml', saml, ...rest });
  const post = (samlResponse: string, more: object = {}) =>
    world.assert({ identityProvider: 'corp', samlResponse, ...more });
  return {
    ...world,
    post,
    signIn: async (person = BOB, options: Responding = {}) => post(await respond(IDP, SP, person, options)),
  };
}

t.test('metadata is exchanged, a request answered by a form, and the form relayed as it is', async (t) => {
  const world = await newSsoWorld(app);
  const site = await startSamlSite(t, IDP, SP, BOB);
  await world.provider({ kind: 'saml', saml: SP });
  const path = '/identity-providers/corp';
  const { text: ours } = await world.ask('GET', `${path}/service-provider-metadata`);
  t.match(ours, `entityID="${SP.audience}"`);
  t.match(ours, `Location="${SP.acsUrl}"`);
  const imported = await app.send('POST', `/api/admin/v1/tenants/${world.tenant.id}${path}/metadata`, {
    key: app.operatorKey,
    body: await site.metadata(),
    headers: { 'content-type': 'application/xml' },
  });
  t.match(imported, { status: 200, body: { saml: { issuer: IDP.issuer }, warnings: [] } });

  const relay = async (form: string) =>
    world.assert(form, {
      query: '?identityProvider=corp',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  const form = await site.form('_request-1', '/home?a=b&c=d');
  t.match(await relay(form), {
    status: 201,
    body: {
      outcome: 'created',
      user: { userName: 'bob@acme.test', email: 'bob@acme.test', givenName: 'Bob', managedBy: 'jit:corp' },
      access: { signIn: 'allow', teams: [{ role: 'EDITOR', via: ['Analysts'] }] },
    },
  });
  t.match(await relay(form), { status: 409, body: { reason: 'replayed' } });

  const again = (id: string) => site.form(id, '');
  const posted = async (requestId: string, form: string) => {
    const samlResponse = new URLSearchParams(form).get('SAMLResponse');
    return world.assert({ identityProvider: 'corp', samlResponse, requestId });
  };
  t.match((await posted('_request-2', await again('_request-2'))).body, { outcome: 'unchanged' });
  t.match(await posted('_request-3', await again('_request-4')), {
    status: 422,
    body: { reason: 'in_response_to' },
  });
});

const SIGNED = {
  'the assertion signed': {},
  'the response signed': { signResponse: true, signAssertion: false },
  'both signed': { signResponse: true },
} as const;
for (const [what, options] of Object.entries(SIGNED)) {
  t.test(`signs in: ${what}, plain and encrypted to the provider's key`, async (t) => {
    const { ask, post, signIn } = await start();
    t.equal((await signIn(BOB, options)).status, 201);
    const made = await ask<{ encryptionCertificate: string }>(
      'POST',
      '/identity-providers/corp/encryption-key',
    );
    const { encryptionCertificate } = made.body;
    for (const encrypted of [GCM, CBC]) {
      const response = await respond(IDP, { ...SP, encryptionCertificate }, BOB, { ...options, encrypted });
      t.match(await post(response), { status: 200, body: { outcome: 'unchanged' } }, encrypted);
    }
    await ask('DELETE', '/identity-providers/corp/encryption-key');
    const late = await respond(IDP, { ...SP, encryptionCertificate }, BOB, { ...options, encrypted: GCM });
    t.match(await post(late), { status: 422, body: { reason: 'decryption' } }, 'the key is gone');
  });
}

t.test('another ROLLCALL_SECRET_KEY stops what is encrypted, and nothing else', async (t) => {
  const { ask, post, tenant, gatewayKey } = await start();
  const made = await ask<{ encryptionCertificate: string }>(
    'POST',
    '/identity-providers/corp/encryption-key',
  );
  const { encryptionCertificate } = made.body;
  const log: string[] = [];
  const { connectionString } = app;
  const { app: changed } = await startSso(t, { connectionString, onLog: (line) => log.push(line) });
  const toChanged = (samlResponse: string) => {
    const body = { identityProvider: 'corp', samlResponse };
    return changed.send('POST', '/jit/assert', { key: gatewayKey, body });
  };
  t.equal((await toChanged(await respond(IDP, SP, BOB))).status, 201);
  for (const encrypted of [GCM, CBC]) {
    const response = await respond(IDP, { ...SP, encryptionCertificate }, BOB, { encrypted });
    t.match(await toChanged(response), {
      status: 422,
      body: { reason: 'decryption', hint: /ROLLCALL_SECRET_KEY.*make a new/ },
    });
    t.equal((await post(response)).status, 200, 'where the key is the same it still opens');
  }
  const told = log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50);
  t.equal(told.length, 3, 'once for each request');
  for (const line of told) {
    t.match(line, { level: 50, tenant: tenant.id, msg: /ROLLCALL_SECRET_KEY/, requestId: /./ });
  }
});

t.test('while certificates are rolled over both sign in, then the new one alone', async (t) => {
  const { ask, post } = await start();
  const certificates = (...idps: readonly (typeof IDP)[]) =>
    ask('PATCH', '/identity-providers/corp', {
      saml: { certificates: idps.map(({ keys }) => keys.certificate) },
    });
  const by = async (idp: typeof IDP) => post(await respond(idp, SP, BOB, { signResponse: true }));
  t.match(await by(FRESH), { status: 422, body: { reason: 'signature' } }, 'not announced yet');
  t.equal((await certificates(IDP, FRESH)).status, 200);
  t.equal((await by(IDP)).status, 201);
  t.equal((await by(FRESH)).status, 200);
  t.equal((await certificates(FRESH)).status, 200);
  t.match(await by(IDP), { status: 422, body: { reason: 'signature' } });
  t.equal((await by(FRESH)).status, 200);
});

t.test('who comes again with the same groups changes nothing, with others the teams', async (t) => {
  const { signIn, holds, eventsOf } = await start();
  const { id } = (await signIn()).body.user;
  t.same(await holds(id), [EDITOR]);
  const events = await eventsOf(async () => {
    t.match((await signIn()).body, { outcome: 'unchanged', user: { id }, changes: [] });
  });
  t.same(
    events.map(({ type }) => type),
    ['sign_in.accepted'],
  );
  t.match((await signIn(withGroups({ groups: ['Hunters', 'IT Admins'] }))).body, {
    outcome: 'updated',
    access: { tenantOwner: true },
    changes: [
      { change: 'add', team: 'Forensics', role: 'VIEWER' },
      { change: 'remove', team: 'Incident Response', was: 'EDITOR' },
    ],
  });
  t.same(await holds(id), [VIEWER, 'owner']);
});

const OVERAGE = {
  'http://schemas.microsoft.com/claims/groups.link':
    'https://graph.windows.net/tenant/users/bob/getMemberObjects',
};
const STATES = [
  ['a list', withGroups({ groups: ['Hunters'] }), 'list', [VIEWER], []],
  ['an attribute without a value', withGroups({ groups: '' }), 'empty', [], []],
  ['no attribute', withGroups({}), 'absent', [EDITOR], ['groups_absent']],
  ["Entra ID's link in place of groups", withGroups(OVERAGE), 'overage', [EDITOR], ['groups_overage']],
] as const;
for (const [what, person, state, held, warned] of STATES) {
  t.test(`groups in four states: ${what}`, async (t) => {
    const { signIn, holds } = await start();
    const { id } = (await signIn()).body.user;
    requireGroups(t, await signIn(person), { state, warned });
    t.same(await holds(id), held);
  });
}

t.test('a person whom SCIM provisioned signs in, and once deactivated does not', async (t) => {
  const { signIn, user, group, activate, holds, post } = await start();
  const id = await user('bob@acme.test');
  await group('Hunters', [id]);
  t.match((await signIn()).body, { outcome: 'linked', user: { id, managedBy: 'scim:default' } });
  t.same(await holds(id), ['Forensics VIEWER scim:default']);
  await activate(id, false);
  const response = await respond(IDP, SP, BOB);
  t.match(await post(response), { status: 403, body: { reason: 'deactivated' } });
  await activate(id, true);
  t.match(await post(response), { status: 409, body: { reason: 'replayed' } }, 'the refusal used it up');
  t.equal((await signIn()).status, 200);
});

t.test('a trial shows what was checked, and uses nothing up', async (t) => {
  const { ask, post, count } = await start();
  const samlResponse = await respond(IDP, SP, BOB, { signResponse: true });
  const trial = await ask<{ trace: { check: string; passed: boolean }[] }>(
    'POST',
    '/identity-providers/corp/test',
    { samlResponse },
  );
  t.match(trial, { status: 200, body: { outcome: 'created' } });
  const checks = trial.body.trace.filter(({ passed }) => passed).map(({ check }) => check);
  for (const check of ['document', 'signature', 'issuer', 'audience', 'recipient', 'may_create']) {
    t.ok(checks.includes(check), check);
  }
  t.equal(await count('scim_user'), 0);
  t.equal((await post(samlResponse)).status, 201);
});

const RESPONDER = 'urn:oasis:names:tc:SAML:2.0:status:Responder';
const ELSEWHERE = 'https://other.example/saml';
const bobBy = (options: Responding, to = SP, idp = IDP) => respond(idp, to, BOB, options);
const WEAK = { signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' } as const;
const NAMELESS = { nameId: ' ', attributes: BOB.attributes };
const REFUSED: readonly (readonly [reason: string, what: string, response: () => Promise<string>])[] = [
  ['signature', 'nothing is signed', () => bobBy({ signAssertion: false })],
  ['signature', 'another key signs', () => bobBy({}, SP, FRESH)],
  ['algorithm', 'SHA-1', () => bobBy(WEAK)],
  ['issuer', 'another issuer with the same key', () => bobBy({}, SP, { ...IDP, issuer: ELSEWHERE })],
  ['audience', 'for another service', () => bobBy({}, { ...SP, audience: ELSEWHERE })],
  ['recipient', 'for another recipient', () => bobBy({ recipient: ELSEWHERE })],
  ['destination', 'for another destination', () => bobBy({ destination: ELSEWHERE, signResponse: true })],
  ['status', 'the identity provider has refused', () => bobBy({ samlStatusCode: RESPONDER })],
  ['lifetime', 'it holds for two hours', () => bobBy({ lifetimeInSeconds: 7_200 })],
  ['subject', 'it names nobody', () => respond(IDP, SP, NAMELESS)],
  ['malformed', 'no XML', async () => 'bm8geG1s'],
];

t.test('what does not hold is refused for its reason, kept for the admin, and is no event', async (t) => {
  const { post, ask, eventsOf, count } = await start();
  const told: string[] = [];
  const events = await eventsOf(async () => {
    for (const [reason, what, response] of REFUSED) {
      const { status, body } = await post(await response());
      t.match({ status, body }, { status: 422, body: { code: 'assertion_refused', reason } }, what);
      told.unshift(String(body.detail));
    }
  });
  t.same(events, []);
  t.equal(await count('scim_user'), 0);
  t.equal(await count('consumed_assertion'), 0);
  await app.flushClients();
  const { body } = await ask<{ refusedRequests: { status: number; detail: string; hint: string }[] }>(
    'GET',
    '/refused-requests',
  );
  t.same(
    body.refusedRequests.map(({ detail }) => detail),
    told,
  );
  t.ok(body.refusedRequests.every(({ status, hint }) => status === 422 && hint !== ''));
});

t.test('an attribute that is to say who it is and is missing is named, with those that came', async (t) => {
  const { signIn } = await start({ attributeMapping: { uniqueUserId: 'employeeNumber' } });
  t.match(await signIn(), {
    status: 422,
    body: { reason: 'attribute_missing', detail: /"employeeNumber".*"email", "firstName"/ },
  });
  const { nameId, attributes } = BOB;
  const employed = { nameId, attributes: { ...attributes, employeeNumber: '4711' } };
  t.equal((await signIn(employed)).status, 201);
});

t.test('a response is too old after ten minutes, and too young where its clock is ahead', async (t) => {
  const { post } = await start();
  const response = await respond(IDP, SP, BOB);
  for (const [seconds, reason] of [
    [662, 'expired'],
    [-62, 'not_yet_valid'],
  ] as const) {
    skip(seconds);
    t.match(await post(response), { status: 422, body: { reason } });
    skip(-seconds);
  }
  t.equal((await post(response)).status, 201);
});
