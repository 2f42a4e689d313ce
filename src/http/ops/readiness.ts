import pg from 'pg';
import type { Database } from '../../db/database.ts';
import { MIGRATIONS, migrationNames } from '../../db/migrate.ts';

/** Longer than this, in milliseconds, no connection and no answer counts as one. */
const PATIENCE = 2_000;
const UNDEFINED_TABLE = '42P01';

/** What keeps requests from being served. */
export type Unready = 'draining' | 'database' | 'migrations';

export interface Readiness {
  /** However often it is called, one question at a time goes to the database. */
  check(): Promise<Unready | undefined>;
  close(): Promise<void>;
}

/**
 * Asks whether the database answers and has this release's newest migration (or newer ones: a later release may be
 * rolling out). On a connection of its own, made at the first question: that slow requests have all of a pool's
 * connections is no reason to be sent no requests.
 */
export function makeReadiness({ pool }: Database): Readiness {
  const { options } = pool;
  const own = new pg.Pool({
    ...options,
    // The one option that the pool hides from being copied.
    password: options.password,
    max: 1,
    connectionTimeoutMillis: PATIENCE,
    query_timeout: PATIENCE,
  });
  // A connection that breaks while nobody asks: the next question makes another.
  own.on('error', () => {});
  let newest: string | undefined;
  let asking: Promise<Unready | undefined> | undefined;

  async function ask(): Promise<Unready | undefined> {
    try {
      newest ??= (await migrationNames(MIGRATIONS)).at(-1);
      const { rowCount } = await own.query('select from schema_migration where name = $1', [newest]);
      return rowCount === 1 ? undefined : 'migrations';
    } catch (error) {
      return (error as { code?: string }).code === UNDEFINED_TABLE ? 'migrations' : 'database';
    }
  }

  return {
    check() {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    close: () => own.end(),
  };
}
