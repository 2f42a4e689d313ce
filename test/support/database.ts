import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Test } from 'tap';
import { MIGRATIONS, migrate } from '../../src/db/migrate.ts';

/** A database of the test's own on the suite's server: migrated, and dropped when the test ends. */
export async function createDatabase(
  t: Test,
  migrations = MIGRATIONS,
): Promise<{ connectionString: string }> {
  const { connectionString } = await createEmptyDatabase(t);
  await migrate(connectionString, migrations);
  return { connectionString };
}

/** The same without a table. */
export async function createEmptyDatabase(t: Test): Promise<{ connectionString: string }> {
  const server = process.env.TEST_DATABASE_URL;
  if (server === undefined) {
    throw new Error('TEST_DATABASE_URL names no server. Run the file by: npm test -- test/<file>.test.ts');
  }
  const name = `rollcall_test_${randomBytes(6).toString('hex')}`;
  await administer(server, `create database ${name} template template0 encoding 'UTF8'`);
  t.teardown(() => administer(server, `drop database ${name} with (force)`));
  const connectionString = server.replace(/(\/\/[^/]*\/)[^?]*/, `$1${name}`);
  return { connectionString };
}

async function administer(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
