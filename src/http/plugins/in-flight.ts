import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** In whose name a request takes memory, so that one tenant's requests leave some to the others. */
export function tenantBehind({ principal }: Partial<Pick<FastifyRequest, 'principal'>>): string {
  if (principal === undefined) return 'nobody';
  if (principal.kind === 'api_key') return principal.tenant.id;
  return principal.kind === 'service_key' ? principal.id : principal.kind;
}

/** What is to be done when a connection ends. */
const ends = new WeakMap<Socket, Set<() => void>>();

/** One listener each, however many requests are under way on it (pipelining). */
function endsOf(socket: Socket): Set<() => void> {
  const known = ends.get(socket);
  if (known !== undefined) return known;
  const acts = new Set<() => void>();
  ends.set(socket, acts);
  socket.once('close', () => {
    for (const act of acts) act();
  });
  return acts;
}

/**
 * Calls `act` once, when whoever asked has gone away: at once where that is so already, because then it is heard of no
 * more. Not after what it answers was called.
 */
export function whenGone({ socket }: IncomingMessage, act: () => void): () => void {
  const acts = endsOf(socket);
  const gone = () => {
    acts.delete(gone);
    act();
  };
  acts.add(gone);
  if (socket.destroyed) gone();
  return () => void acts.delete(gone);
}

/**
 * Calls `act` once, when the answer has been taken, or whoever asked has gone away. The reply alone would not do: one that
 * waits behind another on its connection never hears that the connection has ended.
 */
export function whenOver(request: IncomingMessage, response: ServerResponse, act: () => void): void {
  const taken = () => {
    forget();
    act();
  };
  response.once('close', taken);
  const forget = whenGone(request, () => {
    response.off('close', taken);
    act();
  });
}
