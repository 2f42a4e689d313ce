import { NIL } from 'uuid';
import { found, isThere } from './found.ts';
import { CLAIM_KEYS, GROUP_KEYS } from './match-keys.ts';
import { NOTED, NOTED_USERS, type Noted } from './noted.ts';
import { type Statement, type Step, statement, step } from './statement.ts';

/**
 * The one lock order: tenant → groups by id → users by id → invitation → owners → rows. Whoever takes several locks takes
 * them in this order, by these steps, before the first write. Row locks are `for no key update`: strong enough
 * to exclude other writers, and foreign key checks pass beside them. The row of a tenant or a directory itself
 * is locked in room `tenants`, behind the tenant's advisory lock.
 *
 * Which users a transaction has locked is noted (`noted.ts`): reconciliation plans for exactly those.
 */

const SHARED = `pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0))`;

const lockTenantSharedStatement = statement<unknown>('lock_tenant_shared', `select ${SHARED}`);

/**
 * The same lock as a CTE of one row, for a statement that is a transaction by itself: what it writes it selects from
 * `held` too. Ends it, with 503, where the tenant's schema is not at the version that `expected` gives any more. The
 * statement's own snapshot is older than the lock, so it must not rely on anything else that the lock waited for.
 */
export const tenantHeldAtSchema = (expected: string) =>
  `held as materialized (select hold_tenant_at_schema($1, ${expected}))`;

/** Every write of a tenant's directory: many at a time, none beside a writer that holds the tenant alone. */
export function lockTenantShared(tenantId: string): Step {
  return step(lockTenantSharedStatement, [tenantId]);
}

const tryLockTenantSharedStatement = statement<{ locked: boolean }>(
  'try_lock_tenant_shared',
  `select pg_try_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0)) as locked`,
);

/** The same for whoever has other tenants to work for: does not wait where somebody holds the tenant, or waits for it, alone. */
export function tryLockTenantShared(tenantId: string): Step<{ locked: boolean }> {
  return step(tryLockTenantSharedStatement, [tenantId]);
}

const lockTenantExclusiveStatement = statement<unknown>(
  'lock_tenant_exclusive',
  `select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))`,
);

/** Waits for the writers of the tenant's directory, and keeps new ones out until the transaction ends. */
export function lockTenantExclusive(tenantId: string): Step {
  return step(lockTenantExclusiveStatement, [tenantId]);
}

/** What `from` takes: locks the rows of these `ids`, looked up in their order and locked as they are found. */
const locking = (table: string, ids: string, id: string) =>
  `(select distinct ${id} as id from ${ids} order by 1) as wanted
     cross join lateral (select y.id from ${table} as y where y.tenant_id = $1 and y.id = wanted.id
                         for no key update) as locked`;

const lockGroupsStatement = statement<unknown>(
  'lock_groups',
  `select locked.id from ${locking('scim_group', 'unnest($2::uuid[]) as asked (id)', 'asked.id')}`,
);

/** These groups, in the order of their ids; ids that are no group lock nothing. */
export function lockGroups(tenantId: string, groupIds: readonly string[]): Step {
  return step(lockGroupsStatement, [tenantId, groupIds]);
}

const lockGroupsOfUsersStatement = statement<unknown>(
  'lock_groups_of_users',
  `with held as materialized (
     select m.group_id from unnest($2::uuid[]) as asked (id)
     cross join lateral (${found('group_member', 'user_id', 'asked.id')}) as m
   )
   select locked.id from ${locking('scim_group', 'held', 'group_id')}`,
);

/** The groups that these users are members of. */
export function lockGroupsOfUsers(tenantId: string, userIds: readonly string[]): Step {
  return step(lockGroupsOfUsersStatement, [tenantId, userIds]);
}

const lockUsersStatement = statement<unknown>(
  'lock_users',
  `with locked as materialized (
     select locked.id from ${locking('scim_user', 'unnest($2::uuid[]) as asked (id)', 'asked.id')}
   ) ${NOTED}`,
);

/** These users, in the order of their ids. */
export function lockUsers(tenantId: string, userIds: readonly string[]): Step {
  return step(lockUsersStatement, [tenantId, userIds]);
}

/** What a change of members asks for, as `lockMembers` takes it. */
export interface MemberLock {
  readonly id: string;
  readonly reset: boolean;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/**
 * Whether the mapping names the group `g`: by what the others gain or lose nobody's access changes. While a version is
 * being applied users still hold what the one before gave, so that any group may be one.
 */
const IS_NAMED = `exists (
       select from group_mapping p
       where p.tenant_id = $1 and (p.job_id is not null or exists (
         select from mapping_row r
         where r.tenant_id = $1 and r.version = p.version and r.match in (${GROUP_KEYS}))))`;

const MEMBERS_NAMED = `wanted as (
     select group_id, m::uuid as user_id from incoming, unnest(string_to_array(added, ',')) as m
   ), difference as materialized (
     select distinct group_id, user_id, true as joins from wanted as w
     where not ${isThere('group_member', 'y.group_id = w.group_id and y.user_id = w.user_id')}
     union all
     select group_id, user_id, false
     from (select distinct group_id, m::uuid as user_id
           from incoming, unnest(string_to_array(removed, ',')) as m) as named
     where ${isThere('group_member', 'y.group_id = named.group_id and y.user_id = named.user_id')}
   )`;

/** The same where groups are reset: by comparing whole groups once, which would be much to find one member. */
const MEMBERS_COMPARED = `wanted as (
     select distinct group_id, m::uuid as user_id from incoming, unnest(string_to_array(added, ',')) as m
   ), named as (
     select distinct group_id, m::uuid as user_id from incoming, unnest(string_to_array(removed, ',')) as m
   ), held as (
     select i.group_id, i.reset, m.user_id
     from incoming i cross join lateral (${found('group_member', 'group_id', 'i.group_id')}) as m
   ), difference as materialized (
     select group_id, user_id, wanted is not null as joins
     -- Full joins, which no plan makes by comparing each row with each.
     from held full join (select *, true as wanted from wanted) as w using (group_id, user_id)
          full join (select *, true as named from named) as n using (group_id, user_id)
     where case when wanted then reset is null else reset or named and reset is not null end
   )`;

const noted = (setting: string, joins: boolean) => `length(set_config('rollcall.${setting}', coalesce((
       select string_agg(group_id || ':' || users, ';')
       from (select group_id, string_agg(user_id::text, ',' order by user_id) as users from difference
             where joins = ${joins} group by group_id) as each), ''), true))`;

const lockMembersText = (difference: string) => `with incoming as (
     select * from unnest($2::uuid[], $3::boolean[], $4::text[], $5::text[]) as i (group_id, reset, added, removed)
   ), ${difference}, mapped as materialized (
     select g.id from incoming i cross join lateral (${found('scim_group', 'id', 'i.group_id')}) as g
     where ${IS_NAMED}
   ), wanting as (
     select user_id as id, bool_or(m.id is not null) as gains
     from difference d left join mapped m on m.id = d.group_id
     where joins or m.id is not null
     group by user_id order by user_id
   ), locked as materialized (
     select u.id, w.gains or u.unmanaged as concerned
     from wanting as w cross join lateral (
       select y.id, y.directory_id is null as unmanaged from scim_user as y
       where y.tenant_id = $1 and y.id = w.id for no key update) as u
   )
   select count(*) filter (where concerned) as users,
     length(set_config('rollcall.users', coalesce(string_agg(id::text, ',') filter (where concerned), ''), true))
     + ${noted('joining', true)} + ${noted('leaving', false)} as bytes
   from locked`;

// Two statements, because the plan that compares whole groups would read every member to find one.
const lockMembersStatement = statement<Noted>('lock_members', lockMembersText(MEMBERS_NAMED));
const lockMembersOfResetStatement = statement<Noted>(
  'lock_members_of_reset',
  lockMembersText(MEMBERS_COMPARED),
);

/**
 * Finds who comes and who goes by these changes of groups that the transaction has locked, and notes it for the write
 * (`JOINING`, `LEAVING`). Locks those who come, who may not be deleted meanwhile, and of those who go whoever may lose
 * access. Noted as concerned are those whose groups the mapping names, and who is adopted.
 */
export function lockMembers(tenantId: string, changes: readonly MemberLock[]): Step<Noted> {
  const resets = changes.some((change) => change.reset);
  return step(resets ? lockMembersOfResetStatement : lockMembersStatement, [
    tenantId,
    changes.map((change) => change.id),
    changes.map((change) => change.reset),
    changes.map((change) => change.add.join()),
    changes.map((change) => change.remove.join()),
  ]);
}

const lockMembersOfMappedStatement = statement<unknown>(
  'lock_members_of_mapped',
  `with locked as materialized (
     select u.id from scim_user u
     where u.tenant_id = $1 and u.id in (
       select m.user_id from group_member m
       join scim_group g on g.tenant_id = $1 and g.id = m.group_id
       where m.tenant_id = $1 and m.group_id = any ($2::uuid[]) and ${IS_NAMED})
     order by u.id for no key update of u
   ) ${NOTED}`,
);

/** The members of those of these groups that the mapping names: what the others give up concerns nobody. */
export function lockMembersOfMapped(tenantId: string, groupIds: readonly string[]): Step {
  return step(lockMembersOfMappedStatement, [tenantId, groupIds]);
}

const lockNotedUsersStatement = statement<unknown>(
  'lock_noted_users',
  `with ${NOTED_USERS}
   select locked.id from ${locking('scim_user', 'noted', 'user_id')}`,
);

/** Those of the noted users who exist. The others stay noted: what is left of who is gone nobody else writes. */
export function lockNotedUsers(tenantId: string): Step {
  return step(lockNotedUsersStatement, [tenantId]);
}

/** Users with ids above `after`, up to `upTo`: whoever plans for them calls it `UserRange`, a floor above. */
interface IdRange {
  readonly after: string;
  readonly upTo: string;
}

const inRange = (column: string) => `${column} > $2 and ${column} <= $3`;

const lockUsersOfRangeStatement: Statement<unknown> = {
  text: `select count(*) from (
     select id from scim_user where tenant_id = $1 and ${inRange('id')} order by id for no key update) as locked`,
};

/** The users of a range, in the order of their ids; none is noted. */
export function lockUsersOfRange(tenantId: string, { after, upTo }: IdRange): Step {
  return step(lockUsersOfRangeStatement, [tenantId, after, upTo]);
}

const lockInvitationStatement = statement<unknown>(
  'lock_invitation',
  `select id from invitation where tenant_id = $1 and email_folded = $2 and state = 'pending' for no key update`,
);

/** The pending invitation of an e-mail address, folded: nobody revokes it while a sign-in counts on it. */
export function lockInvitation(tenantId: string, emailFolded: string): Step {
  return step(lockInvitationStatement, [tenantId, emailFolded]);
}

const OWNERS = `select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 1))`;

// Groups are found by the few names that make owners, not the other way round; in the collation of their index, which
// a comparison in that of `match` could not use.
const OWNER_GROUP = `owner_group as materialized (
     select g.id from group_mapping p
     join mapping_row r on r.tenant_id = $1 and r.version = p.version and r.kind = 'owner' and r.target = ''
     join scim_group g on g.tenant_id = $1 and g.display_name = substr(r.match, length('name:') + 1) collate "default"
     where p.tenant_id = $1
   )`;
const CLAIMS_OWNERSHIP = `exists (
       select from unnest(j.groups) as c (name)
       join mapping_row r on r.tenant_id = $1 and r.version = j.mapping_version and r.kind = 'owner'
         and r.match in (${CLAIM_KEYS}))`;
const OWNERS_BY_TYPE = `t.settings ->> 'ownersByUserType' = 'true'`;
const IS_OF_OWNERS_TYPE = `u.search ->> 'userType' = 'tenant_owner'`;

const lockOwnersStatement = statement<unknown>(
  'lock_owners',
  `with ${NOTED_USERS}, ${OWNER_GROUP}
   ${OWNERS}
   where exists (select from noted join access_grant g using (user_id)
                 where g.tenant_id = $1 and g.target_id = '${NIL}')
      or exists (select from noted join group_member m using (user_id)
                 where m.tenant_id = $1 and m.group_id in (select id from owner_group))
      or exists (select from noted join jit_sync j using (user_id) where j.tenant_id = $1 and ${CLAIMS_OWNERSHIP})
      or exists (select from tenant t cross join noted join scim_user u on u.tenant_id = $1 and u.id = user_id
                 where t.tenant_id = $1 and ${OWNERS_BY_TYPE} and ${IS_OF_OWNERS_TYPE})`,
);

/**
 * The owners of the tenant, where a noted user is one or becomes one: who is the last is decided by one transaction
 * at a time. Behind the writes of directory rows, before what decides; who holds the tenant alone needs it not.
 */
export function lockOwners(tenantId: string): Step {
  return step(lockOwnersStatement, [tenantId]);
}

const lockOwnersOfRangeStatement: Statement<unknown> = {
  text: `with ${OWNER_GROUP}
   ${OWNERS}
   where exists (select from access_grant where tenant_id = $1 and target_id = '${NIL}' and ${inRange('user_id')})
      or exists (select from owner_group as o cross join lateral (
                   select from group_member where tenant_id = $1 and group_id = o.id and ${inRange('user_id')} limit 1) as m)
      or exists (select from jit_sync j where j.tenant_id = $1 and ${inRange('j.user_id')} and ${CLAIMS_OWNERSHIP})
      or exists (select from tenant t where tenant_id = $1 and ${OWNERS_BY_TYPE})
         and exists (select from scim_user u where tenant_id = $1 and ${inRange('id')} and ${IS_OF_OWNERS_TYPE})`,
};

/** The same where a user of a range is one, or becomes one, who may be gone. */
export function lockOwnersOfRange(tenantId: string, { after, upTo }: IdRange): Step {
  return step(lockOwnersOfRangeStatement, [tenantId, after, upTo]);
}

const lockAllOwnersStatement = statement<unknown>('lock_all_owners', OWNERS);

/** The same, whoever is concerned: for edits of ownership by hand. */
export function lockOwnersAlways(tenantId: string): Step {
  return step(lockAllOwnersStatement, [tenantId]);
}
