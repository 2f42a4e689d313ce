import { MAX, NIL } from 'uuid';
import type { Context } from '../context.ts';
import { lockNotedUsers, lockOwners, lockTenantShared } from '../db/locks.ts';
import { REFRESH_STATISTICS } from '../db/statistics.ts';
import { type Send, sendBy, transaction } from '../db/transaction.ts';
import { type EventRow, type Occasion, record } from '../events/record.ts';
import { countsOf, type Found, foundMore, NOTHING_FOUND, orphansOf } from '../reconcile/drift.ts';
import { chunkOf, claimJob, type JobRow, jobAdvanced, jobSetBack, type Progress } from '../reconcile/jobs.ts';
import { mappingAppliedBy, mappingJob } from '../reconcile/mapping.ts';
import { planOf, type UserRange } from '../reconcile/plan.ts';
import { reconciled } from './reviewed.ts';

/**
 * So many users are compared, and brought to what they should hold, by one transaction: more would keep their other
 * writers waiting for longer, fewer would look at all groups of the tenant more often.
 */
const CHUNK = 2_000;
/** After so many users, and whenever they are twice as many, PostgreSQL looks anew at how much there is. */
const REFRESHED_AT = 10_000;

/** More grants than any chunk writes, so that its plan notes everybody whom it concerns. */
const ANY_NUMBER = 2_147_483_647;

/** A job in the transaction that does its next chunk. */
interface Held {
  readonly send: Send;
  readonly job: JobRow;
  readonly occasion: Occasion;
  /** In users. */
  readonly chunk: number;
}

/**
 * Does the next chunk of a job, of whichever tenant, as one transaction: the job's row is held by it and says how far
 * the job is, so a process that dies leaves nothing behind. A chunk that fails is noted, and tried again later.
 * @returns whether there was one to do.
 */
export async function advanceJob(context: Context, chunk = CHUNK): Promise<boolean> {
  const held: { job?: JobRow } = {};
  try {
    await transaction(context.db, 'jobs', async (trx) => {
      const send = sendBy(trx);
      const [[job]] = await send([claimJob(context.now())]);
      if (job === undefined) return;
      held.job = job;
      const occasion = occasionOf(job, context.now());
      await send([lockTenantShared(job.tenant_id)]);
      await record(trx, occasion, await advance({ send, job, occasion, chunk }));
    });
  } catch (error) {
    if (held.job === undefined) throw error;
    context.log.error({ err: error, job: held.job.id, tenant: held.job.tenant_id }, 'chunk of a job failed');
    await setBack(context, held.job, error);
  }
  return held.job !== undefined;
}

function occasionOf({ tenant_id: tenantId, id, actor, request_id, change_id }: JobRow, at: Date): Occasion {
  const principal = { kind: 'job', id, askedBy: actor } as const;
  return { tenantId, actor: { principal, requestId: request_id }, at, changeId: change_id };
}

/** One step of a job, and the events that tell of it. */
async function advance(held: Held): Promise<EventRow[]> {
  const { send, job, occasion, chunk: most } = held;
  const { tenant_id: tenantId, total } = job;
  const started = job.started_at === null ? [eventOf(job, 'started', job.request)] : [];
  const [[mapping]] = await send([mappingJob(tenantId)]);
  if (job.kind === 'mapping' && mapping?.job_id !== job.id) {
    // Whatever took its place was planned, or is being applied, over everybody.
    const result = { ...job.result, supersededBy: mapping?.version };
    await send([jobAdvanced(job, { ...job, state: 'done', result }, occasion.at)]);
    return [...started, eventOf(job, 'done', { supersededBy: mapping?.version })];
  }
  if (job.done === 0 || Number.isInteger(Math.log2(job.done / REFRESHED_AT)))
    await send([REFRESH_STATISTICS]);
  const after = job.cursor ?? NIL;
  const [[chunk]] = await send([chunkOf(tenantId, after, most)]);
  const { users = 0, last = null } = chunk ?? {};
  const isLast = users < most || last === null;
  const range = { after, upTo: isLast ? MAX : last };
  const found = await chunkDone(held, range);
  const done = job.done + users;
  const progress: Progress = {
    state: isLast ? 'done' : 'running',
    done,
    total: isLast ? done : Math.max(total, done),
    cursor: range.upTo,
    result: { ...found },
  };
  await send([jobAdvanced(job, progress, occasion.at)]);
  if (!isLast) return started;
  const applied = job.kind === 'mapping' ? job.id : job.request.insteadOf;
  if (applied !== undefined && mapping?.job_id === applied) await send([mappingAppliedBy(tenantId, null)]);
  return [...started, ...endOf(job, found)];
}

/** Compares a range of users, and unless the job only reports brings them to what they should hold. */
async function chunkDone({ send, job, occasion }: Held, range: UserRange): Promise<Found> {
  const { tenantId } = occasion;
  const [[plan], [orphan]] = await send([planOf(tenantId, range, ANY_NUMBER), orphansOf(tenantId, range)]);
  if (plan === undefined || orphan === undefined) throw new Error('planning answered no row');
  if (plan.grants > 0 && isWriting(job)) {
    await send([lockNotedUsers(tenantId), lockOwners(tenantId), reconciled(occasion, plan.grants)]);
  }
  return foundMore({ ...NOTHING_FOUND, ...job.result }, plan, orphan.orphans);
}

const isWriting = ({ kind, request }: JobRow) => kind === 'mapping' || request.fix === true;

function endOf(job: JobRow, found: Found): EventRow[] {
  const counts = countsOf(found);
  const done = eventOf(job, 'done', counts);
  if (job.kind === 'mapping' || found.grants === 0) return [done];
  const after = { ...counts, fixed: isWriting(job) };
  return [{ type: 'drift.found', resourceType: 'Tenant', resourceId: job.tenant_id, after }, done];
}

function eventOf({ id, kind }: JobRow, what: 'started' | 'done' | 'failed', more: object): EventRow {
  return { type: `job.${what}`, resourceType: 'Job', resourceId: id, after: { kind, ...more } };
}

/** Notes a failure in a transaction of its own, and tells of it if it was one too many. */
async function setBack(context: Context, job: JobRow, error: unknown): Promise<void> {
  const at = context.now();
  const reason = reasonOf(error);
  await transaction(context.db, 'jobs', async (trx) => {
    const [[row]] = await sendBy(trx)([jobSetBack(job, reason, at)]);
    const events = row?.state === 'failed' ? [eventOf(job, 'failed', { failure: reason })] : [];
    await record(trx, occasionOf(job, at), events);
  });
}

/** Why a chunk failed, without what stood in the rows: the log has the rest, under the job's id. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code).slice(0, 20) : 'none';
  return `A chunk failed again and again, last with the error code ${code}; the log tells more under the id of the job`;
}
