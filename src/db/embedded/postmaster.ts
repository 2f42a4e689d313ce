import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a PostgreSQL server says of itself in its data folder (`postmaster.pid`, one fact a line). */
export interface Postmaster {
  pid: number;
  socketFolder: string;
  ready: boolean;
}

/** Reads `postmaster.pid`; undefined where there is none, or one without a process id yet. */
export async function readPostmaster(folder: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    },
  );
  const [pid, , , , socketFolder = '', , , status = ''] = text.split('\n');
  return Number(pid) > 0 ? { pid: Number(pid), socketFolder, ready: status.trim() === 'ready' } : undefined;
}
