import { isDeepStrictEqual } from 'node:util';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { changeSettings, type SettingsChange } from '../tenants/settings.ts';
import { type Tenant, tenantForUpdate, updateTenant as writeTenant } from '../tenants/tenants.ts';

export interface UpdateTenant {
  readonly tenantId: string;
  /** null: none; absent: as it is. */
  readonly displayName?: string | null;
  readonly settings?: SettingsChange;
}

/** Changes what is named; where nothing differs, nothing is written. */
export async function updateTenant(context: Context, actor: Actor, request: UpdateTenant): Promise<Tenant> {
  const { tenantId, displayName, settings } = request;
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  return transaction(context.db, async (trx) => {
    const before = await tenantForUpdate(trx, tenantId);
    if (before === undefined) throw notFound('Tenant');
    const after: Tenant = {
      ...before,
      displayName: displayName === undefined ? before.displayName : displayName,
      settings: changeSettings(before.settings, settings ?? {}),
    };
    if (isDeepStrictEqual(before, after)) return before;
    await writeTenant(trx, after);
    await record(trx, occasion, [
      { type: 'tenant.updated', resourceType: 'Tenant', resourceId: tenantId, before, after },
    ]);
    return after;
  });
}
