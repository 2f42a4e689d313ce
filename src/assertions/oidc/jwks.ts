import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { suits } from './algorithms.ts';
import { isObject, type JsonObject } from './json.ts';

/** Identity providers publish two or three, Entra ID about ten. */
const MAX_KEYS = 100;

/** A public key of an identity provider, as its key set describes it (RFC 7517). */
interface SigningKey {
  readonly key: KeyObject;
  readonly kid: unknown;
  readonly alg: unknown;
}

/** Keys that an identity provider published at one moment. */
export interface KeySet {
  readonly keys: readonly SigningKey[];
  /** Milliseconds: when they were asked for. */
  readonly fetchedAt: number;
}

/**
 * Reads a JWK Set (RFC 7517 section 5). Keys that cannot verify are left out, as section 5 wants it: those for other
 * uses, of unknown kinds, and broken ones. So are those whose private half is published.
 * @throws Error where the document is none.
 */
export function readJwks(document: unknown): SigningKey[] {
  const keys = isObject(document) ? document.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('the key set has no list "keys"');
  if (keys.length > MAX_KEYS) throw new Error(`the key set has more than ${MAX_KEYS} keys`);
  return keys.filter(isObject).flatMap(readKey);
}

function readKey(jwk: JsonObject): SigningKey[] {
  const { kty, crv, x, y, n, e, use = 'sig', key_ops: operations = ['verify'] } = jwk;
  const verifies = use === 'sig' && Array.isArray(operations) && operations.includes('verify');
  if (!verifies || 'd' in jwk) return [];
  const parts = Object.entries({ kty, crv, x, y, n, e }).filter(([, part]) => part !== undefined);
  try {
    const key = createPublicKey({ format: 'jwk', key: Object.fromEntries(parts) as JsonWebKey });
    return [{ key, kid: jwk.kid, alg: jwk.alg }];
  } catch {
    return [];
  }
}

/**
 * The one key that a token's header means. One that names its key (`kid`) gets no other; one that does not is only
 * clear where the set has a single key for its algorithm (OpenID Connect Core section 10.1).
 */
export function keyFor(header: JsonObject, algorithm: string, { keys }: KeySet): KeyObject | undefined {
  const candidates = keys.filter(
    ({ key, kid, alg = algorithm }) =>
      alg === algorithm && (header.kid === undefined || header.kid === kid) && suits(key, algorithm),
  );
  return candidates.length === 1 ? candidates[0]?.key : undefined;
}
