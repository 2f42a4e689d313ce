import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { putLast } from '../put-last.ts';

/**
 * The form of the keys that we hand out: `rc_<id>_<secret>_<checksum>`, each part in base62.
 *
 * `<id>` is the key's id and, where the key belongs to a tenant, the tenant's id behind it: the look-up has both
 * halves of the primary key. `<secret>` is 256 random bits. `<checksum>` is the CRC-32 of all that stands before
 * its underscore, so a mistyped key and a scanner's false alarm are told without asking the database.
 */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const UUID_LENGTH = 22;
const SECRET_LENGTH = 43;
const SECRET_BYTES = 32;
const CHECKSUM_LENGTH = 6;

const KEY = new RegExp(
  `^(rc_([0-9A-Za-z]{${UUID_LENGTH}})([0-9A-Za-z]{${UUID_LENGTH}})?_([0-9A-Za-z]{${SECRET_LENGTH}}))_([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
);

/** Whose key it is: a tenant's, or (without `tenantId`) the product's that runs the service. */
export interface KeyIds {
  readonly keyId: string;
  readonly tenantId?: string;
}

/** A key as it was presented; nothing in it is proved yet. */
export interface PresentedKey extends KeyIds {
  readonly secretHash: Buffer;
  /** It held when it was presented before: the tenant that it names is the one that it was issued for. */
  readonly hasHeld?: true;
}

export interface MintedKey {
  /** The whole key: shown once and kept nowhere. */
  readonly key: string;
  /** The key up to its own id: holds nothing secret, and no two keys share it. */
  readonly prefix: string;
  /** SHA-256 of the secret: what the database keeps. */
  readonly secretHash: Buffer;
}

/** Mints a key with a new secret for these ids (UUIDs). */
export function makeKey({ keyId, tenantId }: KeyIds): MintedKey {
  const prefix = `rc_${encodeUuid(keyId)}`;
  const secret = toBase62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_LENGTH);
  const start = `${prefix}${tenantId === undefined ? '' : encodeUuid(tenantId)}_${secret}`;
  return { key: `${start}_${checksum(start)}`, prefix, secretHash: sha256(secret) };
}

/** Takes a key apart; undefined when its shape or its checksum is wrong. */
export function readKey(text: string): PresentedKey | undefined {
  const [, start, id, tenant, secret, sum] = KEY.exec(text) ?? [];
  if (start === undefined || id === undefined || secret === undefined || sum !== checksum(start))
    return undefined;
  const keyId = decodeUuid(id);
  const tenantId = tenant === undefined ? undefined : decodeUuid(tenant);
  if (keyId === undefined || (tenant !== undefined && tenantId === undefined)) return undefined;
  return { keyId, ...(tenantId !== undefined && { tenantId }), secretHash: sha256(secret) };
}

/** Takes keys apart, and not again those that were found to hold. */
export interface KeyReader {
  /** @param digest the SHA-256 of the text; keys themselves are not kept in memory */
  read(text: string, digest: Buffer): PresentedKey | undefined;
  /** For keys that hold only, so that nobody's guesses take their room. */
  remember(key: PresentedKey, digest: Buffer): void;
}

/** @param size how many keys are remembered; the oldest make room */
export function makeKeyReader(size: number): KeyReader {
  const known = new Map<string, PresentedKey>();
  const nameOf = (digest: Buffer) => digest.toString('latin1');
  return {
    read: (text, digest) => known.get(nameOf(digest)) ?? readKey(text),
    remember(key, digest) {
      const name = nameOf(digest);
      if (known.has(name)) return;
      putLast(known, name, { ...key, hasHeld: true }, size);
    },
  };
}

/** SHA-256. The secrets are 256 random bits, so a slow hash would protect nothing more. */
export function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Compares two SHA-256 values in the same time wherever they differ. */
export function sameHash(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function checksum(text: string): string {
  return toBase62(BigInt(crc32(text)), CHECKSUM_LENGTH);
}

function encodeUuid(uuid: string): string {
  return toBase62(BigInt(`0x${uuid.replaceAll('-', '')}`), UUID_LENGTH);
}

function decodeUuid(text: string): string | undefined {
  const hex = fromBase62(text).toString(16).padStart(32, '0');
  // 22 digits reach a little beyond 128 bits.
  if (hex.length > 32) return undefined;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function toBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = ALPHABET.charAt(Number(rest % 62n)) + text;
  return text;
}

function fromBase62(text: string): bigint {
  return [...text].reduce((value, digit) => value * 62n + BigInt(ALPHABET.indexOf(digit)), 0n);
}
