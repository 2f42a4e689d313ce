import type { Context, ScimActor } from '../context.ts';
import { lockGroups, lockTenantShared } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { deleteGroups as deleteGroupsStep } from '../directory/group-delete.ts';
import { viewerOf } from '../directory/viewer.ts';
import { inTurns, type Outcome } from './outcome.ts';
import {
  deletionOutcomes,
  deletions,
  type ResourceRequest,
  requireScimWrites,
  stamp,
} from './scim-writes.ts';

/** Deletes groups; their members stay users (RFC 7644 section 3.6). */
export async function deleteGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly ResourceRequest[],
): Promise<Outcome<null>[]> {
  requireScimWrites(actor);
  return inTurns(requests, async (turn) => {
    const groups = deletions(turn);
    const [, , found] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      lockGroups(
        actor.tenantId,
        groups.map((group) => group.id),
      ),
      deleteGroupsStep(viewerOf(actor), stamp(context, actor), groups),
    ]);
    return deletionOutcomes(turn, found, 'Group');
  });
}
