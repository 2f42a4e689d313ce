import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { BUILT_IN_ROLES, deleteRoleRow } from '../reconcile/roles.ts';
import { requireUnused, usesOfRole } from '../reconcile/uses.ts';

export interface DeleteRole {
  readonly tenantId: string;
  /** In any case. */
  readonly name: string;
}

/** @throws AppError `conflict`: `built_in_role`, which stays; `in_use`. */
export async function deleteRole(
  context: Context,
  actor: Actor,
  { tenantId, name }: DeleteRole,
): Promise<void> {
  const kept = name.toUpperCase();
  if (BUILT_IN_ROLES.some((role) => role.name === kept)) {
    throw new AppError('conflict', `The role "${kept}" is built in and cannot be deleted`, {
      reason: 'built_in_role',
    });
  }
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
    const before = await deleteRoleRow(trx, tenantId, kept);
    if (before === undefined) throw notFound('Role');
    requireUnused(`The role "${kept}"`, await usesOfRole(trx, tenantId, { role: kept, now: occasion.at }));
    await record(trx, occasion, [{ type: 'role.deleted', resourceType: 'Role', resourceId: null, before }]);
  });
}
