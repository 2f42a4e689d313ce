import { createHash } from 'node:crypto';
import { AssertionError } from '../types.ts';
import { type JsonObject, readJsonObject } from './json.ts';

/** 200 groups of Entra ID, the most that it lists in a token, take about 11 KiB. */
const MAX_LENGTH = 16 * 1024;

/** A token taken apart, of which nothing is proved yet. */
export interface CompactToken {
  readonly text: string;
  readonly unverifiedHeader: JsonObject;
  /**
   * SHA-256 of what is signed, in hexadecimal: the token's identity. The signature is no part of it, because one may be
   * made into another that holds too (ECDSA: s and n − s).
   */
  readonly id: string;
}

/**
 * Takes a signed token apart (RFC 7515 section 7.1): three parts in base64url, each in the one spelling that an encoder
 * writes, so that no second text means the same token.
 */
export function readCompact(text: string): CompactToken {
  if (text.length > MAX_LENGTH) {
    throw new AssertionError('too_large', `The ID token is longer than ${MAX_LENGTH} bytes`);
  }
  const parts = text.split('.');
  const [header, payload] = parts;
  const isCompact = parts.length === 3 && header && payload && parts.every(isBase64url);
  const unverifiedHeader = isCompact ? readJsonObject(Buffer.from(header, 'base64url')) : undefined;
  if (!isCompact || unverifiedHeader === undefined) {
    throw new AssertionError(
      'malformed',
      'The ID token is not a signed JWT: three parts in base64url, the first of them a JSON object',
    );
  }
  requirePlainHeader(unverifiedHeader);
  return {
    text,
    unverifiedHeader,
    id: createHash('sha256').update(`${header}.${payload}`).digest('hex'),
  };
}

function isBase64url(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

/**
 * No extension is understood (RFC 7515 section 4.1.11, RFC 7797), and no other kind of token is an ID token (RFC 8725
 * section 3.11): not an access token (`at+jwt`), not a logout token (`logout+jwt`). Keys that the header names or holds
 * (`jwk`, `jku`, `x5u`, `x5c`) are not looked at.
 */
function requirePlainHeader({ crit, b64, typ = 'JWT' }: JsonObject): void {
  const isPlain = crit === undefined && b64 === undefined;
  const isJwt = typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ);
  if (isPlain && isJwt) return;
  throw new AssertionError(
    'structure',
    'The header of the ID token has "crit" or "b64", or a "typ" other than JWT: send an ID token, not another token',
  );
}
