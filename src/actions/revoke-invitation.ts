import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Invitation, invitationById, revokeInvitation as writeEnd } from '../tenants/invitations.ts';

export interface RevokeInvitation {
  readonly tenantId: string;
  readonly invitationId: string;
}

/** Ends a pending invitation; one that was revoked stays so. @throws AppError `conflict` (`not_pending`). */
export async function revokeInvitation(
  context: Context,
  actor: Actor,
  { tenantId, invitationId: id }: RevokeInvitation,
): Promise<void> {
  const at = context.now();
  await transaction(context.db, tenantId, async (trx) => {
    const [revoked] = await runIn(trx, writeEnd(tenantId, id, at));
    const [invitation] = await runIn(trx, invitationById(tenantId, id, at));
    if (invitation === undefined) throw notFound('Invitation');
    if (revoked === undefined) {
      if (invitation.state !== 'revoked') throw notPending(invitation);
      return;
    }
    await record(trx, { tenantId, actor, at, changeId: uuid() }, [
      { type: 'invitation.revoked', resourceType: 'Invitation', resourceId: id, after: invitation },
    ]);
  });
}

/** The refusal of what wants a pending invitation. */
export function notPending({ state }: Invitation): AppError {
  return new AppError('conflict', `The invitation is ${state}, and no longer pending`, {
    reason: 'not_pending',
    hint: state === 'accepted' ? 'Take away by hand what it gave.' : 'Invite the person again.',
  });
}
