import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Verifiers } from '../../assertions/verifiers.ts';
import type { ClientRecords } from '../../clients/client-records.ts';
import type { Context } from '../../context.ts';
import type { Authenticate } from '../../tenants/authenticate.ts';
import { RateRefusal } from '../../tenants/rates.ts';
import { speakJson } from '../json-surface.ts';
import { hasScope, requireScope } from '../plugins/bearer-auth.ts';
import { problemOf } from '../problem.ts';
import { typedScope } from '../typebox.ts';
import { assertRoute } from './assert.ts';
import { readForms } from './received.ts';

interface JitOptions {
  readonly context: Context;
  readonly authenticate: Authenticate;
  readonly clients: ClientRecords;
  readonly verifiers: Verifiers;
}

/** The surface of SSO gateways under `/jit`: service keys for every tenant, a tenant's own key for its tenant. */
export async function jitSurface(surface: FastifyInstance, options: JitOptions): Promise<void> {
  const { context, authenticate, clients, verifiers } = options;
  const closePaths = speakJson(surface, authenticate);
  readForms(surface);
  surface.addHook('onError', async (request, _reply, error) => {
    if (error instanceof RateRefusal && error.repeated) return;
    recordRefusal(context, clients, request, error);
  });

  await surface.register(async function gateways(scope) {
    scope.addHook(
      'onRequest',
      requireScope('jit', (principal) => hasScope(principal, 'jit') || hasScope(principal, 'jit:claims')),
    );
    assertRoute(typedScope(scope), context, verifiers);
  });
  closePaths();
}

/**
 * Keeps for the tenant's admins why a gateway was refused. Bounded, and no event: whoever sends a gateway garbage must
 * not fill the feed. What was decided about a person is an event besides. A 503 has a reason where it concerns the tenant
 * (keys of its identity provider that cannot be fetched), and none where the database is away.
 */
function recordRefusal(
  { now }: Context,
  { refusedRequests }: ClientRecords,
  request: FastifyRequest,
  error: unknown,
): void {
  const { principal, tenantId, method, id: requestId } = request as Partial<FastifyRequest> & FastifyRequest;
  const { status, reason, detail, hint = '' } = problemOf(error, requestId);
  if (tenantId === undefined || principal === undefined || principal.kind === 'operator') return;
  if (status >= 500 && reason === undefined) return;
  const told = { scimType: undefined, detail, hint, requestId };
  refusedRequests.add({
    tenantId,
    keyId: principal.id,
    at: now(),
    method,
    path: '/jit/assert',
    status,
    ...told,
  });
}
