import { NIL, v7 as uuid } from 'uuid';
import type { Actor, Context, Scope } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { record } from '../events/record.ts';
import { checkExpiry } from '../tenants/expiry.ts';
import { makeKey } from '../tenants/key-format.ts';
import { insertServiceKey, type ServiceKey } from '../tenants/service-keys.ts';

export interface IssueServiceKey {
  readonly name: string;
  /** Out of `SERVICE_KEY_SCOPES`. */
  readonly scopes: readonly Scope[];
  /** null: never. */
  readonly expiresAt: Date | null;
}

/**
 * Issues a key that serves all tenants; `key` in the answer is the only time it is shown. Its events belong to
 * the service itself (tenant: the nil UUID).
 * @throws AppError `invalid_request` when `expiresAt` is past.
 */
export async function issueServiceKey(
  context: Context,
  actor: Actor,
  { name, scopes, expiresAt }: IssueServiceKey,
): Promise<ServiceKey & { key: string }> {
  const at = context.now();
  checkExpiry(expiresAt, at);
  const id = uuid();
  const { key, prefix, secretHash } = makeKey({ keyId: id });
  const issued: ServiceKey = { id, name, scopes, prefix, createdAt: at, expiresAt, lastUsedAt: null };
  await transaction(context.db, 'operator', async (trx) => {
    await insertServiceKey(trx, issued, secretHash);
    await record(trx, { tenantId: NIL, actor, at, changeId: uuid() }, [
      { type: 'service_key.issued', resourceType: 'ServiceKey', resourceId: id, after: issued },
    ]);
  });
  return { ...issued, key };
}
