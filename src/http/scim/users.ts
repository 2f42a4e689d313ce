import type { FastifyInstance } from 'fastify';
import type { Context } from '../../context.ts';
import { listUsers } from '../../directory/list.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { listResponseText, readListQuery } from '../../scim/messages.ts';
import { includesAttribute } from '../../scim/project.ts';
import { USER_TYPE } from '../../scim/resource-types.ts';
import { userText } from './answer.ts';
import { listRoutes } from './list-routes.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, readingOf, scimActor } from './request.ts';

/** The queries of `/Users`: RFC 7644 section 3.4.2. */
export function userLists(scope: FastifyInstance, context: Context): void {
  const baseUrl = baseUrlOf(context);
  listRoutes(scope, USER_TYPE, async (request, reply, parameters) => {
    const actor = scimActor(request);
    const query = readListQuery(parameters, actor.types.User, readingOf(request, actor));
    const groups = includesAttribute(query.projection, 'groups');
    const { total, rows } = await listUsers(context.db, viewerOf(actor), query, { baseUrl, groups });
    const resources = rows.map((row) => userText(row, baseUrl, query.projection));
    return sendScim(
      reply,
      listResponseText({ totalResults: total, startIndex: query.startIndex, resources }),
    );
  });
}
