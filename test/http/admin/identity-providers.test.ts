import t from 'tap';
import { NIL } from 'uuid';
import { type AnyBody, startApp } from '../../support/app.ts';
import { certificate, EC_CERTIFICATE, ED25519_CERTIFICATE } from '../../support/certificates.ts';
import { newWorld } from '../../support/world.ts';

/** How an admin says by whom people sign in. What follows for users is in `identity-provider-changes.test.ts`. */

const DAY = 86_400_000;
const clock = { now: new Date() };
const app = await startApp(t, { now: () => clock.now });
const PEM = certificate();
const SAML = { issuer: 'urn:idp', certificates: [PEM], audience: 'urn:us', acsUrl: 'https://us.example/acs' };
const OIDC = { issuer: 'https://idp.example/tenant', audience: 'client-1' };
const TENANT_ID = '5c1f2f6a-7f0e-4a3c-9d58-0e9b1c2d3a4f';
const PATH = '/identity-providers';

t.test('a provider is made with defaults, read, listed and told', async (t) => {
  const { ask, feed } = await newWorld(app);
  const made = await ask('POST', PATH, { name: 'okta', kind: 'saml', jit: 'standard', saml: SAML });
  t.equal(made.status, 201);
  const { id, createdAt, updatedAt, ...rest } = made.body;
  t.same(rest, {
    name: 'okta',
    kind: 'saml',
    jit: 'standard',
    displayName: null,
    enabled: true,
    preset: null,
    attributeMapping: {},
    groupAttribute: null,
    absentGroups: 'unknown',
    trustEmail: false,
    matchManaged: ['externalId', 'userName'],
    matchDirectory: null,
    profileSync: 'create',
    saml: SAML,
    oidc: null,
    defaultTeam: null,
    encryptionCertificate: null,
    domains: [],
    version: 1,
    warnings: [],
  });
  t.equal(createdAt, updatedAt);
  t.same((await ask('GET', `${PATH}/okta`)).body, made.body);
  const claims = await ask('POST', PATH, { name: 'gateway', kind: 'claims', jit: 'off' });
  t.match(claims, { status: 201, body: { saml: null, oidc: null } });
  const oidc = await ask('POST', PATH, { name: 'entra', kind: 'oidc', jit: 'enhanced', oidc: OIDC });
  t.match(oidc, { status: 201, body: { oidc: { ...OIDC, algorithms: ['RS256'] } } });
  const first = await ask<{ identityProviders: AnyBody[]; next: string }>('GET', `${PATH}?limit=1`);
  t.same(first.body.identityProviders, [made.body]);
  const second = await ask('GET', `${PATH}?after=${first.body.next}`);
  t.same(second.body, { identityProviders: [claims.body, oidc.body] });
  const created = (await feed()).find(({ resource }) => resource?.id === id);
  const { warnings, ...after } = made.body;
  t.match(created, { type: 'identity_provider.created', resource: { type: 'IdentityProvider' } });
  t.same(created?.after, after);
});

t.test('what is wrong is refused where it stands', async (t) => {
  const { ask } = await newWorld(app);
  const saml = (change: object) => ({ kind: 'saml', saml: { ...SAML, ...change } });
  const oidc = (change: object) => ({ kind: 'oidc', oidc: { ...OIDC, ...change } });
  const certificates = (...pems: string[]) => saml({ certificates: pems });
  const bodies: readonly (readonly [what: string, body: object, pointer: string, reason?: string])[] = [
    ['no kind', { kind: undefined }, '/kind'],
    ['no mode', { jit: undefined }, '/jit'],
    ['an unknown preset', { preset: 'acme' }, '/preset'],
    ['an unknown fact', { attributeMapping: { shoeSize: 'x' } }, '/attributeMapping/shoeSize'],
    ['the subject twice', { attributeMapping: { subject: 'a', uniqueUserId: 'b' } }, '/attributeMapping'],
    ['a match twice', { matchManaged: ['userName', 'userName'] }, '/matchManaged'],
    ['SAML without settings', { kind: 'saml' }, '/saml/audience'],
    ['no ACS URL', { kind: 'saml', saml: { audience: 'a' } }, '/saml/acsUrl'],
    ['OIDC without settings', { kind: 'oidc' }, '/oidc/issuer'],
    ['settings of another kind', { saml: SAML }, '/saml'],
    ['and the other way round', { ...saml({}), oidc: OIDC }, '/oidc'],
    ['an ACS URL that is none', saml({ acsUrl: '/acs' }), '/saml/acsUrl'],
    ['no certificate', certificates('hello'), '/saml/certificates/0', 'invalid_certificate'],
    ['a second one', certificates(PEM, PEM.slice(0, -80)), '/saml/certificates/1', 'invalid_certificate'],
    ['two in one text', certificates(PEM + PEM), '/saml/certificates/0', 'invalid_certificate'],
    ['a short key', certificates(certificate({ bits: 1024 })), '/saml/certificates/0', 'weak_certificate'],
    ['an Ed25519 key', certificates(ED25519_CERTIFICATE), '/saml/certificates/0', 'unsupported_key'],
    ['an elliptic curve', certificates(PEM, EC_CERTIFICATE), '/saml/certificates/1', 'unsupported_key'],
    ['an issuer by http', oidc({ issuer: 'http://localhost:9000' }), '/oidc/issuer'],
    ['an issuer with a query', oidc({ issuer: 'https://idp.example/?a' }), '/oidc/issuer'],
    ['an issuer with a fragment', oidc({ issuer: 'https://idp.example/#a' }), '/oidc/issuer'],
    ['an issuer on a port', oidc({ issuer: 'https://idp.example:8443' }), '/oidc/issuer', 'url'],
    ['an issuer in a private network', oidc({ issuer: 'https://10.0.0.1/' }), '/oidc/issuer', 'address'],
    ['keys in a private network', oidc({ jwksUri: 'https://[fd00::1]/jwks' }), '/oidc/jwksUri', 'address'],
    ...['common', 'organizations', 'consumers', 'acme.onmicrosoft.com', TENANT_ID.toUpperCase()].map(
      (tenant) =>
        [
          `the tenant "${tenant}" of Entra ID`,
          oidc({ issuer: `https://login.microsoftonline.com/${tenant}/v2.0` }),
          '/oidc/issuer',
          'issuer_of_many',
        ] as const,
    ),
    ['no tenant', oidc({ issuer: 'https://sts.windows.net' }), '/oidc/issuer', 'issuer_of_many'],
    ['an issuer with a password', oidc({ issuer: 'https://a:b@idp.example/' }), '/oidc/issuer'],
    ['keys from a file', oidc({ jwksUri: 'file:///etc/passwd' }), '/oidc/jwksUri'],
    ['no signature', oidc({ algorithms: ['none'] }), '/oidc/algorithms/0'],
    ['a symmetric signature', oidc({ algorithms: ['HS256'] }), '/oidc/algorithms/0'],
    ['no algorithm', oidc({ algorithms: [] }), '/oidc/algorithms'],
    [
      'an unknown team',
      { defaultTeam: { team: 'None', role: 'VIEWER' } },
      '/defaultTeam/team',
      'unknown_team',
    ],
    [
      'a team of no tenant',
      { defaultTeam: { team: NIL, role: 'VIEWER' } },
      '/defaultTeam/team',
      'unknown_team',
    ],
    [
      'an unknown role',
      { defaultTeam: { team: 'Forensics', role: 'KING' } },
      '/defaultTeam/role',
      'unknown_role',
    ],
    ['an unknown domain', { domains: ['example.com'] }, '/domains/0', 'unknown_domain'],
    ['a secret', { clientSecret: 'x' }, '/clientSecret'],
  ];
  for (const [what, body, pointer, reason] of bodies) {
    const answer = await ask('POST', PATH, { name: 'x', kind: 'claims', jit: 'off', ...body });
    t.match(answer, { status: 400, body: { code: 'invalid_request', pointer } }, what);
    if (reason !== undefined) t.match(answer.body, { reason }, what);
  }
  t.same((await ask('GET', PATH)).body, { identityProviders: [] }, 'none was made');
});

t.test(
  'an issuer of Entra ID names one tenant, and one with keys of its own need not be reached',
  async (t) => {
    const { ask } = await newWorld(app);
    const issuers = [
      { issuer: `https://login.microsoftonline.com/${TENANT_ID}/v2.0` },
      { issuer: `https://sts.windows.net/${TENANT_ID}/` },
      { issuer: 'https://keycloak.internal:8443/realms/a', jwksUri: 'https://keys.example/jwks' },
    ];
    for (const [n, issuer] of issuers.entries()) {
      const oidc = { ...OIDC, ...issuer };
      const made = await ask('POST', PATH, { name: `p${n}`, kind: 'oidc', jit: 'off', oidc });
      t.match(made, { status: 201, body: { oidc } });
    }
  },
);

t.test('a name is taken once in a tenant, and free in another', async (t) => {
  const [one, other] = [await newWorld(app), await newWorld(app)];
  const body = { name: 'okta', kind: 'claims', jit: 'off' };
  t.equal((await one.ask('POST', PATH, body)).status, 201);
  t.match(await one.ask('POST', PATH, body), {
    status: 409,
    body: { reason: 'name_taken', pointer: '/name' },
  });
  t.equal((await other.ask('POST', PATH, body)).status, 201);
});

t.test('a tenant has a hundred providers at most', async (t) => {
  const { ask, tenant } = await newWorld(app);
  await app.context.db.pool.query(
    `insert into identity_provider (tenant_id, id, name, kind, jit, enabled, settings, version, created_at, updated_at)
     select $1, gen_random_uuid(), 'p' || n, 'claims', 'off', true, '{}', 1, now(), now()
     from generate_series(1, 100) as n`,
    [tenant.id],
  );
  t.match(await ask('POST', PATH, { name: 'one-more', kind: 'claims', jit: 'off' }), {
    status: 409,
    body: { reason: 'too_many_identity_providers' },
  });
});

t.test('a change changes what is named, and null takes it away', async (t) => {
  const { ask, feed } = await newWorld(app);
  await ask('POST', PATH, { name: 'okta', kind: 'saml', jit: 'off', saml: SAML });
  const change = async (body: object) => (await ask('PATCH', `${PATH}/okta`, body)).body;
  t.match(await change({ preset: 'okta', groupAttribute: 'groups', displayName: 'Okta' }), {
    preset: 'okta',
    groupAttribute: 'groups',
    displayName: 'Okta',
    version: 2,
  });
  t.match(await change({ preset: null, groupAttribute: null, displayName: null }), {
    preset: null,
    groupAttribute: null,
    displayName: null,
    version: 3,
  });
  t.match(await change({ attributeMapping: { userUniqueId: 'id', email: 'mail' } }), {
    attributeMapping: { subject: 'id', email: 'mail' },
  });
  t.same((await change({ attributeMapping: null })).attributeMapping, {});
  t.same((await change({ matchManaged: ['userName', 'externalId'] })).matchManaged, [
    'externalId',
    'userName',
  ]);
  const successor = certificate();
  const rolled = await change({ saml: { certificates: [PEM, successor, PEM] } });
  t.same(rolled.saml, { ...SAML, certificates: [PEM, successor] }, 'the rest of saml stays');
  const before = await feed();
  t.same(await change({ saml: { audience: SAML.audience } }), rolled);
  t.same(await change({}), rolled);
  t.same(await feed(), before, 'nothing differs: nothing is told');
  t.match(before.at(-1), { type: 'identity_provider.updated', before: { saml: SAML } });
  for (const body of [{ kind: 'oidc' }, { name: 'other' }]) {
    t.match(await ask('PATCH', `${PATH}/okta`, body), { status: 400 }, 'never changed');
  }
  t.match(await ask('PATCH', `${PATH}/okta`, { oidc: OIDC }), { status: 400, body: { pointer: '/oidc' } });
});

t.test('keys that are named by a URL can be left to the issuer again', async (t) => {
  const { ask } = await newWorld(app);
  const jwksUri = 'https://keys.example/jwks';
  const oidc = { ...OIDC, jwksUri, algorithms: ['ES256'] };
  await ask('POST', PATH, { name: 'entra', kind: 'oidc', jit: 'off', oidc });
  const { body } = await ask('PATCH', `${PATH}/entra`, { oidc: { jwksUri: null } });
  t.same(body.oidc, { ...OIDC, algorithms: ['ES256'] });
});

t.test('certificates are warned about before they expire, and what is still missing is named', async (t) => {
  const { ask } = await newWorld(app);
  const { body } = await ask('POST', PATH, {
    ...{ name: 'okta', kind: 'saml', jit: 'off' },
    saml: { audience: 'urn:us', acsUrl: 'https://us.example/acs' },
  });
  t.match(body.warnings, [{ code: 'incomplete', pointer: '/saml' }]);
  const at = (days: number) => new Date(clock.now.getTime() + days * DAY);
  const certificates = [
    certificate({ notAfter: at(-1) }),
    certificate({ notAfter: at(29) }),
    certificate({ notBefore: at(1), notAfter: at(90) }),
    certificate({ notAfter: at(31) }),
  ];
  const changed = await ask('PATCH', `${PATH}/okta`, { saml: { issuer: 'urn:idp', certificates } });
  t.match(changed.body.warnings, [
    { code: 'certificate_expired', pointer: '/saml/certificates/0' },
    { code: 'certificate_expires_soon', pointer: '/saml/certificates/1' },
    { code: 'certificate_not_yet_valid', pointer: '/saml/certificates/2' },
  ]);
});

t.test(
  'the default team is a team of the tenant with a role, and gives nothing once it is gone',
  async (t) => {
    const { ask, forensics, fraud } = await newWorld(app);
    const other = {
      name: 'cases',
      kind: 'claims',
      jit: 'off',
      defaultTeam: { team: 'Fraud', role: 'viewer' },
    };
    t.same((await ask('POST', PATH, other)).body.defaultTeam, { team: fraud, role: 'VIEWER' });
    await ask('POST', '/roles', { name: 'HUNTER', rank: 250 });
    const body = { name: 'okta', kind: 'claims', jit: 'standard' };
    const { body: made } = await ask('POST', PATH, {
      ...body,
      defaultTeam: { team: 'Forensics', role: 'hunter' },
    });
    t.same(made.defaultTeam, { team: forensics, role: 'HUNTER' });
    const refused = await ask('DELETE', '/roles/HUNTER');
    t.match(refused, {
      status: 409,
      body: {
        reason: 'in_use',
        uses: { ways: ['okta'] },
        detail: /identity providers give it \(okta\)/,
      },
    });
    await ask('DELETE', `/teams/${forensics}`);
    t.equal((await ask('GET', `${PATH}/okta`)).body.defaultTeam, null);
    t.equal((await ask('PATCH', `${PATH}/okta`, { defaultTeam: null })).status, 200);
    t.equal((await ask('DELETE', '/roles/HUNTER')).status, 204);
  },
);

t.test('a domain of the tenant is bound to one provider', async (t) => {
  const { ask, tenant } = await newWorld(app);
  for (const name of ['a.example', 'b.example']) {
    await app.context.db.pool.query(
      `insert into domain values ($1, $2, 'x', null, null, false, '[]', now())`,
      [tenant.id, name],
    );
  }
  const create = (name: string, domains: string[]) =>
    ask('POST', PATH, { name, kind: 'claims', jit: 'off', domains });
  t.same((await create('okta', ['B.example', 'a.example'])).body.domains, ['a.example', 'b.example']);
  t.match(await create('entra', ['b.example']), {
    status: 409,
    body: { reason: 'domain_bound', pointer: '/domains/0' },
  });
  t.same((await ask('PATCH', `${PATH}/okta`, { domains: ['a.example'] })).body.domains, ['a.example']);
  t.same((await create('entra', ['b.example'])).body.domains, ['b.example']);
});

t.test('what is no provider is 404', async (t) => {
  const { ask } = await newWorld(app);
  for (const name of ['none', '%00', 'Okta', NIL]) {
    for (const [method, query, body] of [
      ['GET', '', undefined],
      ['PATCH', '', {}],
      ['DELETE', '?users=keep', undefined],
    ] as const) {
      const answer = await ask(method, `${PATH}/${name}${query}`, body);
      t.match(answer, { status: 404, body: { detail: 'Identity provider not found' } }, `${method} ${name}`);
    }
  }
});

t.test('rows of the mapping may name providers that exist, and no others', async (t) => {
  const { ask, put, map } = await newWorld(app);
  const row = { group_name: 'G', team_name: 'Forensics', role_name: 'VIEWER', identity_provider: 'okta' };
  t.match(await put({ mappings: [row] }), { status: 400, body: { reason: 'invalid_mapping' } });
  t.match(await ask('POST', '/explain', { groups: ['G'], identityProvider: 'okta' }), {
    status: 400,
    body: { reason: 'unknown_identity_provider', pointer: '/identityProvider' },
  });
  await ask('POST', PATH, { name: 'okta', kind: 'claims', jit: 'enhanced' });
  await map([row]);
  t.match(await ask('POST', '/explain', { groups: ['G'], identityProvider: 'okta' }), {
    status: 200,
    body: { memberships: [{ role: 'VIEWER', origin: 'jit:okta' }] },
  });
  t.match(await ask('DELETE', `${PATH}/okta?users=release`), {
    status: 409,
    body: { reason: 'in_use', uses: { rows: ['/mappings/0'] } },
  });
});
