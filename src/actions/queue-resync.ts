import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantShared } from '../db/locks.ts';
import { type Send, sendBy, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { forgetJobs, insertJob, type JobRequest, unfinishedResync } from '../reconcile/jobs.ts';
import { mappingJob } from '../reconcile/mapping.ts';
import { type Plan, planTenant } from '../reconcile/plan.ts';
import { judge } from '../reconcile/policy.ts';
import { holdTenant } from '../tenants/tenants.ts';
import { lookAtTenant } from './look-at-tenant.ts';

export interface QueueResync {
  readonly tenantId: string;
  /** Whether what differs is written; else it is only reported. */
  readonly fix: boolean;
  readonly expectDigest?: string | undefined;
  readonly confirm?: number | undefined;
  /** Not where one was queued since then. */
  readonly unlessSince?: Date;
}

/** Jobs that ended so long ago are forgotten, in milliseconds: 30 days. */
const KEPT = 30 * 86_400_000;

/**
 * Queues a job that compares what all users hold with what they should hold.
 * @returns its id.
 * @throws AppError `resync_running`; where it is to write, what `judge` throws.
 */
export async function queueResync(context: Context, actor: Actor, request: QueueResync): Promise<string> {
  const { tenantId, fix, unlessSince } = request;
  const [id, at] = [uuid(), context.now()];
  if (fix) await lookAtTenant(context, tenantId);
  await transaction(context.db, tenantId, async (trx) => {
    const send = sendBy(trx);
    await send([lockTenantShared(tenantId)]);
    if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
    await requireNoneRunning(send, tenantId);
    const asked = fix ? await judged(send, request) : { fix };
    const job = { id, kind: 'resync', request: asked, at, requestId: actor.requestId, unlessSince } as const;
    const [[queued]] = await send([
      insertJob(tenantId, { ...job, actor: actorJson(actor) }),
      forgetJobs(tenantId, new Date(at.getTime() - KEPT)),
    ]);
    if (queued === undefined) {
      await requireNoneRunning(send, tenantId);
      throw new AppError('conflict', 'A resync of this tenant has just been done', { reason: 'resync_done' });
    }
    await record(trx, { tenantId, actor, at, changeId: id }, [
      { type: 'job.queued', resourceType: 'Job', resourceId: id, after: { kind: 'resync', fix } },
    ]);
  });
  return id;
}

/** What a resync that writes would do. */
export async function rehearseResync(context: Context, tenantId: string): Promise<Plan> {
  await lookAtTenant(context, tenantId);
  return transaction(context.db, tenantId, async (trx) => (await planTenant(sendBy(trx), tenantId, 0)).plan);
}

async function requireNoneRunning(send: Send, tenantId: string): Promise<void> {
  const [[running]] = await send([unfinishedResync(tenantId)]);
  if (running === undefined) return;
  throw new AppError('conflict', 'A resync of this tenant is queued or running', {
    reason: 'resync_running',
    hint: 'Wait for its end, or cancel it.',
    members: { job: running.id },
  });
}

/** A resync that writes is judged as a whole before its first chunk. */
async function judged(send: Send, { tenantId, ...review }: QueueResync): Promise<JobRequest> {
  const { plan, ...measures } = await planTenant(send, tenantId, 0);
  judge(plan, { ...review, ...measures });
  const [[mapping]] = await send([mappingJob(tenantId)]);
  return { fix: true, ...(mapping?.job_id && { insteadOf: mapping.job_id }) };
}
