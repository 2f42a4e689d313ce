import type { Database } from '../db/database.ts';
import { makeRefusedRequests, type RefusedRequests } from './refused-requests.ts';
import { makeToleranceUses, type ToleranceUses } from './tolerance-uses.ts';

/** What the clients' keys lean on and stumble over, for the admin who has to find out. */
export interface ClientRecords {
  readonly toleranceUses: ToleranceUses;
  readonly refusedRequests: RefusedRequests;
}

export function makeClientRecords(database: Database): ClientRecords {
  return { toleranceUses: makeToleranceUses(database), refusedRequests: makeRefusedRequests(database) };
}
