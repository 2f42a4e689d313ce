import Type from 'typebox';
import { issueServiceKey } from '../../actions/issue-service-key.ts';
import { revokeServiceKey } from '../../actions/revoke-service-key.ts';
import type { Context } from '../../context.ts';
import { listServiceKeys, SERVICE_KEY_SCOPES } from '../../tenants/service-keys.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, idOrNotFound, pageOf, pageQuery, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { issuedKey, keyFields, newKeyFields, readExpiry, scopesOf } from './key-shapes.ts';

const scopes = scopesOf(SERVICE_KEY_SCOPES);
const fields = { ...keyFields, scopes };
const tags = ['Service keys'];

/** The keys of the product that runs the service: they serve all tenants, and only the operator issues them. */
export function serviceKeyRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/service-keys',
    {
      schema: {
        tags,
        operationId: 'issueServiceKey',
        summary: 'Issue a key that serves all tenants; `key` is shown here and nowhere else',
        body: Type.Object({ ...newKeyFields, scopes }, { additionalProperties: false }),
        response: { 201: issuedKey(fields), ...problems },
      },
    },
    async (request, reply) => {
      const expiresAt = readExpiry(request.body.expiresAt);
      const issued = await issueServiceKey(context, actorOf(request), { ...request.body, expiresAt });
      return reply.code(201).header('cache-control', 'no-store').send(issued);
    },
  );

  scope.get(
    '/service-keys',
    {
      schema: {
        tags,
        operationId: 'listServiceKeys',
        summary: 'List the service keys that are not revoked, in the order of their creation',
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ serviceKeys: Type.Array(Type.Object(fields)), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ query }) => {
      const { items, ...next } = await pageOf(query, (page) => listServiceKeys(context.db.kysely, page));
      return { serviceKeys: items, ...next };
    },
  );

  scope.delete(
    '/service-keys/:serviceKey',
    {
      schema: {
        tags,
        operationId: 'revokeServiceKey',
        summary: 'Revoke a service key: refused everywhere within a second',
        params: Type.Object({ serviceKey: Type.String({ description: 'Id' }) }),
        response: { 204: Type.Null({ description: 'Revoked' }), ...problems },
      },
    },
    async (request, reply) => {
      const keyId = idOrNotFound(request.params.serviceKey, 'Service key');
      await revokeServiceKey(context, actorOf(request), { keyId });
      return reply.code(204).send(null);
    },
  );
}
