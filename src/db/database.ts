import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { Turns } from '../turns.ts';
import { nameOfFew } from './statement.ts';
import type { Tables } from './tables.ts';

/**
 * The way to PostgreSQL. `pool` serves the hot path: prepared statements (`db/statement.ts`), one at a time or
 * as one pipelined transaction (`db/transaction.ts`). `kysely` serves administration on a few connections of its
 * own, so that the deletion of a large tenant may take its time and takes no connection from the hot path.
 */
export interface Database {
  /** Connections of the hot path are taken by `turns`, in `db/transaction.ts` alone. */
  readonly pool: pg.Pool;
  readonly turns: Turns;
  /** Administration's transactions are begun by turns of their own, also there; its single reads go past them. */
  readonly administrationTurns: Turns;
  /** Lists that may read all there is take one of these besides: a tenant gets one, so that cores are left to others. */
  readonly broadTurns: Turns;
  readonly kysely: Kysely<Tables>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** A connection string, or the parts of one (a socket directory as `host`). */
  readonly connection: string | pg.ClientConfig;
  /** The most connections of the hot path. */
  readonly poolSize: number;
  /** The most connections of administration; three when absent. */
  readonly administrationPoolSize?: number;
  /** Told of idle connections that break; without a listener a database restart would end the process. */
  onConnectionError(error: Error): void;
}

/** Waiting for a connection longer than this is answered 503, in milliseconds. */
const CONNECTION_TIMEOUT = 5_000;
const BUSY = {
  detail: 'No connection to the database came free in time',
  hint: 'The tenant has many requests under way, or they take long.',
};
/** How long a statement may run, in milliseconds, before PostgreSQL ends it. */
const STATEMENT_TIMEOUT = { hot: 15_000, administration: 600_000 };
/** How long a request waits for another's locks, in milliseconds, so that waiting never takes all connections. */
const LOCK_TIMEOUT = 3_000;
/** A pipeline's last answer waits for all its statements; a connection silent for longer beyond that is given up. */
const ANSWER_MARGIN = 45_000;
export const ADMINISTRATION_POOL_SIZE = 3;
/**
 * For the hot path: what is prepared is planned once. By itself PostgreSQL would plan some of it anew each time, for up
 * to milliseconds, because it takes the plan for all values to be dearer.
 */
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';
/**
 * For all: nothing is compiled just in time. PostgreSQL does so by how dear it takes a statement to be: a plan for all
 * tenants looks dear where some are large, and compiling it takes longer than reading the few rows that it is for.
 */
const NOT_COMPILED = '-c jit=off';

/** What holds for administration, said in each of its transactions: behind PgBouncer sessions are set as their role. */
export const SETTINGS_OF_ADMINISTRATION = `set local statement_timeout = ${STATEMENT_TIMEOUT.administration};
  set local lock_timeout = ${STATEMENT_TIMEOUT.hot}; set local plan_cache_mode = auto`;

/** bigint columns (versions, sequences, counts) stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Opens the pools; they connect at the first query. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = openPool(options, options.poolSize, {
    statement: STATEMENT_TIMEOUT.hot,
    lock: LOCK_TIMEOUT,
    options: `${NOT_COMPILED} ${PLANNED_ONCE}`,
  });
  const { administrationPoolSize = ADMINISTRATION_POOL_SIZE } = options;
  const administration = openPool(options, administrationPoolSize, {
    statement: STATEMENT_TIMEOUT.administration,
    lock: STATEMENT_TIMEOUT.hot,
    options: NOT_COMPILED,
  });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: naming(administration) }) });
  return {
    pool,
    turns: turnsOf(options.poolSize),
    administrationTurns: turnsOf(administrationPoolSize),
    broadTurns: turnsOf(Math.max(2, Math.floor(options.poolSize / 4))),
    kysely,
    async close() {
      await Promise.all([pool.end(), kysely.destroy()]);
    },
  };
}

/** As many as a pool has connections. */
function turnsOf(count: number): Turns {
  return new Turns({ count, patience: CONNECTION_TIMEOUT, busy: BUSY });
}

/** A pool as Kysely wants it, which sends no names by itself: those statements are prepared that are for few rows. */
function naming(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      const query = (text: string, values: readonly unknown[]) => {
        const name = nameOfFew(text);
        return client.query({ ...(name !== undefined && { name }), text, values: [...values] });
      };
      // Kysely's other form of it reads by cursor, which nobody asks for here.
      return { query: query as never, release: () => client.release() };
    },
    end: () => pool.end(),
  };
}

/** What a pool's sessions are set to: time-outs in milliseconds, and the rest as on PostgreSQL's command line. */
interface Session {
  readonly statement: number;
  readonly lock: number;
  readonly options: string;
}

function openPool(
  { connection, onConnectionError }: DatabaseOptions,
  max: number,
  { statement, lock, options }: Session,
): pg.Pool {
  const pool = new pg.Pool({
    // Those of a connection string win.
    options,
    ...(typeof connection === 'string' ? { connectionString: connection } : connection),
    application_name: 'rollcall',
    max,
    connectionTimeoutMillis: CONNECTION_TIMEOUT,
    statement_timeout: statement,
    lock_timeout: lock,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT.hot,
    query_timeout: statement + ANSWER_MARGIN,
    keepAlive: true,
    pipeline: true,
    types,
  } as pg.PoolConfig);
  pool.on('error', onConnectionError);
  // A connection that breaks while it is lent out reports twice: to its query, and here.
  pool.on('connect', (client) => client.on('error', onConnectionError));
  return pool;
}
