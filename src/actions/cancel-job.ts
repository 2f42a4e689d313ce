import type { Actor, Context } from '../context.ts';
import { sendBy, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { cancelJobRow, type JobRow, jobById } from '../reconcile/jobs.ts';

/**
 * Ends a job behind the chunk that is at work; what is done stays done. Cancelling twice succeeds.
 * @throws AppError `not_found`; `conflict` (`job_ended`) for one that is done or has failed.
 */
export function cancelJob(
  context: Context,
  actor: Actor,
  { tenantId, jobId }: { readonly tenantId: string; readonly jobId: string },
): Promise<JobRow> {
  const at = context.now();
  return transaction(context.db, tenantId, async (trx) => {
    const send = sendBy(trx);
    const [[cancelled]] = await send([cancelJobRow(tenantId, jobId, at)]);
    if (cancelled === undefined) return requireCancelled((await send([jobById(tenantId, jobId)]))[0][0]);
    const { kind, done, total } = cancelled;
    await record(trx, { tenantId, actor, at, changeId: cancelled.change_id }, [
      { type: 'job.cancelled', resourceType: 'Job', resourceId: jobId, after: { kind, done, total } },
    ]);
    return cancelled;
  });
}

function requireCancelled(job: JobRow | undefined): JobRow {
  if (job === undefined) throw notFound('Job');
  if (job.state === 'cancelled') return job;
  throw new AppError('conflict', `The job has ended: it is ${job.state}`, { reason: 'job_ended' });
}
