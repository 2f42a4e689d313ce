import t from 'tap';
import { startOidcProvider, type TestOidcProvider } from '../../support/oidc-provider.ts';
import { newSamlIdp, respond, type SamlIdp } from '../../support/samlp.ts';
import { newSsoWorld, type SsoWorld, startSso } from '../../support/single-sign-on.ts';

/** An assertion signs in where it was meant for, and nowhere else: each is posted to every other provider. */

const { app } = await startSso(t);

/** One identity provider of one tenant, and a sign-in by it as a gateway posts it. */
interface Endpoint {
  readonly name: string;
  readonly world: SsoWorld;
  readonly sent: () => Promise<object>;
}

async function samlEndpoint(
  world: SsoWorld,
  name: string,
  idp: SamlIdp,
  { audience = 'https://product.example', path = '/acs' } = {},
): Promise<Endpoint> {
  const to = { audience, acsUrl: `https://product.example${path}` };
  const saml = { issuer: idp.issuer, certificates: [idp.keys.certificate], ...to };
  await world.provider({ name, kind: 'saml', saml });
  const person = { nameId: `bob@${name}.test`, attributes: { groups: ['Analysts'] } };
  return { name, world, sent: async () => ({ samlResponse: await respond(idp, to, person) }) };
}

async function oidcEndpoint(world: SsoWorld, idp: TestOidcProvider, audience: string): Promise<Endpoint> {
  const name = 'oidc';
  await world.provider({ name, kind: 'oidc', oidc: { issuer: idp.issuer, audience } });
  const person = { sub: 'bob', email: 'bob@oidc.test', email_verified: true };
  return { name, world, sent: async () => ({ idToken: await idp.signIn(person, undefined, audience) }) };
}

const issuer = (n: number) => `https://idp-${n}.example`;

/** Two tenants with three providers each, of four SAML identity providers and two of OpenID Connect. */
async function strangers(): Promise<Endpoint[]> {
  const [one, other] = [await newSsoWorld(app), await newSsoWorld(app)];
  const [near, far] = [await startOidcProvider(t), await startOidcProvider(t)];
  return [
    await samlEndpoint(one, 'a', newSamlIdp(issuer(1))),
    await samlEndpoint(one, 'b', newSamlIdp(issuer(2))),
    await oidcEndpoint(one, near, near.audience),
    await samlEndpoint(other, 'a', newSamlIdp(issuer(3))),
    await samlEndpoint(other, 'b', newSamlIdp(issuer(4))),
    await oidcEndpoint(other, far, far.audience),
  ];
}

/** The same with one signing key: told apart by issuer alone, by audience alone, by the place of delivery alone. */
async function relatives(): Promise<Endpoint[]> {
  const [one, other] = [await newSsoWorld(app), await newSsoWorld(app)];
  const idp = newSamlIdp(issuer(1));
  const shared = await startOidcProvider(t);
  return [
    await samlEndpoint(one, 'a', idp),
    await samlEndpoint(one, 'b', { ...idp, issuer: issuer(2) }),
    await oidcEndpoint(one, shared, shared.audience),
    await samlEndpoint(other, 'a', idp, { audience: 'https://product.example/other' }),
    await samlEndpoint(other, 'b', idp, { path: '/other/acs' }),
    await oidcEndpoint(other, shared, shared.otherAudience),
  ];
}

const SETTINGS = [
  [strangers, 'with keys of their own', ['kind_mismatch', 'signature']],
  [relatives, 'that share one key', ['audience', 'destination', 'issuer', 'kind_mismatch']],
] as const;
for (const [open, what, reasons] of SETTINGS) {
  t.test(`of two tenants with three identity providers each, ${what}, none takes another's`, async (t) => {
    const endpoints = await open();
    const seen = new Set<unknown>();
    for (const from of endpoints) {
      const sent = await from.sent();
      for (const to of endpoints.filter((each) => each !== from)) {
        const { status, body } = await to.world.assert({ identityProvider: to.name, ...sent });
        t.ok([400, 422].includes(status), `${from.name} at ${to.name}: ${status}`);
        seen.add(body.reason);
      }
      const home = await from.world.assert({ identityProvider: from.name, ...sent });
      t.equal(home.status, 201, 'it holds where it belongs');
    }
    t.same([...seen].sort(), reasons);
    for (const { world } of endpoints) t.equal(Number(await world.count('scim_user')), 3);
  });
}
