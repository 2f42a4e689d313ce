import pg from 'pg';

/** A large tenant, written by SQL: users, groups, members and teams, and nobody with access yet. */

export interface Size {
  readonly users: number;
  readonly groups: number;
  readonly teams: number;
}

/** Of each user. */
export const GROUPS_PER_USER = 5;

/** Apart by so many, the groups of one user give different teams. */
const APART = 37;

const uuid = (kind: number, n: string) =>
  `('01a2007${kind}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const textOf = (kind: number, n: number) =>
  `01a2007${kind}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** The id of the user or group with this number, from 0. */
export const userId = (n: number) => textOf(1, n);
export const groupId = (n: number) => textOf(2, n);

export async function fillTenant(connectionString: string, tenantId: string, size: Size): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const numbers = (count: number) => `generate_series(0, ${count - 1}) n`;
  const directory = `(select id from directory where tenant_id = '${tenantId}')`;
  const group = `(n + k * ${APART}) % ${size.groups}`;
  for (const text of [
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at,
                            body, search, lookup)
     select '${tenantId}', ${uuid(1, 'n')}, ${directory}, 'user-' || n, true, 1, now(), now(),
            json_build_object('userName', 'user-' || n)::text, json_build_object('username', 'user-' || n), '{}'
     from ${numbers(size.users)}`,
    `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                             updated_at, body, search)
     select '${tenantId}', ${uuid(2, 'n')}, ${directory}, 'Group ' || n, 'group ' || n, 1, now(), now(),
            json_build_object('displayName', 'Group ' || n)::text, json_build_object('displayname', 'group ' || n)
     from ${numbers(size.groups)}`,
    `insert into group_member (tenant_id, group_id, user_id)
     select '${tenantId}', ${uuid(2, group)}, ${uuid(1, 'n')}
     from ${numbers(size.users)}, generate_series(0, ${GROUPS_PER_USER - 1}) k`,
    `insert into team (tenant_id, id, name, name_folded, kind, version, created_at, updated_at)
     select '${tenantId}', ${uuid(3, 'n')}, 'Team ' || n, 'team ' || n, 'team', 1, now(), now()
     from ${numbers(size.teams)}`,
    'vacuum analyze',
  ]) {
    await client.query(text);
  }
  await client.end();
}

/** The mapping in which each group gives one team, all in this role; the members of the first own the tenant. */
export function mappingOf({ groups, teams }: Size, role: string) {
  return {
    tenant_owners_groups: ['Group 0'],
    mappings: Array.from({ length: groups }, (_, n) => ({
      group_name: `Group ${n}`,
      team_name: `Team ${n % teams}`,
      role_name: role,
    })),
  };
}
