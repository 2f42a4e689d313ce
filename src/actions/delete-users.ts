import type { Context, ScimActor } from '../context.ts';
import { lockGroupsOfUsers, lockTenantShared, lockUsers } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { deleteUsers as deleteUsersStep } from '../directory/user-delete.ts';
import { viewerOf } from '../directory/viewer.ts';
import { hiddenOf } from '../scim/conceal.ts';
import { requireSchemaVersion } from '../tenants/schema-extensions.ts';
import { inTurns, type Outcome } from './outcome.ts';
import {
  deletionOutcomes,
  deletions,
  type ResourceRequest,
  reconciliation,
  requireScimWrites,
  stamp,
} from './scim-writes.ts';

/**
 * Deletes users: gone for every operation, the name free again (RFC 7644 section 3.6). What they were members of and what
 * they held ends in the same transaction; the event holds the last state.
 */
export async function deleteUsers(
  context: Context,
  actor: ScimActor,
  requests: readonly ResourceRequest[],
): Promise<Outcome<null>[]> {
  requireScimWrites(actor);
  return inTurns(requests, async (turn) => {
    const users = deletions(turn);
    const ids = users.map((user) => user.id);
    const now = stamp(context, actor);
    const [, , , , found] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      requireSchemaVersion(actor),
      lockGroupsOfUsers(actor.tenantId, ids),
      lockUsers(actor.tenantId, ids),
      deleteUsersStep(viewerOf(actor), now, users, hiddenOf(actor.types.User)),
      ...reconciliation(actor, now, users),
    ]);
    return deletionOutcomes(turn, found, 'User');
  });
}
