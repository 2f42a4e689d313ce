import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Secrets in rows: encrypted by a key of each tenant, and authenticated together with the row. What is moved to another
 * row or tenant does not open.
 */

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The row that a secret belongs to. */
export interface SecretPlace {
  readonly tenantId: string;
  /** The row's id. */
  readonly id: string;
}

/** AES-256-GCM in base64url: nonce, text, tag. */
export function sealSecret(secretKey: Buffer, place: SecretPlace, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secretKey, place), nonce);
  cipher.setAAD(bindingOf(place));
  const sealed = [cipher.update(text, 'utf8'), cipher.final()];
  return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
}

/** @throws Error when it was sealed for another row, or by another `ROLLCALL_SECRET_KEY`. */
export function openSecret(secretKey: Buffer, place: SecretPlace, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secretKey, place), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(bindingOf(place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
  return Buffer.concat(opened).toString();
}

function keyOf(secretKey: Buffer, { tenantId }: SecretPlace): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `rollcall stored secret 1 ${tenantId}`, 32));
}

function bindingOf({ tenantId, id }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([tenantId, id]));
}
