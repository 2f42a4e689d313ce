import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { MIGRATIONS, migrate, migrationNames } from '../../src/db/migrate.ts';
import { createEmptyDatabase } from '../support/database.ts';

/** Instances that start at once, directly and behind a pooler. */

t.test('of several that migrate at once each migration is made by one', async (t) => {
  const { connectionString } = await createEmptyDatabase(t);
  const made = await Promise.all([1, 2, 3].map(() => migrate(connectionString, MIGRATIONS)));
  t.same(made.flat().sort(), await migrationNames(MIGRATIONS));
});

/** A pooler as PgBouncer is: who leaves it leaves the session, as it is, to others. Says how it is reached. */
async function poolerBefore(t: Test, connectionString: string): Promise<pg.ClientConfig> {
  const { host, port } = new pg.Client(connectionString);
  const sessions: Socket[] = [];
  const pooler = createServer({ allowHalfOpen: true }, (client) => {
    const session = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    sessions.push(session);
    session.pipe(client);
    // "Terminate" is a message of its own, and stays here, like the end of the connection.
    client.on('data', (sent) => (sent[0] === 0x58 ? client.end() : session.write(sent)));
  });
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-pooler-'));
  await new Promise<void>((resolve) => pooler.listen(join(folder, '.s.PGSQL.5432'), resolve));
  t.teardown(() => {
    for (const session of sessions) session.destroy();
    pooler.close();
    rmSync(folder, { recursive: true });
  });
  const { user, password, database } = new pg.Client(connectionString);
  return { host: folder, port: 5432, user, password, database } as pg.ClientConfig;
}

t.test('behind a pooler, whoever has migrated keeps nobody from it', async (t) => {
  const { connectionString } = await createEmptyDatabase(t);
  const pooled = await poolerBefore(t, connectionString);
  t.equal((await migrate(pooled, MIGRATIONS)).length, (await migrationNames(MIGRATIONS)).length);
  const client = new pg.Client(connectionString);
  await client.connect();
  const { rows } = await client.query<{ held: number }>(
    `select count(*)::int as held from pg_locks
     where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  );
  await client.end();
  t.equal(rows[0]?.held, 0);
});

t.test('limits of the role do not end a migration, nor the wait for another', async (t) => {
  const { connectionString } = await createEmptyDatabase(t);
  const { user, database } = new pg.Client(connectionString);
  const client = new pg.Client(connectionString);
  await client.connect();
  for (const limit of ['statement_timeout', 'lock_timeout']) {
    await client.query(`alter role "${user}" in database "${database}" set ${limit} = '1ms'`);
  }
  await client.end();
  const made = await Promise.all([1, 2].map(() => migrate(connectionString, MIGRATIONS)));
  t.same(made.flat().sort(), await migrationNames(MIGRATIONS));
});
