import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockGroupsOfUsers, lockTenantShared, lockUsers } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { deleteUsers } from '../directory/user-delete.ts';
import { userByHand } from '../directory/users-by-hand.ts';
import { viewerByHand } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { hiddenOf } from '../scim/conceal.ts';
import { reconciliation } from './scim-writes.ts';
import { requireUnmanaged, typesOf } from './users-by-hand.ts';

export interface RemoveUser {
  readonly tenantId: string;
  readonly userId: string;
}

/**
 * Deletes a user whom no directory manages, with all that they held; the event has the last state.
 * @throws AppError `conflict` (`managed_user`).
 */
export async function removeUser(
  context: Context,
  actor: Actor,
  { tenantId, userId }: RemoveUser,
): Promise<void> {
  const now = { at: context.now(), actor: actorJson(actor) };
  const told = { changeId: uuid(), requestId: actor.requestId };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantShared(tenantId));
    await runIn(trx, lockGroupsOfUsers(tenantId, [userId]));
    await runIn(trx, lockUsers(tenantId, [userId]));
    const user = await userByHand(trx, tenantId, userId);
    if (user === undefined) throw notFound('User');
    requireUnmanaged(user);
    const { User } = await typesOf(trx, tenantId);
    const deleted = { id: userId, versions: undefined, ...told };
    await runIn(trx, deleteUsers(viewerByHand(tenantId), now, [deleted], hiddenOf(User)));
    for (const each of reconciliation({ tenantId }, now, [told])) await runIn(trx, each);
  });
}
