import type { Context, ScimActor } from '../context.ts';
import { lockGroups, lockMembersOfMapped, lockTenantShared } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { deleteGroups as deleteGroupsStep } from '../directory/group-delete.ts';
import { viewerOf } from '../directory/viewer.ts';
import { inTurns, type Outcome } from './outcome.ts';
import {
  deletionOutcomes,
  deletions,
  type ResourceRequest,
  reconciliation,
  requireScimWrites,
  stamp,
} from './scim-writes.ts';

/** Deletes groups; their members stay users, without what the groups gave them (RFC 7644 section 3.6). */
export async function deleteGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly ResourceRequest[],
): Promise<Outcome<null>[]> {
  requireScimWrites(actor);
  return inTurns(requests, async (turn) => {
    const groups = deletions(turn);
    const ids = groups.map((group) => group.id);
    const now = stamp(context, actor);
    const [, , , found] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      lockGroups(actor.tenantId, ids),
      lockMembersOfMapped(actor.tenantId, ids),
      deleteGroupsStep(viewerOf(actor), now, groups),
      ...reconciliation(actor, now, groups, { users: Number.POSITIVE_INFINITY }),
    ]);
    return deletionOutcomes(turn, found, 'Group');
  });
}
