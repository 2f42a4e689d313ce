import type { FastifyInstance } from 'fastify';
import type { ClientRecords } from '../../clients/client-records.ts';
import type { Context } from '../../context.ts';
import { ScimError } from '../../scim/error.ts';
import type { Authenticate } from '../../tenants/authenticate.ts';
import {
  acceptPrincipal,
  hasScope,
  recognisePrincipal,
  requirePrincipal,
  requireScope,
} from '../plugins/bearer-auth.ts';
import { readJsonBodies } from '../plugins/json-body.ts';
import { answerWrongMethods, METHODS } from '../plugins/method-not-allowed.ts';
import { bulkRoute } from './bulk.ts';
import { catalogueRoutes } from './catalogue.ts';
import { discoveryRoutes } from './discovery.ts';
import { addDocumentedSchemas } from './documented.ts';
import { sendScimError } from './errors.ts';
import { groupEndpoint } from './group-endpoint.ts';
import { BODY_LIMITS } from './limits.ts';
import { listRoutes } from './list-routes.ts';
import { SCIM_JSON } from './media-type.ts';
import { recordClient } from './records.ts';
import { baseUrlOf } from './request.ts';
import { resourceRoutes } from './resource-routes.ts';
import { noteSpelling } from './spelling.ts';
import { userEndpoint } from './user-endpoint.ts';

interface SurfaceOptions {
  readonly context: Context;
  readonly authenticate: Authenticate;
  readonly clients: ClientRecords;
}

/** The SCIM surface: RFC 7644 under `/api/scim/v2`. Everything it says is SCIM, refusals included. */
export async function scimSurface(
  surface: FastifyInstance,
  { context, authenticate, clients }: SurfaceOptions,
): Promise<void> {
  readJsonBodies(surface, [SCIM_JSON, 'application/json']);
  // SCIM bodies are judged by the schema that is data (`scim/validate.ts`), not by Ajv.
  surface.setValidatorCompiler(() => () => true);
  surface.setSerializerCompiler(() => JSON.stringify);
  surface.setErrorHandler(sendScimError);
  surface.addHook('onSend', recordClient(context, clients));
  refuseUnknownPaths(surface, authenticate);
  addDocumentedSchemas(surface);
  surface.addHook('onRoute', (route) => {
    route.bodyLimit ??= BODY_LIMITS.default;
  });

  await surface.register(async function open(scope) {
    scope.addHook('onRequest', acceptPrincipal(authenticate));
    withWrongMethods(scope, () => discoveryRoutes(scope, context));
  });
  const baseUrl = baseUrlOf(context);
  await surface.register(async function scimClients(scope) {
    scope.addHook('onRequest', requirePrincipal(authenticate));
    scope.addHook(
      'onRequest',
      requireScope('scim', (principal) => hasScope(principal, 'scim')),
    );
    scope.addHook('onRequest', noteSpelling);
    withWrongMethods(scope, () => {
      listRoutes(scope, context);
      catalogueRoutes(scope, context);
      const endpoints = { User: userEndpoint(context), Group: groupEndpoint(context) };
      resourceRoutes(scope, endpoints.User, baseUrl);
      resourceRoutes(scope, endpoints.Group, baseUrl);
      bulkRoute(scope, { context, endpoints, rates: authenticate.rates });
      unsupportedRoutes(scope);
    });
  });
}

/** Unknown paths count for the rate of whoever asks, and are refused before a body is read. */
function refuseUnknownPaths(surface: FastifyInstance, authenticate: Authenticate): void {
  const recognise = recognisePrincipal(authenticate);
  surface.addHook('onRequest', (request, _reply, done) => {
    if (!request.is404) return done();
    const refusal = new ScimError(404, undefined, 'No such endpoint; /ResourceTypes lists those there are');
    recognise(request).then(() => done(refusal), done);
  });
  // Gives unknown paths the hooks of this surface; nothing comes as far as the handler.
  surface.setNotFoundHandler(() => undefined);
}

function withWrongMethods(scope: FastifyInstance, routes: () => void): void {
  const close = answerWrongMethods(scope, (allowed, request, reply) => {
    reply.header('allow', allowed);
    throw new ScimError(405, undefined, `${request.method} is not possible here; possible: ${allowed}`);
  });
  routes();
  close();
}

/** What RFC 7644 describes and this service does not offer. */
function unsupportedRoutes(scope: FastifyInstance): void {
  const unsupported = (url: string, detail: string) =>
    scope.route({
      method: [...METHODS],
      url,
      schema: { hide: true } as object,
      onRequest: async () => {
        throw new ScimError(501, undefined, detail);
      },
      handler: async () => undefined,
    });
  unsupported('/Me', 'An API key is no user, so there is no /Me');
}
