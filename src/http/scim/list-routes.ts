import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context, ScimActor } from '../../context.ts';
import { type Listing, listResources, type Page } from '../../directory/list.ts';
import type { Standpoint } from '../../directory/sources.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { BUILT_IN_ROLES } from '../../reconcile/roles.ts';
import { listResponseText, readMessage, SEARCH_REQUEST } from '../../scim/messages.ts';
import { includesAttribute } from '../../scim/project.ts';
import { type ListQuery, readListQuery, type TypeQuery } from '../../scim/query.ts';
import { BASE_TYPES } from '../../scim/resource-types.ts';
import type { TypeName } from '../../scim/types.ts';
import { announcedTypes } from './announced.ts';
import { openCursor, sealCursor } from './cursor.ts';
import { documented, documentedRoot } from './documented.ts';
import { listedText } from './listed.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, readingOf, scimActor } from './request.ts';

/**
 * Queries of each type, and of all at the root: by parameters in the URL, and by a body that is posted to
 * `/.search` (RFC 7644 sections 3.4.2 and 3.4.3).
 */
export function listRoutes(scope: FastifyInstance, context: Context): void {
  for (const { name, endpoint } of Object.values(BASE_TYPES)) {
    scope.get(endpoint, documented('list', BASE_TYPES[name]), listOf(context, name));
    scope.post(`${endpoint}/.search`, documented('search', BASE_TYPES[name]), searchOf(context, name));
  }
  scope.get('/', documentedRoot('list'), listOf(context));
  scope.post('/.search', documentedRoot('search'), searchOf(context));
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** @param name the type that is asked; absent: all that the client is told of. */
function listOf(context: Context, name?: TypeName): Handler {
  return async (request, reply) => {
    const actor = scimActor(request);
    const types = name ? [actor.types[name]] : await announcedTypes(context, request.principal);
    const reading = { ...readingOf(request, actor), inUrl: true };
    return answer(context, actor, readListQuery(request.query as never, types, reading), reply);
  };
}

function searchOf(context: Context, name?: TypeName): Handler {
  return async (request, reply) => {
    const actor = scimActor(request);
    const types = name ? [actor.types[name]] : await announcedTypes(context, request.principal);
    const reading = readingOf(request, actor);
    const message = Object.fromEntries(readMessage(request.body, SEARCH_REQUEST, reading));
    return answer(context, actor, readListQuery(message, types, reading), reply);
  };
}

/** From where this client looks. */
export function standpointOf(context: Context, actor: ScimActor): Standpoint {
  return {
    viewer: viewerOf(actor),
    baseUrl: baseUrlOf(context),
    builtInRoles: BUILT_IN_ROLES.map(({ name }) => name),
  };
}

async function answer(
  context: Context,
  actor: ScimActor,
  query: ListQuery,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const standpoint = standpointOf(context, actor);
  const page = await listResources(context.db, standpoint, listingOf(context, actor, query));
  const resources = page.rows.flatMap((row) => {
    const asked = query.types[row.rank];
    return asked ? listedText(row, asked.type, standpoint.baseUrl, asked.projection) : [];
  });
  const place = placeOf(context, actor, query, page);
  return sendScim(reply, listResponseText({ totalResults: page.total, ...place, resources }));
}

function listingOf(context: Context, actor: ScimActor, query: ListQuery): Listing {
  const { types, sortOrder, count, page } = query;
  return {
    types: types.map(({ projection, ...type }) => ({
      ...type,
      related: wantsRelated(type.type.name, projection),
    })),
    sortOrder,
    count,
    page: 'cursor' in page ? openCursor(context, actor, query, page.cursor) : page,
  };
}

function wantsRelated(name: TypeName, projection: TypeQuery['projection']): boolean {
  if (name === 'User') return includesAttribute(projection, 'groups');
  return name === 'Group' && includesAttribute(projection, 'members');
}

/** Where the page lies, by the method of paging that was asked for. */
function placeOf(context: Context, actor: ScimActor, query: ListQuery, { next, previous }: Page) {
  if ('startIndex' in query.page) return query.page;
  return {
    ...(previous && { previousCursor: sealCursor(context, actor, query, previous) }),
    ...(next && { nextCursor: sealCursor(context, actor, query, next) }),
  };
}
