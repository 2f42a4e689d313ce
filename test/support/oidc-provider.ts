import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import type { Test } from 'tap';
import { makeKey, type TestKey } from './id-tokens.ts';

/** A real OpenID provider on loopback, at which people sign in without a browser. */

const CLIENT = {
  id: 'rollcall',
  secret: 'a secret of this test',
  redirectUri: 'http://127.0.0.1:1/callback',
};

/** A person, by the claims that the provider has about them; `sub` is who signs in. */
export type Person = Readonly<Record<string, unknown>> & { readonly sub: string };

export interface TestOidcProvider {
  readonly issuer: string;
  /** The client that ID tokens are for. */
  readonly audience: string;
  /** The paths that were asked for, of what it publishes: key set and discovery document. */
  readonly published: string[];
  /** A whole code flow (OpenID Connect Core section 3.1, RFC 7636): the ID token that comes of it. */
  signIn(person: Person, nonce?: string): Promise<string>;
  /** Signs by another key from now on, and publishes the old one beside it. */
  rotate(): void;
}

export async function startOidcProvider(t: Test): Promise<TestOidcProvider> {
  const people = new Map<string, Person>();
  const published: string[] = [];
  let signingIn = '';
  let keys: TestKey[] = [makeKey('RS256', 'key-1')];
  let provider: Provider | undefined;

  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (/^\/(?:jwks|\.well-known\/)/.test(path)) published.push(path);
    if (provider === undefined) return;
    if (path.startsWith('/interaction/')) await agree(provider, signingIn, request, response);
    else provider.callback()(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = () => new Provider(issuer, configuration(keys, people));
  provider = open();

  return {
    issuer,
    audience: CLIENT.id,
    published,
    async signIn(person, nonce) {
      people.set(person.sub, person);
      signingIn = person.sub;
      return await codeFlow(issuer, nonce);
    },
    rotate() {
      keys = [makeKey('RS256', `key-${keys.length + 1}`), ...keys];
      provider = open();
    },
  };
}

function configuration(keys: readonly TestKey[], people: ReadonlyMap<string, Person>) {
  return {
    jwks: {
      keys: keys.map(({ privateKey, jwk }) => ({ ...privateKey.export({ format: 'jwk' }), ...jwk })),
    },
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [CLIENT.redirectUri] }],
    cookies: { keys: ['a key of this test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['given_name', 'family_name'],
      groups: ['groups'],
    },
    scopes: ['openid', 'email', 'profile', 'groups'],
    conformIdTokenClaims: false,
    ttl: { IdToken: 300, AccessToken: 300, Grant: 300, Session: 300, Interaction: 300 },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => people.get(accountId) }),
  };
}

const SCOPES = 'openid email profile groups';

/** What a person does in a browser: says who they are, then lets the client know. */
async function agree(provider: Provider, sub: string, request: IncomingMessage, response: ServerResponse) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: sub } });
    return;
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? sub, clientId: params.client_id });
  grant.addOIDCScope(SCOPES);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function codeFlow(issuer: string, nonce: string | undefined): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const authorization = new URL(`${issuer}/auth`);
  authorization.search = new URLSearchParams({
    client_id: CLIENT.id,
    response_type: 'code',
    redirect_uri: CLIENT.redirectUri,
    scope: SCOPES,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(nonce !== undefined && { nonce }),
  }).toString();
  const code = (await redirected(authorization)).searchParams.get('code') ?? '';
  const reply = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa([CLIENT.id, CLIENT.secret].map(encodeURIComponent).join(':'))}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: CLIENT.redirectUri,
      code_verifier: verifier,
    }),
  });
  const answer = (await reply.json()) as { id_token?: string };
  if (answer.id_token === undefined) throw new Error(`no ID token: ${JSON.stringify(answer)}`);
  return answer.id_token;
}

/** Follows redirects with cookies, as a browser does, until they lead to the client. */
async function redirected(start: URL): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = start;
  for (let hops = 0; hops < 12 && !url.href.startsWith(CLIENT.redirectUri); hops += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const reply = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const text of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = reply.headers.get('location');
    if (location === null) throw new Error(`no redirect but ${reply.status}: ${await reply.text()}`);
    url = new URL(location, url);
  }
  return url;
}
