import type { FastifyInstance } from 'fastify';
import type { Context } from '../../context.ts';
import { findResource } from '../../directory/list.ts';
import { notFound } from '../../errors.ts';
import { readProjection } from '../../scim/project.ts';
import { BASE_TYPES } from '../../scim/resource-types.ts';
import { entityTag, isNotModified, locationOf } from './answer.ts';
import { documented } from './documented.ts';
import { standpointOf } from './list-routes.ts';
import { listedText } from './listed.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, idOf, scimActor } from './request.ts';

/**
 * `/Roles/{id}` and `/Entitlements/{id}`: what Okta lets an administrator assign (Okta, "Build a SCIM 2.0 server
 * with entitlements"). The product's roles and teams, so they are read here and written elsewhere.
 */
export function catalogueRoutes(scope: FastifyInstance, context: Context): void {
  const baseUrl = baseUrlOf(context);
  for (const name of ['Role', 'Entitlement'] as const) {
    const { endpoint } = BASE_TYPES[name];
    scope.get(`${endpoint}/:id`, documented('read', BASE_TYPES[name]), async (request, reply) => {
      const actor = scimActor(request);
      const type = actor.types[name];
      const projection = readProjection(request.query as never, type);
      const row = await findResource(context.db, standpointOf(context, actor), type, idOf(request));
      if (!row) throw notFound(name);
      reply.header('content-location', locationOf(baseUrl, type, row.key));
      if (row.version !== null) {
        const tag = entityTag({ version: row.version });
        reply.header('etag', tag);
        if (isNotModified(request.headers['if-none-match'], tag)) return reply.code(304).send();
      }
      return sendScim(reply, listedText(row, type, baseUrl, projection));
    });
  }
}
