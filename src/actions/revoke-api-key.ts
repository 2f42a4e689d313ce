import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { revokeApiKeyRow } from '../tenants/api-keys.ts';

export interface RevokeApiKey {
  readonly tenantId: string;
  readonly keyId: string;
}

/** Revokes a tenant's key: refused by every instance within a second. */
export async function revokeApiKey(
  context: Context,
  actor: Actor,
  { tenantId, keyId }: RevokeApiKey,
): Promise<void> {
  const at = context.now();
  const occasion = { tenantId, actor, at, changeId: uuid() };
  await transaction(context.db, tenantId, async (trx) => {
    if (!(await revokeApiKeyRow(trx, tenantId, keyId, at))) throw notFound('API key');
    await record(trx, occasion, [{ type: 'api_key.revoked', resourceType: 'ApiKey', resourceId: keyId }]);
  });
}
