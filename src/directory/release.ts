import { sql, type Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';

/** What a directory leaves behind when it is deleted. Each writer wants the tenant's exclusive lock. */

/** Deletes the groups of a directory with their members; answers the ids of the groups. */
export async function deleteGroupsOfDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  directoryId: string,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with members as (
      delete from group_member m using scim_group g
      where g.tenant_id = ${tenantId} and g.directory_id = ${directoryId}
        and m.tenant_id = g.tenant_id and m.group_id = g.id
    )
    delete from scim_group g
    where g.tenant_id = ${tenantId} and g.directory_id = ${directoryId}
    returning g.id`.execute(trx);
  return rows.map((row) => row.id);
}

/** Deactivates the active users of a directory; answers their ids. */
export async function deactivateUsersOfDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  directoryId: string,
  at: Date,
): Promise<string[]> {
  const rows = await trx
    .updateTable('scim_user')
    .set((column) => ({ active: false, version: column('version', '+', 1), updated_at: at }))
    .where('tenant_id', '=', tenantId)
    .where('directory_id', '=', directoryId)
    .where('active', '=', true)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

/** Makes the users of a directory unmanaged, and changes nothing else of them; answers their ids. */
export async function releaseUsersOfDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  directoryId: string,
): Promise<string[]> {
  const rows = await trx
    .updateTable('scim_user')
    .set({ directory_id: null })
    .where('tenant_id', '=', tenantId)
    .where('directory_id', '=', directoryId)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}
