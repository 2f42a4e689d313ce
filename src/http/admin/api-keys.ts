import Type from 'typebox';
import { issueApiKey } from '../../actions/issue-api-key.ts';
import { revokeApiKey } from '../../actions/revoke-api-key.ts';
import { rotateApiKey } from '../../actions/rotate-api-key.ts';
import type { Context } from '../../context.ts';
import { API_KEY_SCOPES, listApiKeys } from '../../tenants/api-keys.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, idOrNotFound, nullable, ofTenant, pageOf, pageQuery, problems, Slug } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { issuedKey, keyFields, newKeyFields, readExpiry, scopesOf } from './key-shapes.ts';

/** How long a rotated key goes on when the request does not say, and at most, in seconds. */
const OVERLAP = 24 * 60 * 60;
const LONGEST_OVERLAP = 30 * 24 * 60 * 60;

const scopes = scopesOf(API_KEY_SCOPES);
const fields = { ...keyFields, scopes, directory: nullable(Slug) };
const params = Type.Object({ ...ofTenant, apiKey: Type.String({ description: 'Id' }) });
const tags = ['API keys'];

export function apiKeyRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants/:tenant/api-keys',
    {
      schema: {
        tags,
        operationId: 'issueApiKey',
        summary: 'Issue a key of the tenant; `key` is shown here and nowhere else',
        params: Type.Object(ofTenant),
        body: Type.Object(
          { ...newKeyFields, scopes, directory: Type.Optional(Slug) },
          { additionalProperties: false },
        ),
        response: { 201: issuedKey(fields), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const expiresAt = readExpiry(body.expiresAt);
      const issued = await issueApiKey(context, actorOf(request), { ...body, tenantId, expiresAt });
      return reply.code(201).header('cache-control', 'no-store').send(issued);
    },
  );

  scope.get(
    '/tenants/:tenant/api-keys',
    {
      schema: {
        tags,
        operationId: 'listApiKeys',
        summary: "List the tenant's keys that are not revoked, in the order of their creation",
        params: Type.Object(ofTenant),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ apiKeys: Type.Array(Type.Object(fields)), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query }) => {
      const { items, ...next } = await pageOf(query, (page) =>
        listApiKeys(context.db.kysely, tenantId, page),
      );
      return { apiKeys: items, ...next };
    },
  );

  scope.delete(
    '/tenants/:tenant/api-keys/:apiKey',
    {
      schema: {
        tags,
        operationId: 'revokeApiKey',
        summary: 'Revoke a key: refused everywhere within a second',
        params,
        response: { 204: Type.Null({ description: 'Revoked' }), ...problems },
      },
    },
    async (request, reply) => {
      const keyId = idOrNotFound(request.params.apiKey, 'API key');
      await revokeApiKey(context, actorOf(request), { tenantId: request.tenantId, keyId });
      return reply.code(204).send(null);
    },
  );

  scope.post(
    '/tenants/:tenant/api-keys/:apiKey/rotate',
    {
      schema: {
        tags,
        operationId: 'rotateApiKey',
        summary: 'Issue a successor of a key, which goes on for an overlap',
        params,
        body: nullable(
          Type.Object(
            {
              overlapSeconds: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  maximum: LONGEST_OVERLAP,
                  default: OVERLAP,
                  description: '0: ends at once',
                }),
              ),
            },
            { additionalProperties: false },
          ),
        ),
        response: { 201: issuedKey(fields), ...problems },
      },
    },
    async (request, reply) => {
      const keyId = idOrNotFound(request.params.apiKey, 'API key');
      const { tenantId, body } = request;
      const overlapSeconds = body?.overlapSeconds ?? OVERLAP;
      const issued = await rotateApiKey(context, actorOf(request), { tenantId, keyId, overlapSeconds });
      return reply.code(201).header('cache-control', 'no-store').send(issued);
    },
  );
}
