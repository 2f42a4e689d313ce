import type { Server, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { whenOver } from '../http/plugins/in-flight.ts';

/**
 * Returns a function that makes the server let go of its connections: from then on every answer, also to
 * requests that are running already, asks the client to close. Otherwise a kept connection would hold up the
 * end, or be cut while the next request is on its way.
 */
export function makeDrain(server: Server): () => void {
  const running = new Set<ServerResponse>();
  let draining = false;
  server.prependListener('request', (request, response: ServerResponse) => {
    running.add(response);
    whenOver(request, response, () => running.delete(response));
    if (draining) response.setHeader('connection', 'close');
  });
  return () => {
    draining = true;
    for (const response of running) {
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
  };
}

/**
 * Closes the application when the requests that have begun are finished, and cuts what is not finished after
 * `patience` (milliseconds): a request that is never sent to its end must not keep the process alive, nor the
 * database that stops behind it.
 */
export async function closeWithin(app: FastifyInstance, patience: number): Promise<void> {
  const lastCall = setTimeout(() => app.server.closeAllConnections(), patience);
  await app.close();
  clearTimeout(lastCall);
}
