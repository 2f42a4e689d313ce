import { NIL, v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runIn, sendBy, transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { eraseEvents } from '../events/erase.ts';
import { record } from '../events/record.ts';
import { eraseGrants } from '../reconcile/erase.ts';
import { deleteJobs } from '../reconcile/jobs.ts';
import { deleteTenantRow, tenantForUpdate } from '../tenants/tenants.ts';

/**
 * Removes a tenant with everything that belongs to it, its events too. That it was there, and who removed it,
 * stays among the events of the service itself (tenant: the nil UUID).
 */
export async function deleteTenant(
  context: Context,
  actor: Actor,
  { tenantId }: { tenantId: string },
): Promise<void> {
  const occasion = { tenantId: NIL, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, 'operator', async (trx) => {
    await sendBy(trx)([deleteJobs(tenantId)]);
    await runIn(trx, lockTenantExclusive(tenantId));
    const before = await tenantForUpdate(trx, tenantId);
    if (before === undefined) throw notFound('Tenant');
    await eraseGrants(trx, tenantId);
    await deleteTenantRow(trx, tenantId);
    await eraseEvents(trx, tenantId);
    await record(trx, occasion, [
      { type: 'tenant.deleted', resourceType: 'Tenant', resourceId: tenantId, before },
    ]);
  });
}
