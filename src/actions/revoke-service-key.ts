import { NIL, v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { revokeServiceKeyRow } from '../tenants/service-keys.ts';

/** Revokes a service key: refused by every instance within a second. */
export async function revokeServiceKey(
  context: Context,
  actor: Actor,
  { keyId }: { keyId: string },
): Promise<void> {
  const at = context.now();
  const occasion = { tenantId: NIL, actor, at, changeId: uuid() };
  await transaction(context.db, 'operator', async (trx) => {
    if (!(await revokeServiceKeyRow(trx, keyId, at))) throw notFound('Service key');
    await record(trx, occasion, [
      { type: 'service_key.revoked', resourceType: 'ServiceKey', resourceId: keyId },
    ]);
  });
}
