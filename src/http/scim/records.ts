import type { FastifyRequest, onSendAsyncHookHandler } from 'fastify';
import type { ClientRecords } from '../../clients/client-records.ts';
import type { ClientKey } from '../../clients/tolerance-uses.ts';
import type { Context } from '../../context.ts';
import { hintFor } from './hints.ts';

/**
 * A hook for the whole surface: counts the tolerances that a request needed, and keeps why it was refused. Only of
 * requests whose key is known: without one there is no tenant to tell.
 */
export function recordClient(
  { now }: Context,
  { toleranceUses, refusedRequests }: ClientRecords,
): onSendAsyncHookHandler {
  return async (request) => {
    const key = keyOf(request);
    if (key === undefined) return;
    const at = now();
    if (request.tolerances) toleranceUses.count(key, request.tolerances, at);
    const { refusal, method, routeOptions, id: requestId } = request;
    if (refusal === undefined) return;
    const { status, scimType, detail, ended } = refusal;
    const [path = ''] = (request.raw.url ?? '').split('?', 1);
    const hint = refusal.hint ?? hintFor({ status, scimType, method, route: routeOptions.url, ended });
    refusedRequests.add({ ...key, at, method, path, status, scimType, detail, hint, requestId });
  };
}

/** The tenant's key behind the request, also one that does not hold any more. */
function keyOf({ principal, refusal }: Partial<FastifyRequest>): ClientKey | undefined {
  if (refusal?.ended) return refusal.ended;
  return principal?.kind === 'api_key' ? { tenantId: principal.tenant.id, keyId: principal.id } : undefined;
}
