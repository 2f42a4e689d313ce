import type { Database } from '../db/database.ts';
import { run, statement, step } from '../db/statement.ts';
import { pipeline } from '../db/transaction.ts';

/**
 * The sealer: after the commit, and never beside another sealer, it gives each tenant's events their gap-free
 * sequence and their hash chain. Writers of a tenant so never wait for each other to get a number, and a reader
 * of sealed events can trust a cursor: a sequence below one that it has seen is never given again.
 */

/** At most so many events are sealed by one turn: about 50 milliseconds of PostgreSQL's time. */
export const EVENTS_PER_TURN = 2_000;

/** The row of table `lease` that the sealer at work holds. */
const LEASE = 'seal_events';

/**
 * Whether the transaction that wrote an event lies below the horizon of snapshot `now`: it and all before it
 * have ended. At or above the snapshot's end lie only numbers from another server, in a restored dump.
 */
const SETTLED = `(transaction_id < pg_snapshot_xmin(now) or transaction_id >= pg_snapshot_xmax(now))`;

/** One row when there is something to seal and no other sealer at work; takes no lock. */
const dueStatement = statement<unknown>(
  'seal_due',
  `select from (select transaction_id from event where sequence is null order by position limit 1) oldest,
     pg_current_snapshot() now
   where ${SETTLED}
     and not exists (select from lease where name = $1 and holder <> $2 and expires_at > clock_timestamp())`,
);

/**
 * Takes or renews the lease, by the database's clock. Its row stays locked until the transaction ends, so a
 * sealer that was frozen in mid-turn cannot lose it to another before its own work is done or undone.
 */
const leaseStatement = statement<unknown>(
  'seal_lease',
  `insert into lease (name, holder, expires_at) values ($1, $2, clock_timestamp() + interval '5 seconds')
   on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
   where lease.holder = excluded.holder or lease.expires_at <= clock_timestamp()`,
);

/** Without this a backlog of 100,000 events is sorted anew in each turn, instead of read in index order. */
const readByIndexStatement = statement<unknown>(
  'seal_by_index',
  `select set_config('enable_sort', 'off', true)`,
);

/**
 * Seals in the order of insertion, up to the first event that is not settled: what a transaction wrote because
 * of another's event stays behind that event. The lease is asked again: the step before may have been refused.
 */
const sealStatement = statement<{ sealed: number }>(
  'seal_events',
  `with unsealed as materialized (
     select tenant_id, position, transaction_id, event_digest(event) as digest
     from event where sequence is null order by position limit ${EVENTS_PER_TURN}
   ), candidate as (
     select tenant_id, position, digest, bool_and(${SETTLED}) over (order by position) as settled
     from unsealed, pg_current_snapshot() now
   ), numbered as (
     select tenant_id, position,
       coalesce(chain.sequence, 0) + row_number() over run as sequence,
       event_chain_hash(coalesce(chain.hash, sha256(convert_to(tenant_id::text, 'UTF8'))), digest) over run as hash
     from candidate left join event_chain chain using (tenant_id)
     where settled and exists (select from lease where name = $1 and holder = $2)
     window run as (partition by tenant_id order by position)
   ), sealed as (
     update event set sequence = numbered.sequence, hash = numbered.hash
     from numbered
     where event.tenant_id = numbered.tenant_id and event.position = numbered.position
     returning event.tenant_id, event.sequence, event.hash
   ), chained as (
     insert into event_chain (tenant_id, sequence, hash)
     select distinct on (tenant_id) tenant_id, sequence, hash from sealed order by tenant_id, sequence desc
     on conflict (tenant_id) do update set sequence = excluded.sequence, hash = excluded.hash
   )
   select count(*) as sealed from sealed`,
);

/**
 * Seals the oldest events of all tenants that are waiting, as one transaction.
 * @param holder the UUID of this process as a sealer.
 * @returns how many it sealed: none when there is nothing to seal, or another holder is at work.
 */
export async function seal(database: Database, holder: string): Promise<number> {
  const due = await run(database.pool, step(dueStatement, [LEASE, holder]));
  if (due.length === 0) return 0;
  const [, , [turn]] = await pipeline(database, [
    step(leaseStatement, [LEASE, holder]),
    step(readByIndexStatement, []),
    step(sealStatement, [LEASE, holder]),
  ]);
  return turn?.sealed ?? 0;
}

const releaseStatement = statement<unknown>(
  'seal_release',
  `delete from lease where name = $1 and holder = $2`,
);

/** Gives the lease back, so that another sealer takes over at once and not when it expires. */
export async function releaseSealing(database: Database, holder: string): Promise<void> {
  await run(database.pool, step(releaseStatement, [LEASE, holder]));
}
