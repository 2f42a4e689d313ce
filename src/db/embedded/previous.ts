import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../../start-error.ts';
import { readPostmaster } from './postmaster.ts';
import { interrupt, isAlive, parentOf, serversIn } from './processes.ts';
import { removeRuntimeFolder } from './runtime-folder.ts';

/** How the server's command line names the process that started it, for the next start to compare. */
export const ownerSetting = (pid: number): string => `cluster_name=rollcall-${pid}`;

/**
 * Ends what an earlier start left in the data folder: a server that outlived its killed Rollcall, and a
 * `postmaster.pid` whose process id now belongs to something else. A server whose Rollcall lives is left alone.
 * @throws StartError naming the process that uses the folder.
 */
export async function settlePrevious(folder: string, log: Logger): Promise<void> {
  const previous = await readPostmaster(folder);
  if (!previous) return;
  await refuseInUse(folder);
  if ((await serversIn(folder))?.includes(previous.pid)) {
    log.warn({ server: previous.pid }, 'stopping the database server of a start that was killed');
    interrupt(previous.pid);
  }
  await untilNoServerIn(folder, previous.pid);
  // PostgreSQL takes any living process with this id for a server; we know better now.
  const left = await readPostmaster(folder);
  if (left?.pid === previous.pid && isAlive(left.pid)) await rm(join(folder, 'postmaster.pid'));
  await removeRuntimeFolder(previous.socketFolder);
}

/**
 * Refuses a data folder whose server belongs to a living process. A server whose parent is still the process
 * that started it is in use; when a process dies its children get another parent, so this needs no lock file
 * and holds also when process ids are used again.
 */
export async function refuseInUse(folder: string): Promise<void> {
  const server = await readPostmaster(folder);
  if (!server || !isAlive(server.pid)) return;
  const working = await serversIn(folder);
  // Where the system does not say who works in the folder, any process with this id might be the server.
  if (!working) throw inUse(folder, server.pid, 'the process');
  if (!working.includes(server.pid)) return;
  const commandLine = await readFile(`/proc/${server.pid}/cmdline`, 'utf8').catch(() => undefined);
  const parent = await parentOf(server.pid);
  if (commandLine === undefined || parent === undefined) return; // It has just gone.
  if (commandLine.includes(`\0${ownerSetting(parent)}\0`)) throw inUse(folder, parent, 'Rollcall, process');
  const ours = commandLine.includes('\0cluster_name=rollcall-');
  if (!ours) throw inUse(folder, server.pid, 'another server, process');
}

function inUse(folder: string, pid: number, who: string): StartError {
  return new StartError(
    `${folder} is in use by ${who} ${pid}. Stop it first (kill ${pid}), or choose another DATA_DIR.`,
  );
}

/** A fast shutdown writes everything to disk first; a server that was killed itself leaves children for a moment. */
async function untilNoServerIn(folder: string, pid: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await serversIn(folder))?.length) {
    await refuseInUse(folder);
    if (Date.now() > deadline) throw inUse(folder, pid, 'a server that does not stop, process');
    await sleep(50);
  }
}
