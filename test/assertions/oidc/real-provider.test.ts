import t from 'tap';
import { SIGNATURE_ALGORITHMS } from '../../../src/assertions/oidc/algorithms.ts';
import { openIdTokenVerifier } from '../../../src/assertions/oidc/verifier.ts';
import type { OidcProvider } from '../../../src/assertions/types.ts';
import { openOutbound } from '../../../src/outbound/outbound.ts';
import { OKTA, refusalOf } from '../../support/id-tokens.ts';
import { startOidcProvider } from '../../support/oidc-provider.ts';

/** ID tokens of a real OpenID provider, from its code flow to their claims, over HTTP. */

const BOB = {
  sub: 'bob',
  email: 'bob@example.com',
  email_verified: true,
  given_name: 'Bob',
  family_name: 'Builder',
  groups: ['Analysts', 'SecOps'],
};

t.test('a person signs in, the token holds, the key is rotated, and they sign in again', async (t) => {
  const idp = await startOidcProvider(t);
  const provider: OidcProvider = {
    issuer: idp.issuer,
    audience: idp.audience,
    algorithms: SIGNATURE_ALGORITHMS,
  };
  let skipped = 0;
  const verifier = openIdTokenVerifier({
    fetchJson: openOutbound({ allowLoopback: true }).fetchJson,
    now: () => new Date(Date.now() + skipped),
    onKeysMissed: (_, error) => t.fail(error.message),
  });

  const token = await idp.signIn(BOB, 'n-1');
  const verified = await verifier.verify(OKTA, provider, token, { nonce: 'n-1' });
  t.equal(verified.subject, 'bob');
  t.strictSame(verified.attributes.get('groups'), ['Analysts', 'SecOps']);
  t.strictSame(verified.attributes.get('email_verified'), ['true']);
  t.equal((await refusalOf(verifier.verify(OKTA, provider, token, { nonce: 'n-2' }))).reason, 'nonce');
  const other = { ...provider, audience: 'another client' };
  t.equal((await refusalOf(verifier.verify(OKTA, other, token))).reason, 'audience');
  t.strictSame(idp.published, ['/.well-known/openid-configuration', '/jwks']);

  idp.rotate();
  const rotated = await idp.signIn(BOB);
  t.equal((await refusalOf(verifier.verify(OKTA, provider, rotated))).reason, 'signature', 'too soon to ask');
  skipped = 10_000;
  t.equal((await verifier.verify(OKTA, provider, rotated)).subject, 'bob');
  t.equal((await verifier.verify(OKTA, provider, token)).subject, 'bob', 'the old key is still published');
  t.equal(idp.published.length, 4);
  t.not((await verifier.verify(OKTA, provider, rotated)).id, verified.id);
});

t.test('without the setting for tests, a provider on loopback is not asked', async (t) => {
  const idp = await startOidcProvider(t);
  const verifier = openIdTokenVerifier({
    fetchJson: openOutbound({ allowLoopback: false }).fetchJson,
    now: () => new Date(),
    onKeysMissed: () => {},
  });
  const provider: OidcProvider = {
    issuer: idp.issuer,
    audience: idp.audience,
    algorithms: SIGNATURE_ALGORITHMS,
  };
  const refusal = await refusalOf(verifier.verify(OKTA, provider, await idp.signIn(BOB)));
  t.equal(refusal.reason, 'keys_unavailable');
  t.match(refusal.message, /only https URLs on port 443 are/);
  t.strictSame(idp.published, []);
});
