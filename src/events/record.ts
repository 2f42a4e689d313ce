import type { Transaction } from 'kysely';
import { type Actor, actorJson } from '../context.ts';
import { insertEvents } from '../db/event-row.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Tables } from '../db/tables.ts';
import { runIn } from '../db/transaction.ts';

/** One thing that happened, as an action tells it. */
export interface EventRow {
  /** `<resource>.<past participle>`: `tenant.created`, `api_key.revoked`. */
  readonly type: string;
  readonly resourceType: string;
  /** null: what it happened to has a name and no id (a role). */
  readonly resourceId: string | null;
  readonly reason?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface Occasion {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly at: Date;
  readonly changeId: string;
}

const recordStatement = statement<unknown>(
  'record_events',
  `with told as (
     select type, resource_type, resource_id, reason::jsonb, before::jsonb, after::jsonb, $4::uuid as change_id,
            $5::text as request_id
     from unnest($6::text[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[])
       as e (type, resource_type, resource_id, reason, before, after)
   ) ${insertEvents('told', { at: '$2', actor: '$3' })}`,
);

/** The events of a change that no statement of its own tells: the last step of its transaction. */
export function recordStep(occasion: Occasion, events: readonly EventRow[]): Step {
  const { tenantId, actor, at, changeId } = occasion;
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  return step(recordStatement, [
    tenantId,
    at,
    actorJson(actor),
    changeId,
    actor.requestId,
    events.map((event) => event.type),
    events.map((event) => event.resourceType),
    events.map((event) => event.resourceId),
    events.map((event) => json(event.reason)),
    events.map((event) => json(event.before)),
    events.map((event) => json(event.after)),
  ]);
}

/** Writes the events of an administrative change. The hot path ends its statements with `db/event-row.ts` instead. */
export async function record(
  trx: Transaction<Tables>,
  occasion: Occasion,
  events: readonly EventRow[],
): Promise<void> {
  if (events.length > 0) await runIn(trx, recordStep(occasion, events));
}
