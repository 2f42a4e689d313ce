import type { Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';

/**
 * Removes a deleted tenant's events with their chain, which no foreign key does. The chain last and by a statement
 * of its own: the sealer may start it while the events are being removed.
 */
export async function eraseEvents(trx: Transaction<Tables>, tenantId: string): Promise<void> {
  await trx.deleteFrom('event').where('tenant_id', '=', tenantId).execute();
  await trx.deleteFrom('event_chain').where('tenant_id', '=', tenantId).execute();
}
