import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { userNamed } from './population.ts';

/**
 * A client that asks far more often than it may, in a process of its own, so that its load is not felt where latencies
 * are taken. Whoever goes on asking waits for its refusals, so it takes thousands of connections to ask so often: bare
 * sockets, because a client library takes more than the service does. At each order it asks until it is held back and
 * a while longer, tells so, and is measured from then on; in the end it tells how often it asked and what was answered.
 */

export interface FloodOrder {
  /** How long it may take at most to be held back, in milliseconds. */
  readonly lead: number;
  /** How long it goes on then. */
  readonly milliseconds: number;
  /** Requests a second that it makes, as long as a connection is free for them. */
  readonly rate: number;
}

export interface FloodTold {
  /** Requests a second that it really made while it was measured: what there was a free connection for. */
  readonly offered: number;
  /** Requests a second that were due. */
  readonly wanted: number;
  /** How often each status was answered, from the beginning on; `none`: a connection failed. */
  readonly answers: Readonly<Record<string, number>>;
}

const CONNECTIONS = 4_000;
/** Opened at a time: fewer than wait to be accepted. */
const OPENED = 200;
/** From the first refusal on, in milliseconds: the late ones have come back then, and as many are asked as answered. */
const SETTLED = 2_000;
/** For the answers that are underway in the end. */
const DRAINED = 2_000;

const { ORIGIN = '', KEY = '', USER_ID = '' } = process.env;
const { hostname, port } = new URL(ORIGIN);

const request = (line: string, body = '') =>
  `${line} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${KEY}\r\n` +
  `content-type: application/scim+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

const READ = request(`GET /api/scim/v2/Users/${USER_ID}`);
/** What an identity provider that has run wild asks: reads, and every tenth request creates a user. */
const asked = (turn: number) =>
  turn % 10 === 0
    ? request('POST /api/scim/v2/Users', JSON.stringify(userNamed(`flood-${randomUUID()}`)))
    : READ;

/** Connections on which no answer is awaited, and what was answered on all. */
interface Lines {
  readonly free: Set<Socket>;
  readonly open: Set<Socket>;
  readonly answers: Record<string, number>;
}

async function openLines(): Promise<Lines> {
  const lines: Lines = { free: new Set(), open: new Set(), answers: {} };
  while (lines.open.size < CONNECTIONS) {
    await Promise.all(Array.from({ length: OPENED }, () => openLine(lines)));
  }
  return lines;
}

async function openLine({ free, open, answers }: Lines): Promise<void> {
  const socket = connect(Number(port), hostname).setNoDelay().setEncoding('latin1');
  const count = (status: string) => {
    answers[status] = (answers[status] ?? 0) + 1;
  };
  let received = '';
  socket.on('data', (chunk: string) => {
    received += chunk;
    const status = statusOf(received);
    if (status === undefined) return;
    received = '';
    count(status);
    free.add(socket);
  });
  socket.on('error', () => count('none'));
  socket.on('close', () => {
    free.delete(socket);
    open.delete(socket);
  });
  open.add(socket);
  await once(socket, 'connect').catch(() => undefined);
  if (!socket.destroyed) free.add(socket);
}

/** The status of an answer that is there as a whole. */
function statusOf(text: string): string | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0;
  return text.length < head + 4 + Number(length) ? undefined : text.slice(9, 12);
}

async function flood({ milliseconds, lead, rate }: FloodOrder): Promise<void> {
  const { free, open, answers } = await openLines();
  const begin = performance.now();
  let [turn, made] = [0, 0];
  /** Asks what is due until then. */
  const askUntil = async (isOver: (now: number) => boolean) => {
    // A little each millisecond: who asks in one go is felt for the time that its answers take.
    for (let now = performance.now(); !isOver(now); now = performance.now()) {
      for (const due = ((now - begin) * rate) / 1_000; turn < due; turn += 1) {
        const [socket] = free;
        // What there is no connection for is left out: who waits here floods nobody.
        if (!socket) continue;
        free.delete(socket);
        socket.write(asked(turn));
        made += 1;
      }
      await sleep(1);
    }
  };
  await askUntil((now) => answers['429'] !== undefined || now - begin > lead);
  const settled = performance.now() + SETTLED;
  await askUntil((now) => now > settled);
  process.send?.('flooding');
  const [from, before] = [performance.now(), { turn, made }];
  await askUntil((now) => now - from > milliseconds);
  const seconds = (performance.now() - from) / 1_000;
  const [offered, wanted] = [(made - before.made) / seconds, (turn - before.turn) / seconds];
  for (const until = performance.now() + DRAINED; free.size < open.size && performance.now() < until; ) {
    await sleep(20);
  }
  for (const socket of open) socket.destroy();
  process.send?.({ offered, wanted, answers } satisfies FloodTold);
}

// Clients that flood have machines of their own: what is felt of them shall be what they ask, not that they run here.
setPriority(constants.priority.PRIORITY_LOW);
process.on('message', (order: FloodOrder) => void flood(order));
process.on('disconnect', () => process.exit());
