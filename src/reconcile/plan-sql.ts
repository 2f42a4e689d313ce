import { MAX, NIL } from 'uuid';
import { found, SOME_TENANT } from '../db/found.ts';
import { CLAIM_KEYS, GROUP_KEYS, keyRows } from '../db/match-keys.ts';
import { NOTED_USERS } from '../db/noted.ts';
import { firstGrant, isManaged, MANUAL, OWNER, RETENTION } from './grants.ts';
import { RETAINED } from './retention-sql.ts';

/**
 * The one text that plans: what users should hold beside what they hold, for whichever users it is asked. Every
 * sync, dry run, job and explanation is made of it, so that they cannot disagree.
 *
 * | held | desired | becomes |
 * |---|---|---|
 * | no | yes | added |
 * | another role, or suspended | yes | changed |
 * | the same role | yes | untouched, whatever row gives it now |
 * | managed | no | ended |
 * | by hand, invitation, e-mail domain | (never) | suspended while the user is not active, restored when active again |
 * | by hand, with `takeover`, of a synced user and a target that has a row | (never) | ended |
 * | any, of a user or target that is gone | (never) | ended |
 */

/** Which users a plan is for. */
export interface Scope {
  /** A CTE that the condition needs, and the comma behind it. */
  readonly noted: string;
  /** The condition on a column of user ids. */
  within(column: string): string;
  /** Whether the scope is a few users, so that only their groups are looked at. */
  readonly few: boolean;
  /** By which version of the mapping the claims of the sign-in `j` count; absent: by that of the sign-in. */
  readonly version?: string;
  /** Whether only ownership is planned. */
  readonly owners?: boolean;
  /** Whether members of teams without any row are kept first: what is planned for later. */
  readonly keeps?: boolean;
}

/** The users whom this transaction has noted (`db/noted.ts`). */
export const NOTED: Scope = {
  noted: `${NOTED_USERS}, `,
  within: (column) => `${column} in (select user_id from noted)`,
  few: true,
};

/** Users with ids above `after`, up to `upTo`. */
export interface UserRange {
  readonly after: string;
  readonly upTo: string;
}

export const ALL_USERS: UserRange = { after: NIL, upTo: MAX };

/** `$2` excluded, `$3` included: a chunk of a tenant's users, or all. */
export const USER_RANGE: Scope = {
  noted: '',
  within: (column) => `${column} > $2 and ${column} <= $3`,
  few: false,
};

/** Of those the users whom a sign-in syncs, as the next one will: by the mapping that holds. */
export const NEXT_SIGN_IN: Scope = {
  ...USER_RANGE,
  within: (column) => `${USER_RANGE.within(column)} and ${column} in (
       select user_id from jit_sync where tenant_id = $1 and mode = 'enhanced')`,
  keeps: true,
  version: `case j.mode when 'enhanced' then (select version from mapping) else j.mapping_version end`,
};

/** Who owns the tenant, and nothing else: quick, however many members there are. */
export const OWNERS: Scope = { ...USER_RANGE, owners: true };

/** CTE `setting`: what the tenant has set of what access depends on, complete with defaults. */
export const SETTING = `setting as materialized (
     select coalesce((settings ->> 'takeover')::boolean, false) as takeover,
            coalesce((settings ->> 'ownersByUserType')::boolean, false) as owners_by_user_type
     from tenant where tenant_id = $1
   )`;

/** CTE `mapping`: the version that holds. */
export const MAPPING = `mapping as materialized (
     select version from group_mapping where tenant_id = $1
   )`;

/** The team or permission that the mapping's row `r` names, if the tenant has it. */
const TARGET = `left join team t on t.tenant_id = $1 and t.kind = r.kind and t.name = r.target
       left join permission a on r.kind = 'permission' and a.tenant_id = $1 and a.name = r.target`;
const TARGET_ID = `coalesce(t.id, a.id, case r.kind when 'owner' then '${OWNER}'::uuid end)`;

/** Whether the `userType` of the user `u` makes an owner; read only where the tenant asks for it. */
export const OWNER_BY_TYPE = `case when u.directory_id is not null and owners_by_user_type
                      then coalesce(u.search ->> 'userType' = 'tenant_owner', false) else false end`;

const ROW = 'r.role, r.version, r.precedence, r."row"';

const lookUp = (table: string, column: string, value: string) => found(table, column, value, SOME_TENANT);

/** What `from` takes: the tenant's rows of a table that belong to the users of the scope. */
function rowsOf({ noted, within }: Scope, table: string, column: string): string {
  return noted === ''
    ? `(select * from ${table} where tenant_id = $1 and ${within(column)})`
    : `(select x.* from noted as n cross join lateral (${lookUp(table, column, 'n.user_id')}) as x)`;
}

/** The same of grants, each with the place where it is written (`db/found.ts`). */
const grantsOfScope = ({ noted, within }: Scope) =>
  noted === ''
    ? `(select *, ctid as place from access_grant where tenant_id = $1 and ${within('user_id')})`
    : `(select x.* from noted as n cross join lateral (
              select *, ctid as place from access_grant as y where y.tenant_id = ${SOME_TENANT} and y.user_id = n.user_id offset 0) as x)`;

/** A left join with the row of this id. */
const lookedUp = (table: string, alias: string, id: string) =>
  `left join lateral (${lookUp(table, 'id', id)}) as ${alias} on true`;

/** A join with the rows `r` of a version that the key names, found by it: the order is the primary key's, and free by it. */
const rowsNaming = (version: string) => `cross join lateral (
            select * from mapping_row as y where y.tenant_id = ${SOME_TENANT} and y.version = ${version} and y.match = key.match
            order by y.match, y.precedence offset 0) as r`;

/** `$1` is the tenant. CTEs `setting`, `mapping`, `person`, `reach`, `matched`: every row that reaches a user. */
export function matchedText(scope: Scope): string {
  const { noted, few, version = 'j.mapping_version', owners } = scope;
  const kinds = owners ? `and r.kind = 'owner'` : '';
  const groups = few
    ? `(select distinct group_id from ${rowsOf(scope, 'group_member', 'user_id')} as m) as m
          ${lookedUp('scim_group', 'g', 'm.group_id')}`
    : 'scim_group g';
  return `${noted}${SETTING}, ${MAPPING}, person as (
     select u.id as user_id, d.id as directory_id, 'scim:' || d.name as origin, ${OWNER_BY_TYPE} as owner_by_type
     from ${rowsOf(scope, 'scim_user', 'id')} as u cross join setting
          left join directory d on d.tenant_id = $1 and d.id = u.directory_id
     where u.active
   ), reach as materialized (
     select distinct g.id as group_id, g.directory_id, g.display_name as group_name, ${TARGET_ID} as target_id, ${ROW}
     from ${groups} join directory d on d.tenant_id = $1 and d.id = g.directory_id
          cross join mapping cross join lateral ${keyRows(GROUP_KEYS)}
          ${rowsNaming('mapping.version')}
       ${TARGET}
     where g.tenant_id = $1 ${kinds}
       and r.identity_provider is null and (r.directory is null or r.directory = d.name)
   ), matched as (
     select user_id, r.target_id, origin, ${ROW}, r.group_id, r.group_name
     from (
       select p.user_id, p.origin, p.directory_id = r.directory_id as theirs, r.*
       from person p cross join lateral (${lookUp('group_member', 'user_id', 'p.user_id')}) as m
            -- A full join is never a nested loop, which would search all that is reached for each member.
            full join reach r on r.group_id = m.group_id
       offset 0
     ) as r
     where theirs and r.target_id is not null
     union all
     select user_id, '${OWNER}', origin, null, null, null, null, null, null from person where owner_by_type
     union all
     select p.user_id, ${TARGET_ID}, 'jit:' || j.identity_provider, ${ROW}, null, c.name
     from person p cross join lateral (${lookUp('jit_sync', 'user_id', 'p.user_id')}) as j
          cross join lateral unnest(j.groups) as c (name) cross join lateral ${keyRows(CLAIM_KEYS)}
          ${rowsNaming(version)}
       ${TARGET}
     where p.directory_id is null and ${TARGET_ID} is not null and r.directory is null ${kinds}
       and (r.identity_provider is null or r.identity_provider = j.identity_provider)
   )`;
}

/** Whether the mapping's row `r` names the target that `t` (team) or `a` (permission) or neither (owner) stands for. */
export const NAMES_TARGET = `r.target = coalesce(t.name, a.name, '')
                   and r.kind = coalesce(t.kind, case when a.id is null then 'owner' else 'permission' end)`;

/** Whether the target that `t` (team) or `a` (permission) or neither (owner) stands for has a row in the mapping. */
export const HAS_ROW = `(
      exists (select from mapping join mapping_row r
                on r.tenant_id = $1 and r.version = mapping.version and ${NAMES_TARGET})
      or (t.id is null and a.id is null and owners_by_user_type))`;

/** Whether somebody else than the admins says what the user `u` holds. */
export const IS_SYNCED = `(u.directory_id is not null or exists (
        select from jit_sync j where j.tenant_id = $1 and j.user_id = u.id and j.mode = 'enhanced'))`;

/** Edits by hand: `user_id`, `target_id`, `origin`, `role`, and whether it is to be `held`. */
export const NO_EDITS = `select null::uuid as user_id, null::uuid as target_id, null::text as origin, null::text as role,
            null::boolean as held where false`;

/** Whether members of teams without any row stay (`unmapped.ts`). */
const KEEPS_UNMAPPED = `exists (select from mapping join group_mapping_version v using (version)
               where v.tenant_id = $1 and v.keeps_unmapped)`;

/** Why a grant ends; null: it does not. */
const endsText = ({ keeps }: Scope) => `case
       when not was_held then null
       when not there then 'user_deleted'
       when x.target_id <> '${OWNER}' and name is null then 'target_deleted'
       when claimed then null
       ${keeps ? `when u.active and is_team and ${KEEPS_UNMAPPED} and not has_row then null` : ''}
       when ${isManaged('x.origin')} then case when u.active then 'no_row' else 'deactivated' end
       when exists (select from edit e where not e.held and e.user_id = x.user_id and e.target_id = x.target_id
                                          and e.origin = x.origin) then 'by_hand'
       when takeover and x.origin = '${MANUAL}' and ${IS_SYNCED} and has_row then 'takeover'
     end`;

/**
 * Whether a grant `h` that is held as `c` desires it has another place among the rows now, and that decides: between
 * the grants that several identity providers give one user.
 */
const MOVED = `(h.since is not null and c.claimed and origin like 'jit:%' and h.precedence is distinct from c.precedence
       and (select count(*) > 1 from jit_sync j where j.tenant_id = $1 and j.user_id = h.user_id))`;

/** Why a grant is as it is from now on. */
const BEGINS = `case when ${isManaged('origin')} then case when claimed_row is null then 'user_type' else 'row' end
                when claimed then 'by_hand' when active then 'reactivated' else 'deactivated' end`;

const PROVENANCE = ['version', '"row"', 'precedence', 'group_id', 'group_name'] as const;
/** What nobody touches of what is touched. */
const BESIDE = `select user_id, target_id, origin, 'remains', mapping_version, "row", precedence, group_id, group_name, role
            from beside`;
const plain = (column: string) => column.replaceAll('"', '');
const each = (text: (column: string, name: string) => string) =>
  PROVENANCE.map((column) => text(column, plain(column))).join(', ');

/** What each user holds of each target that is touched, as it is (`old`) or as it becomes (`new`). */
const heldText = (side: 'old' | 'new', held: string) => `select distinct on (user_id, target_id) * from (
       select user_id, target_id, origin, cause, ${each((_, name) => `${side}_${name} as ${name}`)}, ${side}_role as role
       from changed where ${held} and not ${side}_suspended
       union all ${BESIDE}) as grants
     order by user_id, target_id, ${firstGrant('origin', 'precedence')}`;

/**
 * The whole plan. Besides `matchedText`: `changed`, a row for each grant that is to be written, as it is (`old_…`) and
 * as it becomes (`new_…`); `effect`, a row for each user and target of which what they hold differs: `was`, `role`,
 * `had`, `has`.
 */
export function planText(scope: Scope, edits: string): string {
  return `${matchedText(scope)}, edit as (
     ${edits}
   ), desired as (
     select distinct on (user_id, target_id, origin) * from matched
     order by user_id, target_id, origin, precedence nulls last, group_name, group_id
   ), claim as (
     select user_id, target_id, origin, role, ${each((column) => column)} from desired
     union all
     select user_id, target_id, origin, role, null, null, null, null, null from edit where held
   ), compared as (
     select * from (
       select user_id, target_id, origin, h.since is not null as was_held, h.role as old_role,
              h.suspended as old_suspended, h.since as old_since, h.place, h.change_id as old_change_id,
              h.mapping_version as old_version, h."row" as old_row, h.precedence as old_precedence,
              h.group_id as old_group_id, h.group_name as old_group_name,
              coalesce(c.claimed, false) as claimed, c.role as claimed_role,
              ${each((column, name) => `c.${column} as claimed_${name}`)}, coalesce(${MOVED}, false) as moved
       from (select * from ${grantsOfScope(scope)} as g where origin <> '${RETENTION}'
               ${scope.owners ? `and target_id = '${OWNER}'` : ''}) as h
       full join (select *, true as claimed from claim) as c using (user_id, target_id, origin)
     ) as c
     -- What is held as it is desired, nearly everything, goes no further.
     where not was_held or not claimed or old_role is distinct from claimed_role or old_suspended or moved
   ), subject as (
     select c.id, u.id is not null as there, coalesce(u.active, false) as active, u.directory_id
     from (select distinct user_id as id from compared) as c ${lookedUp('scim_user', 'u', 'c.id')}
   ), target as (
     select c.id, t.id is not null as is_team, t.kind, coalesce(t.name, a.name) as name, ${HAS_ROW} as has_row
     from (select distinct target_id as id from compared) as c cross join setting
          ${lookedUp('team', 't', 'c.id')} ${lookedUp('permission', 'a', 'c.id')}
   ), judged as (
     select x.*, u.active, ${endsText(scope)} as ends
     -- Full, as in matched; there is nobody and nothing on the other sides that has no row here.
     from compared x full join subject u on u.id = x.user_id full join target t on t.id = x.target_id
          cross join setting
   ), became as (
     select *, ends is null as new_held, case when claimed then claimed_role else old_role end as new_role,
            not active as new_suspended from judged
   ), settled as materialized (
     select user_id, target_id, origin, was_held, old_role, old_suspended, old_since, old_change_id,
            ${each((_, name) => `old_${name}`)}, new_held, new_role, new_suspended,
            ${each((_, name) => `case when claimed then claimed_${name} else old_${name} end as new_${name}`)},
            coalesce(ends, ${BEGINS}) as cause, active, place
     from became
     where moved or not (was_held and new_held and new_suspended = old_suspended and new_role is not distinct from old_role)
   ), ${RETAINED}, changed as materialized (
     select * from settled union all select * from retained
   ), beside as (
     select * from (
       select g.*, c.origin is null as untouched
       from (select distinct user_id, target_id from changed) as p
            cross join lateral (select * from access_grant y where y.tenant_id = ${SOME_TENANT} and y.target_id = p.target_id
                                and y.user_id = p.user_id and not y.suspended
                                order by y.origin offset 0) as g
            -- Full: an anti join becomes a nested loop, and a list is searched, wherever the statistics are behind.
            full join changed c on c.user_id = g.user_id and c.target_id = g.target_id and c.origin = g.origin
       offset 0
     ) as g
     where untouched
   ), effect_before as (
     ${heldText('old', 'was_held')}
   ), effect_after as (
     ${heldText('new', 'new_held')}
   ), effect as (
     select user_id, target_id, b.origin is not null as had, n.origin is not null as has,
            b.role as was, n.role, coalesce(n.origin, b.origin) as origin, coalesce(n.cause, b.cause) as cause,
            ${each((_, name) => `case when n.origin is null then b.${name} else n.${name} end as ${name}`)}
     from effect_before b full join effect_after n using (user_id, target_id)
     where b.origin is null or n.origin is null or b.role is distinct from n.role
   )`;
}
