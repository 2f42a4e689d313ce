import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant } from './contestant.ts';
import { cpuOf } from './cpu.ts';
import type { Slice, Workload } from './workload.ts';

/**
 * The speed of a machine changes from minute to minute, and only what was measured side by side can be compared. So
 * each round gives every contestant one short slice, in an order that goes round, and nothing else runs meanwhile.
 */

export interface Entry {
  readonly contestant: Contestant;
  readonly workload: Workload;
  /** It has not answered, and is not asked again. */
  silent?: boolean;
}

/** A slice with what it cost. */
export interface Measured extends Omit<Slice, 'check'> {
  /** CPU time in microseconds, with what the slice left to be done; undefined where the platform does not say. */
  readonly cpu: {
    readonly own: number | undefined;
    readonly postgres: number | undefined;
    /** Of this process, which makes the load and shares the machine. */
    readonly generator: number;
  };
}

/** The slices of one contestant that count, one a round. */
export interface Course {
  readonly contestant: Contestant;
  readonly slices: readonly Measured[];
}

export interface RoundOptions {
  readonly rounds: number;
  /** Whether one more goes before them, which warms up and does not count. */
  readonly warmUp: boolean;
  readonly connections: number;
  /** In milliseconds. */
  readonly slice: number;
  /** The server's process. */
  readonly postgres: number;
  readonly asked: AbortSignal;
  onSlice(): void;
}

/** What warms up takes so long at least, in milliseconds: until then V8 interprets more than it compiles. */
const WARM_UP = 1_000;

/** Runs the rounds: the one that warms up, where it is wanted, and those that count. */
export async function runRounds(entries: readonly Entry[], options: RoundOptions): Promise<Course[]> {
  const courses = entries.map(({ contestant }) => ({ contestant, slices: [] as Measured[] }));
  for (let round = options.warmUp ? 0 : 1; round <= options.rounds; round += 1) {
    for (let turn = 0; turn < entries.length; turn += 1) {
      const index = (round + turn) % entries.length;
      const [entry, course] = [entries[index], courses[index]];
      if (!entry || !course) continue;
      options.asked.throwIfAborted();
      options.onSlice();
      if (entry.silent) continue;
      const milliseconds = Math.max(options.slice, round === 0 ? WARM_UP : 0);
      const slice = await measure(entry, { ...options, slice: milliseconds });
      if (slice.silent) entry.silent = true;
      if (round > 0 || slice.silent) course.slices.push(slice);
    }
  }
  return courses;
}

async function measure({ contestant, workload }: Entry, options: RoundOptions): Promise<Measured> {
  const { connections, slice: milliseconds, postgres } = options;
  const pids = [contestant.pid, postgres];
  const before = await Promise.all(pids.map(cpuOf));
  const { check, ...slice } = await workload.run(connections, milliseconds);
  const after = await quiet(pids, slice.silent ? PATIENCE.silent : PATIENCE.answered);
  const [own, server] = after.map((at, n) => difference(at, before[n]));
  const cpu = { own, postgres: contestant.usesPostgres ? server : 0, generator: slice.load ?? 0 };
  const fault = slice.failures === 0 ? await check?.() : undefined;
  return { ...slice, cpu, ...(fault !== undefined && { failures: 1, fault }) };
}

const difference = (after: number | undefined, before: number | undefined) =>
  after === undefined || before === undefined ? undefined : after - before;

/** How often it is looked whether they rest, and for how long at most, in milliseconds. */
const LOOK = 50;
const PATIENCE = { answered: 3_000, silent: 60_000 };

/** Waits until what a slice left behind is done, so that it is not the next one that pays; answers the CPU times. */
async function quiet(pids: readonly number[], patience: number): Promise<(number | undefined)[]> {
  const until = performance.now() + patience;
  let before = await Promise.all(pids.map(cpuOf));
  for (;;) {
    await sleep(LOOK);
    const now = await Promise.all(pids.map(cpuOf));
    const used = now.reduce<number>((sum, at, n) => sum + (difference(at, before[n]) ?? 0), 0);
    // A fifth of the time: their housekeeping goes on for ever.
    if (used <= LOOK * 1_000 * 0.2 || performance.now() > until) return now;
    before = now;
  }
}
