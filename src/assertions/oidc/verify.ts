import type { KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { attributesOf, hasGroupOverage } from '../claim-texts.ts';
import { openTrace } from '../trace.ts';
import { AssertionError, type OidcProvider, type VerifiedAssertion } from '../types.ts';
import { SIGNATURE_ALGORITHMS } from './algorithms.ts';
import {
  requireAudience,
  requireIssuer,
  requireNoEvents,
  requireNonce,
  requireSubject,
  requireTimes,
} from './claims.ts';
import { type CompactToken, readCompact } from './compact.ts';
import { type JsonObject, readJsonObject } from './json.ts';
import { keyFor } from './jwks.ts';
import { type KeySource, KeysUnavailable } from './keys.ts';

export interface IdTokenOptions {
  readonly now: Date;
  /** What the gateway sent the person to the identity provider with. */
  readonly nonce?: string | undefined;
  readonly keys: KeySource;
}

/**
 * Verifies an ID token (OpenID Connect Core section 3.1.3.7; S11). Claims are read only from the bytes that the
 * signature covers. @throws AssertionError
 */
export async function verifyIdToken(
  provider: OidcProvider,
  token: string,
  { now, nonce, keys }: IdTokenOptions,
): Promise<VerifiedAssertion> {
  const trace = openTrace();
  const compact = await trace.run('token', () => readCompact(token));
  const algorithm = await trace.run('algorithm', () => algorithmOf(compact, provider));
  const payload = await trace.run('signature', () => signedPayload(compact, algorithm, keys));
  const claims = await trace.run('claims', () => readClaims(payload));
  await trace.run('issuer', () => requireIssuer(claims, provider));
  await trace.run('audience', () => requireAudience(claims, provider));
  const expiresAt = await trace.run('validity', () => requireTimes(claims, now));
  if (nonce !== undefined) await trace.run('nonce', () => requireNonce(claims, nonce));
  const subject = await trace.run('subject', () => requireSubject(claims));
  return {
    id: compact.id,
    expiresAt,
    subject,
    attributes: attributesOf(claims),
    groupOverage: hasGroupOverage(claims),
    checks: trace.checks,
  };
}

/** The algorithm is ours to choose: what the header says must be among those of the provider. */
function algorithmOf({ unverifiedHeader: { alg } }: CompactToken, { algorithms }: OidcProvider): string {
  if (typeof alg === 'string' && algorithms.includes(alg) && SIGNATURE_ALGORITHMS.includes(alg)) return alg;
  throw new AssertionError(
    'algorithm',
    'The ID token is not signed by an algorithm that is configured for this identity provider',
  );
}

/** The signed bytes. A key that is not known may be new: then the provider is asked once more. */
async function signedPayload(compact: CompactToken, algorithm: string, keys: KeySource): Promise<Uint8Array> {
  const { unverifiedHeader } = compact;
  try {
    const known = await keys.current();
    const key = keyFor(unverifiedHeader, algorithm, known);
    let payload = await verifiedPayload(compact, algorithm, key);
    // A key that the token names and that is held is the key; one that it does not name may have been replaced.
    if (payload === undefined && (key === undefined || unverifiedHeader.kid === undefined)) {
      const newer = await keys.newerThan(known);
      payload =
        newer && (await verifiedPayload(compact, algorithm, keyFor(unverifiedHeader, algorithm, newer)));
    }
    if (payload !== undefined) return payload;
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error;
    throw new AssertionError(
      'keys_unavailable',
      `The keys of the identity provider cannot be had now: ${error.message}`,
    );
  }
  throw new AssertionError(
    'signature',
    'The ID token is not signed by a key that its identity provider publishes for this (a key published just now is known in 10 seconds)',
  );
}

async function verifiedPayload(
  { text }: CompactToken,
  algorithm: string,
  key: KeyObject | undefined,
): Promise<Uint8Array | undefined> {
  if (key === undefined) return undefined;
  try {
    const { payload } = await compactVerify(text, key, { algorithms: [algorithm] });
    return payload;
  } catch {
    // Whatever is wrong, with the signature or with the key: it is not verified.
    return undefined;
  }
}

function readClaims(payload: Uint8Array): JsonObject {
  const claims = readJsonObject(payload);
  if (claims === undefined) {
    throw new AssertionError(
      'malformed',
      'The claims of the ID token are not a JSON object without double names',
    );
  }
  requireNoEvents(claims);
  return claims;
}
