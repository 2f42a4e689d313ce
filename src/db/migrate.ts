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
  const applied: string[] = [];
  try {
    for (;;) {
      const name = await applyNext(client, migrations);
      if (name === undefined) return applied;
      applied.push(name);
    }
  } finally {
    await client.end();
  }
}

/** Waits for whoever migrates, however long, and sees what they did, whatever the role's defaults are. */
const BEGIN = `begin isolation level read committed; set local statement_timeout = 0; set local lock_timeout = 0`;

/** Applies the first migration that is missing, and says which; undefined: none is. */
async function applyNext(client: pg.Client, migrations: readonly Migration[]): Promise<string | undefined> {
  await client.query(BEGIN);
  try {
    // It ends with the transaction. A lock of the session would outlive us where a pooler keeps the session for others.
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      `create table if not exists schema_migration (
         name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
    );
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migration',
    );
    const [next] = pendingMigrations(migrations, new Map(rows.map((row) => [row.name, row.checksum])));
    if (next) await apply(client, next);
    await client.query('commit');
    return next?.name;
  } catch (error) {
    await client.query('rollback');
    throw error;
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

async function apply(client: pg.Client, { name, checksum, sql }: Migration): Promise<void> {
  try {
    await client.query("set local lock_timeout = '5s'");
    await client.query('insert into schema_migration (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query(sql);
  } catch (error) {
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
