import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import type { Tables } from '../db/tables.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { type Occasion, record } from '../events/record.ts';
import { countUnmapped } from '../reconcile/access.ts';
import { NO_CHANGES, type Plan } from '../reconcile/plan.ts';
import { changeSettings, type SettingsChange } from '../tenants/settings.ts';
import { type Tenant, tenantForUpdate, updateTenant as writeTenant } from '../tenants/tenants.ts';
import { type Review, reviewed } from './reviewed.ts';

export interface UpdateTenant {
  readonly tenantId: string;
  /** null: none; absent: as it is. */
  readonly displayName?: string | null;
  readonly settings?: SettingsChange;
  readonly review: Review;
}

/** The settings on which access depends. */
const DECISIVE = ['takeover', 'ownersByUserType', 'unmappedUsers'] as const;

export interface UpdatedTenant {
  readonly tenant: Tenant;
  /** What follows from the change for the access of users. */
  readonly plan: Plan;
  /** How many active users may no longer sign in, because they hold nothing (`unmappedUsers`). */
  readonly shutOut: number;
}

/**
 * Changes what is named; where nothing differs, nothing is written. What takes access away is reviewed like a mapping.
 * @throws AppError see `reviewed`.
 */
export async function updateTenant(
  context: Context,
  actor: Actor,
  request: UpdateTenant,
): Promise<UpdatedTenant> {
  const { tenantId, settings = {}, review } = request;
  if (review.dryRun !== true && !DECISIVE.some((name) => settings[name] !== undefined)) {
    const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
    const { after } = await transaction(context.db, tenantId, (trx) => write(trx, occasion, request));
    return { tenant: after, plan: NO_CHANGES, shutOut: 0 };
  }
  const { result, plan, shutOut } = await reviewed(
    context,
    actor,
    request,
    async ({ trx, send, occasion }) => {
      const { before, after } = await write(trx, occasion, request);
      const denies = before.settings.unmappedUsers === 'allow' && after.settings.unmappedUsers === 'deny';
      const [[unmapped]] = denies ? await send([countUnmapped(tenantId)]) : [[]];
      return { result: after, shutOut: unmapped?.users ?? 0 };
    },
  );
  return { tenant: result, plan, shutOut };
}

async function write(trx: Transaction<Tables>, occasion: Occasion, { displayName, settings }: UpdateTenant) {
  const before = await tenantForUpdate(trx, occasion.tenantId);
  if (before === undefined) throw notFound('Tenant');
  const after: Tenant = {
    ...before,
    displayName: displayName === undefined ? before.displayName : displayName,
    settings: changeSettings(before.settings, settings ?? {}),
  };
  if (isDeepStrictEqual(before, after)) return { before, after: before };
  await writeTenant(trx, after);
  await record(trx, occasion, [
    { type: 'tenant.updated', resourceType: 'Tenant', resourceId: before.id, before, after },
  ]);
  return { before, after };
}
