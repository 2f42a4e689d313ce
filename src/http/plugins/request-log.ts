import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../context.ts';
import { AppError } from '../../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was thrown first while the request was answered, for the log. */
    thrown: unknown;
  }
}

/**
 * Gives each request its id and, when it has ended, its one line in the log: what was asked, by which key, and
 * how it ended. The route stands for the URL, which holds names in filters and look-ups.
 */
export function logRequests(app: FastifyInstance): void {
  app.setGenReqId(requestId);
  app.decorateRequest('thrown', undefined);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onError', async (request, _reply, error) => {
    request.thrown = error;
  });
  app.addHook('onResponse', async (request, reply) => logRequest(request, reply));
}

/** The caller's `x-request-id`, so that its log and ours can be read together, or a new one. */
export function requestId({ headers }: IncomingMessage): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && /^[\w.:-]{1,64}$/.test(sent) ? sent : randomUUID();
}

/** Writes the line of a finished request. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const status = reply.statusCode;
  const line = {
    method: request.method,
    route: request.routeOptions.url,
    status,
    milliseconds: Math.round(reply.elapsedTime * 10) / 10,
    ...who(request.principal),
    outcome: status < 400 ? 'ok' : status < 500 ? 'refused' : 'failed',
    ...why(request),
    ...(request.tolerances?.size && { tolerances: [...request.tolerances] }),
  };
  request.log[status < 500 ? 'info' : 'error'](line, 'request');
}
