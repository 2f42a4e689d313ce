import { setImmediate as othersAreServed } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { v7 } from 'uuid';
import { requireScimWrites } from '../../actions/scim-writes.ts';
import { type BulkOperation, type RefusedOperation, readBulkRequest } from '../../scim/bulk.ts';
import { BULK_RESPONSE, errorBody } from '../../scim/messages.ts';
import { readProjection } from '../../scim/project.ts';
import { BASE_TYPES } from '../../scim/resource-types.ts';
import type { JsonObject } from '../../scim/types.ts';
import type { Rates } from '../../tenants/rates.ts';
import { logFailure } from '../plugins/request-log.ts';
import { entityTag, locationOf } from './answer.ts';
import { type BulkJob, type OperationOutcome, runBulk } from './bulk-job.ts';
import { documentedBulk } from './documented.ts';
import { asScimError } from './errors.ts';
import { BODY_LIMITS } from './limits.ts';
import { sendScim } from './media-type.ts';
import { baseUrlOf, readingOf, scimActor } from './request.ts';

type Operation = BulkOperation | RefusedOperation;

interface BulkRouteOptions extends Pick<BulkJob, 'context' | 'endpoints'> {
  readonly rates: Rates | undefined;
}

/** `/Bulk`: many operations in one request (RFC 7644 section 3.7). */
export function bulkRoute(scope: FastifyInstance, { context, endpoints, rates }: BulkRouteOptions): void {
  const baseUrl = baseUrlOf(context);
  scope.post('/Bulk', { ...documentedBulk(), bodyLimit: BODY_LIMITS.bulk }, async (request, reply) => {
    const actor = scimActor(request);
    requireScimWrites(actor);
    const reading = readingOf(request, actor);
    const bulk = await readBulkRequest(request.body, { reading, mint: v7, pause: othersAreServed });
    rates?.charge(request.principal, bulk.operations.length - 1);
    const outcomes = await runBulk({ context, actor, endpoints, reading }, bulk);

    noteRefusals(request, outcomes);
    const Operations = bulk.operations.flatMap((operation) => {
      const outcome = outcomes.get(operation);
      return outcome ? [resultOf(operation, outcome, { endpoints, baseUrl })] : [];
    });
    return sendScim(reply, JSON.stringify({ schemas: [BULK_RESPONSE], Operations }));
  });
}

/**
 * Logs what failed here, and keeps the first refusal as that of the request, with the number of the others: the
 * admin looks for it there.
 */
function noteRefusals(request: FastifyRequest, outcomes: ReadonlyMap<Operation, OperationOutcome>): void {
  const failures = new Set<Error>();
  const others = [...outcomes.values()].filter((outcome) => 'refusal' in outcome).length - 1;
  const more = others > 0 ? ` (and ${others} more refused)` : '';
  for (const [{ index }, outcome] of outcomes) {
    if (!('refusal' in outcome) || failures.has(outcome.refusal)) continue;
    failures.add(outcome.refusal);
    const { status, scimType, message, hint } = asScimError(outcome.refusal);
    logFailure(request, status, outcome.refusal);
    const detail = `Operations[${index}]: ${message}${more}`;
    request.refusal ??= { status, scimType, detail, hint, ended: undefined };
  }
}

/** The result of an operation: no body for what succeeded, the SCIM Error for what did not (section 3.7.3). */
function resultOf(
  operation: Operation,
  outcome: OperationOutcome,
  { endpoints, baseUrl }: Pick<BulkJob, 'endpoints'> & { readonly baseUrl: string },
): JsonObject {
  const { method, bulkId, resource } = operation;
  const failed = 'refusal' in outcome;
  const exists = resource !== undefined && !(failed && method === 'POST');
  const result: JsonObject = {
    ...(exists && { location: locationOf(baseUrl, BASE_TYPES[resource.type], resource.id) }),
    ...(method !== undefined && { method }),
    ...(bulkId !== undefined && { bulkId }),
  };
  if (failed) {
    const { status, scimType, message } = asScimError(outcome.refusal);
    return { ...result, status: String(status), response: errorBody(status, scimType, message) };
  }
  if (outcome.value) result.version = entityTag(outcome.value);
  return { ...result, status: String(successOf(operation, endpoints)) };
}

/** The status of the single request. */
function successOf({ method, resource }: Operation, endpoints: BulkJob['endpoints']): number {
  if (method === 'POST') return 201;
  if (method === 'PUT') return 200;
  if (method === 'DELETE' || !resource) return 204;
  const asked = readProjection({}, BASE_TYPES[resource.type]);
  return endpoints[resource.type].answersPatch(asked) ? 200 : 204;
}
