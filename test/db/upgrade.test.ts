import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import t, { type Test } from 'tap';
import { MIGRATIONS, migrate, migrationNames } from '../../src/db/migrate.ts';
import { startApp } from '../support/app.ts';
import { createDatabase } from '../support/database.ts';
import { gatewayOf, makeProvider } from '../support/gateway.ts';
import { newWorld } from '../support/world.ts';

/** What an upgrade makes of a database that is in use. */

/** A database as the release before sign-ins left it. */
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
  return { connectionString, client };
}

t.test('who writes for long makes the upgrade of sign-ins fail, and it can be repeated', async (t) => {
  const { connectionString, client } = await beforeSignIns(t);
  await client.query('begin');
  await client.query(
    "insert into tenant (tenant_id, name, created_at) values (gen_random_uuid(), 'acme', now())",
  );
  await t.rejects(migrate(connectionString, MIGRATIONS), {
    message: 'Migration 0013_sign_in.sql failed: canceling statement due to lock timeout',
  });
  await client.query('commit');
  t.equal((await migrate(connectionString, MIGRATIONS))[0], '0013_sign_in.sql');
});

/** What is there of users, and of tenants, whichever release wrote it. */
const COPIED = ['tenant', 'directory', 'scim_user', 'event'];
const TOMBSTONES = `select tenant_id, key, user_id, directory_id, deleted_at from tombstone
  where key not like 'subject:%' order by key, user_id`;

t.test('who was deleted before the upgrade does not come back by signing in either', async (t) => {
  const now = await startApp(t);
  const { pool } = now.context.db;
  const { tenant, scim, ask, directory, byHand } = await newWorld(now);
  const neighbour = await newWorld(now);
  const gone = async (userName: string, attributes: object = {}) =>
    scim.ask('DELETE', `/Users/${(await scim.user(userName, attributes)).id}`);
  const emails = (...values: readonly string[]) => ({ emails: values.map((value) => ({ value })) });
  await gone('Émile@ACME.test', {
    externalId: 'Ext-1',
    ...emails('E.Zola@acme.test', 'ＦＵＬＬ@acme.test', 'e.zola@acme.test'),
  });
  await gone('ΟΔΥΣΣΕΥΣ', { externalId: 'Ext-2' });
  await (await directory('second')).user('other', { externalId: 'Ext-2', ...emails('e.zola@acme.test') });
  await neighbour.scim.user('émile@acme.test');
  await ask('DELETE', `/users/${await byHand('by-hand')}`);
  await gone('By-Name');
  await byHand('by-name');
  await gone('by-id', { externalId: 'Ext-3' });
  await scim.user('same-id', { externalId: 'Ext-3' });
  await now.sealEvents();
  await gone('unsealed');
  const { rows: expected } = await pool.query(TOMBSTONES);
  t.equal(expected.length, 8);
  await gone('same-name');
  await scim.user('Same-Name');

  const { connectionString, client } = await beforeSignIns(t);
  for (const table of COPIED) {
    const { rows } = await pool.query(`select coalesce(json_agg(r), '[]') as rows from ${table} r`);
    await client.query(
      `insert into ${table} overriding system value select * from json_populate_recordset(null::${table}, $1)`,
      [JSON.stringify(rows[0].rows)],
    );
  }
  await client.query("select setval(pg_get_serial_sequence('event', 'position'), max(position)) from event");
  await migrate(connectionString, MIGRATIONS);
  t.same((await client.query(TOMBSTONES)).rows, expected, 'as when they are deleted now');

  const upgraded = await startApp(t, { connectionString });
  await makeProvider(upgraded, tenant.id);
  const post = gatewayOf(upgraded, (await upgraded.apiKey(tenant, ['jit:claims'])).key);
  const refused = { status: 403, body: { reason: 'deprovisioned' } };
  t.match(await post({ sub: 'x', email: 'e.zola@acme.test' }), refused);
  t.match(await post({ sub: 'Ext-1' }), refused);
  t.match(await post({ sub: 'y', email: 'new@acme.test' }), { status: 201 });
});
