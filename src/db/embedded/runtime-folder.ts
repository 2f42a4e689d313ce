import { chmod, chown, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../../start-error.ts';
import { wayOut } from './binaries.ts';
import type { Account } from './run.ts';

const prefix = 'rollcall-';
/** The longest path of a socket, in bytes (Linux has 107, macOS 103). */
const longestSocket = 103;

/** A folder for one run of the server: its socket, and a copy of the programs where one is needed. */
export interface RuntimeFolder {
  path: string;
  /** Only the server's account and root can enter it. */
  socketFolder: string;
}

/** Makes the folder below the first temporary folder that the account can enter and whose path is short. */
export async function makeRuntimeFolder(account: Account | undefined): Promise<RuntimeFolder> {
  for (const base of [tmpdir(), '/tmp']) {
    const socket = join(base, `${prefix}XXXXXX`, 'socket', '.s.PGSQL.5432');
    if (Buffer.byteLength(socket) > longestSocket) continue;
    if (account && !(await isOpenToAll(base))) continue;
    const path = await mkdtemp(join(base, prefix));
    await chmod(path, 0o711);
    const socketFolder = join(path, 'socket');
    await mkdir(socketFolder, { mode: 0o700 });
    if (account) await chown(socketFolder, account.uid, account.gid);
    return { path, socketFolder };
  }
  throw new StartError(
    `There is no temporary folder for the database's socket; set TMPDIR to a short path. ${wayOut}`,
  );
}

/** Removes the folder that holds this socket folder, if it is one of ours. */
export async function removeRuntimeFolder(socketFolder: string): Promise<void> {
  const path = dirname(socketFolder);
  if (basename(socketFolder) !== 'socket' || !basename(path).startsWith(prefix)) return;
  await rm(path, { recursive: true, force: true });
}

async function isOpenToAll(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  return (mode & 0o001) !== 0 && (folder === dirname(folder) || isOpenToAll(dirname(folder)));
}
