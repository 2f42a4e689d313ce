import { type RawBuilder, sql } from 'kysely';
import { NIL } from 'uuid';
import type { ScimActor } from '../context.ts';

/**
 * Whose eyes a query looks through: a directory's key sees its own directory's users and groups and, while the
 * tenant adopts, users that no directory manages. Everything else answers like what doesn't exist.
 */
export interface Viewer {
  readonly tenantId: string;
  readonly directoryId: string;
  readonly seesUnmanaged: boolean;
}

/** The viewer that a SCIM client is. */
export function viewerOf(actor: ScimActor): Viewer {
  return {
    tenantId: actor.tenantId,
    directoryId: actor.directoryId,
    seesUnmanaged: actor.settings.adoptUnmanaged,
  };
}

/** The viewer that an admin is who writes users by hand: of no directory, it sees whom none manages. */
export function viewerByHand(tenantId: string): Viewer {
  return { tenantId, directoryId: NIL, seesUnmanaged: true };
}

/** The rows of `scim_user u` that the viewer may see. */
export function visibleUsers({ tenantId, directoryId, seesUnmanaged }: Viewer): RawBuilder<boolean> {
  return seesUnmanaged
    ? sql`u.tenant_id = ${tenantId} and (u.directory_id = ${directoryId} or u.directory_id is null)`
    : sql`u.tenant_id = ${tenantId} and u.directory_id = ${directoryId}`;
}

/** The rows of `scim_group g` that the viewer may see. */
export function visibleGroups({ tenantId, directoryId }: Viewer): RawBuilder<boolean> {
  return sql`g.tenant_id = ${tenantId} and g.directory_id = ${directoryId}`;
}

/** The same as the first three values of a statement: tenant, directory, whether unmanaged users are seen. */
export function seenBy({ tenantId, directoryId, seesUnmanaged }: Viewer): [string, string, boolean] {
  return [tenantId, directoryId, seesUnmanaged];
}
