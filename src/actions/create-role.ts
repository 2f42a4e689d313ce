import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  BUILT_IN_ROLES,
  countCustomRoles,
  insertRole,
  MAX_CUSTOM_ROLES,
  type Role,
} from '../reconcile/roles.ts';
import { tenantForUpdate } from '../tenants/tenants.ts';

export interface CreateRole {
  readonly tenantId: string;
  /** In any case; in the form of `ROLE_NAME`. */
  readonly name: string;
  /** 1 to `LOWEST_RANK`. */
  readonly rank: number;
  readonly displayName?: string | null;
}

/** @throws AppError `conflict`: `name_taken`, `rank_taken`, `too_many_roles`. */
export async function createRole(
  context: Context,
  actor: Actor,
  { tenantId, name, rank, displayName = null }: CreateRole,
): Promise<Role> {
  const at = context.now();
  const role = { name: name.toUpperCase(), displayName, rank, builtIn: false, createdAt: at };
  const occasion = { tenantId, actor, at, changeId: uuid() };
  if (BUILT_IN_ROLES.some((builtIn) => builtIn.name === role.name)) throw nameTaken(role.name);
  if (BUILT_IN_ROLES.some((builtIn) => builtIn.rank === rank)) throw rankTaken(rank);
  try {
    await transaction(context.db, tenantId, async (trx) => {
      // Holds the tenant's row alone, so that of two who add the last role that there is room for, one is refused.
      if ((await tenantForUpdate(trx, tenantId)) === undefined) throw notFound('Tenant');
      if ((await countCustomRoles(trx, tenantId)) >= MAX_CUSTOM_ROLES) throw tooMany();
      await insertRole(trx, tenantId, role);
      await record(trx, occasion, [
        { type: 'role.created', resourceType: 'Role', resourceId: null, after: role },
      ]);
    });
  } catch (error) {
    if (violates(error, 'role_pkey')) throw nameTaken(role.name);
    if (violates(error, 'role_rank_key')) throw rankTaken(rank);
    throw error;
  }
  return role;
}

function nameTaken(name: string): AppError {
  return new AppError('conflict', `The tenant has a role with the name "${name}" already`, {
    reason: 'name_taken',
    pointer: '/name',
  });
}

/** Of two roles one is always the higher: where the highest of several counts, nothing is left to chance. */
function rankTaken(rank: number): AppError {
  return new AppError('conflict', `The tenant has a role of rank ${rank} already`, {
    reason: 'rank_taken',
    pointer: '/rank',
    hint: 'Choose a rank between those of the roles that it is to stand between.',
  });
}

function tooMany(): AppError {
  return new AppError(
    'conflict',
    `The tenant has ${MAX_CUSTOM_ROLES} roles of its own, the most there can be`,
    {
      reason: 'too_many_roles',
      hint: 'Delete one that is not needed.',
    },
  );
}
