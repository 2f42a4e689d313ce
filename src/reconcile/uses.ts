import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Permission } from './permissions.ts';

/** What keeps a role, a permission, a directory or an identity provider from being deleted. */
export interface Uses {
  /** JSON pointers of the rows of the mapping that name it, of the version that holds or one by which sign-ins count, the first `ROWS_SHOWN`. */
  readonly rows: readonly string[];
  /** How many users have a grant of it, those that are not active among them. */
  readonly users: number;
  /** Names of the identity providers that give it to whom they create. */
  readonly identityProviders: readonly string[];
}

const ROWS_SHOWN = 20;

export function usesOfRole(trx: Transaction<Tables>, tenantId: string, role: string): Promise<Uses> {
  return usesWhere(trx, tenantId, {
    row: sql`r.role = ${role}`,
    grant: sql`role = ${role}`,
    provider: sql`p.default_role = ${role}`,
  });
}

export function usesOfPermission(
  trx: Transaction<Tables>,
  tenantId: string,
  { id, name }: Permission,
): Promise<Uses> {
  return usesWhere(trx, tenantId, {
    row: sql`r.kind = 'permission' and r.target = ${name}`,
    grant: sql`target_id = ${id}`,
  });
}

/** What keeps a directory: rows that are restricted to it. They would wait for the next directory of that name. */
export function usesOfDirectory(trx: Transaction<Tables>, tenantId: string, name: string): Promise<Uses> {
  return usesWhere(trx, tenantId, { row: sql`r.directory = ${name} and r.version = ${current(tenantId)}` });
}

/** What keeps an identity provider: the same. */
export function usesOfIdentityProvider(
  trx: Transaction<Tables>,
  tenantId: string,
  name: string,
): Promise<Uses> {
  return usesWhere(trx, tenantId, {
    row: sql`r.identity_provider = ${name} and r.version = ${current(tenantId)}`,
  });
}

const current = (tenantId: string) =>
  sql`(select m.version from group_mapping m where m.tenant_id = ${tenantId})`;

/** What names it: rows `r` of the mapping, grants, identity providers `p`. */
interface Naming {
  readonly row: RawBuilder<boolean>;
  readonly grant?: RawBuilder<boolean>;
  readonly provider?: RawBuilder<boolean>;
}

const NONE = sql<boolean>`false`;

async function usesWhere(
  trx: Transaction<Tables>,
  tenantId: string,
  { row, grant = NONE, provider = NONE }: Naming,
): Promise<Uses> {
  const { rows } = await sql<Uses>`
    with named as (
      -- Of the version that holds, and of those by which sign-ins still count: others have no rows.
      select r."row", min(r.precedence) as place
      from mapping_row r
      where r.tenant_id = ${tenantId} and ${row}
      group by r."row" order by place limit ${ROWS_SHOWN}
    )
    select (select coalesce(array_agg("row" order by place), '{}') from named) as rows,
           (select count(distinct user_id) from access_grant where tenant_id = ${tenantId} and ${grant}) as users,
           array(select p.name from identity_provider p join team t on t.tenant_id = p.tenant_id and t.id = p.default_team_id
                 where p.tenant_id = ${tenantId} and ${provider} order by p.name)
             as "identityProviders"
  `.execute(trx);
  return rows[0] as Uses;
}

/**
 * Refuses to delete what is in use. Holds only while nobody else changes mapping or grants: behind the tenant's
 * exclusive lock.
 * @throws AppError `conflict` (`in_use`) with `uses`.
 */
export function requireUnused(what: string, uses: Uses): void {
  const { rows, users, identityProviders } = uses;
  const reasons = [
    ...(rows.length > 0 ? [`the group mapping names it (${rows.join(', ')})`] : []),
    ...(users > 0 ? [`users hold it: ${users}`] : []),
    ...(identityProviders.length > 0
      ? [`identity providers give it to whom they create (${identityProviders.join(', ')})`]
      : []),
  ];
  if (reasons.length === 0) return;
  throw new AppError('conflict', `${what} is in use: ${reasons.join('; ')}`, {
    reason: 'in_use',
    hint: 'Take it out of the group mapping, and from the users who hold it by hand; then delete it.',
    members: { uses },
  });
}
