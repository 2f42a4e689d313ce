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
  requireScimWrites,
  stamp,
} from './scim-writes.ts';

/**
 * Deletes users: gone for every operation, the name free again (RFC 7644 section 3.6). Their memberships end in
 * the same transaction; the event holds the last state.
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
    const [, , , , found] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      requireSchemaVersion(actor),
      lockGroupsOfUsers(actor.tenantId, ids),
      lockUsers(actor.tenantId, ids),
      deleteUsersStep(viewerOf(actor), stamp(context, actor), users, hiddenOf(actor.types.User)),
    ]);
    return deletionOutcomes(turn, found, 'User');
  });
}
