import type { Context, ScimActor } from '../context.ts';
import { lockGroups, lockTenantShared } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { deleteGroups as deleteGroupsStep } from '../directory/group-delete.ts';
import { isUuid } from '../directory/uuid.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { inTurns, type Outcome } from './outcome.ts';
import { type ResourceRequest, requireScimWrites, stamp, told, versionMoved } from './scim-writes.ts';

/** Deletes groups; their members stay users (RFC 7644 section 3.6). */
export async function deleteGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly ResourceRequest[],
): Promise<Outcome<null>[]> {
  requireScimWrites(actor);
  return inTurns(requests, async (turn) => {
    const named = turn.filter((request) => isUuid(request.id));
    const [, , found] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      lockGroups(
        actor.tenantId,
        named.map((request) => request.id),
      ),
      deleteGroupsStep(
        viewerOf(actor),
        stamp(context, actor),
        named.map((request) => ({ id: request.id, versions: request.ifMatch, ...told(request) })),
      ),
    ]);
    const rows = new Map(found.map((row) => [row.id, row]));
    return turn.map((request) => {
      const row = rows.get(request.id);
      if (!row) return { refusal: notFound('Group') };
      return row.deleted ? { value: null } : { refusal: versionMoved() };
    });
  });
}
