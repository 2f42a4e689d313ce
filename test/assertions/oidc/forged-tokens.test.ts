import fc from 'fast-check';
import t from 'tap';
import { AssertionError, type OidcProvider } from '../../../src/assertions/types.ts';
import { failWith } from '../../support/fuzzing.ts';
import {
  claims,
  type Json,
  JWKS_URI,
  makeToken,
  OKTA,
  openWorld,
  PROVIDER,
  refusalOf,
} from '../../support/id-tokens.ts';
import { runs, SEED } from '../../support/runs.ts';
import { CORPUS, ed, genuine, hmac, KEYS, p256, p384, pss, rsa, signedBy } from './forgeries.ts';

/** 0 forged tokens are accepted, and each is refused for its reason. */

for (const [reason, forgeries] of CORPUS) {
  t.test(`refused as ${reason}: ${forgeries.length} tokens`, async (t) => {
    const { world, verifier } = openWorld(KEYS);
    for (const [name, token] of forgeries) {
      const refusal = await refusalOf(verifier.verify(OKTA, PROVIDER, token), name);
      t.equal(refusal.reason, reason, name);
      t.match(refusal.checks.at(-1), { passed: false, detail: refusal.message }, name);
    }
    const urls = [`${PROVIDER.issuer}/.well-known/openid-configuration`, JWKS_URI];
    t.ok(
      world.fetched.every((url) => urls.includes(url)),
      'nothing that a token names is fetched',
    );
    t.equal(
      (await verifier.verify(OKTA, PROVIDER, genuine)).subject,
      'bob',
      'the genuine one holds all the same',
    );
  });
}

t.test('a symmetric algorithm is refused even where it is configured', async (t) => {
  const provider: OidcProvider = { ...PROVIDER, algorithms: ['HS256', 'none'] };
  const { verifier } = openWorld(KEYS);
  for (const token of [hmac('HS256', 'secret'), signedBy({ alg: 'none' }, () => '')]) {
    t.equal((await refusalOf(verifier.verify(OKTA, provider, token))).reason, 'algorithm');
  }
});

t.test('an algorithm that is not configured is refused', async (t) => {
  const { verifier } = openWorld(KEYS);
  const provider: OidcProvider = { ...PROVIDER, algorithms: ['ES256'] };
  t.equal((await refusalOf(verifier.verify(OKTA, provider, genuine))).reason, 'algorithm');
  t.equal((await verifier.verify(OKTA, provider, makeToken(p256))).subject, 'bob');
});

t.test('a nonce that the gateway gives must be in the token', async (t) => {
  const { verifier } = openWorld(KEYS);
  for (const nonce of [undefined, null, '', 'other', ['n-1'], 1]) {
    const token = makeToken(rsa, claims({ nonce }));
    t.equal((await refusalOf(verifier.verify(OKTA, PROVIDER, token, { nonce: 'n-1' }))).reason, 'nonce');
  }
  const bearing = makeToken(rsa, claims({ nonce: 'n-1' }));
  t.equal((await verifier.verify(OKTA, PROVIDER, bearing, { nonce: 'n-1' })).subject, 'bob');
  t.equal((await verifier.verify(OKTA, PROVIDER, bearing)).subject, 'bob', 'no nonce was given');
  t.equal((await refusalOf(verifier.verify(OKTA, PROVIDER, bearing, { nonce: '' }))).reason, 'nonce');
});

t.test('identity providers that share a signing key do not accept each other’s tokens', async (t) => {
  const { verifier } = openWorld(KEYS);
  const neighbour = { tenantId: 'tenant-2', id: 'okta' };
  const provider: OidcProvider = { ...PROVIDER, audience: 'neighbour' };
  t.equal((await refusalOf(verifier.verify(neighbour, provider, genuine))).reason, 'audience');
});

t.test('a token of Entra ID names the tenant of its issuer', async (t) => {
  const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47';
  for (const issuer of [`https://login.microsoftonline.com/${tid}/v2.0`, `https://sts.windows.net/${tid}/`]) {
    const { verifier } = openWorld([rsa.jwk], issuer);
    const provider: OidcProvider = { ...PROVIDER, issuer };
    const token = (changes: Json) => makeToken(rsa, claims({ iss: issuer, ...changes }));
    for (const other of [undefined, '9188040d-6c67-4c5b-b112-36a304b66dad', tid.toUpperCase()]) {
      t.equal((await refusalOf(verifier.verify(OKTA, provider, token({ tid: other })))).reason, 'issuer');
    }
    t.equal((await verifier.verify(OKTA, provider, token({ tid }))).subject, 'bob');
  }
});

t.test('property: a genuine token that was changed anywhere is refused', async () => {
  const { verifier } = openWorld(KEYS);
  const tokens = [rsa, pss, p256, p384, ed].map((key) => makeToken(key));
  const change = fc.record({
    token: fc.constantFrom(...tokens),
    other: fc.constantFrom(...tokens),
    kind: fc.constantFrom('replace', 'insert', 'remove', 'swap part', 'cut'),
    at: fc.nat(1_000),
    text: fc.oneof(
      fc.string({ minLength: 1, maxLength: 2 }),
      fc.constantFrom('.', '=', '-', '_', 'A', 'é', '\n'),
    ),
  });
  await fc.assert(
    fc.asyncProperty(change, async (drawn) => {
      const changed = changedToken(drawn);
      const outcome = await verifier.verify(OKTA, PROVIDER, changed).catch((error: unknown) => error);
      const isRefused = outcome instanceof AssertionError && outcome.reason !== 'keys_unavailable';
      if (!isRefused && changed !== drawn.token) failWith({ drawn, changed, outcome: String(outcome) });
    }),
    { numRuns: runs(1_500, 100_000), seed: SEED },
  );
});

interface TokenChange {
  token: string;
  other: string;
  kind: string;
  at: number;
  text: string;
}

function changedToken({ token, other, kind, at, text }: TokenChange): string {
  const place = at % token.length;
  if (kind === 'replace') return token.slice(0, place) + text + token.slice(place + text.length);
  if (kind === 'insert') return token.slice(0, place) + text + token.slice(place);
  if (kind === 'remove') return token.slice(0, place) + token.slice(place + text.length);
  if (kind === 'cut') return token.slice(0, place);
  const parts = token.split('.');
  parts[at % 3] = other.split('.')[at % 3] ?? '';
  // The payload is the same in all of them.
  return parts.join('.');
}
