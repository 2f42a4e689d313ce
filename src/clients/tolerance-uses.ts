import type { Kysely } from 'kysely';
import type { Database } from '../db/database.ts';
import { statement, step } from '../db/statement.ts';
import type { Tables } from '../db/tables.ts';
import { runAlone } from '../db/transaction.ts';

/** A key of a tenant, as it is counted and recorded. */
export interface ClientKey {
  readonly tenantId: string;
  readonly keyId: string;
}

interface Use extends ClientKey {
  readonly name: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

/** Counts in memory which tolerances the requests of each key needed, until they are written. */
export interface ToleranceUses {
  count(key: ClientKey, names: Iterable<string>, at: Date): void;
  /** Adds the counts to those of all instances. What cannot be written now is kept for the next time. */
  flush(): Promise<void>;
}

/** The most counters that wait, about 10 MB; only a database that is away for long lets so many come together. */
const MAX_WAITING = 50_000;

// In one order, so that two instances that count for the same keys wait for each other and never in a circle.
const addUsesStatement = statement<unknown>(
  'add_tolerance_uses',
  `insert into tolerance_use (tenant_id, key_id, name, count, last_seen_at)
   select u.* from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
     as u (tenant_id, key_id, name, count, last_seen_at)
   where exists (select from api_key k where k.tenant_id = u.tenant_id and k.id = u.key_id)
   order by u.tenant_id, u.key_id, u.name
   on conflict (tenant_id, key_id, name) do update
   set count = tolerance_use.count + excluded.count,
     last_seen_at = greatest(tolerance_use.last_seen_at, excluded.last_seen_at)`,
);

export function makeToleranceUses(database: Database): ToleranceUses {
  let waiting = new Map<string, Use>();

  function add(use: Use): void {
    const id = `${use.tenantId} ${use.keyId} ${use.name}`;
    const known = waiting.get(id);
    if (known === undefined && waiting.size >= MAX_WAITING) return;
    const count = use.count + (known?.count ?? 0);
    const seen = known !== undefined && known.lastSeenAt > use.lastSeenAt ? known : use;
    waiting.set(id, { ...seen, count });
  }

  async function flush(): Promise<void> {
    const uses = [...waiting.values()];
    if (uses.length === 0) return;
    waiting = new Map();
    const values = [
      uses.map((use) => use.tenantId),
      uses.map((use) => use.keyId),
      uses.map((use) => use.name),
      uses.map((use) => use.count),
      uses.map((use) => use.lastSeenAt),
    ];
    try {
      await runAlone(database, step(addUsesStatement, values));
    } catch (error) {
      uses.forEach(add);
      throw error;
    }
  }

  return {
    count: ({ tenantId, keyId }, names, at) => {
      for (const name of names) add({ tenantId, keyId, name, count: 1, lastSeenAt: at });
    },
    flush,
  };
}

/** How often one key needed one tolerance. */
export interface ToleranceUse {
  readonly name: string;
  readonly count: number;
  readonly lastSeenAt: Date;
  readonly apiKey: { readonly id: string; readonly name: string };
}

export interface ToleranceUsePage {
  readonly apiKey?: string | undefined;
  /** The last use that the reader has. */
  readonly after?: { readonly keyId: string; readonly name: string } | undefined;
  readonly limit: number;
}

/** The tolerances that the tenant's keys needed, in the order of the keys' creation and of the names. */
export async function listToleranceUses(
  kysely: Kysely<Tables>,
  tenantId: string,
  { apiKey, after, limit }: ToleranceUsePage,
): Promise<ToleranceUse[]> {
  const rows = await kysely
    .selectFrom('tolerance_use as u')
    .innerJoin('api_key as k', (join) =>
      join.onRef('k.tenant_id', '=', 'u.tenant_id').onRef('k.id', '=', 'u.key_id'),
    )
    .select(['u.name', 'u.count', 'u.last_seen_at', 'k.id as key_id', 'k.name as key_name'])
    .where('u.tenant_id', '=', tenantId)
    .$if(apiKey !== undefined, (query) => query.where('u.key_id', '=', apiKey as string))
    .$if(after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('u.key_id', 'u.name'), '>', tuple(after?.keyId ?? '', after?.name ?? '')),
      ),
    )
    .orderBy('u.key_id')
    .orderBy('u.name')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    name: row.name,
    count: row.count,
    lastSeenAt: row.last_seen_at,
    apiKey: { id: row.key_id, name: row.key_name },
  }));
}
