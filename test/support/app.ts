import { randomBytes, randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance, FastifyRequest, InjectOptions, RouteOptions } from 'fastify';
import { pino } from 'pino';
import type { Test } from 'tap';
import { createTenant as createTenantAction } from '../../src/actions/create-tenant.ts';
import { issueApiKey } from '../../src/actions/issue-api-key.ts';
import { issueServiceKey } from '../../src/actions/issue-service-key.ts';
import { type AppOptions, buildApp } from '../../src/app.ts';
import type { Verifiers } from '../../src/assertions/verifiers.ts';
import { makeClientRecords } from '../../src/clients/client-records.ts';
import type { Actor, Context, Scope } from '../../src/context.ts';
import { openDatabase } from '../../src/db/database.ts';
import { seal } from '../../src/events/seal.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { makeAuthenticator } from '../../src/tenants/authenticate.ts';
import { sha256 } from '../../src/tenants/key-format.ts';
import { openRates, type Rate } from '../../src/tenants/rates.ts';
import type { SettingsChange } from '../../src/tenants/settings.ts';
import type { Tenant } from '../../src/tenants/tenants.ts';
import { createDatabase } from './database.ts';
import { countUnsealed } from './events.ts';
import { NO_VERIFIERS } from './verifiers.ts';

export interface StartOptions {
  /** How often keys and tenants may ask; absent: as often as they like. */
  readonly rate?: Rate;
  /** A database that another instance uses already; without it, one of the test's own. */
  readonly connectionString?: string;
  /** The secret key that another instance has; without it, one of the instance's own. */
  readonly secretKey?: Buffer;
  /** The clock of the instance. */
  readonly now?: () => Date;
  /** What DNS says; without it, no name has a record. */
  readonly resolveTxt?: Context['resolveTxt'];
  /** What verifies assertions; without them nothing does but claims. */
  readonly verifiers?: Verifiers;
  /** Whether identity providers on this machine may be set up. */
  readonly allowLoopback?: boolean;
  /** What all bodies, and all answers, may take together; absent: as in production. */
  readonly bounds?: Pick<AppOptions, 'bodies' | 'answers'>;
  /** Gets each line of the log. */
  readonly onLog?: (line: string) => void;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  /** The body as JSON, of the type that the test expects; an empty one is undefined. */
  readonly body: Body;
}

/** What tests reach into without saying more: a problem document, or members compared as they are. */
export type AnyBody = Readonly<Record<string, unknown>>;

export interface Ask {
  /** The credential; none: no Authorization header. */
  readonly key?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface KeyOptions {
  readonly directory?: string;
  readonly expiresAt?: Date;
}

const SEALER = randomUUID();

export type TestApp = Awaited<ReturnType<typeof startApp>>;

/** The application on a database of its own, with its operator's key; everything ends with the test. */
export async function startApp(t: Test, options: StartOptions = {}) {
  const connectionString = options.connectionString ?? (await createDatabase(t)).connectionString;
  const operatorKey = randomBytes(32).toString('base64url');
  const context = makeContext(connectionString, operatorKey, options);
  const { authenticate: unlimited, flushUsage } = makeAuthenticator(context);
  const rates = options.rate && openRates(options.rate, context.now);
  const authenticate = rates ? Object.assign(unlimited, { rates }) : unlimited;
  const clients = makeClientRecords(context.db);
  const { verifiers = NO_VERIFIERS, bounds = {} } = options;
  const rest = { trustedProxies: [], isDraining: () => false, ...bounds };
  const routes: RouteOptions[] = [];
  const build = () => buildApp(context, { authenticate, clients, verifiers, ...rest });
  const app = await observed(build, (instance) => {
    instance.addHook('onRoute', (route) => void routes.push(route));
    refuseLosses(instance);
  });
  await app.ready();
  t.teardown(async () => {
    await app.close();
    await context.db.close();
  });
  const send = asker(app);
  return {
    app,
    context,
    connectionString,
    operatorKey,
    /** Every route that Fastify was given, each surface's answers to wrong methods among them. */
    routes,
    flushUsage,
    clients,
    /** Writes what the clients' keys leaned on and stumbled over, as the workers do. */
    async flushClients(): Promise<void> {
      await clients.toleranceUses.flush();
      await clients.refusedRequests.flush();
    },
    send,
    /** Asks the admin API as the operator. */
    admin: <Body = AnyBody>(method: Method, path: string, body?: unknown) =>
      send<Body>(method, `/api/admin/v1${path}`, { key: operatorKey, body }),
    ...fixtures(context),
    /** Gives the committed events their sequence, as the worker does, so that feeds show them. */
    async sealEvents(): Promise<void> {
      while ((await countUnsealed(context.db)) > 0) await seal(context.db, SEALER);
    },
  };
}

/** Shows `look` the Fastify instance that `build` makes first of all, before it has a route. */
function observed<Built>(build: () => Built, look: (instance: FastifyInstance) => void): Built {
  const onInstance = (message: unknown) => look((message as { fastify: FastifyInstance }).fastify);
  subscribe('fastify.initialization', onInstance);
  const built = build();
  unsubscribe('fastify.initialization', onInstance);
  return built;
}

/** Fails each answer that a route's schema has cut: what a handler returns is what the caller gets. */
function refuseLosses(instance: FastifyInstance): void {
  const returned = new WeakMap<FastifyRequest, unknown>();
  instance.addHook('preSerialization', async (request, _reply, payload) => {
    returned.set(request, payload);
    return payload;
  });
  instance.addHook('onSend', async (request, _reply, text) => {
    const payload = returned.get(request);
    if (payload === undefined || payload === null) return;
    const sent: unknown = JSON.parse(String(text));
    if (isDeepStrictEqual(sent, JSON.parse(JSON.stringify(payload)))) return;
    throw new Error(`${request.routeOptions.url} returned ${JSON.stringify(payload)}, and sent ${text}`);
  });
}

const isRaw = (body: unknown): body is string | Buffer => typeof body === 'string' || Buffer.isBuffer(body);

function makeContext(connectionString: string, operatorKey: string, options: StartOptions): Context {
  const log = pino({ level: options.onLog ? 'debug' : 'silent' }, { write: options.onLog ?? (() => {}) });
  return {
    db: openDatabase({ connection: connectionString, poolSize: 4, onConnectionError: () => {} }),
    log,
    now: options.now ?? (() => new Date()),
    publicUrl: 'http://rollcall.test',
    operatorKeyHash: sha256(operatorKey),
    secretKey: options.secretKey ?? randomBytes(32),
    outbound: openOutbound({ allowLoopback: options.allowLoopback ?? false }),
    resolveTxt: options.resolveTxt ?? (async () => []),
  };
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

function asker(app: FastifyInstance) {
  return async <Body = AnyBody>(
    method: Method,
    url: string,
    { key, body, headers = {} }: Ask = {},
  ): Promise<Answer<Body>> => {
    const request: InjectOptions = {
      method,
      url,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: isRaw(body) ? body : JSON.stringify(body) }),
    };
    const answer = await app.inject(request);
    const { statusCode: status, payload: text } = answer;
    const isJson = !String(answer.headers['content-type']).includes('xml');
    return { status, headers: answer.headers, text, body: (isJson && text && JSON.parse(text)) || undefined };
  };
}

/** What tests start from, made by the same actions as everything else. */
function fixtures(context: Context) {
  const actor: Actor = { principal: { kind: 'system', name: 'test' }, requestId: 'fixture' };

  async function createTenant(settings: SettingsChange = {}): Promise<Tenant> {
    return createTenantAction(context, actor, { name: `tenant-${randomBytes(4).toString('hex')}`, settings });
  }

  async function apiKey(tenant: Pick<Tenant, 'id'>, scopes: readonly Scope[], options: KeyOptions = {}) {
    const { directory, expiresAt = null } = options;
    const named = directory === undefined ? {} : { directory };
    return issueApiKey(context, actor, { tenantId: tenant.id, name: 'Test', scopes, expiresAt, ...named });
  }

  return {
    createTenant,
    apiKey,
    serviceKey: (scopes: readonly Scope[]) =>
      issueServiceKey(context, actor, { name: 'Test', scopes, expiresAt: null }),
    /** A key for the SCIM surface: the credential itself. */
    scimKey: async (tenant: Pick<Tenant, 'id'>, directory?: string) =>
      (await apiKey(tenant, ['scim'], directory === undefined ? {} : { directory })).key,
  };
}
