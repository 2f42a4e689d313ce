import { readdir, readFile } from 'node:fs/promises';

/** The CPU time of processes, from `/proc` (Linux); elsewhere it is not known. */

/** Linux gives it in hundredths of a second to every program, whatever the kernel counts in. */
const MICROSECONDS_PER_TICK = 10_000;

export interface ProcessTimes {
  readonly parent: number;
  /** Of the process and of its children that have ended, in microseconds. */
  readonly microseconds: number;
}

/** Reads `/proc/<pid>/stat`. The second field is the name in parentheses, which may hold spaces and parentheses. */
export function readStat(text: string): ProcessTimes {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Fields 14 to 17 of proc(5): utime, stime, cutime, cstime; `fields` begins with the third.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), microseconds: ticks * MICROSECONDS_PER_TICK };
}

/** What the process and its living children have used so far, in microseconds; undefined where nobody says. */
export async function cpuOf(pid: number): Promise<number | undefined> {
  const own = await statOf(pid);
  if (!own) return undefined;
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const stats = await Promise.all(pids.map(statOf));
  const children = stats.filter((stat) => stat?.parent === pid);
  return children.reduce((sum, child) => sum + (child?.microseconds ?? 0), own.microseconds);
}

async function statOf(pid: number): Promise<ProcessTimes | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : readStat(text);
}
