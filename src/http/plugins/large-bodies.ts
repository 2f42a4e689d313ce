import { Readable } from 'node:stream';
import { getHeapStatistics } from 'node:v8';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type TurnOptions, Turns } from '../../turns.ts';
import { tenantBehind, whenOver } from './in-flight.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The turns that its body takes; undefined: it is small. */
    bodyTurns: BodyTurns | undefined;
  }
}

export interface BodyBounds {
  /** Bodies of more bytes take a turn. */
  readonly sizeable: number;
  /** Those of more bytes take one of a few besides. */
  readonly large: number;
  /** How many have a turn at a time. */
  readonly turns: { readonly sizeable: number; readonly large: number };
  /** How long one waits for its turn, in milliseconds. */
  readonly patience: number;
  /** So many bytes arrive in each span of so many milliseconds, or the sender is cut off. */
  readonly pace: { readonly bytes: number; readonly milliseconds: number };
}

/** One of 16 MiB takes up to 128 MiB while it is parsed and carried out. */
const LARGE_TURNS = Math.max(3, Math.floor(getHeapStatistics().heap_size_limit / (128 * 1024 * 1024)));

const BOUNDS: BodyBounds = {
  sizeable: 64 * 1024,
  large: 1024 * 1024,
  turns: { sizeable: 64, large: LARGE_TURNS },
  patience: 5_000,
  pace: { bytes: 320 * 1024, milliseconds: 5_000 },
};

const BUSY: TurnOptions['busy'] = {
  detail: 'Too many large bodies are being read',
  hint: 'Send large requests one after the other.',
};

/**
 * Bounds the memory that all bodies in flight take together: large ones are read when it is their turn, behind the
 * credential and its rate. A body that does not say its length takes its turns as it grows. Small ones pay nothing.
 *
 * Turns are fair: a tenant has half of them alone, and of what is left half again. Who has one keeps it while it sends,
 * so slow senders could hold all that their tenants may have: hence a least speed.
 */
export function boundBodies(app: FastifyInstance, bounds: BodyBounds = BOUNDS): void {
  const { turns, patience } = bounds;
  const sizeable = new Turns({ count: turns.sizeable, patience, busy: BUSY });
  const large = new Turns({ count: turns.large, patience, busy: BUSY });
  const turnsFor = (bytes: number): readonly Turns[] => {
    if (bytes <= bounds.sizeable) return [];
    return bytes <= bounds.large ? [sizeable] : [sizeable, large];
  };
  app.decorateRequest('bodyTurns', undefined);
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { 'content-length': length = 0, 'transfer-encoding': encoding } = request.headers;
    const bytes = Number(length);
    // What is longer than the route reads is refused unread.
    const needed = bytes <= request.routeOptions.bodyLimit ? turnsFor(bytes) : [];
    if (needed.length === 0 && encoding === undefined) return done(null, payload);
    const held = new BodyTurns(request, reply, bounds.pace);
    if (encoding !== undefined) return done(null, growing(request.raw, held, turnsFor));
    held.take(needed).then((isThere) => {
      // Otherwise there is nobody any more who could be answered.
      if (isThere) done(null, payload);
    }, done);
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    request.bodyTurns?.answered();
    done(null, payload);
  });
}

/** A body of unknown length, which waits for the turns that it needs when it has become as long. */
function growing(body: Readable, held: BodyTurns, turnsFor: (bytes: number) => readonly Turns[]): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    let bytes = 0;
    // Ending early, by a refusal, must not end the connection on which it is told.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      await held.take(turnsFor(bytes));
      yield chunk;
    }
  }
  // Who reads it listens until it has had too much; a connection that breaks after that is no uncaught error.
  return Readable.from(chunks()).on('error', () => {});
}

/**
 * The turns of one request, given back together: when it is over, but not before it is answered. Whose sender has gone
 * away may still be carried out, with all the memory that it takes.
 */
class BodyTurns {
  readonly #request: FastifyRequest;
  readonly #name: string;
  readonly #held = new Set<Turns>();
  readonly #pace: NodeJS.Timeout;
  /** Of the connection, when the pace was last looked at. */
  #bytesRead = 0;
  #isWaiting = false;
  #isOver = false;
  #isAnswered = false;

  constructor(request: FastifyRequest, reply: FastifyReply, pace: BodyBounds['pace']) {
    this.#request = request;
    this.#name = tenantBehind(request);
    this.#pace = setInterval(() => this.#keepPace(pace.bytes), pace.milliseconds);
    this.#bytesRead = request.socket.bytesRead;
    request.bodyTurns = this;
    whenOver(request.raw, reply.raw, () => {
      this.#isOver = true;
      clearInterval(this.#pace);
      this.#giveBack();
    });
  }

  /** Resolves when it has these; to false where the sender has gone away. @throws AppError `unavailable` */
  async take(needed: readonly Turns[]): Promise<boolean> {
    for (const turns of needed) {
      if (this.#held.has(turns)) continue;
      this.#isWaiting = true;
      await turns.take(this.#name);
      this.#held.add(turns);
      this.#isWaiting = false;
      this.#bytesRead = this.#request.socket.bytesRead;
      this.#pace.refresh();
    }
    if (this.#isOver) this.answered();
    return !this.#isOver;
  }

  answered(): void {
    this.#isAnswered = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#isOver || !this.#isAnswered) return;
    for (const turns of this.#held) turns.giveBack(this.#name);
    this.#held.clear();
  }

  /** Cuts off who sends too slowly, and says so as Node does of a request that takes too long. */
  #keepPace(bytes: number): void {
    const { raw, socket, server } = this.#request;
    if (this.#held.size === 0 || this.#isWaiting || raw.complete) return;
    const arrived = socket.bytesRead - this.#bytesRead;
    this.#bytesRead = socket.bytesRead;
    if (!(arrived < bytes)) return;
    const late = Object.assign(new Error('The body arrives too slowly'), {
      code: 'ERR_HTTP_REQUEST_TIMEOUT',
    });
    server.server.emit('clientError', late, socket);
    socket.destroySoon();
  }
}
