import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type ApiKey, apiKeyForUpdate, expireApiKey, insertApiKey } from '../tenants/api-keys.ts';
import { expiryAfter } from '../tenants/expiry.ts';
import { makeKey } from '../tenants/key-format.ts';
import { holdTenant } from '../tenants/tenants.ts';

export interface RotateApiKey {
  readonly tenantId: string;
  readonly keyId: string;
  /** How long the old key still holds, in seconds; 0 ends it at once. */
  readonly overlapSeconds: number;
}

/**
 * Issues a successor with the same name, scopes, directory and lifetime, and lets the old key end after the
 * overlap, or before it where it would have expired anyway. `key` in the answer is the only time it is shown.
 * @throws AppError `conflict`: the key has expired, or has a living successor already (`key_expired`,
 * `key_rotated`), so that a repeated rotation does not multiply keys.
 */
export async function rotateApiKey(
  context: Context,
  actor: Actor,
  { tenantId, keyId, overlapSeconds }: RotateApiKey,
): Promise<ApiKey & { key: string }> {
  const at = context.now();
  const id = uuid();
  const { key, prefix, secretHash } = makeKey({ keyId: id, tenantId });
  const occasion = { tenantId, actor, at, changeId: uuid() };
  return transaction(context.db, tenantId, async (trx) => {
    if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
    const held = await apiKeyForUpdate(trx, tenantId, keyId);
    if (held === undefined) throw notFound('API key');
    const { key: old, directoryId, successorId } = held;
    if (old.expiresAt !== null && old.expiresAt <= at) throw expired();
    if (successorId !== null && (await apiKeyForUpdate(trx, tenantId, successorId)))
      throw rotated(successorId);
    const successor: ApiKey = {
      ...old,
      id,
      prefix,
      createdAt: at,
      expiresAt: endOfSuccessor(old, at),
      lastUsedAt: null,
    };
    const end = endOfOld(old, at, overlapSeconds);
    await insertApiKey(trx, tenantId, { key: successor, directoryId, secretHash });
    await expireApiKey(trx, tenantId, { id: keyId, successorId: id, at: end });
    await record(trx, occasion, [
      { type: 'api_key.issued', resourceType: 'ApiKey', resourceId: id, after: successor },
      {
        type: 'api_key.rotated',
        resourceType: 'ApiKey',
        resourceId: keyId,
        before: { expiresAt: old.expiresAt },
        after: { expiresAt: end, successor: id },
      },
    ]);
    return { ...successor, key };
  });
}

function expired(): AppError {
  return new AppError('conflict', 'The key has expired', { reason: 'key_expired', hint: 'Issue a new key.' });
}

function rotated(successorId: string): AppError {
  return new AppError('conflict', `The key was rotated already; its successor is ${successorId}`, {
    reason: 'key_rotated',
    hint: 'Was its answer lost? Revoke the successor, then rotate again.',
  });
}

function endOfSuccessor({ createdAt, expiresAt }: ApiKey, at: Date): Date | null {
  return expiresAt && expiryAfter(expiresAt.getTime() - createdAt.getTime(), at);
}

function endOfOld({ expiresAt }: ApiKey, at: Date, overlapSeconds: number): Date {
  const end = new Date(at.getTime() + overlapSeconds * 1_000);
  return expiresAt !== null && expiresAt < end ? expiresAt : end;
}
