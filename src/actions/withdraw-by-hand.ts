import type { Actor, Context } from '../context.ts';
import { AppError } from '../errors.ts';
import { isUnmanaged } from '../reconcile/grants.ts';
import { editGrants, type Found, type GrantRequest, managedElsewhere } from './grants-by-hand.ts';

/**
 * Ends what a user holds of a team, a permission or the tenant by hand, by invitation or by the domain of their
 * e-mail address; where there is nothing to end, nothing is written.
 * @throws AppError `conflict`: `managed_team`, `managed_permission`, `managed_owner`; `last_owner`.
 */
export async function withdrawByHand(context: Context, actor: Actor, request: GrantRequest): Promise<void> {
  await editGrants(context, actor, request, async (trx, found) => {
    if (found.synced && found.grants.some(({ managed }) => managed)) {
      throw await managedElsewhere(trx, request, found);
    }
    if (request.target.kind === 'owner') requireAnotherOwner(found);
    return found.grants.flatMap(({ origin }) =>
      isUnmanaged(origin) ? [{ ...found.place, origin, role: null, held: false }] : [],
    );
  });
}

function requireAnotherOwner({ grants: [first], otherOwner }: Found): void {
  if (first === undefined || first.suspended || otherOwner) return;
  throw new AppError('conflict', 'The user is the last owner of the tenant', {
    reason: 'last_owner',
    hint: 'Make another user owner first.',
  });
}
