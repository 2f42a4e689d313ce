import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createGroups } from '../../actions/create-groups.ts';
import { deleteGroups } from '../../actions/delete-groups.ts';
import { only } from '../../actions/outcome.ts';
import { patchGroups } from '../../actions/patch-groups.ts';
import { replaceGroups } from '../../actions/replace-groups.ts';
import type { Context } from '../../context.ts';
import { run } from '../../db/statement.ts';
import { type GroupRow, readGroups } from '../../directory/groups.ts';
import { listGroups } from '../../directory/list.ts';
import { isUuid } from '../../directory/uuid.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { notFound } from '../../errors.ts';
import { takeMembers } from '../../scim/members.ts';
import { listResponseText, readListQuery } from '../../scim/messages.ts';
import { readPatch } from '../../scim/patch.ts';
import {
  includesAttribute,
  isDefaultProjection,
  type Projection,
  readProjection,
} from '../../scim/project.ts';
import { GROUP_TYPE } from '../../scim/resource-types.ts';
import { readResource } from '../../scim/validate.ts';
import {
  entityTag,
  groupText,
  ifMatch,
  isNotModified,
  locationOf,
  sendNotModified,
  sendResource,
} from './answer.ts';
import { documented } from './documented.ts';
import { BODY_LIMITS } from './limits.ts';
import { listRoutes } from './list-routes.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, idOf, readingOf, scimActor } from './request.ts';

/** `/Groups`: RFC 7644 sections 3.3 to 3.6. Members are read and written as rows, never as a whole resource. */
export function groupRoutes(scope: FastifyInstance, context: Context): void {
  const baseUrl = baseUrlOf(context);
  const projectionOf = (request: FastifyRequest) => readProjection(request.query as never, GROUP_TYPE);
  const wantsMembers = (projection: Projection) => ({ members: includesAttribute(projection, 'members') });

  const send = (reply: FastifyReply, row: GroupRow, projection: Projection, status: 200 | 201 = 200) =>
    sendResource(reply, groupText(row, baseUrl, projection), {
      status,
      version: row.version,
      location: locationOf(baseUrl, GROUP_TYPE, row.id),
    });

  listRoutes(scope, GROUP_TYPE, async (request, reply, parameters) => {
    const actor = scimActor(request);
    const query = readListQuery(parameters, GROUP_TYPE, readingOf(request, actor));
    const options = { baseUrl, ...wantsMembers(query.projection) };
    const { total, rows } = await listGroups(context.db, viewerOf(actor), query, options);
    const resources = rows.map((row) => groupText(row, baseUrl, query.projection));
    return sendScim(
      reply,
      listResponseText({ totalResults: total, startIndex: query.startIndex, resources }),
    );
  });

  scope.post('/Groups', documented('create', GROUP_TYPE), async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const { resource, members = [] } = takeMembers(
      readResource(request.body, GROUP_TYPE, readingOf(request, actor)),
    );
    const row = only(await createGroups(context, actor, [{ requestId: request.id, resource, members }]));
    return send(reply, row, projection, 201);
  });

  scope.get('/Groups/:id', documented('read', GROUP_TYPE), async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const [row] = isUuid(idOf(request))
      ? await run(context.db.pool, readGroups(viewerOf(actor), [idOf(request)], wantsMembers(projection)))
      : [];
    if (!row) throw notFound('Group');
    if (isNotModified(request, row.version)) {
      return sendNotModified(reply, {
        version: row.version,
        location: locationOf(baseUrl, GROUP_TYPE, row.id),
      });
    }
    return send(reply, row, projection);
  });

  const wholeGroup = { ...documented('replace', GROUP_TYPE), bodyLimit: BODY_LIMITS.group };
  scope.put('/Groups/:id', wholeGroup, async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const { resource, members = [] } = takeMembers(
      readResource(request.body, GROUP_TYPE, readingOf(request, actor)),
    );
    const replacement = {
      id: idOf(request),
      requestId: request.id,
      ifMatch: ifMatch(request),
      resource,
      members,
    };
    const row = only(await replaceGroups(context, actor, [replacement], wantsMembers(projection)));
    return send(reply, row, projection);
  });

  const patchedGroup = { ...documented('patch', GROUP_TYPE), bodyLimit: BODY_LIMITS.group };
  scope.patch('/Groups/:id', patchedGroup, async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    // 204 unless the client asks for attributes: an answer with 100,000 members helps nobody (Entra ID wants 204).
    const answered = !isDefaultProjection(projection);
    const operations = readPatch(request.body, GROUP_TYPE, readingOf(request, actor));
    const patch = { id: idOf(request), requestId: request.id, ifMatch: ifMatch(request), operations };
    const options = { baseUrl, members: answered && wantsMembers(projection).members };
    const row = only(await patchGroups(context, actor, [patch], options));
    if (answered) return send(reply, row, projection);
    return reply.code(204).header('etag', entityTag(row.version)).send();
  });

  scope.delete('/Groups/:id', documented('delete', GROUP_TYPE), async (request, reply) => {
    const deletion = { id: idOf(request), requestId: request.id, ifMatch: ifMatch(request) };
    only(await deleteGroups(context, scimActor(request), [deletion]));
    return reply.code(204).send();
  });
}
