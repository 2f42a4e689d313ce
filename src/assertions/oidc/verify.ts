import type { KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import type { OidcProvider, VerifiedAssertion } from '../types.ts';
import { SIGNATURE_ALGORITHMS } from './algorithms.ts';
import { type Checks, openChecks } from './checks.ts';
import {
  attributesOf,
  hasGroupOverage,
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
  const checks: Checks = openChecks();
  const compact = readCompact(token, checks);
  const algorithm = requireAlgorithm(compact, provider, checks);
  const payload = await requireSignature(compact, algorithm, keys, checks);
  const claims = requireClaims(payload, checks);
  requireNoEvents(claims, checks);
  requireIssuer(claims, provider, checks);
  requireAudience(claims, provider, checks);
  const expiresAt = requireTimes(claims, now, checks);
  requireNonce(claims, nonce, checks);
  const subject = requireSubject(claims, checks);
  return {
    id: compact.id,
    expiresAt,
    subject,
    attributes: attributesOf(claims),
    groupOverage: hasGroupOverage(claims),
    checks: checks.made,
  };
}

/** The algorithm is ours to choose: what the header says must be among those of the provider. */
function requireAlgorithm(
  { unverifiedHeader }: CompactToken,
  provider: OidcProvider,
  checks: Checks,
): string {
  const { alg } = unverifiedHeader;
  checks.require(
    'algorithm',
    typeof alg === 'string' && provider.algorithms.includes(alg) && SIGNATURE_ALGORITHMS.includes(alg),
    'The ID token is not signed by an algorithm that is configured for this identity provider',
  );
  return alg;
}

/** The signed bytes. A key that is not known may be new: then the provider is asked once more. */
async function requireSignature(
  compact: CompactToken,
  algorithm: string,
  keys: KeySource,
  checks: Checks,
): Promise<Uint8Array> {
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
    checks.require(
      'signature',
      payload !== undefined,
      'The ID token is not signed by a key that its identity provider publishes for this (a key published just now is known in 10 seconds)',
    );
    return payload;
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error;
    return checks.refuse(
      'keys_unavailable',
      `The keys of the identity provider cannot be had now: ${error.message}`,
    );
  }
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

function requireClaims(payload: Uint8Array, checks: Checks): JsonObject {
  const claims = readJsonObject(payload);
  checks.require(
    'malformed',
    claims !== undefined,
    'The claims of the ID token are not a JSON object without double names',
  );
  return claims;
}
