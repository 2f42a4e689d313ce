import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

/** Serialises migrators of one database; any constant that nobody else uses. */
const MIGRATION_LOCK = 7_265_210;

/** The migrations of this release. */
export const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

/** The names of a folder's migrations, in order. */
export async function migrationNames(folder: URL): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/**
 * Brings the database to the newest migration of `folder` (numbered plain SQL, forward only), each in its own
 * transaction, under an advisory lock so that several instances may start at once. On a connection of its own:
 * a migration may take longer than any request.
 * @returns the names of the migrations that ran now, in order.
 * @throws Error when an applied migration has changed, or the database is ahead of this release.
 */
export async function migrate(connection: string | pg.ClientConfig, folder: URL): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      `create table if not exists schema_migration (
         name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
    );
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migration',
    );
    const pending = pendingMigrations(migrations, new Map(rows.map((row) => [row.name, row.checksum])));
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    // Ends the session, and the lock with it, whatever state a failed migration left behind.
    await client.end();
  }
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = await migrationNames(folder);
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

function pendingMigrations(
  migrations: readonly Migration[],
  applied: ReadonlyMap<string, string>,
): Migration[] {
  const known = new Set(migrations.map((migration) => migration.name));
  const ahead = [...applied.keys()].filter((name) => !known.has(name));
  if (ahead.length > 0) {
    throw new Error(
      `The database is ahead of this release: it has ${ahead.join(', ')}. Start a newer release.`,
    );
  }
  const changed = migrations.find(
    (migration) => applied.has(migration.name) && applied.get(migration.name) !== migration.checksum,
  );
  if (changed)
    throw new Error(`Migration ${changed.name} has changed since it was applied. Restore its text.`);
  return migrations.filter((migration) => !applied.has(migration.name));
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  // The row first: a migrator that does not hold the lock collides here instead of repeating the work.
  await client.query('begin');
  try {
    await client.query("set local lock_timeout = '5s'");
    await client.query('insert into schema_migration (name, checksum) values ($1, $2)', [
      migration.name,
      migration.checksum,
    ]);
    await client.query(migration.sql);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error });
  }
}
