import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildApp } from './app.ts';
import { makeClientRecords } from './clients/client-records.ts';
import { type Config, isExposedPlainly, readConfig } from './config.ts';
import type { Context } from './context.ts';
import { type Database, openDatabase } from './db/database.ts';
import { startEmbedded } from './db/embedded/server.ts';
import { MIGRATIONS, migrate } from './db/migrate.ts';
import { makeLogger } from './http/plugins/logger.ts';
import { openOutbound } from './outbound/outbound.ts';
import { openTxtResolver } from './outbound/txt-resolver.ts';
import { banner } from './start/banner.ts';
import { closeWithin, makeDrain } from './start/drain.ts';
import { makeFirstTenant } from './start/first-tenant.ts';
import { type Lifecycle, runUntilStopped, startFailure } from './start/lifecycle.ts';
import { keptOperatorKey, resolveSecrets } from './start/secrets.ts';
import { openVerifiers } from './start/verifiers.ts';
import { waitForDatabase } from './start/wait-for-database.ts';
import { StartError } from './start-error.ts';
import { makeAuthenticator } from './tenants/authenticate.ts';
import { sha256 } from './tenants/key-format.ts';
import { openRates, type TellRefused } from './tenants/rates.ts';
import { startWorkers } from './worker/workers.ts';

/** How long everything may take to end after the drain, in milliseconds; the longest statement takes 15,000. */
const PATIENCE = 25_000;

/** When connections are cut that are still busy so long after the last was accepted, in milliseconds. */
const LAST_CALL = 17_000;

/** The process, from the environment to the last signal. Logs go to stdout, what a person reads to stderr. */
async function main(): Promise<void> {
  const config = readConfig(process.env, (path) => readFileSync(path, 'utf8'));
  const log = makeLogger({ level: config.logLevel });
  await runUntilStopped(log, config.drainSeconds * 1_000 + PATIENCE, (lifecycle) =>
    start(config, log, lifecycle),
  );
}

/** Starts everything in the order in which one thing needs the other; the end goes backwards. */
async function start(config: Config, log: Logger, lifecycle: Lifecycle): Promise<void> {
  if (isExposedPlainly(config.publicUrl)) {
    log.warn({ publicUrl: config.publicUrl }, 'PUBLIC_URL is not https: credentials travel unencrypted');
  }
  const db = await startDatabase(config, log, lifecycle);
  const secrets = await resolveSecrets(config);
  const context: Context = {
    db,
    log,
    now: () => new Date(),
    publicUrl: config.publicUrl,
    outbound: openOutbound({ allowLoopback: config.allowLoopbackIdentityProviders }),
    operatorKeyHash: sha256(secrets.operatorKey),
    secretKey: secrets.secretKey,
    resolveTxt: openTxtResolver(),
  };
  const { authenticate, flushUsage } = makeAuthenticator(context);
  const clients = makeClientRecords(db);
  const verifiers = openVerifiers(context);
  lifecycle.onStop(() => verifiers.close());
  const tellRefused: TellRefused = (principal, count) => {
    const tenant = principal.kind === 'api_key' ? principal.tenant.id : undefined;
    const actor = { kind: principal.kind, id: principal.id };
    log.warn(
      { tenant, actor, count, code: 'too_many_requests' },
      'refused: more requests than the rate allows',
    );
  };
  const app = await buildApp(context, {
    authenticate: Object.assign(authenticate, { rates: openRates(config.rate, context.now, tellRefused) }),
    clients,
    verifiers,
    trustedProxies: config.trustedProxies,
    isDraining: () => lifecycle.stopping.aborted,
  });
  const workers = startWorkers(context, { flushUsage, clients, dailyResync: config.dailyResync });
  lifecycle.onStop(() => workers.stop());
  await serve(app, config, lifecycle);
  if (!config.databaseUrl) {
    // Behind everything that can fail: the key is shown once.
    const scimKey = await makeFirstTenant(context);
    const operatorKey = config.operatorKey ? '$ROLLCALL_OPERATOR_KEY' : keptOperatorKey(config.dataDir);
    process.stderr.write(banner({ publicUrl: config.publicUrl, scimKey, operatorKey }));
  }
}

/** The database: the one that DATABASE_URL names, or our own; with this release's migrations. */
async function startDatabase(config: Config, log: Logger, lifecycle: Lifecycle): Promise<Database> {
  const connection = config.databaseUrl ?? (await startOwnServer(config, log, lifecycle));
  const db = openDatabase({
    connection,
    poolSize: config.poolSize,
    // At the end the server may be faster than the connections that are being closed.
    onConnectionError: (err) =>
      log[lifecycle.stopping.aborted ? 'debug' : 'warn']({ err }, 'connection lost'),
  });
  lifecycle.onStop(() => db.close());
  await waitForDatabase(db.pool, log, lifecycle.stopping);
  const applied = await migrate(connection, MIGRATIONS).catch((cause) => {
    throw new StartError(`The database could not be brought to this release: ${cause.message}`, { cause });
  });
  if (applied.length > 0) log.info({ applied }, 'database migrated');
  lifecycle.stopping.throwIfAborted();
  return db;
}

async function startOwnServer({ dataDir }: Config, log: Logger, { stopping, onStop }: Lifecycle) {
  const server = await startEmbedded({ dataDir, log });
  onStop(() => server.stop());
  // Nothing waits for this promise: its failure is an unexpected error, and ends the process.
  void server.ended.then(() => {
    if (!stopping.aborted) throw new Error('The embedded PostgreSQL server has ended unasked');
  });
  return server.connection;
}

/** Takes requests, until the end: then first says so at /readyz, and cuts no request that has begun. */
async function serve(app: FastifyInstance, config: Config, { onStop }: Lifecycle): Promise<void> {
  const { host, port, drainSeconds } = config;
  const drain = makeDrain(app.server);
  onStop(async () => {
    drain();
    await sleep(drainSeconds * 1_000);
    await closeWithin(app, LAST_CALL);
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is taken' : String(error);
    throw new StartError(`Cannot listen on ${host} port ${port}: ${reason}. Choose another HOST or PORT.`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${startFailure(error)}\n`);
  process.exit(1);
});
