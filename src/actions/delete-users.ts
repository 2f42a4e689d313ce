import type { Context, ScimActor } from '../context.ts';
import { lockGroupsOfUsers, lockTenantShared, lockUsers } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { deleteUsers as deleteUsersStep } from '../directory/user-delete.ts';
import { isUuid } from '../directory/uuid.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { inTurns, type Outcome } from './outcome.ts';
import { type ResourceRequest, requireScimWrites, stamp, told, versionMoved } from './scim-writes.ts';

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
    const named = turn.filter((request) => isUuid(request.id));
    const ids = named.map((request) => request.id);
    const [, , , found] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      lockGroupsOfUsers(actor.tenantId, ids),
      lockUsers(actor.tenantId, ids),
      deleteUsersStep(
        viewerOf(actor),
        stamp(context, actor),
        named.map((request) => ({ id: request.id, versions: request.ifMatch, ...told(request) })),
      ),
    ]);
    const rows = new Map(found.map((row) => [row.id, row]));
    return turn.map((request) => {
      const row = rows.get(request.id);
      if (!row) return { refusal: notFound('User') };
      return row.deleted ? { value: null } : { refusal: versionMoved() };
    });
  });
}
