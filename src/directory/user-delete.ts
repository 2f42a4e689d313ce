import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { found, placeOf } from '../db/found.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Hidden } from '../scim/conceal.ts';
import { BURIED } from './tombstones.ts';
import { seenBy, type Viewer } from './viewer.ts';

export interface DeletedUser extends Told {
  readonly id: string;
  /** The versions that may be deleted; undefined: any. */
  readonly versions: readonly number[] | undefined;
}

const deleteUsersStatement = statement<{ id: string; deleted: boolean }>(
  'delete_users',
  `with incoming as (
     select * from unnest($6::uuid[], $7::text[], $8::uuid[], $9::text[]) as i (id, versions, change_id, request_id)
   ), found as (
     select i.*, u.version, u.active, u.body
     from incoming i cross join lateral (${found('scim_user', 'id', 'i.id')}) as u
     where (u.directory_id = $2 or (u.directory_id is null and $3::boolean))
   ), target as (
     select * from found where versions is null or version = any (string_to_array(versions, ',')::bigint[])
   ), ${BURIED}, removed as (
     delete from group_member m using target t
     where m.tenant_id = $1 and m.user_id = t.id
     returning m.group_id, m.user_id
   ), touched as (
     update scim_group g set version = g.version + r.users, updated_at = greatest(g.updated_at, $4)
     -- By id: the user may have joined one since the groups were locked, and its row may move meanwhile.
     from (select group_id, count(*) as users from removed group by group_id) as r
     where g.tenant_id = $1 and g.id = r.group_id
   ), deleted as (
     delete from scim_user u using target t cross join lateral (${placeOf('scim_user', 't.id')}) as p
     where u.tenant_id = $1 and u.ctid = p.place returning u.id
   ), told as (
     select 'user.deleted' as type, 'User' as resource_type, d.id as resource_id, null::jsonb as reason,
            last.told || jsonb_strip_nulls(jsonb_build_object('active', t.active)) as before, null::jsonb as after,
            t.change_id, t.request_id
     from deleted d join target t using (id),
          lateral (select jsonb_object_agg(key, case when hidden is null then value else value - hidden end) as told
                   from jsonb_each(t.body::jsonb)
                   left join (select urn as key, array_agg(name) as hidden
                              from unnest($10::text[], $11::text[]) as h (urn, name) group by urn) as h
                     using (key)) as last
     union all
     select 'group.members_removed', 'Group', r.group_id, null,
            jsonb_build_object('members', jsonb_build_array(r.user_id)), null, t.change_id, t.request_id
     from removed r join target t on t.id = r.user_id
   ), recorded as (
     ${insertEvents('told', { at: '$4', actor: '$5' })}
   )
   select f.id, d.id is not null as deleted from found f left join deleted d using (id)`,
);

/**
 * Deletes users and ends their memberships; tombstones keep them from coming back by signing in. The groups that lose members get a new version for each. Answers a row
 * for each user that the viewer may see: `deleted` is false where it had another version. The event holds the last
 * state without what is `hidden`.
 */
export function deleteUsers(
  viewer: Viewer,
  { at, actor }: Stamp,
  users: readonly DeletedUser[],
  hidden: readonly Hidden[],
): Step<{ id: string; deleted: boolean }> {
  return step(deleteUsersStatement, [
    ...seenBy(viewer),
    at,
    actor,
    users.map((user) => user.id),
    users.map((user) => user.versions?.join() ?? null),
    users.map((user) => user.changeId),
    users.map((user) => user.requestId),
    hidden.flatMap(({ urn, names }) => names.map(() => urn)),
    hidden.flatMap(({ names }) => names),
  ]);
}
