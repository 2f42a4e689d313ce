import { createHash, randomUUID } from 'node:crypto';
import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Test } from 'tap';
import { type Database, openDatabase } from '../../src/db/database.ts';
import type { Tables } from '../../src/db/tables.ts';
import { transaction } from '../../src/db/transaction.ts';
import type { FeedEvent } from '../../src/events/feed.ts';
import { record } from '../../src/events/record.ts';
import { createDatabase } from './database.ts';

/** A migrated database of the test's own, open. */
export async function openTestDatabase(t: Test, poolSize = 4): Promise<Database> {
  const { connectionString } = await createDatabase(t);
  const database = openDatabase({
    connection: connectionString,
    poolSize,
    administrationPoolSize: poolSize,
    onConnectionError: () => {},
  });
  t.teardown(() => database.close());
  return database;
}

/** Writes an event as an action does; `label` comes back as the event's `after`. */
export function writeEvent(
  trx: Transaction<Tables>,
  tenantId: string,
  label: string,
  type = 'user.created',
): Promise<void> {
  return record(
    trx,
    {
      tenantId,
      actor: { principal: { kind: 'system', name: 'test' }, requestId: 'request-1' },
      at: new Date('2026-01-02T03:04:05.678Z'),
      changeId: randomUUID(),
    },
    [{ type, resourceType: 'User', resourceId: randomUUID(), after: { label } }],
  );
}

export function labelOf(event: FeedEvent): string {
  return (event.after as { label: string }).label;
}

/** Writes one event for each label, each in a transaction of its own. */
export async function commitEvents(
  database: Database,
  tenantId: string,
  labels: readonly string[],
): Promise<void> {
  for (const label of labels)
    await transaction(database, tenantId, (trx) => writeEvent(trx, tenantId, label));
}

export async function countUnsealed(database: Database): Promise<number> {
  const { count } = await database.kysely
    .selectFrom('event')
    .select((event) => event.fn.countAll<number>().as('count'))
    .where('sequence', 'is', null)
    .executeTakeFirstOrThrow();
  return count;
}

/** Resolves when so many backends of this database wait for a lock. */
export async function backendsWaiting(database: Database, count: number): Promise<number[]> {
  for (;;) {
    const { rows } = await database.pool.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows.length === count) return rows.map((row) => row.pid);
  }
}

interface ChainRow {
  readonly sequence: number;
  readonly hash: Buffer;
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly actor: string;
  readonly resource_type: string;
  readonly resource_id: string | null;
  readonly change_id: string;
  readonly request_id: string | null;
  readonly payload: string;
  /** In hexadecimal, where the payload was erased. */
  readonly payload_digest: string | null;
}

export const sha256 = (...parts: (string | Buffer)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * Computes a tenant's chain anew, without PostgreSQL's functions: the sequence of the first event that does not
 * hold (one too many for a missing end), or undefined when all do.
 */
export async function firstFault(
  trx: Pick<Transaction<Tables>, 'getExecutor'>,
  tenantId: string,
): Promise<number | undefined> {
  const { rows } = await sql<ChainRow>`
    select sequence, hash, id, type, extract(epoch from at)::text as at, actor::text, resource_type, resource_id,
      change_id, request_id, json_build_array(reason, before, after)::text as payload,
      encode(payload_digest, 'hex') as payload_digest
    from event where tenant_id = ${tenantId} and sequence is not null order by sequence`.execute(trx);
  let hash = sha256(tenantId);
  for (const [index, row] of rows.entries()) {
    hash = sha256(hash, digest(row));
    if (row.sequence !== index + 1 || !row.hash.equals(hash)) return index + 1;
  }
  const end = await sql<{ sequence: number; hash: Buffer }>`
    select sequence, hash from event_chain where tenant_id = ${tenantId}`.execute(trx);
  const whole = end.rows[0]?.sequence === rows.length && end.rows[0].hash.equals(hash);
  return whole ? undefined : rows.length + 1;
}

function digest(row: ChainRow): Buffer {
  const payloadDigest = row.payload_digest ?? sha256(row.payload).toString('hex');
  const resource = [row.resource_type, row.resource_id, row.change_id, row.request_id].map((each) =>
    JSON.stringify(each),
  );
  const parts = [JSON.stringify(row.id), JSON.stringify(row.type), row.at, row.actor, ...resource];
  return sha256(`[${[...parts, JSON.stringify(payloadDigest)].join(', ')}]`);
}
