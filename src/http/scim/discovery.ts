import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { resourceTypeResources, schemaResources, serviceProviderConfig } from '../../scim/discovery.ts';
import { ScimError } from '../../scim/error.ts';
import { listResponseText } from '../../scim/messages.ts';
import { oncePer } from '../../scim/once-per.ts';
import type { JsonObject, ResourceType } from '../../scim/types.ts';
import { announcedTypes } from './announced.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, idOf } from './request.ts';

/**
 * `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas` (RFC 7644 section 4): open without a key, because a
 * client reads there how to authenticate. With a tenant's key they show the tenant's own extensions too.
 */
export function discoveryRoutes(scope: FastifyInstance, context: Context): void {
  const baseUrl = baseUrlOf(context);
  const config = JSON.stringify(serviceProviderConfig(baseUrl));
  const schema = (operationId: string) => ({ schema: { operationId, tags: ['Discovery'] } });

  scope.get('/ServiceProviderConfig', schema('readServiceProviderConfig'), async (request, reply) => {
    refuseFilter(request);
    return sendScim(reply, config);
  });
  const collections = [
    { path: '/ResourceTypes', name: 'ResourceType', list: resourceTypeResources },
    { path: '/Schemas', name: 'Schema', list: schemaResources },
  ];
  for (const { path, name, list } of collections) {
    const resourcesFor = oncePer((types: readonly ResourceType[]) => list(baseUrl, types));
    scope.get(path, schema(`list${name}s`), async (request, reply) => {
      refuseFilter(request);
      return sendAll(reply, resourcesFor(await announcedTypes(context, request.principal)));
    });
    scope.get(`${path}/:id`, schema(`read${name}`), async (request, reply) => {
      refuseFilter(request);
      const id = idOf(request).toLowerCase();
      const resources = resourcesFor(await announcedTypes(context, request.principal));
      const found = resources.find((each) => String(each.id).toLowerCase() === id);
      if (!found) throw notFound(name);
      return sendScim(reply, JSON.stringify(found));
    });
  }
}

function sendAll(reply: FastifyReply, resources: readonly JsonObject[]): FastifyReply {
  const texts = resources.map((resource) => JSON.stringify(resource));
  return sendScim(reply, listResponseText({ totalResults: texts.length, startIndex: 1, resources: texts }));
}

/** RFC 7644 section 4: a client that filters here relies on an answer that it would not get. */
function refuseFilter({ query }: FastifyRequest): void {
  const filtered = Object.keys(query as object).some((name) => name.toLowerCase() === 'filter');
  if (filtered)
    throw new ScimError(403, undefined, 'Discovery endpoints cannot be filtered; leave "filter" out');
}
