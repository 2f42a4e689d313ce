import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Dispatcher } from 'undici';
import type { Exchange, Lane } from './contestant.ts';
import { latencyOf } from './statistics.ts';
import type { Slice } from './workload.ts';

/**
 * The load: so many connections, each of which asks again as soon as it has the answer (a closed loop). undici's
 * `dispatch`, and not a load tester, because bodies differ from request to request, every answer is looked at, and
 * latencies below a millisecond are wanted (autocannon counts whole ones).
 */

/** No answer for so long is one too few, in milliseconds. */
const PATIENCE = 10_000;

export interface Load {
  /** One slice: every connection asks for so many milliseconds, or until its lane ends. */
  run(lanes: readonly Lane[], milliseconds: number): Promise<Slice & Ends>;
  close(): Promise<void>;
}

interface Ends {
  /** The last exchange of each lane. */
  readonly last: readonly Exchange[];
}

interface Tally {
  readonly latencies: number[];
  readonly last: Exchange[];
  failures: number;
  fault?: string;
  silent: boolean;
}

/** @param pace a connection asks at most once in so many milliseconds. */
export function openLoad(origin: string, key: string, pace = 0): Load {
  const clients: Client[] = [];
  const clientOf = (lane: number) => {
    clients[lane] ??= new Client(origin, { headersTimeout: PATIENCE, bodyTimeout: PATIENCE });
    return clients[lane];
  };
  return {
    async run(lanes, milliseconds) {
      const tally: Tally = { latencies: [], last: [], failures: 0, silent: false };
      const cpu = process.cpuUsage();
      const begin = performance.now();
      const until = begin + milliseconds;
      await Promise.all(lanes.map((lane, n) => runLane(clientOf(n), lane, { key, pace, until, tally })));
      const { latencies, ...counts } = tally;
      const took = performance.now() - begin;
      const { user, system } = process.cpuUsage(cpu);
      const count = latencies.length;
      return { ...counts, milliseconds: took, count, load: user + system, ...latencyOf(latencies) };
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.destroy()));
    },
  };
}

interface LaneOptions {
  readonly key: string;
  readonly pace: number;
  readonly until: number;
  readonly tally: Tally;
}

async function runLane(client: Client, lane: Lane, { key, pace, until, tally }: LaneOptions): Promise<void> {
  let last: Exchange | undefined;
  let due = performance.now();
  while (!tally.silent && performance.now() < until) {
    const next = lane.next();
    if (next.done) break;
    last = next.value;
    const begin = pace === 0 ? performance.now() : await untilDue(due);
    due += pace;
    const { status, text } = await send(client, last, key).catch((error: Error) => {
      tally.silent = true;
      return { status: 0, text: String(error.message) };
    });
    const took = performance.now() - begin;
    tally.latencies.push(took);
    if (status !== 0 && last.expects(status, text)) continue;
    tally.failures += 1;
    tally.fault ??= `${last.method} ${last.path}: ${status} ${text.slice(0, 200)}`;
  }
  if (last) tally.last.push(last);
}

/** From when a request counts: what a stall has kept waiting counts from when it was due. */
async function untilDue(due: number): Promise<number> {
  const early = due - performance.now();
  if (early <= 0) return due;
  await sleep(early);
  return performance.now();
}

function send(client: Client, exchange: Exchange, key: string): Promise<{ status: number; text: string }> {
  const { method, path, body, mediaType = 'application/scim+json' } = exchange;
  const headers = {
    authorization: `Bearer ${exchange.key ?? key}`,
    ...(body !== undefined && { 'content-type': mediaType }),
  };
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      // undici tells handlers of today from older ones by this.
      onRequestStart: () => {},
      onResponseStart: (_, statusCode) => {
        status = statusCode;
      },
      onResponseData: (_, chunk) => void chunks.push(chunk),
      onResponseEnd: () => resolve({ status, text: textOf(chunks) }),
      onResponseError: (_, error) => reject(error),
    };
    client.dispatch({ method, path, headers, ...(body !== undefined && { body }) }, handler);
  });
}

const textOf = (chunks: readonly Buffer[]) =>
  chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString();
