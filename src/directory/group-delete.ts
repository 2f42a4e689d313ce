import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { found, placeOf } from '../db/found.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Viewer } from './viewer.ts';

export interface DeletedGroup extends Told {
  readonly id: string;
  /** The versions that may be deleted; undefined: any. */
  readonly versions: readonly number[] | undefined;
}

const deleteGroupsStatement = statement<{ id: string; deleted: boolean }>(
  'delete_groups',
  `with incoming as (
     select * from unnest($5::uuid[], $6::text[], $7::uuid[], $8::text[]) as i (id, versions, change_id, request_id)
   ), found as (
     select i.*, g.version, g.body from incoming i cross join lateral (${found('scim_group', 'id', 'i.id')}) as g
     where g.directory_id = $2
   ), deleted as (
     delete from scim_group g using found f cross join lateral (${placeOf('scim_group', 'f.id')}) as p
     where g.tenant_id = $1 and g.ctid = p.place and (f.versions is null or g.version = any (string_to_array(f.versions, ',')::bigint[]))
     returning g.id
   ), told as (
     select 'group.deleted' as type, 'Group' as resource_type, id as resource_id, null::jsonb as reason,
            f.body::jsonb as before,
            null::jsonb as after, f.change_id, f.request_id
     from deleted join found f using (id)
   ), recorded as (
     ${insertEvents('told', { at: '$3', actor: '$4' })}
   )
   select f.id, d.id is not null as deleted from found f left join deleted d using (id)`,
);

/** Deletes groups and, by cascade, their memberships; `deleted` is false where it had another version. */
export function deleteGroups(
  { tenantId, directoryId }: Viewer,
  { at, actor }: Stamp,
  groups: readonly DeletedGroup[],
): Step<{ id: string; deleted: boolean }> {
  return step(deleteGroupsStatement, [
    tenantId,
    directoryId,
    at,
    actor,
    groups.map((group) => group.id),
    groups.map((group) => group.versions?.join() ?? null),
    groups.map((group) => group.changeId),
    groups.map((group) => group.requestId),
  ]);
}
