import { CompiledQuery } from 'kysely';
import pg from 'pg';
import { ADMINISTRATION_POOL_SIZE, type Database } from '../../src/db/database.ts';
import type { TestApp } from './app.ts';

/** What a piece of work costs at the database: counted at the driver, and by PostgreSQL itself. Nothing is replaced. */

export interface Sent {
  /** How often something waits: until all that was sent together is answered. */
  readonly waits: number;
  /** The statements by their names, `begin` and `commit` among them; without a name by their first words. */
  readonly statements: readonly string[];
}

let listener: { drained(): void; sent(statement: string): void } | undefined;
const heard = new WeakSet<pg.Client>();
const { query } = pg.Client.prototype;

// Every connection of the process, whichever pool has it.
pg.Client.prototype.query = function counted(this: pg.Client, ...values: unknown[]) {
  if (!heard.has(this)) this.on('drain', () => listener?.drained());
  heard.add(this);
  listener?.sent(nameOf(values[0]));
  return Reflect.apply(query, this, values);
} as typeof query;

function nameOf(asked: unknown): string {
  if (typeof asked === 'string') return wordsOf(asked);
  const { name, text } = asked as pg.QueryConfig;
  return name ?? wordsOf(text);
}

const wordsOf = (text: string) => text.trim().split(/\s+/).slice(0, 3).join(' ');

/** What `work` sends. Nothing else of the process may be at work. */
export async function sentBy(work: () => Promise<unknown>): Promise<Sent> {
  const statements: string[] = [];
  let waits = 0;
  listener = {
    drained: () => {
      waits += 1;
    },
    sent: (statement) => void statements.push(statement),
  };
  await work().finally(() => {
    listener = undefined;
  });
  return { waits, statements };
}

/** What was done to the rows of a table; entries of its indexes count as rows. */
export interface Touched {
  readonly table: string;
  readonly sequentialScans: number;
  readonly read: number;
  readonly written: number;
}

const COUNTERS = `select relname as table, seq_scan as "sequentialScans", n_tup_ins + n_tup_upd + n_tup_del as written,
    seq_tup_read + (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes i where i.relid = t.relid)::bigint as read
  from pg_stat_user_tables t order by relname`;

/** Has a session tell what it has counted. */
export const TELL = 'select pg_stat_force_next_flush()';

/** The tables that `work` touches, by the counters of PostgreSQL (15 or newer), which are of the whole database. */
export async function touchedBy(
  { context: { db } }: Pick<TestApp, 'context'>,
  work: () => Promise<unknown>,
): Promise<Touched[]> {
  const before = await counters(db);
  await work();
  const after = await counters(db);
  const touched = after.map((each, index) => {
    const grown = (what: 'sequentialScans' | 'read' | 'written') => each[what] - (before[index]?.[what] ?? 0);
    return {
      table: each.table,
      sequentialScans: grown('sequentialScans'),
      read: grown('read'),
      written: grown('written'),
    };
  });
  return touched.filter(({ read, written }) => read + written > 0);
}

async function counters({ pool, kysely }: Database): Promise<Touched[]> {
  // Each session tells what it has counted when it is told to, or at some time within ten seconds.
  const sessions = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
  await Promise.all(sessions.map((session) => session.query(TELL)));
  for (const session of sessions) session.release();
  const tell = () => kysely.connection().execute((session) => session.executeQuery(CompiledQuery.raw(TELL)));
  await Promise.all(Array.from({ length: ADMINISTRATION_POOL_SIZE }, tell));
  return (await pool.query<Touched>(COUNTERS)).rows;
}
