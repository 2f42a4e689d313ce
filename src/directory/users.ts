import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { found, foundByIds } from '../db/found.ts';
import { instantText } from '../db/instant.ts';
import { tenantHeldAtSchema } from '../db/locks.ts';
import { type Parameter, type Step, statement, step } from '../db/statement.ts';
import { LIFTED } from './tombstones.ts';
import type { UserColumns } from './user-columns.ts';
import { seenBy, type Viewer } from './viewer.ts';

/** A user as it is read: the stored text and what is spliced into it. */
export interface UserRow {
  readonly id: string;
  readonly managed: boolean;
  readonly version: number;
  /** Null: it has no value, and the user no access. */
  readonly active: boolean | null;
  /** ISO 8601 in UTC, as `updated_at` is. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly body: string;
  /** `{"value":…,"display":…}` per group, comma-joined; null: none, or not asked for. */
  readonly groups: string | null;
}

const USER_COLUMNS = `u.id, u.directory_id is not null as managed, u.version, u.active,
    ${instantText('u.created_at')} as created_at, ${instantText('u.updated_at')} as updated_at, u.body`;

/** `$1` tenant, `$2` directory, `$3` whether unmanaged users are seen. */
const VISIBLE = `u.tenant_id = $1 and (u.directory_id = $2 or (u.directory_id is null and $3::boolean))`;

/** The groups of `u` in the viewer's directory, as JSON text. */
const GROUPS_OF_USER = `(
    select string_agg(json_build_object('value', g.id, 'display', g.display_name)::text, ',' order by g.id)
    from group_member m cross join lateral (${found('scim_group', 'id', 'm.group_id')}) as g
    where m.tenant_id = u.tenant_id and m.user_id = u.id and g.directory_id = $2)`;

const THOSE_WANTED = `from ${foundByIds('scim_user', '$4', 'u')} where ${VISIBLE}`;

const readUsersStatement = statement<UserRow>(
  'read_users',
  `select ${USER_COLUMNS}, null as groups ${THOSE_WANTED}`,
);

const readUsersWithGroupsStatement = statement<UserRow>(
  'read_users_with_groups',
  `select ${USER_COLUMNS}, ${GROUPS_OF_USER} as groups ${THOSE_WANTED}`,
);

/** The users with these ids that the viewer may see, in no order. */
export function readUsers(
  viewer: Viewer,
  ids: readonly string[],
  { groups }: { groups: boolean },
): Step<UserRow> {
  return step(groups ? readUsersWithGroupsStatement : readUsersStatement, [...seenBy(viewer), ids]);
}

export interface NewUser extends UserColumns, Told {
  readonly id: string;
  /** JSON of the whole resource, for the event. */
  readonly after: string;
}

const insertUsersStatement = statement<{ id: string }>(
  'insert_users',
  `with incoming as (
     select * from unnest($5::uuid[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::text[], $11::text[],
                          $12::text[], $13::uuid[], $14::text[]) with ordinality
       as i (id, user_name_folded, external_id, active, body, search, lookup, after, change_id, request_id, place)
   ), ${tenantHeldAtSchema('$15')}, created as (
     insert into scim_user (tenant_id, id, directory_id, user_name_folded, external_id, active, version,
                            created_at, updated_at, body, search, lookup)
     select $1, id, $2, user_name_folded, external_id, active, 1, $3, $3, body, search::jsonb, lookup::bigint[]
     -- In one order, so that two lists with the same names cannot wait for each other; of equal names the first.
     from incoming, held order by user_name_folded, place
     on conflict (tenant_id, user_name_folded) do nothing
     returning id, directory_id, user_name_folded, external_id
   ), ${LIFTED}, told as (
     select 'user.created' as type, 'User' as resource_type, id as resource_id, null::jsonb as reason,
            null::jsonb as before, after::jsonb as after, change_id, request_id
     from created join incoming using (id)
   ), recorded as (
     ${insertEvents('told', { at: '$3', actor: '$4' })}
   )
   select id from created`,
);

/** Whose users are created, by which version of the tenant's schema. */
export interface Creator extends Pick<Viewer, 'tenantId' | 'directoryId'> {
  readonly schemaVersion: number;
}

/**
 * Creates users, version 1; answers the ids of those whose `userName` was free in the tenant. Breaks off where the
 * tenant's schema has another version.
 */
export function insertUsers(
  { tenantId, directoryId, schemaVersion }: Creator,
  { at, actor }: Stamp,
  users: readonly NewUser[],
) {
  return step(insertUsersStatement, [
    tenantId,
    directoryId,
    at,
    actor,
    users.map((user) => user.id),
    ...columnArrays(users),
    users.map((user) => user.after),
    users.map((user) => user.changeId),
    users.map((user) => user.requestId),
    schemaVersion,
  ]);
}

function columnArrays(users: readonly UserColumns[]): Parameter[] {
  return [
    users.map((user) => user.userNameFolded),
    users.map((user) => user.externalId),
    users.map((user) => user.active),
    users.map((user) => user.body),
    users.map((user) => user.search),
    users.map((user) => user.lookup),
  ];
}

export interface ChangedUser extends UserColumns, Told {
  readonly id: string;
  /** The version that the change was computed from; another one in the table: nothing is written. */
  readonly version: number;
  /** Whether a directory managed the user then; otherwise now: nothing is written. */
  readonly managed: boolean;
  readonly type: 'user.updated' | 'user.activated' | 'user.deactivated';
  /** JSON of what differs, before and after. */
  readonly before: string;
  readonly after: string;
}

const updateUsersStatement = statement<{ id: string }>(
  'update_users',
  `with incoming as (
     select * from unnest($6::uuid[], $7::text[], $8::text[], $9::boolean[], $10::text[], $11::text[], $12::text[],
                          $13::bigint[], $14::boolean[], $15::text[], $16::text[], $17::text[], $18::uuid[],
                          $19::text[])
       as i (id, user_name_folded, external_id, active, body, search, lookup,
             version, managed, type, before, after, change_id, request_id)
   ), target as (
     select i.*
     from incoming i cross join lateral (${found('scim_user', 'id', 'i.id')}) as u
     where ${VISIBLE} and u.version = i.version and (u.directory_id is not null) = i.managed
   ), changed as (
     update scim_user u
     set user_name_folded = t.user_name_folded, external_id = t.external_id, active = t.active, body = t.body,
         search = t.search::jsonb, lookup = t.lookup::bigint[], directory_id = $2,
         version = u.version + 1, updated_at = greatest(u.updated_at, $4)
     from target t
     where u.tenant_id = $1 and u.id = t.id and u.version = t.version
     returning u.id
   ), told as (
     select 'user.adopted' as type, 'User' as resource_type, id as resource_id, null::jsonb as reason,
            null::jsonb as before, jsonb_build_object('directory', $2::uuid) as after, change_id, request_id
     from changed join target using (id) where not managed
     union all
     select type, 'User', id, null, before::jsonb, after::jsonb, change_id, request_id
     from changed join target using (id) where before <> after
   ), recorded as (
     ${insertEvents('told', { at: '$4', actor: '$5' })}
   )
   select id from changed`,
);

/**
 * Replaces users that are still at the version the change was made from, and adopts those that nobody managed;
 * answers the ids that were written. One user at most once per call. Breaks `scim_user_user_name_key` when a
 * new `userName` is taken.
 */
export function updateUsers(
  viewer: Viewer,
  { at, actor }: Stamp,
  users: readonly ChangedUser[],
): Step<{ id: string }> {
  return step(updateUsersStatement, [
    ...seenBy(viewer),
    at,
    actor,
    users.map((user) => user.id),
    ...columnArrays(users),
    users.map((user) => user.version),
    users.map((user) => user.managed),
    users.map((user) => user.type),
    users.map((user) => user.before),
    users.map((user) => user.after),
    users.map((user) => user.changeId),
    users.map((user) => user.requestId),
  ]);
}
