import t from 'tap';
import type { UserView } from '../../../src/http/admin/user-shape.ts';
import { startOidcProvider } from '../../support/oidc-provider.ts';
import { newSamlIdp, respond } from '../../support/samlp.ts';
import { newSsoWorld, startSso } from '../../support/single-sign-on.ts';
import { VENDORS, type VendorCase } from '../../support/vendors.ts';

/** What each vendor documents to send, signed by a real identity provider and read by the vendor's preset. */

const { app } = await startSso(t);
const SP = { audience: 'https://product.example/saml', acsUrl: 'https://product.example/saml/acs' };
const saml = newSamlIdp('https://idp.example/metadata');
const oidc = await startOidcProvider(t);

/** How the provider is set up, and one sign-in by it: what a gateway posts. */
function vendor({ kind, preset, subject = 'subject', attributes }: VendorCase) {
  if (kind === 'saml') {
    const settings = { issuer: saml.issuer, certificates: [saml.keys.certificate], ...SP };
    return {
      settings: { kind, preset, saml: settings },
      sent: async () => ({ samlResponse: await respond(saml, SP, { nameId: subject, attributes }) }),
    };
  }
  const claims = Object.entries(attributes).map(([name, values]) => [name, claimOf(name, values)]);
  const person = { ...Object.fromEntries(claims), sub: subject };
  return {
    settings: { kind, preset, oidc: { issuer: oidc.issuer, audience: oidc.audience } },
    sent: async () => ({ idToken: await oidc.signIn(person) }),
  };
}

/** As tokens have it: groups are a list, and what says whether an address is verified is no text. */
function claimOf(name: string, values: readonly string[]): unknown {
  if (name === 'groups') return values;
  return ['email_verified', 'xms_edov'].includes(name) ? JSON.parse(values[0] ?? '') : values[0];
}

for (const vendorCase of VENDORS) {
  t.test(`${vendorCase.what}: whoever signs in is read, created and recognised`, async (t) => {
    const { facts, subject = 'subject' } = vendorCase;
    const { provider, assert, ask } = await newSsoWorld(app);
    const { settings, sent } = vendor(vendorCase);
    await provider(settings);
    const signIn = async () => assert({ identityProvider: 'corp', ...(await sent()) });
    const { status, body } = await signIn();
    t.equal(status, 201);
    const { id } = body.user;
    const { email, givenName, familyName, displayName, avatar, groups } = facts;
    const profile = { email, givenName, familyName, displayName, avatar };
    for (const [name, value] of Object.entries(profile)) {
      if (value !== undefined) t.equal(body.user[name as keyof typeof profile], value, name);
    }
    if (groups !== undefined) t.same(body.identityProviderGroups, groups);
    const { identities } = (await ask<UserView>('GET', `/users/${id}`)).body;
    t.match(identities, [{ identityProvider: 'corp', subject: facts.subject ?? subject }]);
    t.match((await signIn()).body, { outcome: 'unchanged', user: { id } });
  });
}
