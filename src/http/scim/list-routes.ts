import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readMessage, SEARCH_REQUEST } from '../../scim/messages.ts';
import type { ResourceType } from '../../scim/types.ts';
import { documented } from './documented.ts';
import { readingOf, scimActor } from './request.ts';

type List = (
  request: FastifyRequest,
  reply: FastifyReply,
  parameters: Record<string, unknown>,
) => Promise<unknown>;

/** The two ways to query a type: parameters in the URL, or in a body (RFC 7644 sections 3.4.2 and 3.4.3). */
export function listRoutes(scope: FastifyInstance, type: ResourceType, list: List): void {
  scope.get(type.endpoint, documented('list', type), (request, reply) =>
    list(request, reply, request.query as Record<string, unknown>),
  );
  scope.post(`${type.endpoint}/.search`, documented('search', type), (request, reply) => {
    const message = readMessage(request.body, SEARCH_REQUEST, readingOf(request, scimActor(request)));
    return list(request, reply, Object.fromEntries(message));
  });
}
