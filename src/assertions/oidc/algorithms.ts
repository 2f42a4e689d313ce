import type { KeyObject } from 'node:crypto';

/** Larger RSA keys cost more to verify than a sign-in may; smaller ones are forbidden (RFC 7518 section 3.3). */
const RSA_BITS = { least: 2_048, most: 8_192 };

interface KeyShape {
  readonly type: 'rsa' | 'ec' | 'ed25519';
  readonly curve?: string;
}

const RSA: KeyShape = { type: 'rsa' };

/**
 * Which key each algorithm wants (RFC 7518 section 3, RFC 8037, RFC 9864). A map: names come from tokens. What is not
 * here is never verified: not `none`, and nothing symmetric.
 */
const KEY_SHAPES: ReadonlyMap<string, KeyShape> = new Map([
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['ES256', { type: 'ec', curve: 'prime256v1' }],
  ['ES384', { type: 'ec', curve: 'secp384r1' }],
  ['ES512', { type: 'ec', curve: 'secp521r1' }],
  ['EdDSA', { type: 'ed25519' }],
  ['Ed25519', { type: 'ed25519' }],
]);

/** The signature algorithms that an identity provider may be configured with. */
export const SIGNATURE_ALGORITHMS: readonly string[] = [...KEY_SHAPES.keys()];

/** Whether a public key is one for this algorithm, and neither weak nor costly. */
export function suits(key: KeyObject, algorithm: string): boolean {
  const shape = KEY_SHAPES.get(algorithm);
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (shape === undefined || key.asymmetricKeyType !== shape.type) return false;
  if (shape.type !== 'rsa') return shape.curve === undefined || shape.curve === namedCurve;
  // By the exponent 1 everybody can sign.
  return modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most && publicExponent >= 3n;
}
