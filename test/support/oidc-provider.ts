import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import type { Test } from 'tap';
import { makeKey, type TestKey } from './id-tokens.ts';

/** A real OpenID provider on loopback, at which people sign in without a browser. */

const CLIENT = {
  ids: ['rollcall', 'neighbour'],
  secret: 'a secret of this test',
  redirectUri: 'http://127.0.0.1:1/callback',
} as const;

/** What ID tokens say of a person where the provider has it: OpenID Connect Core section 5.1, and vendors' own. */
const CLAIMS = [
  ...['sub', 'email', 'email_verified', 'given_name', 'family_name', 'name', 'picture', 'preferred_username'],
  ...['groups', '_claim_names', '_claim_sources', 'hasgroups', 'oid', 'tid', 'xms_edov', 'hd'],
];

/** A person, by the claims that the provider has about them; `sub` is who signs in. */
export type Person = Readonly<Record<string, unknown>> & { readonly sub: string };

export interface TestOidcProvider {
  readonly issuer: string;
  /** The client that ID tokens are for. */
  readonly audience: string;
  /** The paths that were asked for, of what it publishes: key set and discovery document. */
  readonly published: string[];
  /** Another client of it, with the same keys. */
  readonly otherAudience: string;
  /**
   * A whole code flow (OpenID Connect Core section 3.1, RFC 7636): the ID token that comes of it. Without a nonce, of
   * some nonce: two tokens of one second would be the same.
   */
  signIn(person: Person, nonce?: string, audience?: string): Promise<string>;
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
    audience: CLIENT.ids[0],
    otherAudience: CLIENT.ids[1],
    published,
    async signIn(person, nonce = randomUUID(), audience = CLIENT.ids[0]) {
      people.set(person.sub, person);
      signingIn = person.sub;
      return await codeFlow(issuer, audience, nonce);
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
    clients: CLIENT.ids.map((id) => ({
      client_id: id,
      client_secret: CLIENT.secret,
      redirect_uris: [CLIENT.redirectUri],
    })),
    cookies: { keys: ['a key of this test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    claims: { openid: CLAIMS },
    scopes: ['openid'],
    conformIdTokenClaims: false,
    ttl: { IdToken: 300, AccessToken: 300, Grant: 300, Session: 300, Interaction: 300 },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => people.get(accountId) }),
  };
}

/** What a person does in a browser: says who they are, then lets the client know. */
async function agree(provider: Provider, sub: string, request: IncomingMessage, response: ServerResponse) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: sub } });
    return;
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? sub, clientId: params.client_id });
  grant.addOIDCScope('openid');
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function codeFlow(issuer: string, client: string, nonce: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const authorization = new URL(`${issuer}/auth`);
  authorization.search = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: CLIENT.redirectUri,
    scope: 'openid',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    nonce,
  }).toString();
  const code = (await redirected(authorization)).searchParams.get('code') ?? '';
  const reply = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa([client, CLIENT.secret].map(encodeURIComponent).join(':'))}` },
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
