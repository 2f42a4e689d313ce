import { IDS_PER_EVENT, insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { found, isThere, placeOf, placesWhere } from '../db/found.ts';
import { JOINING, LEAVING } from '../db/noted.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { GroupColumns } from './groups.ts';
import { seenBy, type Viewer } from './viewer.ts';

/**
 * Group writes. Members are row differences computed by the database: a write looks up the members that it adds
 * and touches those that come or go, never the others. Ids travel as comma-joined text, the fastest form.
 */

// No CTE is joined to another that may be as long: without statistics on CTEs the planner takes nested loops, and
// 100,000 × 100,000 rows never end.

/** By what rows are told apart: there is one change of each group, or several that have no member in common. */
type Key = 'group_id' | 'change_id';

/** What the directory may do with each pair of the CTE `missing`: `seen` pairs can be added, others name nobody. */
const candidates = (key: Key) => `candidate as (
     select w.*, u.id is not null as seen, u.directory_id is null as unmanaged
     from missing w left join lateral (${found('scim_user', 'id', 'w.user_id')}) as u
       on u.directory_id = $2 or (u.directory_id is null and $3::boolean)
   ), unknown as (
     select ${key}, min(user_id::text) as user_id from candidate where not seen group by ${key}
   )`;

/** Being added to a directory's group is a write to the user: it adopts the user that nobody managed. */
const adopted = (written: string, key: Key = 'group_id') => `adopted as (
     update scim_user u set directory_id = $2
     from (select c.${key}, place from candidate c cross join lateral (${placeOf('scim_user', 'c.user_id')}) as p
           where c.seen and c.unmanaged and c.${key} in (select ${key} from ${written})) as c
     where u.tenant_id = $1 and u.ctid = c.place and u.directory_id is null
     returning u.id, c.${key}
   )`;

/** Rows for `insertEvents`: the users of `source`, as `after` or `before`, at most `IDS_PER_EVENT` a row. */
function memberEvents(type: string, source: string, side: 'before' | 'after', key: Key = 'group_id'): string {
  const members = `jsonb_build_object('members', members)`;
  return `select '${type}' as type, 'Group' as resource_type, group_id as resource_id, null::jsonb as reason,
            ${side === 'before' ? members : 'null::jsonb'} as before,
            ${side === 'after' ? members : 'null::jsonb'} as after, change_id, request_id
     from (select ${key}, jsonb_agg(user_id order by user_id) as members
           from (select ${key}, user_id, (row_number() over (partition by ${key} order by user_id) - 1)
                                         / ${IDS_PER_EVENT} as chunk from ${source}) as numbered
           group by ${key}, chunk) as chunks
     join asked using (${key})`;
}

/** Which change and request each group's events belong to: without the lists of ids, which are megabytes long. */
const ASKED = `asked as materialized (select group_id, change_id, request_id from incoming)`;

const adoptionEvents = (
  key: Key = 'group_id',
) => `select 'user.adopted', 'User', a.id, null::jsonb, null::jsonb,
            jsonb_build_object('directory', $2::uuid), change_id, request_id
     from adopted a join asked using (${key})`;

export interface NewGroup extends GroupColumns, Told {
  readonly id: string;
  readonly members: readonly string[];
  /** JSON of the resource without members, for the event. */
  readonly after: string;
}

/** What became of each new group: created, or why not. */
export interface CreatedGroup {
  readonly id: string;
  readonly created: boolean;
  /** A member that is no user of this directory. */
  readonly unknown_member: string | null;
}

const insertGroupsStatement = statement<CreatedGroup>(
  'insert_groups',
  `with incoming as (
     select * from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                          $13::text[], $14::uuid[], $15::text[]) with ordinality
       as i (group_id, display_name, display_name_folded, external_id, body, search, members,
             after, change_id, request_id, place)
   ), ${ASKED}, missing as (
     select distinct i.group_id, m::uuid as user_id from incoming i, unnest(string_to_array(i.members, ',')) as m
   ), ${candidates('group_id')}, created as (
     insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, external_id, version,
                             created_at, updated_at, body, search)
     select $1, group_id, $2, display_name, display_name_folded, external_id, 1, $4, $4, body, search::jsonb
     from incoming i where not exists (select from unknown x where x.group_id = i.group_id)
     order by display_name_folded, place
     on conflict (tenant_id, directory_id, display_name_folded) do nothing
     returning id as group_id
   ), joined as (
     insert into group_member (tenant_id, group_id, user_id)
     select $1, group_id, user_id from candidate where seen and group_id in (select group_id from created)
     returning group_id, user_id
   ), ${adopted('created')}, told as (
     select 'group.created' as type, 'Group' as resource_type, i.group_id as resource_id, null::jsonb as reason,
            null::jsonb as before,
            i.after::jsonb as after, i.change_id, i.request_id
     from incoming i join created c using (group_id)
     union all ${memberEvents('group.members_added', 'joined', 'after')}
     union all ${adoptionEvents()}
   ), recorded as (
     ${insertEvents('told', { at: '$4', actor: '$5' })}
   )
   select i.group_id as id, c.group_id is not null as created, x.user_id as unknown_member
   from incoming i left join created c using (group_id) left join unknown x using (group_id)`,
);

/** Creates groups with their members, version 1: each whole, or not at all. */
export function insertGroups(
  viewer: Viewer,
  { at, actor }: Stamp,
  groups: readonly NewGroup[],
): Step<CreatedGroup> {
  return step(insertGroupsStatement, [
    ...seenBy(viewer),
    at,
    actor,
    groups.map((group) => group.id),
    groups.map((group) => group.displayName),
    groups.map((group) => group.displayNameFolded),
    groups.map((group) => group.externalId),
    groups.map((group) => group.body),
    groups.map((group) => group.search),
    groups.map((group) => group.members.join()),
    groups.map((group) => group.after),
    groups.map((group) => group.changeId),
    groups.map((group) => group.requestId),
  ]);
}

export interface ChangedGroup extends Told {
  readonly id: string;
  /** The version that the change was computed from; null: the change holds on any. */
  readonly version: number | null;
  /** New attributes; null: they stay. */
  readonly attributes: (GroupColumns & { readonly before: string; readonly after: string }) | null;
}

/** What became of each change. */
export interface WrittenGroup {
  readonly id: string;
  /** The group is there for this viewer; false: it is not, whatever the version. */
  readonly found: boolean;
  /** The group was at the version that the change was computed from. */
  readonly current: boolean;
  readonly unknown_member: string | null;
}

const updateGroupsStatement = statement<WrittenGroup>(
  'update_groups',
  `with incoming as (
     select * from unnest($6::uuid[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                          $13::text[], $14::text[], $15::uuid[], $16::text[])
       as i (group_id, guard, display_name, display_name_folded, external_id, body, search,
             before, after, change_id, request_id)
   ), ${ASKED}, found as (
     select i.*, i.guard is null or i.guard = g.version as current
     from incoming i cross join lateral (${found('scim_group', 'id', 'i.group_id')}) as g
     where g.directory_id = $2
   ), missing as (
     select * from (${JOINING}) as j where group_id in (select group_id from found where current)
   ), ${candidates('group_id')}, sound as (
     select f.* from found f
     where f.current and not exists (select from unknown x where x.group_id = f.group_id)
   ), departed as (
     delete from group_member m using (
       select place from (${LEAVING}) as l cross join lateral (${placesWhere(
         'group_member',
         'y.group_id = l.group_id and y.user_id = l.user_id',
       )}) as p
       where group_id in (select group_id from sound)) as p
     where m.tenant_id = $1 and m.ctid = p.place
     returning m.group_id, m.user_id
   ), joined as (
     insert into group_member (tenant_id, group_id, user_id)
     select $1, group_id, user_id from candidate where seen and group_id in (select group_id from sound)
     returning group_id, user_id
   ), ${adopted('sound')}, changed as (
     update scim_group g
     set version = g.version + 1, updated_at = greatest(g.updated_at, $4),
         display_name = coalesce(s.display_name, g.display_name),
         display_name_folded = coalesce(s.display_name_folded, g.display_name_folded),
         external_id = case when s.body is null then g.external_id else s.external_id end,
         body = coalesce(s.body, g.body), search = coalesce(s.search::jsonb, g.search)
     from sound s cross join lateral (${placeOf('scim_group', 's.group_id')}) as p
     where g.tenant_id = $1 and g.ctid = p.place
       and (s.body is not null or s.group_id in (select group_id from departed union all select group_id from joined))
     returning g.id
   ), told as (
     select 'group.updated' as type, 'Group' as resource_type, s.group_id as resource_id, null::jsonb as reason,
            s.before::jsonb as before, s.after::jsonb as after, s.change_id, s.request_id
     from sound s where s.body is not null
     union all ${memberEvents('group.members_added', 'joined', 'after')}
     union all ${memberEvents('group.members_removed', 'departed', 'before')}
     union all ${adoptionEvents()}
   ), recorded as (
     ${insertEvents('told', { at: '$4', actor: '$5' })}
   )
   select i.group_id as id, f.group_id is not null as found, coalesce(f.current, false) as current,
          x.user_id as unknown_member
   from incoming i left join found f using (group_id) left join unknown x using (group_id)`,
);

/**
 * Changes groups: attributes, members, or both, who come and go as `lockMembers` has noted it; a change without effect
 * writes nothing. One change a group per call. Breaks `scim_group_display_name_key` when a new `displayName` is taken in the directory.
 */
export function updateGroups(
  viewer: Viewer,
  { at, actor }: Stamp,
  groups: readonly ChangedGroup[],
): Step<WrittenGroup> {
  return step(updateGroupsStatement, [
    ...seenBy(viewer),
    at,
    actor,
    groups.map((group) => group.id),
    groups.map((group) => group.version),
    groups.map((group) => group.attributes?.displayName ?? null),
    groups.map((group) => group.attributes?.displayNameFolded ?? null),
    groups.map((group) => group.attributes?.externalId ?? null),
    groups.map((group) => group.attributes?.body ?? null),
    groups.map((group) => group.attributes?.search ?? null),
    groups.map((group) => group.attributes?.before ?? null),
    groups.map((group) => group.attributes?.after ?? null),
    groups.map((group) => group.changeId),
    groups.map((group) => group.requestId),
  ]);
}

/** A change of members alone, on any version. */
export interface ChangedMembers extends Told {
  /** Of the group. */
  readonly id: string;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** What became of each such change. */
export interface WrittenMembers {
  readonly change_id: string;
  readonly found: boolean;
  /** That of the group behind this change. */
  readonly version: number;
  readonly unknown_member: string | null;
}

const changeMembersStatement = statement<WrittenMembers>(
  'change_members',
  `with incoming as (
     select * from unnest($6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::text[]) with ordinality
       as i (group_id, added, removed, change_id, request_id, place)
   ), ${ASKED}, found as (
     select i.*, g.version from incoming i cross join lateral (${found('scim_group', 'id', 'i.group_id')}) as g
     where g.directory_id = $2
   ), missing as (
     select distinct f.change_id, f.group_id, m::uuid as user_id
     from found f, unnest(string_to_array(f.added, ',')) as m
     where not ${isThere('group_member', 'y.group_id = f.group_id and y.user_id = m::uuid')}
   ), ${candidates('change_id')}, sound as (
     select f.* from found f where not exists (select from unknown x where x.change_id = f.change_id)
   ), departed as (
     -- As an array, so that each is looked up: joined to rows they would be hashed wherever most groups are small, and
     -- all members of a large one read to find one.
     delete from group_member m using sound s
     where m.tenant_id = $1 and m.group_id = s.group_id and m.user_id = any (string_to_array(s.removed, ',')::uuid[])
     returning s.change_id, m.group_id, m.user_id
   ), inserted as (
     insert into group_member (tenant_id, group_id, user_id)
     select $1, group_id, user_id from candidate where seen and change_id in (select change_id from sound)
     returning group_id, user_id
   ), joined as (
     select c.change_id, group_id, user_id from inserted join candidate c using (group_id, user_id)
   ), ${adopted('sound', 'change_id')}, effective as (
     select group_id, change_id from departed union select group_id, change_id from joined
   ), changed as (
     update scim_group g
     set version = g.version + w.changes, updated_at = greatest(g.updated_at, $4)
     from (select group_id, count(*) as changes from effective group by group_id) as w
          cross join lateral (${placeOf('scim_group', 'w.group_id')}) as p
     where g.tenant_id = $1 and g.ctid = p.place
   ), told as (
     select e.* from (
       ${memberEvents('group.members_added', 'joined', 'after', 'change_id')}
       union all ${memberEvents('group.members_removed', 'departed', 'before', 'change_id')}
       union all ${adoptionEvents('change_id')}
     ) as e join incoming using (change_id) order by place, type
   ), recorded as (
     ${insertEvents('told', { at: '$4', actor: '$5' })}
   )
   select i.change_id, f.change_id is not null as found, x.user_id as unknown_member,
          f.version + count(e.change_id) over (partition by i.group_id order by i.place) as version
   from incoming i left join found f using (change_id) left join unknown x using (change_id)
        left join effective e using (change_id)`,
);

/**
 * Changes members of groups, several times of one group: each change has its own outcome, its own events and, where
 * it has an effect, a version of its own; versions and events are in the order of the list. No two changes of a group name the same user. For
 * few users: the changes are joined to them.
 */
export function changeMembers(
  viewer: Viewer,
  { at, actor }: Stamp,
  changes: readonly ChangedMembers[],
): Step<WrittenMembers> {
  return step(changeMembersStatement, [
    ...seenBy(viewer),
    at,
    actor,
    changes.map((change) => change.id),
    changes.map((change) => change.add.join()),
    changes.map((change) => change.remove.join()),
    changes.map((change) => change.changeId),
    changes.map((change) => change.requestId),
  ]);
}
