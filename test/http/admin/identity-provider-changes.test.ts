import t from 'tap';
import { startApp } from '../../support/app.ts';
import { certificate } from '../../support/certificates.ts';
import { makeConflict } from '../../support/sign-in.ts';
import { newWorld as newTenant, row } from '../../support/world.ts';

/** What another JIT mode, switching off and deleting an identity provider mean for its users. */

const app = await startApp(t);
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');
const HUNTERS = row('Hunters', 'Forensics', 'VIEWER');
const EDITOR = 'Incident Response EDITOR jit:okta';
const BY_HAND = 'Incident Response EDITOR manual';
const OKTA = '/identity-providers/okta';

/** A tenant with the provider "okta" and a user who signed in by it. */
async function newWorld(jit: 'standard' | 'enhanced', settings = {}) {
  const world = await newTenant(app, settings);
  const { body } = await world.ask<{ id: string }>('POST', '/identity-providers', {
    name: 'okta',
    kind: 'claims',
    jit,
  });
  await world.map([ANALYSTS, HUNTERS]);
  const ada = await world.byHand('ada');
  const link = (user: string, provider = body.id) =>
    app.context.db.pool.query(
      `insert into identity_link values ($1, $2, $3::uuid::text, $3, 'admin', now(), now(), 'list', '{}', now())`,
      [world.tenant.id, provider, user],
    );
  await link(ada);
  await world.signIn(ada, ['Analysts']);
  return { ...world, ada, link };
}

t.test('off or standard: users keep what they have, and the admins may edit it again', async (t) => {
  for (const jit of ['off', 'standard']) {
    const { ask, ada, holds, response, drift } = await newWorld('enhanced');
    const member = `/teams/${response}/members/${ada}`;
    t.match(await ask('PUT', member, { role: 'VIEWER' }), { status: 409 }, 'a sign-in decides');
    t.match(await ask('PATCH', OKTA, { jit }), { status: 200, body: { jit } });
    t.same(await holds(ada), [EDITOR]);
    t.equal(await drift(), 0);
    t.match(await ask('PUT', member, { role: 'VIEWER' }), { status: 200 });
    t.same(await holds(ada), ['Incident Response VIEWER manual']);
  }
});

t.test('enhanced: what the next sign-ins take is planned, and confirmed where it is much', async (t) => {
  const { ask, ada, holds, map, byHand, signIn, response } = await newWorld('standard');
  for (let index = 0; index < 11; index += 1) {
    await signIn(await byHand(`user-${index}`), ['Analysts']);
  }
  await map([HUNTERS]);
  t.same(await holds(ada), [EDITOR], 'standard JIT takes nothing');
  const { body: dry } = await ask('PATCH', `${OKTA}?dryRun=true`, { jit: 'enhanced' });
  t.match(dry, { jit: 'enhanced', plan: { remove: 0, atNextSignIn: 12, removeAtNextSignIn: 12 } });
  t.match((await ask('GET', OKTA)).body, { jit: 'standard', version: 1 }, 'nothing is written');
  t.match(await ask('PATCH', OKTA, { jit: 'enhanced' }), {
    status: 409,
    body: { reason: 'confirm_required', confirm: 12 },
  });
  const { digest } = dry.plan as { digest: string };
  const sure = `confirm=12&expectDigest=${digest}`;
  t.equal((await ask('PATCH', `${OKTA}?${sure}`, { jit: 'enhanced' })).status, 200);
  t.same(await holds(ada), [EDITOR], 'until the next sign-in');
  t.match(await ask('DELETE', `/teams/${response}/members/${ada}`), { status: 409 });
  await signIn(ada, ['Analysts']);
  t.same(await holds(ada), []);
});

t.test('a provider that is switched off keeps out whom no other one lets in', async (t) => {
  const { ask, byHand, link, eventsOf } = await newWorld('enhanced');
  const other = await ask<{ id: string }>('POST', '/identity-providers', {
    ...{ name: 'entra', kind: 'claims', jit: 'off' },
  });
  const both = await byHand('both');
  await link(both);
  await link(both, other.body.id);
  t.match((await ask('PATCH', `${OKTA}?dryRun=true`, { enabled: false })).body, { shutOut: 1 });
  t.match(await ask('PATCH', OKTA, { enabled: false }), {
    status: 409,
    body: { reason: 'confirm_required', confirm: 1 },
  });
  const events = await eventsOf(() => ask('PATCH', `${OKTA}?confirm=1`, { enabled: false }));
  t.match(events, [{ type: 'identity_provider.updated', after: { enabled: false } }]);
  t.equal(events.length, 1);
  t.equal((await ask('PATCH', OKTA, { enabled: true })).status, 200, 'to let in needs no confirmation');
});

t.test('deleting one asks what becomes of what it gave', async (t) => {
  const { ask } = await newWorld('enhanced');
  t.match(await ask('DELETE', OKTA), { status: 400, body: { pointer: 'users' } });
  t.match(await ask('DELETE', `${OKTA}?users=deactivate`), {
    status: 400,
    body: { hint: 'Possible: keep, release.' },
  });
});

t.test('release: what it gave ends, links go, users stay', async (t) => {
  const { ask, ada, holds, eventsOf, drift } = await newWorld('enhanced');
  const dry = await ask('DELETE', `${OKTA}?users=release&dryRun=true`);
  t.match(dry, { status: 200, body: { plan: { remove: 1 }, shutOut: 1 } });
  t.same(await holds(ada), [EDITOR], 'nothing is written');
  t.match(await ask('DELETE', `${OKTA}?users=release`), { status: 409, body: { confirm: 2 } });
  const events = await eventsOf(() => ask('DELETE', `${OKTA}?users=release&confirm=2`));
  t.same(events.map(({ type }) => type).sort(), [
    'grant.ended',
    'identity.unlinked',
    'identity_provider.deleted',
    'membership.removed',
  ]);
  t.match(
    events.find(({ type }) => type === 'identity.unlinked'),
    { resource: { type: 'User', id: ada }, before: { identityProvider: 'okta', subject: ada }, after: null },
  );
  t.equal(new Set(events.map(({ changeId }) => changeId)).size, 1);
  t.same(await holds(ada), []);
  t.equal(await drift(), 0);
  t.equal((await ask('GET', OKTA)).status, 404);
  t.equal((await ask('GET', `/users/${ada}`)).status, 200);
});

t.test('keep: users hold what they held, by hand', async (t) => {
  const { ask, ada, holds, eventsOf, drift, response, grants } = await newWorld('enhanced');
  t.match((await ask('DELETE', `${OKTA}?users=keep&dryRun=true`)).body, { plan: { remove: 0 }, shutOut: 1 });
  t.same(await grants(ada, response), ['jit:okta EDITOR']);
  const events = await eventsOf(() => ask('DELETE', `${OKTA}?users=keep&confirm=1`));
  t.same(
    events.filter(({ type }) => type.startsWith('membership.')),
    [],
    'nothing changes for anybody',
  );
  t.same(await holds(ada), [BY_HAND]);
  t.equal(await drift(), 0);
  t.match(await ask('DELETE', `/teams/${response}/members/${ada}`), { status: 204 }, 'the admins decide now');
});

t.test('what another provider gives stays its own, and decides again', async (t) => {
  for (const users of ['keep', 'release']) {
    const world = await newWorld('enhanced');
    const { ask, ada, holds, signIn } = world;
    await ask('POST', '/identity-providers', { name: 'entra', kind: 'claims', jit: 'enhanced' });
    await world.map([ANALYSTS, row('Guests', 'Incident Response', 'VIEWER')]);
    await signIn(ada, ['Analysts']);
    await signIn(ada, ['Guests'], 'entra');
    t.same(await holds(ada), [EDITOR]);
    t.equal((await ask('DELETE', `${OKTA}?users=${users}&confirm=1`)).status, 204);
    t.same(await holds(ada), ['Incident Response VIEWER jit:entra'], users);
  }
});

t.test('a name that is free again gives nothing of what was', async (t) => {
  const { ask, ada, holds, drift } = await newWorld('enhanced');
  await ask('DELETE', `${OKTA}?users=release&confirm=2`);
  t.equal(
    (await ask('POST', '/identity-providers', { name: 'okta', kind: 'claims', jit: 'enhanced' })).status,
    201,
  );
  t.same(await holds(ada), []);
  t.equal(await drift(), 0);
});

t.test('the last owner stays one when the provider goes that made them', async (t) => {
  const world = await newWorld('enhanced');
  const { ask, ada, grants, signIn } = world;
  await world.map([ANALYSTS], { tenant_owners_groups: ['IT Admins'] });
  await signIn(ada, ['IT Admins']);
  t.same(await grants(ada), ['jit:okta']);
  const { body } = await ask('DELETE', `${OKTA}?users=release&confirm=0`);
  const { confirm } = body as { confirm: number };
  await ask('DELETE', `${OKTA}?users=release&confirm=${confirm}`);
  t.same(await grants(ada), ['retention']);
});

const OIDC = { issuer: 'https://old.example', audience: 'us', jwksUri: 'https://old.example/keys' };
const SAML = {
  issuer: 'urn:old',
  certificates: [certificate()],
  audience: 'urn:us',
  acsUrl: 'https://us.example/acs',
};
const SETTINGS = { oidc: { oidc: OIDC }, saml: { saml: SAML }, claims: {} };

/** A tenant with a provider "okta" of the kind, and a user who signs in by it. */
async function linkedWorld(kind: keyof typeof SETTINGS, more = {}) {
  const world = await newTenant(app);
  const { ask, tenant } = world;
  const provider = { name: 'okta', kind, jit: 'off', ...SETTINGS[kind], ...more };
  const { status, body } = await ask<{ id: string }>('POST', '/identity-providers', provider);
  t.equal(status, 201);
  const ada = await world.byHand('ada');
  await app.context.db.pool.query(
    `insert into identity_link (tenant_id, identity_provider_id, subject, user_id, proof, linked_at, group_state, groups)
     values ($1, $2, '1', $3, 'matched', now(), 'absent', '{}')`,
    [tenant.id, body.id, ada],
  );
  const links = async () =>
    (await ask<{ identities: { subject: string }[] }>('GET', `/users/${ada}`)).body.identities.length;
  return { ...world, ada, links, providerId: body.id };
}

const OTHERS: readonly (readonly [what: string, kind: keyof typeof SETTINGS, change: object])[] = [
  ['another issuer', 'oidc', { oidc: { issuer: 'https://new.example' } }],
  ['another entity id', 'saml', { saml: { issuer: 'urn:new' } }],
  ['another attribute for the subject', 'saml', { attributeMapping: { subject: 'employeeId' } }],
  ['the preset that names another subject', 'claims', { preset: 'entra' }],
  [
    'another issuer beside another mode',
    'oidc',
    { oidc: { issuer: 'https://new.example' }, jit: 'standard' },
  ],
];
for (const [what, kind, change] of OTHERS) {
  t.test(`${what}: the same subject is somebody else, so links end, and that is confirmed`, async (t) => {
    const { ask, ada, links, eventsOf, drift } = await linkedWorld(kind);
    t.match((await ask('PATCH', `${OKTA}?dryRun=true`, change)).body, { unlinked: 1, shutOut: 0 });
    t.match(await ask('PATCH', OKTA, change), {
      status: 409,
      body: { reason: 'confirm_required', confirm: 1, detail: /1 links/, hint: /links=keep/ },
    });
    t.match((await ask('GET', OKTA)).body, { version: 1 });
    t.equal(await links(), 1);
    const events = await eventsOf(() => ask('PATCH', `${OKTA}?confirm=1`, change));
    t.same(events.map(({ type }) => type).sort(), ['identity.unlinked', 'identity_provider.updated']);
    t.match(
      events.find(({ type }) => type === 'identity.unlinked'),
      {
        resource: { type: 'User', id: ada },
        before: { identityProvider: 'okta', subject: '1' },
        after: null,
      },
    );
    t.equal(new Set(events.map(({ changeId }) => changeId)).size, 1);
    t.equal(await links(), 0);
    t.equal(await drift(), 0);
  });
  t.test(`${what}: an admin may say that subjects name the same people`, async (t) => {
    const { ask, links, eventsOf } = await linkedWorld(kind);
    const events = await eventsOf(async () =>
      t.equal((await ask('PATCH', `${OKTA}?links=keep`, change)).status, 200),
    );
    t.same(
      events.map(({ type }) => type),
      ['identity_provider.updated'],
    );
    t.equal(await links(), 1);
  });
}

t.test('what says nothing of who somebody is leaves links alone', async (t) => {
  const { ask, links } = await linkedWorld('oidc', { attributeMapping: { subject: 'oid' } });
  for (const change of [
    { oidc: { jwksUri: 'https://keys.example/keys' } },
    { oidc: { audience: 'we' } },
    { oidc: { issuer: OIDC.issuer } },
    { preset: 'okta' },
    { preset: 'entra' },
    { attributeMapping: { subject: 'oid', email: 'mail' } },
  ]) {
    t.equal((await ask('PATCH', OKTA, change)).status, 200, JSON.stringify(change));
  }
  t.equal(await links(), 1);
});

t.test('what waits for a decision on sign-ins of the old issuer is gone with it', async (t) => {
  const { ask, tenant, ada, providerId } = await linkedWorld('oidc');
  await makeConflict(app, tenant.id, ada, { provider: providerId });
  const issuer = { oidc: { issuer: 'https://new.example' } };
  t.equal((await ask('PATCH', `${OKTA}?confirm=1`, issuer)).status, 200);
  t.match((await ask('GET', '/conflicts')).body, { conflicts: [] });
});

t.test('nothing to verify by keeps people out like a provider that is switched off', async (t) => {
  for (const saml of [{ certificates: [] }, { issuer: null }]) {
    const { ask } = await linkedWorld('saml');
    const path = `${OKTA}?links=keep`;
    t.match((await ask('PATCH', `${path}&dryRun=true`, { saml })).body, { shutOut: 1 });
    t.match(await ask('PATCH', path, { saml }), {
      status: 409,
      body: { reason: 'confirm_required', confirm: 1 },
    });
    t.match(await ask('PATCH', `${path}&confirm=1`, { saml }), { status: 200, body: { saml } });
    t.equal((await ask('PATCH', path, { saml: SAML })).status, 200, 'to let in needs no confirmation');
  }
});
