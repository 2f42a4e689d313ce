import type { Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';

/** Removes a deleted tenant's events with their chain, which no foreign key does. */
export async function eraseEvents(trx: Transaction<Tables>, tenantId: string): Promise<void> {
  await trx
    .with('erased', (query) => query.deleteFrom('event').where('tenant_id', '=', tenantId))
    .deleteFrom('event_chain')
    .where('tenant_id', '=', tenantId)
    .execute();
}
