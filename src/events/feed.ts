import type { Selectable } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Database } from '../db/database.ts';
import { compiled, statement, step } from '../db/statement.ts';
import type { EventTable } from '../db/tables.ts';
import { runAlone } from '../db/transaction.ts';
import { AppError } from '../errors.ts';

export interface FeedQuery {
  /** The nil UUID: the events of the service itself. */
  readonly tenantId: string;
  /** The cursor of the page before; without it the feed starts with the tenant's first event. */
  readonly after?: string;
  /** At most so many events. */
  readonly limit: number;
  /** Only events of this type: `user.created`. */
  readonly type?: string;
  /** Only events of the resource with this id. */
  readonly resource?: string;
  /** Only events of the change with this id. */
  readonly change?: string;
}

/** What happened, to what, by whom and why. */
export interface FeedEvent {
  readonly id: string;
  /** Counts the tenant's events from 1, without a gap. */
  readonly sequence: number;
  readonly type: string;
  readonly at: string;
  readonly actor: Record<string, unknown>;
  readonly resource: { readonly type: string; readonly id: string | null };
  readonly reason: unknown;
  readonly before: unknown;
  readonly after: unknown;
  /** Shared by the events of one change. */
  readonly changeId: string;
  readonly requestId: string | null;
}

export interface FeedPage {
  readonly events: FeedEvent[];
  /** What `after` takes to go on behind everything that this page has looked at. */
  readonly cursor: string;
}

/**
 * The tenant's sealed events behind a cursor, in their order. A reader that follows the cursor gets each event
 * once, also one whose transaction commits late, and never reads again what its filter has passed over. On the hot
 * pool: products wait for no administration.
 * @throws AppError `invalid_request` for a cursor that this feed did not give, or a resource or change that is no UUID.
 */
export async function readFeed(db: Database, query: FeedQuery): Promise<FeedPage> {
  const after = readCursor(query.after);
  // The end before the page: what is sealed in between may stand on the page, but is never passed over.
  const end = await lastSequence(db, query.tenantId);
  if (after > end) throw badCursor('it lies beyond the last event');
  const rows = await runAlone(db, pageOf(db, query, after));
  const full = rows.length === query.limit;
  const last = rows.at(-1)?.sequence ?? after;
  return { events: rows.map(toFeedEvent), cursor: String(full ? last : Math.max(last, end)) };
}

function readCursor(after: string | undefined): number {
  if (after === undefined) return 0;
  if (!/^\d{1,15}$/.test(after)) throw badCursor('it is not a number');
  return Number(after);
}

function badCursor(fault: string): AppError {
  return new AppError('invalid_request', `The cursor in "after" is none that this feed gave: ${fault}`, {
    pointer: 'after',
    hint: 'Pass the cursor of the page before, or leave "after" out to read from the first event.',
  });
}

const lastSequenceStatement = statement<{ sequence: number }>(
  'last_sequence',
  'select sequence from event_chain where tenant_id = $1',
);

async function lastSequence(db: Database, tenantId: string): Promise<number> {
  const [chain] = await runAlone(db, step(lastSequenceStatement, [tenantId]));
  return chain?.sequence ?? 0;
}

type FeedRow = Selectable<EventTable> & { readonly sequence: number };

function pageOf({ kysely }: Database, query: FeedQuery, after: number) {
  const { tenantId, type, resource, change, limit } = query;
  requireUuid('resource', resource);
  requireUuid('change', change);
  const page = kysely
    .selectFrom('event')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('sequence', '>', after)
    .$if(type !== undefined, (page) => page.where('type', '=', String(type)))
    .$if(resource !== undefined, (page) => page.where('resource_id', '=', String(resource)))
    .$if(change !== undefined, (page) => page.where('change_id', '=', String(change)))
    .orderBy('sequence')
    .limit(limit);
  return compiled<FeedRow>(page.compile(), tenantId);
}

function requireUuid(pointer: 'resource' | 'change', id: string | undefined): void {
  if (id === undefined || isUuid(id)) return;
  throw new AppError('invalid_request', `"${pointer}" is no id of a ${pointer}: it has to be a UUID`, {
    pointer,
  });
}

function toFeedEvent(row: FeedRow): FeedEvent {
  return {
    id: row.id,
    sequence: row.sequence,
    type: row.type,
    at: row.at.toISOString(),
    actor: row.actor,
    resource: { type: row.resource_type, id: row.resource_id },
    reason: row.reason,
    before: row.before,
    after: row.after,
    changeId: row.change_id,
    requestId: row.request_id,
  };
}
