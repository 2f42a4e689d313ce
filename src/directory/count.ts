import { type Step, statement, step } from '../db/statement.ts';

const hasMoreUsersStatement = statement<{ answer: boolean }>(
  'has_more_users',
  `select count(*) > $2::integer as answer from (select from scim_user where tenant_id = $1 limit $2::integer + 1) as first`,
);

/** Whether the tenant has more than so many users; counts no further. */
export function hasMoreUsers(tenantId: string, than: number): Step<{ answer: boolean }> {
  return step(hasMoreUsersStatement, [tenantId, than]);
}
