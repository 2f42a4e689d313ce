import { readdir, readFile, stat } from 'node:fs/promises';

/** Whether a process has this id now; it may be another than the one that once had it. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Asks a process to stop; one that has gone already is fine. A PostgreSQL server does a fast shutdown. */
export function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * The PostgreSQL processes that work in `folder`; all of a server's do in its data folder. Undefined
 * where the system does not say (no /proc).
 */
export async function serversIn(folder: string): Promise<number[] | undefined> {
  const home = await stat(folder);
  const names = await readdir('/proc').catch(() => undefined);
  const pids = names?.map(Number).filter(Number.isInteger) ?? [];
  if (pids.length === 0) return undefined;
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await stat(`/proc/${pid}/cwd`).catch(() => undefined);
      if (cwd?.dev !== home.dev || cwd.ino !== home.ino) return false;
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      return name === 'postgres\n';
    }),
  );
  return pids.filter((_, index) => found[index]);
}

/** The parent's id, as the system knows it (Linux); undefined when the process has gone. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the name in parentheses, which may hold spaces and parentheses.
  const parent = text?.slice(text.lastIndexOf(')') + 2).split(' ')[1];
  return parent === undefined ? undefined : Number(parent);
}
