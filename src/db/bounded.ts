import { AppError } from '../errors.ts';
import { isTimeout } from './constraints.ts';
import type { Database } from './database.ts';
import { type Step, statement, step } from './statement.ts';
import { pipeline, type StepRows, snapshot } from './transaction.ts';

/** How long a statement that a caller can make slow may take, in milliseconds. */
export const LIST_TIMEOUT = 5_000;

/** Limits the statements behind it in their transaction to that. */
export const LIMIT_TIME = step(
  statement<unknown>('limit_time', `set local statement_timeout = ${LIST_TIMEOUT}`),
  [],
);

/**
 * Runs a list that a caller can make slow, so that it does not keep its connection from others.
 * @throws AppError `invalid_request` (`too_broad`) when it takes longer than 5 seconds.
 */
export async function runBounded<Row>(db: Database, list: Step<Row>): Promise<Row[]> {
  const sent = pipeline(db, [LIMIT_TIME, list]);
  const [, rows] = await sent.catch((error: unknown) => {
    throw isTimeout(error)
      ? tooBroad(`The list took longer than ${LIST_TIMEOUT / 1_000} seconds`, error)
      : error;
  });
  return rows;
}

/** Runs reads that are one answer likewise, each for no longer than a list; `refusal` says what took too long. */
export async function runBoundedSnapshot<const Steps extends readonly Step<unknown>[]>(
  db: Database,
  steps: Steps,
  refusal: (cause: unknown) => AppError,
): Promise<StepRows<Steps>> {
  const sent = snapshot(db, [LIMIT_TIME, ...steps]);
  const [, ...rows] = await sent.catch((error: unknown) => {
    throw isTimeout(error) ? refusal(error) : error;
  });
  return rows as unknown as StepRows<Steps>;
}

/** What is refused because one caller among others may not take so long, or so much. */
export function tooBroad(what: string, cause?: unknown): AppError {
  const hint = 'Ask for a smaller limit, or for something else.';
  return new AppError('invalid_request', what, { reason: 'too_broad', hint, cause });
}
