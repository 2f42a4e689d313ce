import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../../start-error.ts';
import { serverAccount } from './account.ts';
import { type Binaries, findBinaries, wayOut } from './binaries.ts';
import { databaseUser, prepareDataFolder } from './data-folder.ts';
import { readPostmaster } from './postmaster.ts';
import { ownerSetting, refuseInUse, settlePrevious } from './previous.ts';
import { type Account, inheritedFolder, type Program, spawnProgram, tail } from './run.ts';
import { makeRuntimeFolder, type RuntimeFolder, removeRuntimeFolder } from './runtime-folder.ts';

export interface EmbeddedOptions {
  /** The database lies in its folder `postgres`. */
  dataDir: string;
  log: Logger;
  /** Server settings beside our own (`fsync` in tests). */
  settings?: Record<string, string>;
}

export interface EmbeddedServer {
  /** How pg reaches it: a socket in a private folder. */
  connection: { host: string; port: number; user: string; database: string };
  /** Resolves when the server has ended, asked or not. */
  ended: Promise<void>;
  /** Ends open transactions, writes everything to disk and stops. */
  stop(): Promise<void>;
}

/** The server writes only what concerns itself: its errors quote statements, and statements hold people's data. */
const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'log',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  log_line_prefix: '',
};

/**
 * Starts the PostgreSQL server that came with npm on the database in `dataDir`, which is made at the first
 * start. Durable: fsync and synchronous commit are on.
 * @throws StartError where it cannot, saying why and what else there is.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const account = await serverAccount();
  const runtime = await makeRuntimeFolder(account);
  try {
    const binaries = await findBinaries(account, runtime.path);
    const dataDir = resolve(options.dataDir);
    const folder = await prepareDataFolder({ ...options, dataDir, account, binaries });
    await settlePrevious(folder, options.log);
    return await startServer(folder, { ...options, account, binaries, runtime });
  } catch (error) {
    await removeRuntimeFolder(runtime.socketFolder);
    throw error instanceof StartError ? error : unusable(options.dataDir, error);
  }
}

function unusable(dataDir: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause;
  const message = `DATA_DIR ${dataDir} cannot be used: ${cause.message}. Choose another folder. ${wayOut}`;
  return new StartError(message, { cause });
}

interface ServerOptions extends EmbeddedOptions {
  account: Account | undefined;
  binaries: Binaries;
  runtime: RuntimeFolder;
}

async function startServer(folder: string, options: ServerOptions): Promise<EmbeddedServer> {
  const { account, binaries, runtime, log } = options;
  const descriptor = await open(folder, 'r');
  const values = Object.entries({ ...settings, ...options.settings });
  const child = spawnProgram(
    binaries.postgres,
    [
      ...['-D', account ? inheritedFolder : folder],
      ...['-k', runtime.socketFolder],
      ...['-c', ownerSetting(process.pid)],
      ...values.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { account, folder: descriptor.fd },
  );
  const errors = tail(child.stderr);
  createInterface({ input: child.stderr }).on('line', (line) => log.debug(line));
  const ended = new Promise<void>((end) => {
    child.once('error', () => end());
    child.once('close', () => end());
  })
    .then(() => removeRuntimeFolder(runtime.socketFolder))
    .catch((err: unknown) => log.warn({ err }, 'temporary folder not removed'));
  await descriptor.close();
  if (!(await isReady(child, folder, ended))) {
    await refuseInUse(folder);
    throw new StartError(`PostgreSQL did not start on ${folder}:\n${errors()}\n${wayOut}`);
  }
  log.info({ folder, server: child.pid }, 'the database server runs');
  const connection = { host: runtime.socketFolder, port: 5432, user: databaseUser, database: 'postgres' };
  return { connection, ended, stop: () => stop(child, ended) };
}

/** Waits as long as the server takes: after a crash it reads its log again first. False when it has ended. */
async function isReady(child: Program, folder: string, ended: Promise<void>): Promise<boolean> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over) {
    const postmaster = await readPostmaster(folder);
    if (postmaster?.ready && postmaster.pid === child.pid) return true;
    await sleep(20);
  }
  return false;
}

/** A fast shutdown; where that takes too long, an immediate one, after which the next start recovers. */
async function stop(child: Program, ended: Promise<void>): Promise<void> {
  const signals = [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const;
  for (const [signal, patience] of signals) {
    child.kill(signal);
    const timer = new AbortController();
    const gone = await Promise.race([
      ended.then(() => true),
      sleep(patience, false, { signal: timer.signal }),
    ]);
    timer.abort();
    if (gone) return;
  }
}
