// Runs an OpenID provider for tests on this machine, sets it up in Rollcall, and signs a person in by its code flow. See
// README.md: Rollcall has to run with ALLOW_LOOPBACK_IDENTITY_PROVIDERS=true.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { person, setUpProvider, signIn } from './rollcall.mjs';

const client = {
  client_id: 'product',
  client_secret: randomBytes(32).toString('hex'),
  redirect_uris: ['http://127.0.0.1:1/callback'],
};
const [redirectUri] = client.redirect_uris;

// The identity provider: in place of pages it takes the person's word, and their consent.
let provider;
const server = createServer((request, response) =>
  request.url.startsWith('/interaction/') ? agree(request, response) : provider.callback()(request, response),
);
await once(server.listen(0, '127.0.0.1'), 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const kid = randomBytes(8).toString('hex');
const { email, groups } = person;
const claims = { sub: email, email, email_verified: true, groups };
provider = new Provider(issuer, {
  clients: [client],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  claims: { openid: Object.keys(claims) },
  conformIdTokenClaims: false,
  ttl: { AccessToken: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
  findAccount: () => ({ accountId: email, claims: () => claims }),
});

async function agree(request, response) {
  const { prompt } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: email, clientId: client.client_id });
  grant.addOIDCScope('openid');
  const result =
    prompt.name === 'login' ? { login: { accountId: email } } : { consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}

await setUpProvider({
  name: 'example-oidc',
  kind: 'oidc',
  jit: 'enhanced',
  oidc: { issuer, audience: client.client_id },
});

// The gateway sends the person to the identity provider, and follows as a browser would until they come back.
const [verifier, nonce] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('hex')];
let url = new URL(`${issuer}/auth`);
url.search = new URLSearchParams({
  client_id: client.client_id,
  response_type: 'code',
  scope: 'openid',
  redirect_uri: redirectUri,
  nonce,
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
});
const cookies = new Map();
while (!url.href.startsWith(redirectUri)) {
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
  const { headers } = await fetch(url, { redirect: 'manual', headers: { cookie } });
  for (const text of headers.getSetCookie()) cookies.set(...text.split(';')[0].split('='));
  const location = headers.get('location');
  if (location === null) throw new Error(`No redirect from ${url}`);
  url = new URL(location, url);
}

// It exchanges the code for the ID token, and posts that to Rollcall, which fetches the provider's keys.
const exchanged = await fetch(`${issuer}/token`, {
  method: 'POST',
  headers: { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` },
  body: new URLSearchParams({
    grant_type: 'authorization_code',
    code: url.searchParams.get('code'),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  }),
});
const { id_token: idToken } = await exchanged.json();
await signIn({ identityProvider: 'example-oidc', idToken, nonce });
server.close();
server.closeAllConnections();
