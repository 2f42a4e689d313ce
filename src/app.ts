import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Verifiers } from './assertions/verifiers.ts';
import type { ClientRecords } from './clients/client-records.ts';
import type { Context } from './context.ts';
import { adminSurface } from './http/admin/plugin.ts';
import { jitSurface } from './http/jit/plugin.ts';
import { DOCS, openApi } from './http/openapi.ts';
import { opsSurface } from './http/ops/plugin.ts';
import { type AnswerBounds, boundAnswers } from './http/plugins/large-answers.ts';
import { type BodyBounds, boundBodies } from './http/plugins/large-bodies.ts';
import { childLoggerFactory, logController, requestLog } from './http/plugins/request-log.ts';
import { refuseUnknownRoute, sendProblem } from './http/problem.ts';
import { productSurface } from './http/product/plugin.ts';
import { scimSurface } from './http/scim/plugin.ts';
import { otherVersions, SCIM_PREFIX, SCIM_ROOT, withVersion } from './http/scim/versions.ts';
import { MAX_HEADER_SIZE, unroutedErrors } from './http/unrouted.ts';
import type { Authenticate } from './tenants/authenticate.ts';

export interface AppOptions {
  readonly authenticate: Authenticate;
  readonly clients: ClientRecords;
  /** What verifies assertions of identity providers. */
  readonly verifiers: Verifiers;
  readonly trustedProxies: readonly string[];
  /** True from the first signal to stop on: `/readyz` says so while requests are still served. */
  isDraining(): boolean;
  /** What all bodies, and all answers, may take together. */
  readonly bodies?: BodyBounds;
  readonly answers?: AnswerBounds;
}

/** In milliseconds: 64 KiB at most arrive in it. Whoever sends no credential may hold so much so long, so it is looked at often. */
const HEADERS = { headersTimeout: 20_000, connectionsCheckingInterval: 5_000 } as const;

/** In milliseconds; without them a client that stops half-way holds its socket for ever. */
const TIMEOUTS = {
  /** For a whole request, headers and body: 16 MiB in it take 280 kB a second. */
  requestTimeout: 60_000,
  /** Longer than proxies keep an idle connection (60 s), so that they do not send on one that is closing. */
  keepAliveTimeout: 72_000,
  /** Without a byte in either direction: longer than the longest statement, 10 minutes without an answer. */
  connectionTimeout: 15 * 60_000,
} as const;

/** The HTTP application, table of contents: one register a surface, each with its own way in and error shape. */
export async function buildApp(context: Context, options: AppOptions): Promise<FastifyInstance> {
  const { authenticate, clients, verifiers } = options;
  const app = fastify({
    loggerInstance: context.log as FastifyBaseLogger,
    logController,
    childLoggerFactory,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    routerOptions: {
      // Clients differ in case and slashes (Entra ID `/users`, Keycloak `//Users`, Postman `/Users/`).
      caseSensitive: false,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: 512,
    },
    rewriteUrl: ({ url = '/' }) => withVersion(url),
    http: { maxHeaderSize: MAX_HEADER_SIZE, ...HEADERS },
    ...TIMEOUTS,
    // A request on a kept connection is served while the process stops: whoever sent it cannot know.
    return503OnClosing: false,
    ...unroutedErrors,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  });
  app.setErrorHandler(sendProblem);
  app.addHook('preParsing', refuseUnknownRoute);
  await app.register(requestLog);
  boundBodies(app, options.bodies);
  boundAnswers(app, authenticate.rates, options.answers);
  await app.register(swagger, openApi(context));

  await app.register(opsSurface, { context, isDraining: options.isDraining });
  await app.register(scimSurface, { prefix: SCIM_PREFIX, context, authenticate, clients });
  await app.register(otherVersions, { prefix: SCIM_ROOT, authenticate });
  await app.register(jitSurface, { prefix: '/jit', context, authenticate, clients, verifiers });
  await app.register(adminSurface, { prefix: '/api/admin/v1', context, authenticate, verifiers });
  await app.register(productSurface, { prefix: '/api/v1', context, authenticate });
  await app.register(swaggerUi, DOCS);
  return app;
}
