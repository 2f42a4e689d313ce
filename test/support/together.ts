import type { Database } from '../../src/db/database.ts';
import { backendsWaiting } from './events.ts';

/** So many batches of a client are on their way at most. */
const LANES = 2;

type Meanwhile = (sessions: readonly number[]) => Promise<unknown>;
interface Lock {
  readonly text: string;
  readonly values?: readonly string[];
}

/**
 * Lets requests of one client and of one kind meet: the first two are on their way, and wait for what is locked, while
 * the others arrive; behind them these go together.
 * @param meanwhile runs while the first two wait; it gets their sessions.
 */
async function meeting<Answer>(
  db: Database,
  { text, values = [] }: Lock,
  asks: readonly (() => Promise<Answer>)[],
  meanwhile: Meanwhile,
): Promise<Answer[]> {
  const holder = await db.pool.connect();
  try {
    await holder.query('begin');
    await holder.query(text, [...values]);
    const answers: Promise<Answer>[] = [];
    for (const [place, ask] of asks.entries()) {
      answers.push(ask());
      if (place < LANES) await backendsWaiting(db, place + 1);
    }
    await meanwhile(await backendsWaiting(db, LANES));
    await holder.query('rollback');
    return await Promise.all(answers);
  } finally {
    holder.release();
  }
}

/** Writes that meet, all of which wait for their tenant. */
export function writesTogether<Answer>(
  db: Database,
  tenantId: string,
  asks: readonly (() => Promise<Answer>)[],
  meanwhile: Meanwhile = async () => {},
): Promise<Answer[]> {
  const text = 'select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))';
  return meeting(db, { text, values: [tenantId] }, asks, meanwhile);
}

/** Reads of users that meet: they wait for nothing but the table itself. */
export function readsTogether<Answer>(
  db: Database,
  asks: readonly (() => Promise<Answer>)[],
): Promise<Answer[]> {
  return meeting(db, { text: 'lock table scim_user in access exclusive mode' }, asks, async () => {});
}
