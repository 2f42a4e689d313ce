import { setImmediate as othersAreServed } from 'node:timers/promises';
import { MOST_BYTES, MOST_CHANGES } from '../../actions/batches.ts';
import { circleFailed, createTogether } from '../../actions/create-together.ts';
import { attemptEach, eachPlanned, type Outcome, valuesOf } from '../../actions/outcome.ts';
import type { Context, ScimActor } from '../../context.ts';
import { AppError } from '../../errors.ts';
import type { BulkOperation, BulkRequest, RefusedOperation } from '../../scim/bulk.ts';
import { inOrder, type Unit } from '../../scim/bulk-order.ts';
import { ScimError } from '../../scim/error.ts';
import { readPatch } from '../../scim/patch.ts';
import type { Reading } from '../../scim/types.ts';
import { readResource } from '../../scim/validate.ts';
import { ifMatch } from './answer.ts';
import type { Endpoint, ResourceRow } from './endpoint.ts';
import { asScimError } from './errors.ts';
import { membersApart } from './group-endpoint.ts';
import { BODY_LIMITS } from './limits.ts';

/**
 * So many operations go to the database together at most; others are served in between.
 */
const MAX_BATCH = { POST: 100, PUT: MOST_CHANGES, PATCH: MOST_CHANGES, DELETE: 100 } as const;

/** A circle cannot be divided into batches: so many POSTs, with so much data. */
const MAX_CIRCLE = { operations: 100, bytes: 512 * 1024 } as const;

/** Whose operations are carried out, and how they are read. */
export interface BulkJob {
  readonly context: Context;
  readonly actor: ScimActor;
  readonly endpoints: Readonly<Record<'User' | 'Group', Endpoint>>;
  readonly reading: Reading;
}

/** What became of an operation: the resource, null for a deleted one, or why not. */
export type OperationOutcome = Outcome<ResourceRow | null>;

/**
 * Carries out the operations of a /Bulk in the order of `inOrder`, each by the rules of its single request, until
 * `failOnErrors` errors have come; those that were not reached have no outcome. Once the database is away nothing
 * more is tried: the rest is refused with 503, and where nothing at all was done, 503 is thrown.
 */
export async function runBulk(
  job: BulkJob,
  { operations, failOnErrors }: BulkRequest,
): Promise<ReadonlyMap<BulkOperation | RefusedOperation, OperationOutcome>> {
  const outcomes = new Map<BulkOperation | RefusedOperation, OperationOutcome>();
  const created = new Set<string>();
  const units = await inOrder(operations, othersAreServed);
  let errors = 0;
  let away: Error | undefined;
  for (let at = 0; at < units.length && errors < failOnErrors; ) {
    await othersAreServed();
    // So that not one operation is carried out after the last error that is accepted.
    const batch = nextBatch(units.slice(at, at + failOnErrors - errors));
    at += batch.length;
    const some = batch.flat();
    const answers = away ? refuseAll(some, away) : await carryOut(job, batch, created);
    for (const [index, operation] of some.entries()) {
      const outcome = answers[index] ?? { refusal: new Error('an operation got no outcome') };
      outcomes.set(operation, outcome);
      if ('refusal' in outcome) {
        errors += 1;
        if (asScimError(outcome.refusal).status === 503) away ??= outcome.refusal;
      } else if (operation.method === 'POST' && outcome.value) created.add(outcome.value.id);
    }
  }
  if (away && valuesOf([...outcomes.values()]).length === 0) throw away;
  return outcomes;
}

/**
 * The next units that can be carried out together: of one method and type, each on a resource of its own, and none
 * that needs another of them. A circle, and an operation that is refused already, goes by itself.
 */
function nextBatch(units: readonly Unit[]): Unit[] {
  const batch: Unit[] = [];
  const ids = new Set<string>();
  let bytes = 0;
  for (const unit of units) {
    const [operation] = unit;
    const [first] = batch[0] ?? unit;
    const alone = unit.length > 1 || 'refusal' in operation || 'refusal' in first;
    const joins =
      !alone &&
      operation.method === first.method &&
      batch.length < MAX_BATCH[first.method] &&
      bytes + operation.bytes <= MOST_BYTES &&
      operation.resource.type === first.resource.type &&
      !ids.has(operation.resource.id) &&
      ![...operation.needs.keys()].some((id) => ids.has(id));
    if (batch.length > 0 && !joins) break;
    batch.push(unit);
    if (!joins) break;
    ids.add(operation.resource.id);
    bytes += operation.bytes;
  }
  return batch;
}

/** `refusal` for all but those that are refused already. */
function refuseAll(
  operations: readonly (BulkOperation | RefusedOperation)[],
  refusal: Error,
): OperationOutcome[] {
  return operations.map((each) => ({ refusal: 'refusal' in each ? each.refusal : refusal }));
}

function carryOut(
  job: BulkJob,
  batch: readonly Unit[],
  created: ReadonlySet<string>,
): Promise<OperationOutcome[]> | OperationOutcome[] {
  const [unit] = batch;
  const [first] = unit ?? [];
  if (!unit || !first) return [];
  if ('refusal' in first) return [{ refusal: first.refusal }];
  const operations = batch.flat() as BulkOperation[];
  if (unit.length > 1)
    return createCircle(job, operations, created).catch((error) => refuseAll(operations, error));
  return eachByItselfOnFailure(operations, (some) => write(job, some, created));
}

/**
 * One operation on which a list fails as a whole (a value that the database cannot store, a fault of ours) shall not
 * take the others down: nothing of the list was done, so each is tried alone.
 */
async function eachByItselfOnFailure(
  operations: readonly BulkOperation[],
  work: (operations: readonly BulkOperation[]) => Promise<OperationOutcome[]>,
): Promise<OperationOutcome[]> {
  try {
    return await work(operations);
  } catch (error) {
    const { status } = asScimError(error);
    // The key's directory is gone, or the database: it is the same for all, and their commit may have got through.
    if (operations.length === 1 || status === 401 || status === 503)
      return refuseAll(operations, error as Error);
  }
  const outcomes: OperationOutcome[] = [];
  for (const each of operations) outcomes.push(...(await eachByItselfOnFailure([each], work)));
  return outcomes;
}

/** Operations of one method on one type, as the requests that they stand for. */
function write(
  { actor, endpoints, reading }: BulkJob,
  operations: readonly BulkOperation[],
  created: ReadonlySet<string>,
): Promise<OperationOutcome[]> {
  const [first] = operations as [BulkOperation];
  const endpoint = endpoints[first.resource.type];
  const type = actor.types[first.resource.type];
  const target = (operation: BulkOperation) => {
    requireCreated(operation, created);
    requireSize(operation, endpoint);
    const { resource, version } = operation;
    return { id: resource.id, requestId: actor.requestId, ifMatch: ifMatch(version) };
  };
  const whole = (operation: BulkOperation) => ({
    ...target(operation),
    resource: readResource(operation.content, type, reading),
  });
  const changes = (operation: BulkOperation) => ({
    ...target(operation),
    operations: readPatch(operation.content, type, reading),
  });
  switch (first.method) {
    case 'POST':
      return eachPlanned(operations, whole, (requests) => endpoint.create(actor, requests));
    case 'PUT':
      return eachPlanned(operations, whole, (requests) => endpoint.replace(actor, requests, undefined));
    case 'PATCH':
      return eachPlanned(operations, changes, (requests) => endpoint.patch(actor, requests, undefined));
    case 'DELETE':
      return eachPlanned(operations, target, (requests) => endpoint.remove(actor, requests));
  }
}

/** POSTs that refer to each other: all or none (RFC 7644 section 3.7.1). */
async function createCircle(
  { context, actor, endpoints, reading }: BulkJob,
  operations: readonly BulkOperation[],
  created: ReadonlySet<string>,
): Promise<OperationOutcome[]> {
  requireCircleSize(operations);
  const within = new Set([...created, ...operations.map(({ resource }) => resource.id)]);
  const read = await attemptEach(operations, (operation) => {
    requireCreated(operation, within);
    requireSize(operation, endpoints[operation.resource.type]);
    const { type, id } = operation.resource;
    const request = {
      id,
      requestId: actor.requestId,
      resource: readResource(operation.content, actor.types[type], reading),
    };
    return type === 'User' ? { user: request } : { group: membersApart(request) };
  });
  const requests = valuesOf(read);
  if (requests.length < read.length) {
    return read.map((each) => ('refusal' in each ? each : { refusal: circleFailed() }));
  }
  const { users, groups } = await createTogether(context, actor, {
    users: requests.flatMap(({ user }) => user ?? []),
    groups: requests.flatMap(({ group }) => group ?? []),
  });
  const outcomes = { User: users.values(), Group: groups.values() };
  return operations.map(({ resource }) => outcomes[resource.type].next().value as OperationOutcome);
}

function requireCircleSize(operations: readonly BulkOperation[]): void {
  const bytes = operations.reduce((sum, each) => sum + each.bytes, 0);
  if (operations.length <= MAX_CIRCLE.operations && bytes <= MAX_CIRCLE.bytes) return;
  const detail = `It is part of a circle of references that has ${operations.length} operations with ${bytes} bytes of data; ${MAX_CIRCLE.operations} operations and ${MAX_CIRCLE.bytes} bytes are possible: create the resources first, then add the references by PATCH`;
  throw new ScimError(413, undefined, detail);
}

/** Refuses what would be too large as a request of its own. */
function requireSize({ method, bytes }: BulkOperation, { bodyLimit }: Endpoint): void {
  const limit = (method === 'POST' ? undefined : bodyLimit) ?? BODY_LIMITS.default;
  if (bytes <= limit) return;
  throw new ScimError(413, undefined, `data is larger than ${limit} bytes; split the change`);
}

/** Refuses what refers to a resource whose creation failed. */
function requireCreated({ needs }: BulkOperation, created: ReadonlySet<string>): void {
  for (const [id, bulkId] of needs) {
    if (created.has(id)) continue;
    throw new AppError(
      'conflict',
      `It refers to "bulkId:${bulkId.slice(0, 100)}", the operation of which failed`,
    );
  }
}
