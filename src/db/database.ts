import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Tables } from './tables.ts';

/**
 * The way to PostgreSQL. `pool` serves the hot path: prepared statements (`db/statement.ts`), one at a time or
 * as one pipelined transaction (`db/transaction.ts`). `kysely` serves queries whose shape varies (lists,
 * filters) and administration; both draw on the same connections.
 */
export interface Database {
  readonly pool: pg.Pool;
  readonly kysely: Kysely<Tables>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** A connection string, or the parts of one (a socket directory as `host`). */
  readonly connection: string | pg.ClientConfig;
  /** The most connections that this process opens. */
  readonly poolSize: number;
  /** Told of idle connections that break; without a listener a database restart would end the process. */
  onConnectionError(error: Error): void;
}

/** Waiting for a connection longer than this is answered 503, in milliseconds. */
const CONNECTION_TIMEOUT = 5_000;
/** The longest that one statement may run, in milliseconds; PostgreSQL ends it. */
const STATEMENT_TIMEOUT = 15_000;
/** A connection that answers nothing for this long is given up, in milliseconds. */
const ANSWER_TIMEOUT = 20_000;

/** bigint columns (versions, sequences, counts) stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Opens a pool; connects at the first query. */
export function openDatabase({ connection, poolSize, onConnectionError }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    ...(typeof connection === 'string' ? { connectionString: connection } : connection),
    application_name: 'rollcall',
    max: poolSize,
    connectionTimeoutMillis: CONNECTION_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT,
    query_timeout: ANSWER_TIMEOUT,
    keepAlive: true,
    pipeline: true,
    types,
  } as pg.PoolConfig);
  pool.on('error', onConnectionError);
  // A connection that breaks while it is lent out reports twice: to its query, and here.
  pool.on('connect', (client) => client.on('error', onConnectionError));
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return { pool, kysely, close: () => kysely.destroy() };
}
