import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import t, { type Test } from 'tap';
import { MIGRATIONS, migrate, migrationNames } from '../../src/db/migrate.ts';
import { createDatabase } from '../support/database.ts';

/** What an upgrade makes of a database that is in use. */

const TENANT = '01890000-0000-7000-8000-000000000001';

/** A database as the release before sign-ins left it, with a tenant. */
async function beforeSignIns(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-migrations-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const name of await migrationNames(MIGRATIONS)) {
    if (name < '0013') copyFileSync(new URL(name, MIGRATIONS), join(folder, name));
  }
  const { connectionString } = await createDatabase(t, pathToFileURL(`${folder}/`));
  const client = new pg.Client(connectionString);
  await client.connect();
  t.teardown(() => client.end());
  await client.query("insert into tenant (tenant_id, name, created_at) values ($1, 'acme', now())", [TENANT]);
  return { connectionString, client };
}

t.test('who writes for long makes the upgrade of sign-ins fail, and it can be repeated', async (t) => {
  const { connectionString, client } = await beforeSignIns(t);
  await client.query('begin');
  await client.query("update tenant set display_name = 'Acme'");
  await t.rejects(migrate(connectionString, MIGRATIONS), {
    message: 'Migration 0013_sign_in.sql failed: canceling statement due to lock timeout',
  });
  await client.query('commit');
  t.equal((await migrate(connectionString, MIGRATIONS))[0], '0013_sign_in.sql');
});
