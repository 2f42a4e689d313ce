import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { StartError } from '../start-error.ts';

/** A database that starts beside us, as in a compose file, gets this long, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Waits until the database answers.
 * @throws StartError when it does not in time, or refuses us: waiting would not change that.
 */
export async function waitForDatabase(pool: pg.Pool, log: Logger, stopping: AbortSignal): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    try {
      await pool.query('select 1');
      return;
    } catch (error) {
      const { code = '', message } = error as Error & { code?: string };
      const reason = message || code;
      // Class 28: the credential; 3D000: no such database.
      if (/^28|^3D000$/.test(code) || Date.now() > deadline) {
        throw new StartError(`The database does not let us in: ${reason}. Check DATABASE_URL.`, {
          cause: error,
        });
      }
      log.warn({ reason }, 'the database does not answer yet');
    }
    await sleep(1_000, undefined, { signal: stopping });
  }
}
