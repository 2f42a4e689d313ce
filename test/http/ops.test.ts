import { readdirSync } from 'node:fs';
import type { PoolClient } from 'pg';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { buildApp } from '../../src/app.ts';
import { makeClientRecords } from '../../src/clients/client-records.ts';
import { openDatabase } from '../../src/db/database.ts';
import { MIGRATIONS } from '../../src/db/migrate.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { makeAuthenticator } from '../../src/tenants/authenticate.ts';
import { createDatabase } from '../support/database.ts';
import { NO_VERIFIERS } from '../support/verifiers.ts';

/** The application on a database, which may be away. */
async function startOps(t: Test, connection: string, isDraining = () => false) {
  const db = openDatabase({ connection, poolSize: 2, onConnectionError: () => {} });
  const context = {
    db,
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    publicUrl: 'http://rollcall.test',
    operatorKeyHash: Buffer.alloc(32),
    secretKey: Buffer.alloc(32),
    outbound: openOutbound({ allowLoopback: false }),
    resolveTxt: async () => [],
  };
  const { authenticate } = makeAuthenticator(context);
  const clients = makeClientRecords(db);
  const app = await buildApp(context, {
    authenticate,
    clients,
    verifiers: NO_VERIFIERS,
    trustedProxies: [],
    isDraining,
  });
  t.teardown(async () => {
    await app.close();
    await db.close();
  });
  return { app, db };
}

const AWAY = 'postgres://postgres@127.0.0.1:1/rollcall';

t.test('/healthz says that the process lives, whatever the database does', async (t) => {
  const { app } = await startOps(t, AWAY);
  const answer = await app.inject('/healthz');
  t.equal(answer.statusCode, 200);
  t.same(answer.json(), { status: 'ok' });
  t.equal(answer.headers['cache-control'], 'no-store');
});

t.test(
  '/readyz is 200 while requests will be served, and 503 from the beginning of the end on',
  async (t) => {
    let draining = false;
    const { connectionString } = await createDatabase(t);
    const { app } = await startOps(t, connectionString, () => draining);
    const ready = await app.inject('/readyz');
    t.equal(ready.statusCode, 200);
    t.same(ready.json(), { status: 'ok' });
    t.equal(ready.headers['cache-control'], 'no-store');

    draining = true;
    const answer = await app.inject('/readyz');
    t.equal(answer.statusCode, 503);
    t.equal(answer.headers['retry-after'], '2');
    t.match(answer.json(), { status: 'unavailable', failed: 'draining' });
    t.equal((await app.inject('/healthz')).statusCode, 200);
  },
);

t.test('/readyz is 503 while the database is away', async (t) => {
  const { app } = await startOps(t, AWAY);
  const answer = await app.inject('/readyz');
  t.equal(answer.statusCode, 503);
  t.equal(answer.headers['retry-after'], '2');
  t.match(answer.json(), { failed: 'database', detail: 'The database does not answer' });
});

t.test('/readyz is 200 while slow requests have every connection, and has one of its own', async (t) => {
  const { connectionString } = await createDatabase(t);
  const { app, db } = await startOps(t, connectionString);
  const taken = await Promise.all([db.pool.connect(), db.pool.connect()]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.inject('/readyz')));
  t.same(new Set(answers.map((answer) => answer.statusCode)), new Set([200]));
  const { rows } = await (taken[0] as PoolClient).query(
    `select count(*) as connections from pg_stat_activity where datname = current_database()`,
  );
  t.same(rows, [{ connections: 3 }], 'however many ask at once');
  for (const client of taken) client.release();
});

t.test('/readyz is 503 while the database does not answer in time, and 200 when it does again', async (t) => {
  const { connectionString } = await createDatabase(t);
  const { app, db } = await startOps(t, connectionString);
  t.equal((await app.inject('/readyz')).statusCode, 200);
  const blocker = await db.pool.connect();
  await blocker.query('begin');
  await blocker.query('lock table schema_migration');
  t.match((await app.inject('/readyz')).json(), { failed: 'database' });
  await blocker.query('commit');
  blocker.release();
  t.equal((await app.inject('/readyz')).statusCode, 200);
});

t.test('/readyz survives the end of its connection', async (t) => {
  const { connectionString } = await createDatabase(t);
  const { app, db } = await startOps(t, connectionString);
  t.equal((await app.inject('/readyz')).statusCode, 200);
  const { rowCount } = await db.pool.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  );
  t.equal(rowCount, 1);
  await app.inject('/readyz');
  t.equal((await app.inject('/readyz')).statusCode, 200);
});

t.test('/readyz is 503 while the database lacks a migration, and 200 when it has newer ones', async (t) => {
  const { connectionString } = await createDatabase(t);
  const { app, db } = await startOps(t, connectionString);
  const newest = readdirSync(MIGRATIONS).sort().at(-1);
  await db.pool.query("insert into schema_migration (name, checksum) values ('9999_later.sql', '')");
  t.equal((await app.inject('/readyz')).statusCode, 200);
  await db.pool.query('delete from schema_migration where name = $1', [newest]);
  t.match((await app.inject('/readyz')).json(), { failed: 'migrations' });
  await db.pool.query('drop table schema_migration');
  const answer = await app.inject('/readyz');
  t.equal(answer.statusCode, 503);
  t.match(answer.json(), { failed: 'migrations' });
});
