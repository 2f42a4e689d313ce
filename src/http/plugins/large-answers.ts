import { getHeapStatistics } from 'node:v8';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import { Shares } from '../../shares.ts';
import type { Rates } from '../../tenants/rates.ts';
import { tenantBehind, whenOver } from './in-flight.ts';

/** So many bytes of a large answer count as one request: they are made, sent and waited for like one. */
const BYTES_OF_REQUEST = 32 * 1024;

export interface AnswerBounds {
  /** Answers of more bytes are counted; the rest fits into the buffers of a connection. */
  readonly large: number;
  /** So many bytes are on their way at a time, and the last answer that begins before. */
  readonly bytes: number;
  /** In which an answer is taken, or whoever asked is cut off: so many milliseconds, and at so many bytes in each of them. */
  readonly time: { readonly milliseconds: number; readonly bytesEach: number };
}

/** A process that may use much has room for much: 64 MiB of a heap of 384. */
const BOUNDS: AnswerBounds = {
  large: 64 * 1024,
  bytes: Math.max(64 * 1024 * 1024, getHeapStatistics().heap_size_limit / 6),
  time: { milliseconds: 30_000, bytesEach: 256 },
};

/**
 * Bounds the memory that answers take which nobody reads: each has its time to be taken, and a tenant gets one more only
 * while less of its answers is on the way than there is room left. Who finds no room is refused at once, because an
 * answer that waits takes as much memory as one that is sent. Large answers count for the rate by their size, or a tenant
 * within its rate could have the process do nothing else.
 */
export function boundAnswers(
  app: FastifyInstance,
  rates: Rates | undefined,
  bounds: AnswerBounds = BOUNDS,
): void {
  const room = new Shares(bounds.bytes);
  app.addHook('onSend', (request, reply, payload, done) => {
    const isText = typeof payload === 'string' || Buffer.isBuffer(payload);
    if (!isText || payload.length <= bounds.large) return done(null, payload);
    const name = tenantBehind(request);
    if (!room.mayHaveMore(name) && mayBeRefused(request)) {
      // They are of the answer that is not given.
      reply.removeHeader('etag').removeHeader('content-location');
      return done(noRoom());
    }
    // Node would keep a text, and make a copy of its bytes besides.
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
    room.lend(name, bytes.length);
    // Nobody, where the scope is open to all.
    if (request.principal) rates?.owe(request.principal, Math.floor(bytes.length / BYTES_OF_REQUEST));
    const { milliseconds, bytesEach } = bounds.time;
    const late = setTimeout(() => request.socket.destroy(), milliseconds + bytes.length / bytesEach);
    whenOver(request.raw, reply.raw, () => {
      clearTimeout(late);
      room.giveBack(name, bytes.length);
    });
    done(null, bytes);
  });
}

/** Not what has been written: who is told that it was not would do it again. */
function mayBeRefused({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD' || routeOptions.url?.endsWith('/.search') === true;
}

function noRoom(): AppError {
  return new AppError('unavailable', 'Too many large answers are on their way', {
    reason: 'busy',
    hint: 'Read each to its end before asking for the next. Repeat the request after the seconds in Retry-After.',
  });
}
