import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  countPermissions,
  insertPermission,
  MAX_PERMISSIONS,
  type Permission,
} from '../reconcile/permissions.ts';
import { tenantForUpdate } from '../tenants/tenants.ts';

export interface RegisterPermission {
  readonly tenantId: string;
  /** In any case; in the form of `PERMISSION_NAME`. */
  readonly name: string;
  readonly description?: string | null;
}

/**
 * Makes a permission known, so that the group mapping and admins can give it.
 * @throws AppError `conflict`: `name_taken`, `too_many_permissions`.
 */
export async function registerPermission(
  context: Context,
  actor: Actor,
  { tenantId, name, description = null }: RegisterPermission,
): Promise<Permission> {
  const at = context.now();
  const permission: Permission = { id: uuid(), name: name.toUpperCase(), description, createdAt: at };
  try {
    await transaction(context.db, tenantId, async (trx) => {
      // Holds the tenant's row alone, so that of two who register the last one there is room for, one is refused.
      if ((await tenantForUpdate(trx, tenantId)) === undefined) throw notFound('Tenant');
      if ((await countPermissions(trx, tenantId)) >= MAX_PERMISSIONS) throw tooMany();
      await insertPermission(trx, tenantId, permission);
      await record(trx, { tenantId, actor, at, changeId: uuid() }, [
        {
          type: 'permission.registered',
          resourceType: 'Permission',
          resourceId: permission.id,
          after: permission,
        },
      ]);
    });
  } catch (error) {
    throw violates(error, 'permission_name_key') ? nameTaken(permission) : error;
  }
  return permission;
}

function nameTaken({ name }: Permission): AppError {
  return new AppError('conflict', `The tenant has a permission with the name "${name}" already`, {
    reason: 'name_taken',
    pointer: '/name',
  });
}

function tooMany(): AppError {
  return new AppError('conflict', `The tenant has ${MAX_PERMISSIONS} permissions, the most there can be`, {
    reason: 'too_many_permissions',
    hint: 'Withdraw one that is not needed.',
  });
}
