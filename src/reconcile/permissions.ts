import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Page } from '../db/page.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { PermissionTable, Tables } from '../db/tables.ts';

/** A right on the whole tenant that the product knows, beside its ownership. */
export interface Permission {
  /** What grants and events name it by. */
  readonly id: string;
  /** Upper case; what the group mapping and the product name it by. Never changed. */
  readonly name: string;
  readonly description: string | null;
  readonly createdAt: Date;
}

/** So many permissions may a tenant register. */
export const MAX_PERMISSIONS = 1_000;

/** How the name of a permission may be written; it means the same in any case. */
export const PERMISSION_NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

/** @throws DatabaseError that violates `permission_name_key` when the name is taken. */
export async function insertPermission(
  trx: Transaction<Tables>,
  tenantId: string,
  { id, name, description, createdAt }: Permission,
): Promise<void> {
  await trx
    .insertInto('permission')
    .values({ tenant_id: tenantId, id, name, description, created_at: createdAt })
    .execute();
}

export async function countPermissions(trx: Transaction<Tables>, tenantId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('permission')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  return count;
}

export async function deletePermissionRow(
  trx: Transaction<Tables>,
  tenantId: string,
  id: string,
): Promise<void> {
  await trx.deleteFrom('permission').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
}

/** The permission of that name, upper case. */
export async function permissionByName(
  kysely: Kysely<Tables>,
  tenantId: string,
  name: string,
): Promise<Permission | undefined> {
  const row = await kysely
    .selectFrom('permission')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .executeTakeFirst();
  return row && permissionOf(row);
}

const permissionsNamedStatement = statement<Pick<Permission, 'id' | 'name'>>(
  'permissions_named',
  'select id, name from permission where tenant_id = $1 and name = any ($2)',
);

/** The permissions that have one of these names, upper case, in no order. */
export function permissionsNamed(
  tenantId: string,
  names: readonly string[],
): Step<Pick<Permission, 'id' | 'name'>> {
  return step(permissionsNamedStatement, [tenantId, names]);
}

/** A page of the tenant's permissions, in the order of their registration. */
export async function listPermissions(
  kysely: Kysely<Tables>,
  tenantId: string,
  { after, limit }: Page,
): Promise<Permission[]> {
  const rows = await kysely
    .selectFrom('permission')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(permissionOf);
}

function permissionOf(row: Selectable<PermissionTable>): Permission {
  return { id: row.id, name: row.name, description: row.description, createdAt: row.created_at };
}
