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
  /** Domains, addresses that are invited, and identity providers (to whom they create) that give it, the first `ROWS_SHOWN`. */
  readonly ways: readonly string[];
}

const ROWS_SHOWN = 20;

export function usesOfRole(
  trx: Transaction<Tables>,
  tenantId: string,
  { role, now }: { readonly role: string; readonly now: Date },
): Promise<Uses> {
  const gives = sql`grants @> ${JSON.stringify([{ role }])}::jsonb`;
  return usesWhere(trx, tenantId, {
    row: sql`r.role = ${role}`,
    grant: sql`role = ${role}`,
    way: sql`select name from domain where tenant_id = ${tenantId} and ${gives}
             union all
             select email from invitation
             where tenant_id = ${tenantId} and state = 'pending' and expires_at > ${now} and ${gives}
             union all
             select p.name from identity_provider p
             join team t on t.tenant_id = p.tenant_id and t.id = p.default_team_id
             where p.tenant_id = ${tenantId} and p.default_role = ${role}`,
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

/** What names it: rows `r` of the mapping, grants, and a query for names of what else gives it. */
interface Using {
  readonly row: RawBuilder<boolean>;
  readonly grant?: RawBuilder<boolean>;
  readonly way?: RawBuilder<unknown>;
}

async function usesWhere(
  trx: Transaction<Tables>,
  tenantId: string,
  { row, grant = sql`false`, way = sql`select null as name where false` }: Using,
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
           array(select name::text from (${way}) as w order by name limit ${ROWS_SHOWN}) as ways
  `.execute(trx);
  return rows[0] as Uses;
}

/**
 * Refuses to delete what is in use. Holds only while nobody else changes mapping or grants: behind the tenant's
 * exclusive lock.
 * @throws AppError `conflict` (`in_use`) with `uses`.
 */
export function requireUnused(what: string, uses: Uses): void {
  const { rows, users, ways } = uses;
  const reasons = [
    ...(rows.length > 0 ? [`the group mapping names it (${rows.join(', ')})`] : []),
    ...(users > 0 ? [`users hold it: ${users}`] : []),
    ...(ways.length > 0 ? [`domains, invitations or identity providers give it (${ways.join(', ')})`] : []),
  ];
  if (reasons.length === 0) return;
  throw new AppError('conflict', `${what} is in use: ${reasons.join('; ')}`, {
    reason: 'in_use',
    hint: 'Take it out of the group mapping, of domains, invitations and identity providers, and from the users who hold it; then delete it.',
    members: { uses },
  });
}
