import type { Kysely, Selectable, Transaction } from 'kysely';
import type { TenantSettings } from '../context.ts';
import type { Database } from '../db/database.ts';
import type { Page } from '../db/page.ts';
import { statement, step } from '../db/statement.ts';
import type { Tables, TenantTable } from '../db/tables.ts';
import { runAlone } from '../db/transaction.ts';
import { completeSettings, storedSettings } from './settings.ts';

/** One customer organisation of the product. */
export interface Tenant {
  readonly id: string;
  /** A lower-case slug, unique, never changed. */
  readonly name: string;
  readonly displayName: string | null;
  readonly settings: TenantSettings;
  readonly createdAt: Date;
}

/** @throws DatabaseError that violates `tenant_name_key` when the name is taken. */
export async function insertTenant(trx: Transaction<Tables>, tenant: Tenant): Promise<void> {
  await trx
    .insertInto('tenant')
    .values({
      tenant_id: tenant.id,
      name: tenant.name,
      display_name: tenant.displayName,
      settings: JSON.stringify(storedSettings(tenant.settings)),
      created_at: tenant.createdAt,
    })
    .execute();
}

/** Writes what can change of a tenant. */
export async function updateTenant(
  trx: Transaction<Tables>,
  { id, displayName, settings }: Tenant,
): Promise<void> {
  await trx
    .updateTable('tenant')
    .set({ display_name: displayName, settings: JSON.stringify(storedSettings(settings)) })
    .where('tenant_id', '=', id)
    .execute();
}

/** Deletes the tenant and, by foreign keys, everything of it but its events. */
export async function deleteTenantRow(trx: Transaction<Tables>, tenantId: string): Promise<void> {
  await trx.deleteFrom('tenant').where('tenant_id', '=', tenantId).execute();
}

/** The tenant, locked against other changes of it until the transaction ends. */
export async function tenantForUpdate(
  trx: Transaction<Tables>,
  tenantId: string,
): Promise<Tenant | undefined> {
  const row = await trx
    .selectFrom('tenant')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row && tenantOf(row);
}

/** Keeps a tenant from being deleted until the transaction ends; undefined when it is not there. */
export async function holdTenant(trx: Transaction<Tables>, tenantId: string): Promise<Tenant | undefined> {
  const row = await trx
    .selectFrom('tenant')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .forKeyShare()
    .executeTakeFirst();
  return row && tenantOf(row);
}

const byIdStatement = statement<TenantRow>('tenant_by_id', 'select * from tenant where tenant_id = $1');
const byNameStatement = statement<TenantRow>('tenant_by_name', 'select * from tenant where name = $1');

/** On the hot pool: every request that names a tenant asks this, and waits for no administration. */
export async function tenantById(db: Database, tenantId: string): Promise<Tenant | undefined> {
  const [row] = await runAlone(db, step(byIdStatement, [tenantId]));
  return row && tenantOf(row);
}

/** Likewise. */
export async function tenantByName(db: Database, name: string): Promise<Tenant | undefined> {
  const [row] = await runAlone(db, step(byNameStatement, [name]));
  return row && tenantOf(row);
}

export async function listTenants(kysely: Kysely<Tables>, { after, limit }: Page): Promise<Tenant[]> {
  const rows = await kysely
    .selectFrom('tenant')
    .selectAll()
    .where('tenant_id', '>', after)
    .orderBy('tenant_id')
    .limit(limit)
    .execute();
  return rows.map(tenantOf);
}

type TenantRow = Selectable<TenantTable>;

function tenantOf(row: TenantRow): Tenant {
  return {
    id: row.tenant_id,
    name: row.name,
    displayName: row.display_name,
    settings: completeSettings(row.settings),
    createdAt: row.created_at,
  };
}
