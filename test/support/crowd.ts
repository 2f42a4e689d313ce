import type { Tenant } from '../../src/tenants/tenants.ts';
import type { TestApp } from './app.ts';

/** What tests of jobs start from: a tenant of some thousand users, without the requests that would push them. */

const USER = '01a20074-0000-7000-8000-';
const GROUP = '01a20075-0000-7000-8000-';
const idOf = (prefix: string, n: number) => prefix + n.toString(16).padStart(12, '0');

export const userId = (n: number) => idOf(USER, n);
export const groupId = (n: number) => idOf(GROUP, n);

/** Users 1 to `users`, in the order of their ids, all of them members of `Group 1` to `Group <groups>`. */
export async function crowd(app: TestApp, { id }: Pick<Tenant, 'id'>, users: number, groups: number) {
  const numbered = (prefix: string) => `('${prefix}' || lpad(to_hex(n), 12, '0'))::uuid`;
  const load = (text: string, ...values: number[]) => app.context.db.pool.query(text, [id, ...values]);
  await load(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at, body,
                            search, lookup)
     select $1, ${numbered(USER)}, d.id, 'user-' || n, true, 1, now(), now(),
            json_build_object('userName', 'user-' || n)::text, '{}', '{}'
     from generate_series(1, $2::integer) n, directory d where d.tenant_id = $1`,
    users,
  );
  await load(
    `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                             updated_at, body, search)
     select $1, ${numbered(GROUP)}, d.id, 'Group ' || n, 'group ' || n, 1, now(), now(),
            json_build_object('displayName', 'Group ' || n)::text, '{}'
     from generate_series(1, $2::integer) n, directory d where d.tenant_id = $1`,
    groups,
  );
  await load(
    `insert into group_member select $1, g.id, u.id
     from scim_group g join scim_user u on u.tenant_id = $1 where g.tenant_id = $1`,
  );
}

/** A mapping that gives the members of `Group 1` to `Group <groups>` a team each. */
export function teamOfEach(groups: number, role = 'EDITOR') {
  return Array.from({ length: groups }, (_, n) => ({
    group_name: `Group ${n + 1}`,
    team_name: `Team ${n + 1}`,
    role_name: role,
  }));
}
