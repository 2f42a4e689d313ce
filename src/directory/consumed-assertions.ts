import { createHash } from 'node:crypto';
import type { Database } from '../db/database.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { runAlone } from '../db/transaction.ts';

/** Assertions that were used: each once, on whichever instance it is posted. */

/** An assertion that is to be used up. */
export interface Consumption {
  readonly tenantId: string;
  readonly identityProviderId: string;
  /** The assertion's own id. */
  readonly assertionId: string;
  readonly expiresAt: Date;
  /** SHA-256 of (key, Idempotency-Key, body), in hex; null: no retry is announced. */
  readonly retryHash: string | null;
}

/** What was answered to whoever used it. */
export interface Answered {
  readonly status: number;
  /** JSON. */
  readonly answer: string;
}

/** SHA-256 in hex. */
export function hexHash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** How long the gateway's own retry gets the same answer, in seconds. */
const RETRIED_WITHIN = 60;

interface Consumed {
  /** Of the gateway's own retry; null: of anybody else. */
  readonly status: number | null;
  readonly answer: string | null;
}

const consumedStatement = statement<Consumed>(
  'consumed_assertion',
  `select case when again then status end as status, case when again then answer end as answer
   from (select status, answer, coalesce(retry_hash = decode($4, 'hex'), false) and answer is not null
           and consumed_at > $5::timestamptz - interval '${RETRIED_WITHIN} seconds' as again
         from consumed_assertion
         where tenant_id = $1 and identity_provider_id = $2 and assertion_hash = decode($3, 'hex')) as c`,
);

/** A row: the assertion is used up. */
export function consumedBefore(consumption: Consumption, at: Date): Step<Consumed> {
  const { tenantId, identityProviderId, assertionId, retryHash } = consumption;
  return step(consumedStatement, [tenantId, identityProviderId, hexHash(assertionId), retryHash, at]);
}

/** SQL: the columns of a row; what a use writes of itself (see `consumptionValues`). */
export const CONSUMED_COLUMNS =
  'tenant_id, identity_provider_id, assertion_hash, consumed_at, expires_at, retry_hash, status, answer';

const consumeStatement = statement<{ readonly consumed: boolean }>(
  'consume_assertion',
  `insert into consumed_assertion (${CONSUMED_COLUMNS})
   values ($1, $2, decode($3, 'hex'), $4, $5, decode($6, 'hex'), $7, $8)
   on conflict do nothing returning true as consumed`,
);

/** Uses the assertion up; no row: somebody was faster. */
export function consume(
  { tenantId, identityProviderId, assertionId, expiresAt, retryHash }: Consumption,
  { status, answer }: Answered,
  at: Date,
): Step<{ readonly consumed: boolean }> {
  const kept = retryHash === null ? null : answer;
  return step(consumeStatement, [
    tenantId,
    identityProviderId,
    hexHash(assertionId),
    at,
    expiresAt,
    retryHash,
    status,
    kept,
  ]);
}

/** So many are removed, or forgotten, at a time. */
export const SWEPT_PER_TURN = 1_000;

const sweepStatement = statement<{ readonly swept: number }>(
  'sweep_consumed_assertions',
  `with swept as (
     delete from consumed_assertion where (tenant_id, identity_provider_id, assertion_hash) in (
       select tenant_id, identity_provider_id, assertion_hash from consumed_assertion
       where expires_at < $1::timestamptz - interval '${RETRIED_WITHIN} seconds'
       order by expires_at limit ${SWEPT_PER_TURN})
     returning true
   ) select count(*) as swept from swept`,
);

/** Removes those that nobody would accept any more; answers how many. */
export async function sweepConsumed(database: Database, now: Date): Promise<number> {
  const [row] = await runAlone(database, step(sweepStatement, [now]));
  return row?.swept ?? 0;
}

const forgetStatement = statement<{ readonly forgotten: number }>(
  'forget_answers',
  `with forgotten as (
     update consumed_assertion set answer = null, retry_hash = null
     where (tenant_id, identity_provider_id, assertion_hash) in (
       select tenant_id, identity_provider_id, assertion_hash from consumed_assertion
       where answer is not null and consumed_at <= $1::timestamptz - interval '${RETRIED_WITHIN} seconds'
       order by consumed_at limit ${SWEPT_PER_TURN})
     returning true
   ) select count(*) as forgotten from forgotten`,
);

/**
 * Forgets the answers that no retry gets any more: they hold profiles, and outlive their people otherwise. Answers how
 * many.
 */
export async function forgetAnswers(database: Database, now: Date): Promise<number> {
  const [row] = await runAlone(database, step(forgetStatement, [now]));
  return row?.forgotten ?? 0;
}
