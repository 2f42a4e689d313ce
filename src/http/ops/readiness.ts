import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../db/database.ts';

/** Longer than this, in milliseconds, no answer counts as one. */
const PATIENCE = 2_000;
const UNDEFINED_TABLE = '42P01';

/** What keeps requests from being served. */
export type Unready = 'draining' | 'database' | 'migrations';

/**
 * A check that the database answers and has this release's newest migration (or newer ones: a later release may
 * be rolling out). However often it is called, one question at a time goes to the database.
 */
export function makeReadiness({ pool }: Database): () => Promise<Unready | undefined> {
  const newest = newestMigration();
  let asking: Promise<Unready | undefined> | undefined;

  async function ask(): Promise<Unready | undefined> {
    try {
      const { rowCount } = await pool.query('select from schema_migration where name = $1', [newest]);
      return rowCount === 1 ? undefined : 'migrations';
    } catch (error) {
      return (error as { code?: string }).code === UNDEFINED_TABLE ? 'migrations' : 'database';
    }
  }

  return () => {
    asking ??= Promise.race([ask(), sleep(PATIENCE, 'database' as const, { ref: false })]).finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

function newestMigration(): string | undefined {
  const folder = new URL('../../../../migrations/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .at(-1);
}
