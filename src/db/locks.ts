import { sql, type Transaction } from 'kysely';
import { type Step, statement, step } from './statement.ts';
import type { Tables } from './tables.ts';

/**
 * The one lock order: tenant → groups by id → users by id → owners → rows. Whoever takes several locks takes
 * them in this order, by these steps, before the first write. Row locks are `for no key update`: strong enough
 * to exclude other writers, and foreign key checks pass beside them.
 */

const lockTenantSharedStatement = statement<unknown>(
  'lock_tenant_shared',
  `select pg_advisory_xact_lock_shared(hashtextextended($1::text, 0))`,
);

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
