import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { userNamed } from './population.ts';

/**
 * A client that asks far more often than it may, in a process of its own, so that its load is not felt where latencies
 * are taken. At each order it asks for so long; it tells when it has been refused, or else when its lead is over, and
 * in the end how often it was answered in which way.
 */

export interface FloodOrder {
  /** How long it may take at most to use up what it may ask in a burst. */
  readonly lead: number;
  /** How long it goes on then. */
  readonly milliseconds: number;
  /** Requests a second. */
  readonly rate: number;
}

/** How often each status was answered. */
export type FloodTally = Readonly<Record<string, number>>;

const CONNECTIONS = 64;
const SCIM_JSON = 'application/scim+json';

const { ORIGIN = '', KEY = '', USER_ID = '' } = process.env;
const pool = new Pool(ORIGIN, { connections: CONNECTIONS });

/** What an identity provider that has run wild asks: reads, and every tenth request creates a user. */
const READ = () => ({ method: 'GET', path: `/Users/${USER_ID}` }) as const;
const CREATE = () =>
  ({ method: 'POST', path: '/Users', body: JSON.stringify(userNamed(`flood-${randomUUID()}`)) }) as const;
const ASKED = [CREATE, ...Array<typeof READ>(9).fill(READ)];

async function flood({ milliseconds, lead, rate }: FloodOrder): Promise<void> {
  const tally: Record<string, number> = {};
  const count = (status: string) => {
    tally[status] = (tally[status] ?? 0) + 1;
  };
  const underway = new Set<Promise<void>>();
  const begin = performance.now();
  let until = Number.POSITIVE_INFINITY;
  // A little each millisecond: who asks in one go is felt for the time that its answers take.
  for (let turn = 0; performance.now() < until; await sleep(1)) {
    const elapsed = performance.now() - begin;
    if (until === Number.POSITIVE_INFINITY && (tally['429'] || elapsed > lead)) {
      until = performance.now() + milliseconds;
      process.send?.('flooding');
    }
    const due = (elapsed * rate) / 1_000;
    // What there are no connections for is left out: who waits here floods nobody.
    for (; turn < due; turn += 1) {
      if (underway.size >= CONNECTIONS) continue;
      const sent: Promise<void> = ask(turn).then(count, () => count('none'));
      underway.add(sent);
      void sent.then(() => underway.delete(sent));
    }
  }
  await Promise.all(underway);
  process.send?.(tally);
}

async function ask(turn: number): Promise<string> {
  const { path, ...asked } = { body: null, ...(ASKED[turn % ASKED.length] ?? READ)() };
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': SCIM_JSON };
  const { statusCode, body } = await pool.request({ ...asked, path: `/api/scim/v2${path}`, headers });
  await body.dump();
  return String(statusCode);
}

process.on('message', (order: FloodOrder) => void flood(order));
