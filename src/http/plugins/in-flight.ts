import type { FastifyReply, FastifyRequest } from 'fastify';

/** In whose name a request takes memory, so that one tenant's requests leave some to the others. */
export function tenantBehind({ principal }: Partial<Pick<FastifyRequest, 'principal'>>): string {
  if (principal === undefined) return 'nobody';
  if (principal.kind === 'api_key') return principal.tenant.id;
  return principal.kind === 'service_key' ? principal.id : principal.kind;
}

/**
 * Calls `act` once, when the answer has been taken, or whoever asked has gone away. The reply alone would not do: one that
 * waits behind another on its connection (pipelining) never hears that the connection has ended.
 */
export function whenOver({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply, act: () => void): void {
  const over = () => {
    raw.off('close', over);
    socket.off('close', over);
    act();
  };
  raw.once('close', over);
  socket.once('close', over);
  // Who went away while the credential was looked up is heard of no more.
  if (socket.destroyed) over();
}
