import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler } from 'fastify';
import type { Actor, Principal, Scope } from '../../context.ts';
import { AppError } from '../../errors.ts';
import type { Authenticate } from '../../tenants/authenticate.ts';
import { RateRefusal } from '../../tenants/rates.ts';
import { tenantBehind } from './in-flight.ts';
import { openLateRefusals } from './late-refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the request's credential proved to be; set by `requirePrincipal`. */
    principal: Principal;
  }
}

/** The challenge of RFC 6750 section 3. */
const CHALLENGE = 'Bearer realm="rollcall"';

/**
 * A hook for a scope that nobody enters without a credential: `onRequest`, so that a refused caller's body is
 * not read. Hang it on the scope and never on a test of the URL, which an encoded path walks round.
 */
export function requirePrincipal(authenticate: Authenticate): onRequestAsyncHookHandler {
  return async (request, reply) => {
    request.principal = await principalOf(authenticate, request, reply);
    await letIn(authenticate, request);
  };
}

/** The same for a scope that is open to those who send no credential at all; a wrong one is refused. */
export function acceptPrincipal(authenticate: Authenticate): onRequestAsyncHookHandler {
  return async (request, reply) => {
    if (request.headers.authorization === undefined) return;
    request.principal = await principalOf(authenticate, request, reply);
    await letIn(authenticate, request);
  };
}

const refusals = openLateRefusals();

async function letIn({ rates }: Authenticate, request: FastifyRequest): Promise<void> {
  try {
    rates?.admit(request.principal);
  } catch (error) {
    // For the log, should the client not wait for it.
    request.thrown = error;
    if (error instanceof RateRefusal && error.repeated)
      await refusals.wait(tenantBehind(request), request.raw);
    throw error;
  }
}

/** A hook for what is refused whoever asks: the principal is set where the credential holds, and nobody refused but for its rate. */
export function recognisePrincipal(authenticate: Authenticate): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const credential = readBearer(request);
    if (credential === undefined) return;
    const principal = await authenticate(credential, request.id).catch(() => undefined);
    if (principal === undefined) return;
    request.principal = principal;
    await letIn(authenticate, request);
  };
}

/** A hook behind `requirePrincipal`: lets in who fulfils `admits`, and tells the others which scope it takes. */
export function requireScope(scope: Scope, admits: (principal: Principal) => boolean): onRequestHookHandler {
  return (request, reply, done) => {
    if (admits(request.principal)) return done();
    reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`);
    throw new AppError('forbidden', `This credential may not act here: it takes the scope ${scope}`, {
      reason: 'scope_missing',
      hint: 'Use a key that was issued with this scope.',
    });
  };
}

/** A hook behind `requirePrincipal` for what only the operator of the service may do. */
export async function requireOperator({ principal }: FastifyRequest): Promise<void> {
  if (principal.kind === 'operator') return;
  throw new AppError('forbidden', 'This credential may not act here: it takes an operator key', {
    reason: 'operator_only',
  });
}

/** A hook behind `requirePrincipal` for what is asked over all tenants: a tenant's own key sees its tenant only. */
export async function requireServiceKey({ principal }: FastifyRequest): Promise<void> {
  if (principal.kind === 'service_key') return;
  throw new AppError('forbidden', 'This credential may not act here: it takes a service key', {
    reason: 'service_key_only',
  });
}

/** Whether the credential is a key with this scope; an operator's has none. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.kind !== 'operator' && principal.scopes.includes(scope);
}

/** The request's principal, as events name who acted. */
export function actorOf({ principal, id }: FastifyRequest): Actor {
  return { principal, requestId: id };
}

async function principalOf(
  authenticate: Authenticate,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Principal> {
  try {
    return await authenticate(readBearer(request), request.id);
  } catch (error) {
    if (error instanceof AppError && error.code === 'unauthorized') {
      const sent = request.headers.authorization !== undefined;
      reply.header('www-authenticate', sent ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE);
    }
    throw error;
  }
}

/** The credential of exactly one `Authorization: Bearer` header. Node keeps the first of several: we keep none. */
function readBearer({ raw }: FastifyRequest): string | undefined {
  const values = raw.rawHeaders.filter(
    (_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === 'authorization',
  );
  const [value, ...others] = values;
  return others.length > 0 ? undefined : /^bearer +(\S+) *$/i.exec(value ?? '')?.[1];
}
