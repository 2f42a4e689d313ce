import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createUsers } from '../../actions/create-users.ts';
import { deleteUsers } from '../../actions/delete-users.ts';
import { only } from '../../actions/outcome.ts';
import { patchUsers } from '../../actions/patch-users.ts';
import { replaceUsers } from '../../actions/replace-users.ts';
import type { Context } from '../../context.ts';
import { run } from '../../db/statement.ts';
import { listUsers } from '../../directory/list.ts';
import { readUsers, type UserRow } from '../../directory/users.ts';
import { isUuid } from '../../directory/uuid.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { notFound } from '../../errors.ts';
import { listResponseText, readListQuery } from '../../scim/messages.ts';
import { readPatch } from '../../scim/patch.ts';
import { includesAttribute, type Projection, readProjection } from '../../scim/project.ts';
import { USER_TYPE } from '../../scim/resource-types.ts';
import { readResource } from '../../scim/validate.ts';
import { ifMatch, isNotModified, locationOf, sendNotModified, sendResource, userText } from './answer.ts';
import { documented } from './documented.ts';
import { listRoutes } from './list-routes.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, idOf, readingOf, scimActor } from './request.ts';

/** `/Users`: RFC 7644 sections 3.3 to 3.6. */
export function userRoutes(scope: FastifyInstance, context: Context): void {
  const baseUrl = baseUrlOf(context);
  const projectionOf = (request: FastifyRequest) => readProjection(request.query as never, USER_TYPE);

  const send = (reply: FastifyReply, row: UserRow, projection: Projection, status: 200 | 201 = 200) =>
    sendResource(reply, userText(row, baseUrl, projection), {
      status,
      version: row.version,
      location: locationOf(baseUrl, USER_TYPE, row.id),
    });

  listRoutes(scope, USER_TYPE, async (request, reply, parameters) => {
    const actor = scimActor(request);
    const query = readListQuery(parameters, USER_TYPE, readingOf(request, actor));
    const groups = includesAttribute(query.projection, 'groups');
    const { total, rows } = await listUsers(context.db, viewerOf(actor), query, { baseUrl, groups });
    const resources = rows.map((row) => userText(row, baseUrl, query.projection));
    return sendScim(
      reply,
      listResponseText({ totalResults: total, startIndex: query.startIndex, resources }),
    );
  });

  scope.post('/Users', documented('create', USER_TYPE), async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const resource = readResource(request.body, USER_TYPE, readingOf(request, actor));
    const row = only(await createUsers(context, actor, [{ requestId: request.id, resource }]));
    return send(reply, row, projection, 201);
  });

  scope.get('/Users/:id', documented('read', USER_TYPE), async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const groups = includesAttribute(projection, 'groups');
    const [row] = isUuid(idOf(request))
      ? await run(context.db.pool, readUsers(viewerOf(actor), [idOf(request)], { groups }))
      : [];
    if (!row) throw notFound('User');
    // `groups` lies outside the version, so only an answer without it can be known not to have changed.
    if (!groups && isNotModified(request, row.version)) {
      return sendNotModified(reply, {
        version: row.version,
        location: locationOf(baseUrl, USER_TYPE, row.id),
      });
    }
    return send(reply, row, projection);
  });

  scope.put('/Users/:id', documented('replace', USER_TYPE), async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const resource = readResource(request.body, USER_TYPE, readingOf(request, actor));
    const replacement = { id: idOf(request), requestId: request.id, ifMatch: ifMatch(request), resource };
    return send(reply, only(await replaceUsers(context, actor, [replacement])), projection);
  });

  scope.patch('/Users/:id', documented('patch', USER_TYPE), async (request, reply) => {
    const actor = scimActor(request);
    const projection = projectionOf(request);
    const operations = readPatch(request.body, USER_TYPE, readingOf(request, actor));
    const patch = { id: idOf(request), requestId: request.id, ifMatch: ifMatch(request), operations };
    return send(reply, only(await patchUsers(context, actor, [patch])), projection);
  });

  scope.delete('/Users/:id', documented('delete', USER_TYPE), async (request, reply) => {
    const deletion = { id: idOf(request), requestId: request.id, ifMatch: ifMatch(request) };
    only(await deleteUsers(context, scimActor(request), [deletion]));
    return reply.code(204).send();
  });
}
