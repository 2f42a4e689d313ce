import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockOwners, lockTenantShared, lockUsers } from '../db/locks.ts';
import type { Tables } from '../db/tables.ts';
import { runIn, sendBy, transaction } from '../db/transaction.ts';
import { userByHand } from '../directory/users-by-hand.ts';
import { AppError, notFound } from '../errors.ts';
import { reconcileLocked } from '../reconcile/reconcile.ts';
import {
  type Acceptance,
  type Invitation,
  invitationById,
  acceptInvitation as writeEnd,
} from '../tenants/invitations.ts';
import { acceptanceTold, grantEdits } from './other-ways.ts';
import { notPending } from './revoke-invitation.ts';

export interface AcceptInvitation extends Acceptance {
  readonly tenantId: string;
}

/**
 * Gives a user what a pending invitation has for them: for a product that has its own flow, and has made sure that the
 * user is who was invited. The same user again changes nothing.
 * @throws AppError `conflict`: `not_pending`, `managed_user`, `inactive_user`; `invalid_request` (`unknown_user`).
 */
export async function acceptInvitation(
  context: Context,
  actor: Actor,
  { tenantId, invitationId, userId }: AcceptInvitation,
): Promise<Invitation> {
  const at = context.now();
  const occasion = { tenantId, actor, at, changeId: uuid() };
  return transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantShared(tenantId));
    await runIn(trx, lockUsers(tenantId, [userId]));
    const [accepted] = await runIn(trx, writeEnd(tenantId, { invitationId, userId }, at));
    const [invitation] = await runIn(trx, invitationById(tenantId, invitationId, at));
    if (invitation === undefined) throw notFound('Invitation');
    if (accepted === undefined) {
      if (invitation.state === 'accepted' && invitation.userId === userId) return invitation;
      throw notPending(invitation);
    }
    await requireInvitable(trx, tenantId, userId);
    const edits = grantEdits(userId, 'invitation', invitation.grants);
    const now = { at, actor: actorJson(actor) };
    const told = { changeId: occasion.changeId, requestId: actor.requestId };
    await sendBy(trx)([
      lockOwners(tenantId),
      reconcileLocked(tenantId, now, told, { users: 1, edits }),
      acceptanceTold(occasion, { invitationId, userId }),
    ]);
    return invitation;
  });
}

async function requireInvitable(trx: Transaction<Tables>, tenantId: string, userId: string): Promise<void> {
  const user = await userByHand(trx, tenantId, userId);
  if (user === undefined) {
    throw new AppError('invalid_request', '/userId: the tenant has no such user', {
      reason: 'unknown_user',
      pointer: '/userId',
      hint: 'Create the user first.',
    });
  }
  if (user.directory !== null) {
    throw new AppError('conflict', `/userId: the directory "${user.directory}" manages this user`, {
      reason: 'managed_user',
      pointer: '/userId',
      hint: 'Their groups say what they hold: change these, or the group mapping.',
    });
  }
  if (user.active === true) return;
  throw new AppError('conflict', '/userId: the user is not active', {
    reason: 'inactive_user',
    pointer: '/userId',
    hint: 'Activate the user first.',
  });
}
