import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import {
  type Conflict,
  conflictById,
  resolveConflict as writeResolution,
} from '../directory/conflict-inbox.ts';
import { AppError, notFound } from '../errors.ts';

export interface ResolveConflict {
  readonly tenantId: string;
  readonly conflictId: string;
  /** `link`: the subject signs in as the user whom it met; `reject`: it does not sign in at all. */
  readonly action: 'link' | 'reject';
}

/**
 * Decides on a sign-in that could not be linked; the same again changes nothing, and what was rejected may still be linked.
 * @throws AppError `conflict`: `already_linked`.
 */
export async function resolveConflict(
  context: Context,
  actor: Actor,
  { tenantId, conflictId, action }: ResolveConflict,
): Promise<Conflict> {
  const now = { at: context.now(), actor: actorJson(actor) };
  const state = action === 'link' ? 'linked' : 'rejected';
  const resolution = { id: conflictId, state, changeId: uuid(), requestId: actor.requestId } as const;
  try {
    return await transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantShared(tenantId));
      const [before] = await runIn(trx, conflictById(tenantId, conflictId));
      if (before === undefined) throw notFound('Conflict');
      await runIn(trx, lockUsers(tenantId, [before.user.id]));
      await runIn(trx, writeResolution(tenantId, now, resolution));
      const [after] = await runIn(trx, conflictById(tenantId, conflictId));
      if (after === undefined) throw notFound('Conflict');
      // It was linked before, by this conflict or otherwise, and is to be rejected.
      if (after.state !== state) throw alreadyLinked('The subject is linked to a user by now');
      return after;
    });
  } catch (error) {
    if (violates(error, 'identity_link_pkey')) throw alreadyLinked('The subject is linked to another user');
    if (violates(error, 'identity_link_user_key')) {
      throw alreadyLinked('The user is linked to another subject of this identity provider');
    }
    throw error;
  }
}

function alreadyLinked(detail: string): AppError {
  return new AppError('conflict', detail, {
    reason: 'already_linked',
    hint: 'End that link first, by the user whose identity it is.',
  });
}
