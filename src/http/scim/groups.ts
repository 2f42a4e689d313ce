import type { FastifyInstance } from 'fastify';
import type { Context } from '../../context.ts';
import { listGroups } from '../../directory/list.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { listResponseText, readListQuery } from '../../scim/messages.ts';
import { includesAttribute } from '../../scim/project.ts';
import { GROUP_TYPE } from '../../scim/resource-types.ts';
import { groupText } from './answer.ts';
import { listRoutes } from './list-routes.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, readingOf, scimActor } from './request.ts';

/** The queries of `/Groups`: RFC 7644 section 3.4.2. */
export function groupLists(scope: FastifyInstance, context: Context): void {
  const baseUrl = baseUrlOf(context);
  listRoutes(scope, GROUP_TYPE, async (request, reply, parameters) => {
    const actor = scimActor(request);
    const query = readListQuery(parameters, GROUP_TYPE, readingOf(request, actor));
    const options = { baseUrl, members: includesAttribute(query.projection, 'members') };
    const { total, rows } = await listGroups(context.db, viewerOf(actor), query, options);
    const resources = rows.map((row) => groupText(row, baseUrl, query.projection));
    return sendScim(
      reply,
      listResponseText({ totalResults: total, startIndex: query.startIndex, resources }),
    );
  });
}
