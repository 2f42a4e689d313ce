import { mkdtemp, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createTenant } from '../src/actions/create-tenant.ts';
import { issueApiKey } from '../src/actions/issue-api-key.ts';
import { buildApp } from '../src/app.ts';
import { makeClientRecords } from '../src/clients/client-records.ts';
import type { Actor } from '../src/context.ts';
import { openDatabase } from '../src/db/database.ts';
import { startEmbedded } from '../src/db/embedded/server.ts';
import { MIGRATIONS, migrate } from '../src/db/migrate.ts';
import { openOutbound } from '../src/outbound/outbound.ts';
import { makeAuthenticator } from '../src/tenants/authenticate.ts';
import { startWorkers } from '../src/worker/workers.ts';
import { createDatabase } from './support/database.ts';
import { countUnsealed, firstFault } from './support/events.ts';
import { NO_VERIFIERS } from './support/verifiers.ts';

const SCIM = '/api/scim/v2';
const ACTOR: Actor = { principal: { kind: 'system', name: 'test' }, requestId: 'fixture' };

/** The service as main starts it, with its workers, on a database that will fail. */
async function startService(t: Test, connection: string | pg.ClientConfig) {
  const db = openDatabase({ connection, poolSize: 8, onConnectionError: () => {} });
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
  const { authenticate, flushUsage } = makeAuthenticator(context);
  const clients = makeClientRecords(db);
  const app = await buildApp(context, {
    authenticate,
    clients,
    verifiers: NO_VERIFIERS,
    trustedProxies: [],
    isDraining: () => false,
  });
  const workers = startWorkers(context, { flushUsage, clients, dailyResync: 'off' });
  t.teardown(async () => {
    await app.close();
    await workers.stop();
    await db.close();
  });
  const tenant = await createTenant(context, ACTOR, { name: 'acme', settings: {} });
  const { key } = await issueApiKey(context, ACTOR, {
    tenantId: tenant.id,
    name: 'Test',
    scopes: ['scim'],
    expiresAt: null,
    directory: 'default',
  });
  return { app, db, tenant, key };
}

type Service = Awaited<ReturnType<typeof startService>>;

/** Clients that create users, and add them all to one group, as fast as they are answered; what they were told. */
async function startLoad({ app, key }: Service) {
  const acknowledged: string[] = [];
  const joined: string[] = [];
  const refused: { status: number; retryAfter: unknown }[] = [];
  let running = true;
  let waiting: { count: number; resolve(): void } | undefined;

  async function ask(method: 'POST' | 'PATCH', path: string, payload: object) {
    const answer = await app.inject({
      method,
      url: `${SCIM}${path}`,
      headers: { authorization: `Bearer ${key}` },
      payload,
    });
    if (answer.statusCode < 300) return answer;
    refused.push({ status: answer.statusCode, retryAfter: answer.headers['retry-after'] });
    return undefined;
  }

  const groupId = (await ask('POST', '/Groups', { displayName: 'Everybody' }))?.json().id as string;

  async function client(number: number): Promise<void> {
    for (let turn = 0; running; turn += 1) {
      const userName = `user-${number}-${turn}`;
      const created = await ask('POST', '/Users', { userName });
      if (!created) continue;
      acknowledged.push(userName);
      const value = created.json().id as string;
      const Operations = [{ op: 'add', path: 'members', value: [{ value }] }];
      if (await ask('PATCH', `/Groups/${groupId}`, { Operations })) joined.push(value);
      if (waiting && acknowledged.length >= waiting.count) waiting.resolve();
    }
  }

  const clients = Array.from({ length: 8 }, (_, number) => client(number));
  return {
    acknowledged,
    joined,
    refused,
    groupId,
    /** Resolves when so many more users have been acknowledged. */
    more: (count: number) =>
      new Promise<void>((resolve) => {
        waiting = { count: acknowledged.length + count, resolve };
      }),
    async stop() {
      running = false;
      await Promise.all(clients);
    },
  };
}

/** After the faults: every client was told the truth, and service is back in the same process. */
async function checkAftermath(
  t: Test,
  { app, db, tenant }: Service,
  load: Awaited<ReturnType<typeof startLoad>>,
) {
  const others = load.refused.filter(({ status, retryAfter }) => status !== 503 || Number(retryAfter) < 1);
  t.same(others, [], 'every refusal was 503 with Retry-After');
  t.equal((await app.inject('/readyz')).statusCode, 200);

  const users = await db.kysely.selectFrom('scim_user').select('user_name_folded').execute();
  const stored = new Set(users.map((user) => user.user_name_folded));
  t.same(
    load.acknowledged.filter((name) => !stored.has(name)),
    [],
    'every acknowledged user is there',
  );
  const events = await db.kysely
    .selectFrom('event')
    .select('resource_id')
    .where('type', '=', 'user.created')
    .execute();
  t.equal(events.length, users.length, 'every user has its event, and no event is without a user');
  const { rows } = await db.pool.query<{ members: string[]; told: string[]; version: number }>(
    `select (select array_agg(user_id::text order by user_id) from group_member where group_id = g.id) as members,
            (select array_agg(m.id order by m.id::uuid) from event e, jsonb_array_elements_text(e.after -> 'members') as m (id)
             where e.resource_id = g.id) as told, g.version
     from scim_group g where id = $1`,
    [load.groupId],
  );
  const [group] = rows;
  t.same(
    load.joined.filter((id) => !group?.members.includes(id)),
    [],
    'every acknowledged member is there',
  );
  t.same(group?.told, group?.members, 'every member has its event, and no event is without a member');
  t.equal(group?.version, 1 + (group?.members.length ?? 0), 'and each was a version');
  while ((await countUnsealed(db)) > 0);
  t.equal(await firstFault(db.kysely, tenant.id), undefined, 'the sealer has found its way back');
}

t.test('connections that PostgreSQL ends under load cost 503s, and nothing else', async (t) => {
  const { connectionString } = await createDatabase(t);
  const service = await startService(t, connectionString);
  const administrator = new pg.Client({ connectionString });
  await administrator.connect();
  t.teardown(() => administrator.end());

  const load = await startLoad(service);
  for (let fault = 0; fault < 20; fault += 1) {
    await load.more(20);
    await administrator.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
  }
  await load.more(100);
  await load.stop();
  t.not(load.refused.length, 0, 'the faults were felt');
  await checkAftermath(t, service, load);
});

/** An own server whose socket is always found under the same path. */
async function startOwnServer(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-faults-'));
  const host = join(folder, 'socket');
  const log = pino({ level: 'silent' });
  const start = async () => {
    const server = await startEmbedded({ dataDir: join(folder, 'data'), log });
    await symlink(server.connection.host, host);
    return server;
  };
  let server = await start();
  t.teardown(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    connection: { ...server.connection, host },
    async restart() {
      await server.stop();
      await unlink(host);
      server = await start();
    },
  };
}

t.test('a restart of the database under load costs 503s, and nothing else', async (t) => {
  const server = await startOwnServer(t);
  const { connection } = server;
  await migrate(connection, MIGRATIONS);
  const service = await startService(t, connection);

  const load = await startLoad(service);
  await load.more(50);
  await server.restart();
  await load.more(50);
  // What PostgreSQL does when one of its processes dies: it ends all others and recovers from its log.
  const { rows } = await service.db.pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  process.kill(Number(rows[0]?.pid), 'SIGKILL');
  await load.more(100);
  await load.stop();
  t.not(load.refused.length, 0, 'the faults were felt');
  await checkAftermath(t, service, load);
});
