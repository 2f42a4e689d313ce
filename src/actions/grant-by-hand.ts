import type { Transaction } from 'kysely';
import type { Actor, Context } from '../context.ts';
import type { Tables } from '../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Held } from '../reconcile/by-hand.ts';
import { MANUAL } from '../reconcile/grants.ts';
import { rolesOf } from '../reconcile/roles.ts';
import { editGrants, type GrantRequest, managedElsewhere } from './grants-by-hand.ts';

export interface GrantByHand extends GrantRequest {
  /** In any case; null for rights without roles. */
  readonly role: string | null;
}

/**
 * Lets a user hold a team, a permission or the tenant by hand; the same again writes nothing. Of a user who is not
 * active the grant is kept, suspended. Answers what the user holds of it then, which another origin may decide.
 * @throws AppError `invalid_request` (an unknown role); `conflict`: `managed_team`, `managed_permission`,
 * `managed_owner`.
 */
export async function grantByHand(context: Context, actor: Actor, request: GrantByHand): Promise<Held> {
  const role = request.role?.toUpperCase() ?? null;
  const [first] = await editGrants(context, actor, request, async (trx, found) => {
    if (role !== null) await requireRole(trx, request.tenantId, role);
    if (found.synced && found.governed) throw await managedElsewhere(trx, request, found);
    return [{ ...found.place, origin: MANUAL, role, held: true }];
  });
  return first as Held;
}

async function requireRole(trx: Transaction<Tables>, tenantId: string, name: string): Promise<void> {
  const roles = await rolesOf(trx, tenantId);
  if (roles.some((role) => role.name === name)) return;
  throw new AppError('invalid_request', `/role: the tenant has no role "${name}"`, {
    reason: 'unknown_role',
    pointer: '/role',
    hint: `Possible: ${roles.map((role) => role.name).join(', ')}.`,
  });
}
