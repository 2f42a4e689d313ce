import { chown, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { StartError } from '../../start-error.ts';
import { type Binaries, wayOut } from './binaries.ts';
import { isAlive } from './processes.ts';
import { type Account, inheritedFolder, run } from './run.ts';

/** The superuser that initdb makes and that the service connects as. */
export const databaseUser = 'rollcall';

const unfinished = 'postgres.unfinished-';

export interface DataFolderOptions {
  dataDir: string;
  account: Account | undefined;
  binaries: Binaries;
  log: Logger;
}

/** Finds the database below `dataDir`, or makes it, and returns its path. */
export async function prepareDataFolder(options: DataFolderOptions): Promise<string> {
  const { dataDir, account, binaries } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await removeUnfinished(dataDir);
  const folder = join(dataDir, 'postgres');
  const found = await stat(folder).catch(() => undefined);
  if (!found) await createDatabase(folder, options);
  await checkOwner(folder, account);
  await checkVersion(folder, binaries.version);
  return folder;
}

/** Removes what starts that were killed while they made a database have left. */
async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(unfinished)) continue;
    const maker = Number(name.slice(unfinished.length));
    if (!isAlive(maker)) await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Makes the database under another name and renames it, so that a folder `postgres` is always a whole one. */
async function createDatabase(
  folder: string,
  { dataDir, account, binaries, log }: DataFolderOptions,
): Promise<void> {
  const fresh = join(dataDir, `${unfinished}${process.pid}`);
  log.info({ folder }, 'creating the database');
  await mkdir(fresh, { mode: 0o700 });
  if (account) await chown(fresh, account.uid, account.gid);
  const descriptor = await open(fresh, 'r');
  const { exitCode, stderr } = await run(
    binaries.initdb,
    [
      `--pgdata=${account ? inheritedFolder : fresh}`,
      `--username=${databaseUser}`,
      '--auth=trust', // the only way in is the socket in a private folder
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin', // the same order and case rules on every machine
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ],
    { account, folder: descriptor.fd },
  ).finally(() => descriptor.close());
  if (exitCode !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw new StartError(`PostgreSQL could not make a database in ${dataDir}:\n${stderr}\n${wayOut}`);
  }
  await moveIntoPlace(fresh, folder);
}

async function moveIntoPlace(fresh: string, folder: string): Promise<void> {
  try {
    await rename(fresh, folder);
  } catch (error) {
    // Another start was first. The server's own lock decides which of the two goes on.
    await rm(fresh, { recursive: true, force: true });
    if (!['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  const parent = await open(join(folder, '..'), 'r');
  await parent.sync().finally(() => parent.close());
}

async function checkVersion(folder: string, version: string): Promise<void> {
  const found = await readFile(join(folder, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  if (found === version) return;
  throw new StartError(
    found === undefined
      ? `${folder} holds no PostgreSQL database. Move it away, or choose another DATA_DIR. ${wayOut}`
      : `${folder} was written by PostgreSQL ${found}, and PostgreSQL ${version} is installed. Dump it with the ` +
          `release that wrote it and restore it into a new DATA_DIR. ${wayOut}`,
  );
}

async function checkOwner(folder: string, account: Account | undefined): Promise<void> {
  const owner = (await stat(folder)).uid;
  const runner = account?.uid ?? process.getuid?.();
  if (owner === runner) return;
  throw new StartError(
    `${folder} belongs to uid ${owner}, and PostgreSQL would run as uid ${runner}: the database was made by ` +
      `another user. Start as that user, or change the owner: chown -R ${runner} ${folder}`,
  );
}
