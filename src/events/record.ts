import type { Transaction } from 'kysely';
import { type Actor, actorJson } from '../context.ts';
import type { Tables } from '../db/tables.ts';

/** One thing that happened, as an action tells it. */
export interface EventRow {
  /** `<resource>.<past participle>`: `tenant.created`, `api_key.revoked`. */
  readonly type: string;
  readonly resourceType: string;
  /** null: what it happened to has a name and no id (a role). */
  readonly resourceId: string | null;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface Occasion {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly at: Date;
  readonly changeId: string;
}

/**
 * Writes the events of an administrative change: the last statement of its transaction. The hot path ends its
 * statements with `db/event-row.ts` instead.
 */
export async function record(
  trx: Transaction<Tables>,
  { tenantId, actor, at, changeId }: Occasion,
  events: readonly EventRow[],
): Promise<void> {
  if (events.length === 0) return;
  await trx
    .insertInto('event')
    .values(
      events.map((event) => ({
        tenant_id: tenantId,
        at,
        actor: actorJson(actor),
        type: event.type,
        resource_type: event.resourceType,
        resource_id: event.resourceId,
        before: event.before === undefined ? null : JSON.stringify(event.before),
        after: event.after === undefined ? null : JSON.stringify(event.after),
        change_id: changeId,
        request_id: actor.requestId,
      })),
    )
    .execute();
}
