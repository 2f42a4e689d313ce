import { CompiledQuery, type Transaction } from 'kysely';
import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import type { Tables } from '../db/tables.ts';

/**
 * What a directory leaves behind when it is deleted. Each writer wants the tenant's exclusive lock, and tells each
 * user and each group of it, so that the feed of one person shows how they lost access.
 */

/** The directory that is deleted, and what its events say of when, by whom and in which change. */
export interface Departure extends Stamp, Told {
  readonly tenantId: string;
  readonly directoryId: string;
}

/** `$1` tenant, `$2` directory, `$3` time, `$4` actor, `$5` change, `$6` request. */
function valuesOf({ tenantId, directoryId, at, actor, changeId, requestId }: Departure): unknown[] {
  return [tenantId, directoryId, at, actor, changeId, requestId];
}

const TELL = insertEvents('told', { at: '$3', actor: '$4' });

const DELETE_GROUPS = `with gone as (
     delete from scim_group where tenant_id = $1 and directory_id = $2 returning id, body
   ), members as (
     delete from group_member m using gone where m.tenant_id = $1 and m.group_id = gone.id
   ), told as (
     select 'group.deleted' as type, 'Group' as resource_type, id as resource_id, null::jsonb as reason,
            body::jsonb as before, null::jsonb as after, $5::uuid as change_id, $6::text as request_id
     from gone
   ) ${TELL}`;

/** Deletes the groups of a directory with their members, who stay users. */
export async function deleteGroupsOfDirectory(trx: Transaction<Tables>, departure: Departure): Promise<void> {
  await trx.executeQuery(CompiledQuery.raw(DELETE_GROUPS, valuesOf(departure)));
}

const DEACTIVATE_USERS = `with deactivated as (
     update scim_user set active = false, version = version + 1, updated_at = greatest(updated_at, $3)
     where tenant_id = $1 and directory_id = $2 and active
     returning id
   ), told as (
     select 'user.deactivated' as type, 'User' as resource_type, id as resource_id, null::jsonb as reason,
            '{"active": true}'::jsonb as before, '{"active": false}'::jsonb as after,
            $5::uuid as change_id, $6::text as request_id
     from deactivated order by id
   ) ${TELL}`;

/** Deactivates the active users of a directory, and answers how many. */
export async function deactivateUsersOfDirectory(
  trx: Transaction<Tables>,
  departure: Departure,
): Promise<number> {
  // Each of them is told by one event.
  const { numAffectedRows } = await trx.executeQuery(
    CompiledQuery.raw(DEACTIVATE_USERS, valuesOf(departure)),
  );
  return Number(numAffectedRows ?? 0);
}

const RELEASE_USERS = `with released as (
     update scim_user set directory_id = null where tenant_id = $1 and directory_id = $2 returning id
   ), told as (
     select 'user.released' as type, 'User' as resource_type, id as resource_id, null::jsonb as reason,
            jsonb_build_object('directory', $2::uuid) as before, null::jsonb as after,
            $5::uuid as change_id, $6::text as request_id
     from released order by id
   ) ${TELL}`;

/** Makes the users of a directory unmanaged, and changes nothing else of them. */
export async function releaseUsersOfDirectory(trx: Transaction<Tables>, departure: Departure): Promise<void> {
  await trx.executeQuery(CompiledQuery.raw(RELEASE_USERS, valuesOf(departure)));
}
