import type { Kysely, Selectable, Transaction } from 'kysely';
import type { RoleTable, Tables } from '../db/tables.ts';

/** What a user may be in a team. */
export interface Role {
  /** Upper case; what a role is named by everywhere. */
  readonly name: string;
  readonly displayName: string | null;
  /** 1 to 10,000, no two alike in a tenant; the lower, the more permissive. */
  readonly rank: number;
  readonly builtIn: boolean;
  /** null: built in. */
  readonly createdAt: Date | null;
}

/** The roles that every tenant has, most to least permissive; the gaps are for a tenant's own. */
export const BUILT_IN_ROLES: readonly Role[] = [
  builtIn('TEAM_ADMIN', 100),
  builtIn('EDITOR', 200),
  builtIn('VIEWER', 300),
  builtIn('CASE_MANAGER', 400),
  builtIn('WORKBENCH_USER', 500),
];

/** The least permissive rank there is. */
export const LOWEST_RANK = 10_000;

/** So many roles may a tenant add. */
export const MAX_CUSTOM_ROLES = 100;

/** How the name of a role may be written; it means the same in any case. */
export const ROLE_NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

/** @throws DatabaseError that violates `role_pkey` or `role_rank_key` when name or rank is taken. */
export async function insertRole(
  trx: Transaction<Tables>,
  tenantId: string,
  { name, displayName, rank, createdAt }: Role & { readonly createdAt: Date },
): Promise<void> {
  await trx
    .insertInto('role')
    .values({ tenant_id: tenantId, name, display_name: displayName, rank, created_at: createdAt })
    .execute();
}

export async function countCustomRoles(trx: Transaction<Tables>, tenantId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('role')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  return count;
}

/** Deletes a custom role and answers what it was; undefined: there was none. */
export async function deleteRoleRow(
  trx: Transaction<Tables>,
  tenantId: string,
  name: string,
): Promise<Role | undefined> {
  const row = await trx
    .deleteFrom('role')
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .returningAll()
    .executeTakeFirst();
  return row && roleOf(row);
}

/** Every role of the tenant, most to least permissive. */
export async function rolesOf(kysely: Kysely<Tables>, tenantId: string): Promise<Role[]> {
  const rows = await kysely.selectFrom('role').selectAll().where('tenant_id', '=', tenantId).execute();
  return [...BUILT_IN_ROLES, ...rows.map(roleOf)].sort((left, right) => left.rank - right.rank);
}

function builtIn(name: string, rank: number): Role {
  return { name, displayName: null, rank, builtIn: true, createdAt: null };
}

function roleOf(row: Selectable<RoleTable>): Role {
  return {
    name: row.name,
    displayName: row.display_name,
    rank: row.rank,
    builtIn: false,
    createdAt: row.created_at,
  };
}
