import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import type { Tables } from '../db/tables.ts';
import { runIn, type Send, sendBy, transaction } from '../db/transaction.ts';
import type { Occasion } from '../events/record.ts';
import { type Plan, planTenant } from '../reconcile/plan.ts';
import { judge } from '../reconcile/policy.ts';
import { reconcileLocked } from '../reconcile/reconcile.ts';
import { lookAtTenant } from './look-at-tenant.ts';
import { rehearsed } from './rehearsal.ts';

/** How a change is asked for that takes access away: first to see it, then with what was seen. */
export interface Review {
  readonly dryRun?: boolean | undefined;
  readonly expectDigest?: string | undefined;
  readonly confirm?: number | undefined;
}

/** What the work of a change answers. */
export interface Worked<Result> {
  readonly result: Result;
  /** How many users it keeps from signing in, beside what the plan says. */
  readonly shutOut?: number;
  /** How many links to an identity provider it ends. */
  readonly unlinked?: number;
}

export interface Reviewed<Result> extends Required<Worked<Result>> {
  readonly plan: Plan;
}

/** What the work of a reviewed change gets. */
export interface Change {
  readonly trx: Transaction<Tables>;
  readonly send: Send;
  readonly occasion: Occasion;
}

/**
 * A change of administration with everything that follows from it for the whole tenant: the work, the plan, the
 * judgement and what is written, in one transaction that holds the tenant.
 * @throws AppError of the work, or `plan_changed`, `confirm_required`.
 */
export async function reviewed<Result>(
  context: Context,
  actor: Actor,
  { tenantId, review }: { readonly tenantId: string; readonly review: Review },
  work: (change: Change) => Promise<Worked<Result>>,
): Promise<Reviewed<Result>> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await lookAtTenant(context, tenantId);
  return rehearsed(review.dryRun === true, (end) =>
    transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantExclusive(tenantId));
      const send = sendBy(trx);
      const { result, shutOut = 0, unlinked = 0 } = await work({ trx, send, occasion });
      const { plan, managed, ownersLost, grants } = await planTenant(send, tenantId, Number.MAX_SAFE_INTEGER);
      if (review.dryRun) return end({ result, plan, shutOut, unlinked });
      judge(plan, { ...review, managed, ownersLost, shutOut, unlinked });
      await send([reconciled(occasion, grants)]);
      return end({ result, plan, shutOut, unlinked });
    }),
  );
}

/** Gives those who are noted what they should hold, as a part of the change. */
export function reconciled({ tenantId, actor, at, changeId }: Occasion, users: number) {
  const told = { changeId, requestId: actor.requestId };
  return reconcileLocked(tenantId, { at, actor: actorJson(actor) }, told, { users });
}
