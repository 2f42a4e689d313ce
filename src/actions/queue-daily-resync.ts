import type { Actor, Context } from '../context.ts';
import { runAlone } from '../db/transaction.ts';
import { AppError } from '../errors.ts';
import { tenantDueForResync } from '../reconcile/jobs.ts';
import { queueResync } from './queue-resync.ts';

const ACTOR: Actor = { principal: { kind: 'system', name: 'daily resync' }, requestId: 'daily-resync' };
const DAY = 86_400_000;

/**
 * Queues a resync of one tenant that had none for a day; answers whether there was such a tenant. A fix that would
 * take away so much that somebody has to confirm it is reported, and not made.
 */
export async function queueDailyResync(context: Context, mode: 'report' | 'fix'): Promise<boolean> {
  const unlessSince = new Date(context.now().getTime() - DAY);
  const [due] = await runAlone(context.db, tenantDueForResync(unlessSince));
  if (due === undefined) return false;
  const request = { tenantId: due.tenant_id, unlessSince };
  try {
    await queueResync(context, ACTOR, { ...request, fix: mode === 'fix' });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.reason === 'confirm_required') await queueResync(context, ACTOR, { ...request, fix: false });
    // What is left: another instance was faster, or the tenant has gone.
  }
  return true;
}
