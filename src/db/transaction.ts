import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery, type Transaction } from 'kysely';
import type pg from 'pg';
import type { Turns } from '../turns.ts';
import { isRetryable } from './constraints.ts';
import { type Database, SETTINGS_OF_ADMINISTRATION } from './database.ts';
import { run, type Step, senderOf } from './statement.ts';
import type { Tables } from './tables.ts';

/** How often a transaction that PostgreSQL broke off (40001, 40P01) runs before its error is the answer. */
const ATTEMPTS = 5;

/** What is prepared is planned once, as its connection is set (`db/database.ts`); the rest for its values. */
const PLANNED_ONCE = 'set local plan_cache_mode = force_generic_plan';
const PLANNED_ANEW = 'set local plan_cache_mode = force_custom_plan';

/** Stated, because a server may have another default: each step must see what the locks before it waited for. */
const BEGIN = 'begin isolation level read committed';

/** The same for reads: all steps see the database as it was at the first. */
const BEGIN_SNAPSHOT = 'begin isolation level repeatable read read only';

/** The rows of each step, in the order of the steps. */
export type StepRows<Steps extends readonly Step<unknown>[]> = {
  -readonly [Index in keyof Steps]: Steps[Index] extends Step<infer Row> ? Row[] : never;
};

/** Sends steps together and waits once for all of them. */
export type Send = <const Steps extends readonly Step<unknown>[]>(steps: Steps) => Promise<StepRows<Steps>>;

/**
 * Runs the steps as one transaction in one wait: `begin`, the steps and `commit` are sent together on a
 * connection of their own. READ COMMITTED: each step sees what the locks of the steps before it waited for.
 * A step cannot ask Node anything, so whether it writes is decided in its SQL. Repeats the whole transaction
 * when PostgreSQL breaks it off for a deadlock or a serialisation failure.
 */
export function pipeline<const Steps extends readonly Step<unknown>[]>(
  db: Database,
  steps: Steps,
): Promise<StepRows<Steps>> {
  return sentTogether(db, BEGIN, steps);
}

/** Reads that are one answer, sent together in one wait: no write comes between them. Repeated like `pipeline`. */
export function snapshot<const Steps extends readonly Step<unknown>[]>(
  db: Database,
  steps: Steps,
): Promise<StepRows<Steps>> {
  return sentTogether(db, BEGIN_SNAPSHOT, steps);
}

function sentTogether<const Steps extends readonly Step<unknown>[]>(
  db: Database,
  begin: string,
  steps: Steps,
): Promise<StepRows<Steps>> {
  return retried(() =>
    withClient(db, senderOf(steps), async (client) => {
      const [, ...answers] = await together<unknown>(
        inOneWrite(client, () => [
          client.query(begin),
          ...sendSteps(client, steps),
          client.query('commit').then(requireCommitted),
        ]),
      );
      return answers.slice(0, steps.length) as StepRows<Steps>;
    }),
  );
}

/** Runs one step by itself; it is its own transaction. Repeated like `pipeline`. */
export async function runAlone<Row>(db: Database, step: Step<Row>): Promise<Row[]> {
  if (step.statement.name === undefined) {
    // Where it is said how it is planned.
    const [rows] = await pipeline(db, [step]);
    return rows;
  }
  return retried(() => withClient(db, senderOf([step]), (client) => run(client, step)));
}

/**
 * A transaction in which Node decides between one wait and the next, holding what it locked: for the rare write
 * that lost its race as a `pipeline`. Repeated like `pipeline`, so `work` has no effect but by `send`: who holds a
 * connection and asked for another would wait for itself.
 */
export function conversation<Result>(
  db: Database,
  tenantId: string,
  work: (send: Send) => Promise<Result>,
): Promise<Result> {
  return retried(() =>
    withClient(db, tenantId, async (client) => {
      let hasBegun = false;
      const send: Send = async (steps) => {
        const begin = hasBegun ? [] : [BEGIN];
        hasBegun = true;
        const answers = await together<unknown>(
          inOneWrite(client, () => [...begin.map((text) => client.query(text)), ...sendSteps(client, steps)]),
        );
        return answers.slice(begin.length, begin.length + steps.length) as never;
      };
      const result = await work(send);
      await client.query('commit').then(requireCommitted);
      return result;
    }),
  );
}

/**
 * Runs `work` as one transaction whose statements wait for each other: for administration, on its own
 * connections, which are lent by turns too. Repeated like `pipeline`, each time by a turn of its own, so `work` has no
 * effect but SQL, and begins no other `transaction`: who has a turn and asked for another would wait for itself.
 * Single reads by `kysely` take no turn: they wait for no tenant's lock, and end soon.
 * @param sender the tenant concerned; `operator` for what concerns the service, `jobs` for its own work.
 * @throws AppError `unavailable` where the turn takes too long to come
 */
export function transaction<Result>(
  { kysely, administrationTurns }: Database,
  sender: string,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  return retried(() =>
    inTurn(administrationTurns, sender, () =>
      kysely
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async (trx) => {
          await trx.executeQuery(CompiledQuery.raw(SETTINGS_OF_ADMINISTRATION));
          return work(trx);
        }),
    ),
  );
}

/**
 * Sends steps one after the other in a transaction of administration: for what takes its time, planned anew each
 * time, and without the limits of the hot path.
 */
export function sendBy(trx: Transaction<Tables>): Send {
  return async (steps) => {
    const answers: unknown[][] = [];
    for (const each of steps) answers.push(await runIn(trx, each));
    return answers as never;
  };
}

/** Carries out a step inside a `transaction`. */
export async function runIn<Row>(trx: Transaction<Tables>, { statement, values }: Step<Row>): Promise<Row[]> {
  const { rows } = await trx.executeQuery(CompiledQuery.raw(statement.text, [...values]));
  return rows as Row[];
}

/**
 * Sends what is sent together, as one write and not as one a statement; before each step the way in which it is to be
 * planned, where that differs from the step before.
 */
function sendSteps(client: pg.PoolClient, steps: readonly Step<unknown>[]): Promise<unknown>[] {
  let anew = false;
  return [...steps, undefined].map((each) => {
    const wasAnew = anew;
    anew = each !== undefined && each.statement.name === undefined;
    const planned = wasAnew === anew ? undefined : client.query(anew ? PLANNED_ANEW : PLANNED_ONCE);
    if (each === undefined) return planned ?? Promise.resolve();
    const rows = run(client, each);
    return planned === undefined ? rows : together<unknown>([planned, rows]).then(([, answer]) => answer);
  });
}

/** What `send` sends goes to the server as one write, and not as one a statement. */
function inOneWrite<Sent>(client: pg.PoolClient, send: () => Sent): Sent {
  const { stream } = client.connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** Lends a connection when it is the sender's turn. */
function withClient<Result>(
  { pool, turns }: Database,
  sender: string,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  return inTurn(turns, sender, async () => onClient(await pool.connect(), work));
}

/** Does the work when it is the sender's turn. @throws AppError `unavailable` where that takes too long */
export async function inTurn<Result>(
  turns: Turns,
  sender: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await turns.take(sender);
  try {
    return await work();
  } finally {
    turns.giveBack(sender);
  }
}

/** A connection on which something failed may be broken or in a transaction, and is not used again. */
async function onClient<Result>(
  client: pg.PoolClient,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/**
 * Waits for all, then throws the first failure: in a transaction it is the cause, behind which PostgreSQL refuses
 * everything and turns `commit` into `rollback`.
 */
async function together<Answer>(sent: readonly Promise<Answer>[]): Promise<Answer[]> {
  const settled = await Promise.allSettled(sent);
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

function requireCommitted({ command }: pg.QueryResult): void {
  if (command !== 'COMMIT') throw new Error(`the transaction ended in ${command}`);
}

async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempts === ATTEMPTS || !isRetryable(error)) throw error;
      // Those who met in a deadlock shall not meet again at once.
      await sleep(Math.random() * 10 * attempts);
    }
  }
}
