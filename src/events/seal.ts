import type { Database } from '../db/database.ts';
import { statement, step } from '../db/statement.ts';
import { pipeline, runAlone } from '../db/transaction.ts';

/**
 * The sealer: after the commit, and never beside another sealer, it gives each tenant's events their gap-free
 * sequence and their hash chain. So writers of a tenant never wait for each other to get a number, and a reader
 * of sealed events may trust a cursor: an event that commits late gets a sequence behind all that were given.
 *
 * What is sealed by one turn is what its snapshot sees, in the order of insertion. That keeps an event behind its
 * cause, because whoever sees the effect sees the cause, which was inserted before. It needs no horizon of
 * transaction numbers, which any long transaction on the server, even of another database, would hold back.
 */

/** At most so many events are sealed by one turn: about 50 milliseconds of PostgreSQL's time. */
export const EVENTS_PER_TURN = 2_000;

/** The row of table `lease` that the sealer at work holds. */
const LEASE = 'seal_events';

/**
 * One row when there is something to seal and no other sealer is at work; takes no lock. The order keeps it to
 * the index, where a bare `exists` may read the table: statistics from a backlog promise a quick find.
 */
const dueStatement = statement<unknown>(
  'seal_due',
  `select from (select from event where sequence is null order by position limit 1) oldest
   where not exists (select from lease where name = $1 and holder <> $2 and expires_at > clock_timestamp())`,
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

/** Seals a tenant's events behind the end of its chain. The lease step may have been refused, so it asks again. */
const sealStatement = statement<{ sealed: number }>(
  'seal_events',
  `with unsealed as materialized (
     select tenant_id, position, event_digest(event) as digest
     from event where sequence is null order by position limit ${EVENTS_PER_TURN}
   ), numbered as (
     select tenant_id, position,
       coalesce(chain.sequence, 0) + row_number() over run as sequence,
       event_chain_hash(coalesce(chain.hash, sha256(convert_to(tenant_id::text, 'UTF8'))), digest) over run as hash
     from unsealed left join event_chain chain using (tenant_id)
     where exists (select from lease where name = $1 and holder = $2)
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
  const due = await runAlone(database, step(dueStatement, [LEASE, holder]));
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
  await runAlone(database, step(releaseStatement, [LEASE, holder]));
}
