/**
 * The one text that writes events. Each statement that changes state ends with it, so that a change without its
 * event cannot be written (and an event without its change neither). Room `events` reads and seals the rows.
 */

/** When something happens, and who does it (`actorJson`). */
export interface Stamp {
  readonly at: Date;
  readonly actor: string;
}

/** What each written row tells the event of it. */
export interface Told {
  readonly changeId: string;
  readonly requestId: string;
}

/** The columns that a source of events has to offer, in this order. */
const COLUMNS = 'type, resource_type, resource_id, reason, before, after, change_id, request_id';

/**
 * `insert into event` for every row of the CTE `source` (columns: type, resource_type, resource_id, reason,
 * before, after, change_id, request_id). The tenant is `$1`; `at` and `actor` name the parameters with the time and the
 * actor's JSON.
 */
export function insertEvents(source: string, { at, actor }: { at: string; actor: string }): string {
  return `insert into event (tenant_id, at, actor, ${COLUMNS})
    select $1, ${at}::timestamptz, ${actor}::jsonb, ${COLUMNS} from ${source}`;
}

/** At most so many ids stand in one event; the events of one change share its `change_id`. */
export const IDS_PER_EVENT = 1_000;
