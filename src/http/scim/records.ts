import type { FastifyRequest, onSendHookHandler } from 'fastify';
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
): onSendHookHandler {
  return (request, _reply, _payload, done) => {
    record(request);
    done();
  };

  function record(request: FastifyRequest): void {
    const { refusal, tolerances } = request;
    if (refusal === undefined && !tolerances?.size) return;
    const key = keyOf(request);
    if (key === undefined) return;
    const at = now();
    if (tolerances) toleranceUses.count(key, tolerances, at);
    if (refusal === undefined) return;
    const { method, routeOptions, id: requestId } = request;
    const { status, scimType, detail, ended } = refusal;
    const [path = ''] = (request.raw.url ?? '').split('?', 1);
    const hint = refusal.hint ?? hintFor({ status, scimType, method, route: routeOptions.url, ended });
    refusedRequests.add({ ...key, at, method, path, status, scimType, detail, hint, requestId });
  }
}

/** The tenant's key behind the request, also one that does not hold any more. */
function keyOf({ principal, refusal }: Partial<FastifyRequest>): ClientKey | undefined {
  if (refusal?.ended) return refusal.ended;
  return principal?.kind === 'api_key' ? { tenantId: principal.tenant.id, keyId: principal.id } : undefined;
}
