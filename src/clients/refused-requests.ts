import type { Kysely } from 'kysely';
import { v7 } from 'uuid';
import type { Database } from '../db/database.ts';
import { statement, step } from '../db/statement.ts';
import type { Tables } from '../db/tables.ts';
import { runAlone } from '../db/transaction.ts';
import type { ClientKey } from './tolerance-uses.ts';

/** A request of a known key that was refused. Holds no body and no query: filters hold names. */
export interface Refusal extends ClientKey {
  readonly at: Date;
  readonly method: string;
  /** As it was asked, without the query. */
  readonly path: string;
  readonly status: number;
  readonly scimType: string | undefined;
  /** What the client was told. */
  readonly detail: string;
  /** What the admin can do about it. */
  readonly hint: string;
  readonly requestId: string;
}

/** Keeps refusals in memory until they are written: no request waits for it. */
export interface RefusedRequests {
  add(refusal: Refusal): void;
  /** Writes what waits, and removes of each tenant what is beyond its last 1,000. */
  flush(): Promise<void>;
}

/** So many stay of each tenant. */
export const KEPT = 1_000;

/** So many wait between two flushes, of one tenant and of all (about 15 MB): a flood costs others nothing. */
const MAX_WAITING = { tenant: 200, all: 10_000 } as const;

/** In characters. */
const MAX_PATH = 300;
const MAX_DETAIL = 500;

type Waiting = Refusal & { readonly id: string };

// `stale` sees the table as it was before: the new ones count as newest, and what they displace is removed.
const writeRefusalsStatement = statement<unknown>(
  'write_refused_requests',
  `with incoming as (
     select i.* from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[],
       $7::smallint[], $8::text[], $9::text[], $10::text[], $11::text[])
       as i (tenant_id, id, at, key_id, method, path, status, scim_type, detail, hint, request_id)
     join tenant t on t.tenant_id = i.tenant_id
   ), written as (
     insert into refused_request (tenant_id, id, at, key_id, method, path, status, scim_type, detail, hint, request_id)
     select * from incoming order by tenant_id, id on conflict do nothing
   ), stale as (
     select n.tenant_id, oldest.id from (select tenant_id, count(*) from incoming group by tenant_id) as n,
       lateral (select r.id from refused_request r where r.tenant_id = n.tenant_id
                order by r.id desc offset greatest(${KEPT} - n.count, 0) limit 1) as oldest
   )
   delete from refused_request r using stale where r.tenant_id = stale.tenant_id and r.id <= stale.id`,
);

export function makeRefusedRequests(database: Database): RefusedRequests {
  let waiting = new Map<string, Waiting[]>();
  let count = 0;

  function keep(refusal: Waiting): void {
    const ofTenant = waiting.get(refusal.tenantId) ?? [];
    if (ofTenant.length >= MAX_WAITING.tenant || (count >= MAX_WAITING.all && ofTenant.length > 0)) {
      ofTenant.shift();
      count -= 1;
    }
    if (count >= MAX_WAITING.all) return;
    ofTenant.push(refusal);
    count += 1;
    waiting.set(refusal.tenantId, ofTenant);
  }

  async function flush(): Promise<void> {
    const refusals = [...waiting.values()].flat();
    if (refusals.length === 0) return;
    waiting = new Map();
    count = 0;
    try {
      await runAlone(database, step(writeRefusalsStatement, columnsOf(refusals)));
    } catch (error) {
      const later = [...waiting.values()].flat();
      waiting = new Map();
      count = 0;
      for (const refusal of [...refusals, ...later]) keep(refusal);
      throw error;
    }
  }

  return {
    add: (refusal) =>
      keep({
        ...refusal,
        id: v7(),
        path: textOf(refusal.path, MAX_PATH),
        detail: textOf(refusal.detail, MAX_DETAIL),
      }),
    flush,
  };
}

function columnsOf(refusals: readonly Waiting[]) {
  return [
    refusals.map((refusal) => refusal.tenantId),
    refusals.map((refusal) => refusal.id),
    refusals.map((refusal) => refusal.at),
    refusals.map((refusal) => refusal.keyId),
    refusals.map((refusal) => refusal.method),
    refusals.map((refusal) => refusal.path),
    refusals.map((refusal) => refusal.status),
    refusals.map((refusal) => refusal.scimType ?? null),
    refusals.map((refusal) => refusal.detail),
    refusals.map((refusal) => refusal.hint),
    refusals.map((refusal) => refusal.requestId),
  ];
}

/** What may be a secret: anything as long as the shortest of ours, also percent-encoded. Ids have 36 characters. */
const SECRET = /(?:[\w-]|%[0-9a-f]{2}){40,}/gi;

/**
 * Text that can be stored and shown: without secrets, which clients put into paths by mistake, without control
 * characters, and cut. A copy, because a part of a string would keep the whole of it in memory.
 */
function textOf(text: string, longest: number): string {
  // Cut before, so that long texts cost nothing, and without the last word, which may be half a secret.
  const start = text.length > 4 * longest ? text.slice(0, 4 * longest).replace(/[\w%-]{0,100}$/, '') : text;
  const shown = start
    .replace(SECRET, '…')
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, longest);
  return Buffer.from(shown).toString();
}

/** A refusal as an admin reads it. */
export interface RefusedRequest {
  readonly id: string;
  readonly at: Date;
  /** `name` is null when the key was deleted with its directory. */
  readonly apiKey: { readonly id: string; readonly name: string | null };
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly scimType: string | null;
  readonly detail: string;
  readonly hint: string;
  readonly requestId: string;
}

export interface RefusedRequestPage {
  readonly apiKey?: string | undefined;
  /** The id of the last one that the reader has; the largest UUID starts with the newest. */
  readonly after: string;
  readonly limit: number;
}

/** What the tenant's keys were refused, the newest first. */
export async function listRefusedRequests(
  kysely: Kysely<Tables>,
  tenantId: string,
  { apiKey, after, limit }: RefusedRequestPage,
): Promise<RefusedRequest[]> {
  const rows = await kysely
    .selectFrom('refused_request as r')
    .leftJoin('api_key as k', (join) =>
      join.onRef('k.tenant_id', '=', 'r.tenant_id').onRef('k.id', '=', 'r.key_id'),
    )
    .selectAll('r')
    .select('k.name as key_name')
    .where('r.tenant_id', '=', tenantId)
    .where('r.id', '<', after)
    .$if(apiKey !== undefined, (query) => query.where('r.key_id', '=', apiKey as string))
    .orderBy('r.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    apiKey: { id: row.key_id, name: row.key_name },
    method: row.method,
    path: row.path,
    status: row.status,
    scimType: row.scim_type,
    detail: row.detail,
    hint: row.hint,
    requestId: row.request_id,
  }));
}
