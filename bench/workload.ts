import type { DriverOrder } from './anchors/driver.ts';
import type { Directory, Exchange, Lane } from './contestant.ts';
import { openLoad } from './generator.ts';
import { messageOf, type Running } from './processes.ts';
import type { Latency } from './statistics.ts';

/** What one contestant does in a case, a slice at a time. */
export interface Workload {
  /** @param begun called when the first request goes out */
  run(connections: number, milliseconds: number, begun?: () => void): Promise<Slice>;
  close(): Promise<void>;
}

/** What came of a slice. */
export interface Slice extends Latency {
  /** How long it took. */
  readonly milliseconds: number;
  /** Requests, or whatever the case counts. */
  readonly count: number;
  readonly failures: number;
  /** The first failure. */
  readonly fault?: string;
  /** There was no answer at all. */
  readonly silent?: boolean;
  /** What else was counted, by what the table calls it. */
  readonly also?: Readonly<Record<string, number>>;
  /** CPU time of the load, where this process makes it; in microseconds. */
  readonly load?: number;
  /** Whether what was written is there; asked when everything is measured. Answers what is missing. */
  check?(): Promise<string | undefined>;
}

/** Lanes whose writes are looked for after a slice. */
const CHECKED_LANES = 4;

/**
 * Asks a directory by HTTP. `lane` gives the exchanges of a connection; it is asked once for each, and goes on from
 * slice to slice.
 */
export function httpWorkload(directory: Directory, lane: (n: number) => Lane): Workload {
  const lanes: Lane[] = [];
  return preparedWorkload(directory, async (connections) => {
    for (let n = lanes.length; n < connections; n += 1) lanes.push(lane(n));
    return lanes.slice(0, connections);
  });
}

/** Asks a directory what is prepared for each slice, before the clock runs. */
export function preparedWorkload(
  { origin, key, pace }: Directory,
  prepare: (connections: number) => Promise<readonly Lane[]>,
): Workload {
  const load = openLoad(origin, key, pace);
  return {
    async run(connections, milliseconds, begun) {
      const lanes = await prepare(connections);
      begun?.();
      const { last, ...slice } = await load.run(lanes, milliseconds);
      return { ...slice, check: () => notWritten(last.slice(0, CHECKED_LANES)) };
    },
    close: () => load.close(),
  };
}

async function notWritten(last: readonly Exchange[]): Promise<string | undefined> {
  for (const { method, path, wrote } of last) {
    const isThere = wrote === undefined || (await wrote().catch(() => false));
    if (!isThere) return `Not written: ${method} ${path}`;
  }
  return undefined;
}

/** Orders slices of the driver's process. */
export function driverWorkload(
  driver: Running,
  order: Omit<DriverOrder, 'connections' | 'milliseconds'>,
): Workload {
  return {
    run: (connections, milliseconds) => {
      const slice = messageOf<Slice>(driver);
      driver.child.send({ ...order, connections, milliseconds } satisfies DriverOrder);
      return slice;
    },
    close: async () => {},
  };
}
