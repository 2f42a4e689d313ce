import {
  constants,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto';
import { SIGNATURE_ALGORITHMS } from '../../src/assertions/oidc/algorithms.ts';
import { openIdTokenVerifier } from '../../src/assertions/oidc/verifier.ts';
import { AssertionError, type OidcProvider } from '../../src/assertions/types.ts';

/** ID tokens, genuine and forged, made by node:crypto alone: what verifies them has no part in it. */

const NOW = new Date('2026-03-02T09:00:00Z');
export const SECONDS = NOW.getTime() / 1_000;

export const PROVIDER: OidcProvider = {
  issuer: 'https://idp.example',
  audience: 'rollcall',
  algorithms: SIGNATURE_ALGORITHMS,
};

export type Json = Readonly<Record<string, unknown>>;

export const claims = (changes: Json = {}): Json => ({
  iss: PROVIDER.issuer,
  aud: PROVIDER.audience,
  sub: 'bob',
  iat: SECONDS,
  exp: SECONDS + 300,
  ...changes,
});

/** A key pair; `jwk` is what the identity provider publishes. */
export interface TestKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey;
}

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function makeKey(alg: string, kid: string, modulusLength = 2_048): TestKey {
  const pair = alg.startsWith('E')
    ? CURVES[alg] === undefined
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: CURVES[alg] ?? '' })
    : generateKeyPairSync('rsa', { modulusLength });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { alg, kid, ...pair, jwk };
}

export const base64url = (value: string | Uint8Array | Json) =>
  (value instanceof Uint8Array
    ? Buffer.from(value)
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  ).toString('base64url');

/** The signature of `alg` (RFC 7518 section 3) over bytes. */
export function signatureOf(alg: string, privateKey: KeyObject, signed: string): Buffer {
  const hash = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`;
  const padding = alg.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return signBytes(hash, Buffer.from(signed), {
    key: privateKey,
    ...padding,
    ...(alg.startsWith('ES') && { dsaEncoding: 'ieee-p1363' as const }),
  });
}

/** A token of these claims, or of the very text, with further members of the header; undefined takes one away. */
export function makeToken(key: TestKey, payload: Json | string | Uint8Array = claims(), header: Json = {}) {
  const all = { alg: key.alg, kid: key.kid, typ: 'JWT', ...header };
  return makeTokenOf(key, payload, JSON.stringify(all));
}

/** The same with the very text of the header. */
export function makeTokenOf(key: TestKey, payload: Json | string | Uint8Array, header: string): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${signatureOf(key.alg, key.privateKey, signed).toString('base64url')}`;
}

/** What the world answers: documents by their URL, as long as they are there. */
export interface World {
  readonly documents: Map<string, unknown>;
  readonly fetched: string[];
  readonly missed: string[];
  now: Date;
}

export const JWKS_URI = 'https://keys.idp.example/jwks';

/** A verifier, and the world around it: an identity provider that publishes these keys. */
export function openWorld(keys: readonly JsonWebKey[], issuer = PROVIDER.issuer) {
  const world: World = {
    documents: new Map<string, unknown>([
      [`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { issuer, jwks_uri: JWKS_URI }],
      [JWKS_URI, { keys }],
    ]),
    fetched: [],
    missed: [],
    now: NOW,
  };
  const verifier = openIdTokenVerifier({
    fetchJson: async (url) => {
      world.fetched.push(url);
      if (!world.documents.has(url)) throw new Error(`${url} answered with status 503`);
      return world.documents.get(url);
    },
    now: () => world.now,
    onKeysMissed: ({ id }, error) => world.missed.push(`${id}: ${error.message}`),
  });
  return { world, verifier };
}

/** Whose keys, in tests of one identity provider. */
export const OKTA = { tenantId: 'tenant-1', id: 'okta' };

/** The refusal that comes of a verification. Fails where it is accepted, or fails otherwise. */
export async function refusalOf(verification: Promise<unknown>, name = 'the token'): Promise<AssertionError> {
  try {
    await verification;
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  throw new Error(`${name} was accepted`);
}
