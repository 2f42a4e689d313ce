import type { Transaction } from 'kysely';
import type pg from 'pg';
import { isRetryable } from './constraints.ts';
import type { Database } from './database.ts';
import { run, type Step } from './statement.ts';
import type { Tables } from './tables.ts';

/** How often a transaction that PostgreSQL broke off (40001, 40P01) runs before its error is the answer. */
const ATTEMPTS = 5;

/** The rows of each step, in the order of the steps. */
export type StepRows<Steps extends readonly Step<unknown>[]> = {
  -readonly [Index in keyof Steps]: Steps[Index] extends Step<infer Row> ? Row[] : never;
};

/**
 * Runs the steps as one transaction in one wait: `begin`, the steps and `commit` are sent together on a
 * connection of their own. READ COMMITTED: each step sees what the locks of the steps before it waited for.
 * A step cannot ask Node anything, so whether it writes is decided in its SQL. Repeats the whole transaction
 * when PostgreSQL breaks it off for a deadlock or a serialisation failure.
 */
export async function pipeline<const Steps extends readonly Step<unknown>[]>(
  database: Database,
  steps: Steps,
): Promise<StepRows<Steps>> {
  return retried(() => attempt(database.pool, steps));
}

async function attempt<const Steps extends readonly Step<unknown>[]>(
  pool: pg.Pool,
  steps: Steps,
): Promise<StepRows<Steps>> {
  const answers = await sendTogether<unknown>(pool, (client) => [
    client.query('begin'),
    ...steps.map((each) => run(client, each)),
    client.query('commit'),
  ]);
  return answers.slice(1, -1) as StepRows<Steps>;
}

/**
 * Sends several queries at once on one connection and waits for all of them: one wait, whatever their number.
 * Throws the first failure; inside a transaction it is the cause, behind which PostgreSQL refuses everything
 * and turns `commit` into `rollback`.
 */
export async function sendTogether<Answer>(
  pool: pg.Pool,
  send: (client: pg.PoolClient) => Promise<Answer>[],
): Promise<Answer[]> {
  const client = await pool.connect();
  const settled = await Promise.allSettled(send(client));
  const last = settled.at(-1);
  // A connection whose last query failed may be broken, or in a transaction: it does not go back to the pool.
  client.release(last?.status === 'rejected');
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

/**
 * Runs `work` as one transaction whose statements wait for each other: for administration, where the next
 * statement depends on what the one before it found. Repeated like `pipeline`, so `work` has no effect but SQL.
 */
export async function transaction<Result>(
  database: Database,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  return retried(() => database.kysely.transaction().execute(work));
}

async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempts === ATTEMPTS || !isRetryable(error)) throw error;
    }
  }
}
