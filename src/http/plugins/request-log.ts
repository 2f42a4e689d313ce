import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { RateRefusal } from '../../tenants/rates.ts';
import { whenOver } from './in-flight.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The first error while the request was answered, for the log. */
    thrown: unknown;
  }
  interface FastifyContextConfig {
    /** For probes: their requests are logged at `debug`, unless they fail. */
    quiet?: boolean;
  }
}

/** Goes into the application's constructor: Fastify's own lines about requests hold URLs, and stay out. */
export const logController = new LogController({
  disableRequestLogging: true,
});

/**
 * Goes there too: requests share one logger, and who writes to it names the request. A logger for each would be looked
 * through for secrets, as long as writing a line takes; nearly all write nothing but their one.
 */
export const childLoggerFactory = (logger: FastifyBaseLogger) => logger;

/**
 * Gives each request its id and one line in the log, when it has ended: what was asked, by which key, and how it
 * ended. The route stands for the URL, because filters and look-ups hold names.
 */
export async function requestLog(app: FastifyInstance): Promise<void> {
  // Its lines have the members that are written here and no others: looking through each for secrets takes as long as
  // writing it.
  const log = app.log.child({}, { redact: [] });
  app.setGenReqId(requestId);
  app.decorateRequest('thrown', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    // Comes also when the client has gone away, where Fastify's own hooks stay silent.
    whenOver(request.raw, reply.raw, () => logRequest(log, request, reply));
    done();
  });
  app.addHook('onError', async (request, _reply, error) => {
    request.thrown ??= error;
  });
}

// The hooks are for the whole application, not for a scope of the plugin's own.
Object.assign(requestLog, { [Symbol.for('skip-override')]: true });

/** The caller's `x-request-id`, so that its log and ours can be read together, or a new one. */
function requestId({ headers }: IncomingMessage): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && /^[\w.:-]{1,64}$/.test(sent) ? sent : randomUUID();
}

/**
 * Writes down why a request failed: 500 is for whoever mends it, 503 passes by itself. A client that went away
 * in the middle of its body is no failure of ours.
 */
export function logFailure({ raw, log, id }: FastifyRequest, status: number, err: unknown): void {
  if (raw.destroyed && !raw.complete) return;
  if (status === 500) log.error({ requestId: id, err }, 'request failed');
  if (status === 503) log.warn({ requestId: id, err }, 'request not served');
}

type Outcome = 'ok' | 'refused' | 'failed' | 'aborted';

function logRequest(log: FastifyBaseLogger, request: FastifyRequest, reply: FastifyReply): void {
  const outcome = reply.raw.writableEnded ? outcomeOf(reply.statusCode) : 'aborted';
  const level = levelOf(request, outcome);
  if (level === 'debug' && log.level !== level) return;
  const line = {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    ...(outcome !== 'aborted' && { status: reply.statusCode }),
    milliseconds: Math.round(reply.elapsedTime * 10) / 10,
    ...actedBy(request),
    outcome,
    ...(outcome !== 'ok' && refusedFor(request)),
    ...(request.tolerances?.size && { tolerances: [...request.tolerances] }),
  };
  log[level](line, 'request');
}

function levelOf({ routeOptions, thrown }: FastifyRequest, outcome: Outcome): 'debug' | 'info' | 'warn' {
  if (outcome === 'failed') return 'warn';
  // One line a second says how many they are.
  if (thrown instanceof RateRefusal && thrown.repeated) return 'debug';
  return routeOptions.config?.quiet ? 'debug' : 'info';
}

function outcomeOf(status: number): Outcome {
  if (status < 400) return 'ok';
  return status < 500 ? 'refused' : 'failed';
}

/** Ids only: the names of keys are free text. Without a principal nobody was let in. */
function actedBy({ principal, tenantId }: Partial<FastifyRequest>): object {
  if (principal === undefined) return { actor: { kind: 'none' } };
  const tenant = principal.kind === 'api_key' ? principal.tenant.id : tenantId;
  const id = principal.kind === 'operator' ? undefined : principal.id;
  return { tenant, actor: { kind: principal.kind, id } };
}

/** The stable words of a refusal; its message may quote what was sent. */
function refusedFor({ refusal, thrown }: FastifyRequest): object {
  const { code, reason } = (thrown ?? {}) as { code?: unknown; reason?: unknown };
  const scimType = refusal?.scimType;
  return { ...(scimType && { scimType }), ...(code !== undefined && { code, reason }) };
}
