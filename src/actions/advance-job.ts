import { MAX, NIL } from 'uuid';
import { actorJson, type Context } from '../context.ts';
import {
  lockNotedUsers,
  lockOwners,
  lockOwnersOfRange,
  lockUsersOfRange,
  tryLockTenantShared,
} from '../db/locks.ts';
import { onlyRow } from '../db/statement.ts';
import { REFRESH_GRANT_STATISTICS, REFRESH_STATISTICS } from '../db/statistics.ts';
import { type Send, sendBy, transaction } from '../db/transaction.ts';
import { type EventRow, type Occasion, record } from '../events/record.ts';
import { TOLD_CHANGES } from '../reconcile/difference.ts';
import { countsOf, type Found, foundMore, NOTHING_FOUND, orphansOf } from '../reconcile/drift.ts';
import {
  chunkOf,
  claimJob,
  type JobKind,
  type JobRow,
  jobAdvanced,
  jobSetBack,
  type Progress,
} from '../reconcile/jobs.ts';
import { mappingAppliedBy, mappingJob } from '../reconcile/mapping.ts';
import type { UserRange } from '../reconcile/plan-sql.ts';
import { compareRange, reconcileRangeLocked } from '../reconcile/range.ts';
import { reconciled } from './reviewed.ts';

/** After so many users, and whenever they are twice as many, PostgreSQL looks anew at how many grants there are. */
const REFRESHED_AT = 10_000;

/** Where a job has changed fewer grants than one for so many users, the others are not even locked. */
const SPARSE = 4;

/** A job in the transaction that does its next chunk. */
interface Held {
  readonly send: Send;
  readonly job: JobRow;
  readonly occasion: Occasion;
  /** In users. */
  readonly chunk: number;
}

/** What was done of a job. */
export interface Advanced {
  readonly job: string;
  /** How many users it has gone past; undefined: the chunk failed, and nothing was done. */
  readonly users: number | undefined;
}

/** How a job is chosen, and how much of it is done. */
export interface Turn {
  /** Mappings and resyncs take turns, so that neither keeps the other from being done. */
  readonly kind: JobKind;
  /** How many users of a job are done at most. */
  chunkOf(job: string): number;
}

/**
 * Does the next chunk of a job, of whichever tenant, as one transaction: the job's row is held by it and says how far
 * the job is, so a process that dies leaves nothing behind. A chunk that fails is noted, and tried again later.
 * @returns undefined where there was none to do
 */
export async function advanceJob(context: Context, turn: Turn): Promise<Advanced | undefined> {
  const held: { job?: JobRow } = {};
  try {
    return await transaction(context.db, 'jobs', async (trx) => {
      const send = sendBy(trx);
      const job = await nextJob(send, context.now(), turn.kind);
      if (job === undefined) return undefined;
      held.job = job;
      const occasion = occasionOf(job, context.now());
      const { events, users } = await advance({ send, job, occasion, chunk: turn.chunkOf(job.id) });
      await record(trx, occasion, events);
      return { job: job.id, users };
    });
  } catch (error) {
    if (held.job === undefined) throw error;
    context.log.error({ err: error, job: held.job.id, tenant: held.job.tenant_id }, 'chunk of a job failed');
    await setBack(context, held.job, error);
    return { job: held.job.id, users: undefined };
  }
}

/** The next job whose tenant nobody holds alone, with both locked. */
async function nextJob(send: Send, now: Date, kind: JobKind): Promise<JobRow | undefined> {
  for (const passed: string[] = []; ; ) {
    const [[job]] = await send([claimJob(now, kind, passed)]);
    if (job === undefined) return undefined;
    const [[tenant]] = await send([tryLockTenantShared(job.tenant_id)]);
    if (tenant?.locked) return job;
    passed.push(job.id);
  }
}

function occasionOf({ tenant_id: tenantId, id, actor, request_id, change_id }: JobRow, at: Date): Occasion {
  const principal = { kind: 'job', id, askedBy: actor } as const;
  return { tenantId, actor: { principal, requestId: request_id }, at, changeId: change_id };
}

/** One step of a job, and the events that tell of it. */
async function advance(held: Held): Promise<{ readonly users: number; readonly events: EventRow[] }> {
  const { send, job, occasion, chunk: most } = held;
  const { tenant_id: tenantId, total } = job;
  const started = job.started_at === null ? [eventOf(job, 'started', job.request)] : [];
  const [[mapping]] = await send([mappingJob(tenantId)]);
  if (job.kind === 'mapping' && mapping?.job_id !== job.id) {
    // Whatever took its place was planned, or is being applied, over everybody.
    const result = { ...job.result, supersededBy: mapping?.version };
    await send([jobAdvanced(job, { ...job, state: 'done', result }, occasion.at)]);
    return { users: 0, events: [...started, eventOf(job, 'done', { supersededBy: mapping?.version })] };
  }
  if (job.done === 0) await send([REFRESH_STATISTICS]);
  const after = job.cursor ?? NIL;
  const [chunk] = await send([chunkOf(tenantId, after, most)]);
  const { users, last, more } = onlyRow(chunk);
  const isLast = !more || last === null;
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
  if (!isLast) {
    if (refreshesDue(done) > refreshesDue(job.done)) await send([REFRESH_GRANT_STATISTICS]);
    return { users, events: started };
  }
  const applied = job.kind === 'mapping' ? job.id : job.request.insteadOf;
  if (applied !== undefined && mapping?.job_id === applied) await send([mappingAppliedBy(tenantId, null)]);
  return { users, events: [...started, ...endOf(job, found)] };
}

/** How often PostgreSQL should have looked behind so many users. */
const refreshesDue = (users: number) =>
  users < REFRESHED_AT ? 0 : 1 + Math.floor(Math.log2(users / REFRESHED_AT));

/** Compares a range of users, and unless the job only reports brings them to what they should hold. */
async function chunkDone({ send, job, occasion }: Held, range: UserRange): Promise<Found> {
  const { tenantId } = occasion;
  const before: Found = { ...NOTHING_FOUND, ...job.result };
  const untold = TOLD_CHANGES - before.changes.length;
  if (isWriting(job) && changesMany(job, before)) {
    const [, , orphans, differences] = await send([
      lockUsersOfRange(tenantId, range),
      lockOwnersOfRange(tenantId, range),
      orphansOf(tenantId, range),
      reconcileRangeLocked(tenantId, range, toldBy(occasion), untold),
    ]);
    return foundMore(before, onlyRow(differences), onlyRow(orphans));
  }
  const [orphans, differences] = await send([
    orphansOf(tenantId, range),
    compareRange(tenantId, range, untold),
  ]);
  const difference = onlyRow(differences);
  const { grants } = difference;
  if (grants > 0 && isWriting(job)) {
    await send([lockNotedUsers(tenantId), lockOwners(tenantId), reconciled(occasion, grants)]);
  }
  return foundMore(before, difference, onlyRow(orphans));
}

const isWriting = ({ kind, request }: JobRow) => kind === 'mapping' || request.fix === true;

/** Whether so much is changed that all are locked, and planned for once, in place of planning to find whom to lock. */
const changesMany = ({ kind, done }: JobRow, { grants }: Found) =>
  done === 0 ? kind === 'mapping' : grants * SPARSE > done;

const toldBy = ({ actor, at, changeId }: Occasion) => ({
  ...{ at, changeId, requestId: actor.requestId },
  actor: actorJson(actor),
});

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
