import { readFile } from 'node:fs/promises';

/** The CPU time of processes, from `/proc` (Linux); elsewhere it is not known. */

/** Linux gives it in hundredths of a second to every program, whatever the kernel counts in. */
const MICROSECONDS_PER_TICK = 10_000;

export interface ProcessTimes {
  /** In microseconds. */
  readonly own: number;
  /** Of its children that have ended, in microseconds. */
  readonly ended: number;
}

/** Reads `/proc/<pid>/stat`. The second field is the name in parentheses, which may hold spaces and parentheses. */
export function readStat(text: string): ProcessTimes {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Fields 14 to 17 of proc(5): utime, stime, cutime, cstime; `fields` begins with the third.
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
  return {
    own: (user + system) * MICROSECONDS_PER_TICK,
    ended: (endedUser + endedSystem) * MICROSECONDS_PER_TICK,
  };
}

/** How often it is read anew when children end meanwhile. */
const TRIES = 5;

/** What the process and its children have used so far, in microseconds; undefined where nobody says. */
export async function cpuOf(pid: number): Promise<number | undefined> {
  for (let left = TRIES; left > 0; left -= 1) {
    const before = await statOf(pid);
    const children = await childrenOf(pid);
    const after = await statOf(pid);
    if (!before || !children || !after) return undefined;
    // A child that ended in between was counted twice, or not at all.
    if (before.ended !== after.ended && left > 1) continue;
    return children.reduce((sum, { own, ended }) => sum + own + ended, after.own + after.ended);
  }
  return undefined;
}

/** Those of its first thread, which is the one that starts them. */
async function childrenOf(pid: number): Promise<ProcessTimes[] | undefined> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => undefined);
  const stats = await Promise.all(text?.split(' ').filter(Boolean).map(Number).map(statOf) ?? []);
  return text === undefined ? undefined : stats.filter((stat) => stat !== undefined);
}

async function statOf(pid: number): Promise<ProcessTimes | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : readStat(text);
}
