import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Page } from '../db/page.ts';
import type { DirectoryTable, Tables } from '../db/tables.ts';

/** One SCIM source of a tenant. */
export interface Directory {
  readonly id: string;
  /** A lower-case slug, unique in the tenant, never changed. */
  readonly name: string;
  readonly displayName: string | null;
  readonly createdAt: Date;
}

/** The directory that every tenant has, and keeps. */
export const DEFAULT_DIRECTORY = 'default';

/** @throws DatabaseError that violates `directory_name_key` when the name is taken. */
export async function insertDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  directory: Directory,
): Promise<void> {
  await trx
    .insertInto('directory')
    .values({
      tenant_id: tenantId,
      id: directory.id,
      name: directory.name,
      display_name: directory.displayName,
      created_at: directory.createdAt,
    })
    .execute();
}

/** Writes what can change of a directory. */
export async function updateDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  { id, displayName }: Directory,
): Promise<void> {
  await trx
    .updateTable('directory')
    .set({ display_name: displayName })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute();
}

/** Deletes a directory that no user or group belongs to. */
export async function deleteDirectoryRow(
  trx: Transaction<Tables>,
  tenantId: string,
  id: string,
): Promise<void> {
  await trx.deleteFrom('directory').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
}

/** The directory, locked against other changes of it until the transaction ends. */
export async function directoryForUpdate(
  trx: Transaction<Tables>,
  tenantId: string,
  name: string,
): Promise<Directory | undefined> {
  const row = await byName(trx, tenantId, name).forNoKeyUpdate().executeTakeFirst();
  return row && directoryOf(row);
}

/** The directory, kept from being deleted until the transaction ends. */
export async function holdDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  name: string,
): Promise<Directory | undefined> {
  const row = await byName(trx, tenantId, name).forKeyShare().executeTakeFirst();
  return row && directoryOf(row);
}

export async function directoryByName(
  kysely: Kysely<Tables>,
  tenantId: string,
  name: string,
): Promise<Directory | undefined> {
  const row = await byName(kysely, tenantId, name).executeTakeFirst();
  return row && directoryOf(row);
}

export async function listDirectories(
  kysely: Kysely<Tables>,
  tenantId: string,
  { after, limit }: Page,
): Promise<Directory[]> {
  const rows = await kysely
    .selectFrom('directory')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(directoryOf);
}

function byName(kysely: Kysely<Tables>, tenantId: string, name: string) {
  return kysely
    .selectFrom('directory')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name);
}

function directoryOf(row: Selectable<DirectoryTable>): Directory {
  return { id: row.id, name: row.name, displayName: row.display_name, createdAt: row.created_at };
}
