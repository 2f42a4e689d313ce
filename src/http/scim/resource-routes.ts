import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { only } from '../../actions/outcome.ts';
import { requireVersion } from '../../actions/scim-writes.ts';
import type { ScimActor } from '../../context.ts';
import { AppError, notFound } from '../../errors.ts';
import { readPatch } from '../../scim/patch.ts';
import { answering, type Projection, readProjection } from '../../scim/project.ts';
import { BASE_TYPES } from '../../scim/resource-types.ts';
import type { ResourceType } from '../../scim/types.ts';
import { readResource } from '../../scim/validate.ts';
import { entityTag, ifMatch, isNotModified, locationOf, sendNotModified, sendResource } from './answer.ts';
import { documented } from './documented.ts';
import type { Endpoint, ResourceRow } from './endpoint.ts';
import { idOf, readingOf, scimActor } from './request.ts';

/** The routes that create, read, change and delete resources of one type: RFC 7644 sections 3.3 to 3.6. */
export function resourceRoutes<Row extends ResourceRow>(
  scope: FastifyInstance,
  endpoint: Endpoint<Row>,
  baseUrl: string,
): void {
  const documentedType = BASE_TYPES[endpoint.name];
  const path = documentedType.endpoint;
  const change = (verb: 'replace' | 'patch') => ({
    ...documented(verb, documentedType),
    ...(endpoint.bodyLimit !== undefined && { bodyLimit: endpoint.bodyLimit }),
  });
  const identity = (row: Row) => ({
    tag: entityTag(row),
    location: locationOf(baseUrl, documentedType, row.id),
  });
  const send = (reply: FastifyReply, row: Row, projection: Projection, status: 200 | 201 = 200) =>
    sendResource(reply, endpoint.text(row, projection), { status, ...identity(row) });

  scope.post(path, documented('create', documentedType), async (request, reply) => {
    const { actor, type, projection } = asked(request, endpoint);
    const resource = readResource(request.body, type, readingOf(request, actor));
    const row = only(
      await endpoint.create(actor, [{ requestId: request.id, bytes: request.bodyBytes, resource }]),
    );
    return send(reply, row, answering(projection, type, resource), 201);
  });

  scope.get(`${path}/:id`, documented('read', documentedType), async (request, reply) => {
    const { actor, projection } = asked(request, endpoint);
    const row = await endpoint.read(actor, idOf(request), projection);
    if (!row) throw notFound(endpoint.name);
    requireVersion({ ifMatch: ifMatch(request.headers['if-match']) }, row.version);
    if (isNotModified(request.headers['if-none-match'], entityTag(row))) {
      return sendNotModified(reply, identity(row));
    }
    return send(reply, row, projection);
  });

  scope.put(`${path}/:id`, change('replace'), async (request, reply) => {
    const { actor, type, projection } = asked(request, endpoint);
    const resource = readResource(request.body, type, readingOf(request, actor));
    const row = only(
      await endpoint.replace(actor, [{ ...(await target(request, endpoint)), resource }], projection),
    );
    return send(reply, row, answering(projection, type, resource));
  });

  scope.patch(`${path}/:id`, change('patch'), async (request, reply) => {
    const { actor, type, projection } = asked(request, endpoint);
    const operations = readPatch(request.body, type, readingOf(request, actor));
    const answered = endpoint.answersPatch(projection) ? projection : undefined;
    const row = only(
      await endpoint.patch(actor, [{ ...(await target(request, endpoint)), operations }], answered),
    );
    if (answered) return send(reply, row, answering(answered, type, operations));
    return reply.code(204).header('etag', entityTag(row)).send();
  });

  scope.delete(`${path}/:id`, documented('delete', documentedType), async (request, reply) => {
    only(await endpoint.remove(scimActor(request), [await target(request, endpoint)]));
    return reply.code(204).send();
  });
}

/** Who asks, the type as the tenant has it, and what the answer is to show. */
function asked<Row extends ResourceRow>(
  request: FastifyRequest,
  { name }: Endpoint<Row>,
): { readonly actor: ScimActor; readonly type: ResourceType; readonly projection: Projection } {
  const actor = scimActor(request);
  const type = actor.types[name];
  return { actor, type, projection: readProjection(request.query as never, type) };
}

/**
 * The resource that a change is for, and the versions that it may be made on: those that If-Match names, and not
 * those that If-None-Match names (RFC 9110 sections 13.1.1 and 13.1.2), which is looked up where it is sent.
 */
async function target<Row extends ResourceRow>(request: FastifyRequest, endpoint: Endpoint<Row>) {
  const id = idOf(request);
  const versions = ifMatch(request.headers['if-match']);
  const unwanted = request.headers['if-none-match'];
  const change = { id, requestId: request.id, bytes: request.bodyBytes };
  if (unwanted === undefined) return { ...change, ifMatch: versions };
  const actor = scimActor(request);
  const row = await endpoint.read(
    actor,
    id,
    readProjection({ attributes: 'id' }, actor.types[endpoint.name]),
  );
  const named = ifMatch(unwanted);
  if (row && (named === undefined || named.includes(row.version))) {
    throw new AppError(
      'precondition_failed',
      'The resource has a version that If-None-Match names; read it again',
    );
  }
  return { ...change, ifMatch: versions ?? (row && [row.version]) };
}
