import { sql, type Transaction } from 'kysely';
import { type Step, statement, step } from './statement.ts';
import type { Tables } from './tables.ts';

/**
 * The one lock order: tenant → groups by id → users by id → owners → rows. Whoever takes several locks takes
 * them in this order, by these steps, before the first write. Row locks are `for no key update`: strong enough
 * to exclude other writers, and foreign key checks pass beside them. The row of a tenant or a directory itself
 * is locked in room `tenants`, behind the tenant's advisory lock.
 */

const SHARED = `pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0))`;

const lockTenantSharedStatement = statement<unknown>('lock_tenant_shared', `select ${SHARED}`);

/**
 * The same lock as a CTE of one row, for a statement that is a transaction by itself: what it writes it selects
 * from `held` too. Its snapshot is older than the lock, so it must not rely on what the lock waited for.
 */
export const TENANT_HELD_SHARED = `held as materialized (select ${SHARED})`;

/** Every write of a tenant's directory: many at a time, none beside a writer that holds the tenant alone. */
export function lockTenantShared(tenantId: string): Step {
  return step(lockTenantSharedStatement, [tenantId]);
}

/** Waits for the writers of the tenant's directory, and keeps new ones out until the transaction ends. */
export async function lockTenantExclusive(trx: Transaction<Tables>, tenantId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${tenantId}::text, 0))`.execute(trx);
}

const lockGroupsStatement = statement<unknown>(
  'lock_groups',
  `select id from scim_group where tenant_id = $1 and id = any ($2::uuid[]) order by id for no key update`,
);

/** These groups, in the order of their ids; ids that are no group lock nothing. */
export function lockGroups(tenantId: string, groupIds: readonly string[]): Step {
  return step(lockGroupsStatement, [tenantId, groupIds]);
}

const lockGroupsOfUsersStatement = statement<unknown>(
  'lock_groups_of_users',
  `select g.id from scim_group g
   where g.tenant_id = $1
     and g.id in (select m.group_id from group_member m where m.tenant_id = $1 and m.user_id = any ($2::uuid[]))
   order by g.id for no key update of g`,
);

/** The groups that these users are members of. */
export function lockGroupsOfUsers(tenantId: string, userIds: readonly string[]): Step {
  return step(lockGroupsOfUsersStatement, [tenantId, userIds]);
}

const lockUsersStatement = statement<unknown>(
  'lock_users',
  `select id from scim_user where tenant_id = $1 and id = any ($2::uuid[]) order by id for no key update`,
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

const lockMembersText = (leaving: string) => `with incoming as (
     select * from unnest($2::uuid[], $3::boolean[], $4::text[], $5::text[]) as i (group_id, reset, added, removed)
   ), wanted as (
     select group_id, m::uuid as user_id from incoming, unnest(string_to_array(added, ',')) as m
   ), changing as (
     select w.user_id from wanted w
     where not exists (select from group_member m
                       where m.tenant_id = $1 and m.group_id = w.group_id and m.user_id = w.user_id)
     union all
     select m::uuid from incoming, unnest(string_to_array(removed, ',')) as m
     ${leaving}
   )
   select u.id from scim_user u
   where u.tenant_id = $1 and u.id in (select user_id from changing)
   order by u.id for no key update of u`;

// Two statements for the same reason as in directory/group-write.ts: one plan would read whole groups.
const lockMembersStatement = statement<unknown>('lock_members', lockMembersText(''));
const lockMembersOfResetStatement = statement<unknown>(
  'lock_members_of_reset',
  lockMembersText(`union all
     select user_id from (
       select i.group_id, m.user_id from incoming i
       join group_member m on m.tenant_id = $1 and m.group_id = i.group_id where i.reset
       except select group_id, user_id from wanted) as leaving`),
);

/** The users whom these changes would add to or take from their groups; those who stay members stay unlocked. */
export function lockMembers(tenantId: string, changes: readonly MemberLock[]): Step {
  const resets = changes.some((change) => change.reset);
  return step(resets ? lockMembersOfResetStatement : lockMembersStatement, [
    tenantId,
    changes.map((change) => change.id),
    changes.map((change) => change.reset),
    changes.map((change) => change.add.join()),
    changes.map((change) => change.remove.join()),
  ]);
}
