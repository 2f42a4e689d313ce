import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { deletePermissionRow, permissionByName } from '../reconcile/permissions.ts';
import { requireUnused, usesOfPermission } from '../reconcile/uses.ts';

export interface WithdrawPermission {
  readonly tenantId: string;
  /** In any case. */
  readonly name: string;
}

/**
 * Removes a permission that nothing gives and nobody holds.
 * @throws AppError `conflict` (`in_use`).
 */
export async function withdrawPermission(
  context: Context,
  actor: Actor,
  { tenantId, name }: WithdrawPermission,
): Promise<void> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
    const before = await permissionByName(trx, tenantId, name.toUpperCase());
    if (before === undefined) throw notFound('Permission');
    requireUnused(`The permission "${before.name}"`, await usesOfPermission(trx, tenantId, before));
    await deletePermissionRow(trx, tenantId, before.id);
    await record(trx, occasion, [
      { type: 'permission.withdrawn', resourceType: 'Permission', resourceId: before.id, before },
    ]);
  });
}
