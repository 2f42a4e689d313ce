import type { Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';

/** Removes a deleted tenant's grants with their history, which no foreign key does. */
export async function eraseGrants(trx: Transaction<Tables>, tenantId: string): Promise<void> {
  await trx.deleteFrom('access_grant').where('tenant_id', '=', tenantId).execute();
  await trx.deleteFrom('access_grant_history').where('tenant_id', '=', tenantId).execute();
}
