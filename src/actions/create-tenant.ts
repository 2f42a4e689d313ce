import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { transaction } from '../db/transaction.ts';
import { AppError } from '../errors.ts';
import { record } from '../events/record.ts';
import { DEFAULT_DIRECTORY, insertDirectory } from '../tenants/directories.ts';
import { changeSettings, DEFAULT_SETTINGS, type SettingsChange } from '../tenants/settings.ts';
import { insertTenant, type Tenant } from '../tenants/tenants.ts';

export interface CreateTenant {
  readonly name: string;
  readonly displayName?: string | null;
  readonly settings?: SettingsChange;
}

/**
 * Makes a tenant with its directory `default`.
 * @throws AppError `conflict` (`name_taken`).
 */
export async function createTenant(context: Context, actor: Actor, request: CreateTenant): Promise<Tenant> {
  const at = context.now();
  const tenant: Tenant = {
    id: uuid(),
    name: request.name,
    displayName: request.displayName ?? null,
    settings: changeSettings(DEFAULT_SETTINGS, request.settings ?? {}),
    createdAt: at,
  };
  const directory = { id: uuid(), name: DEFAULT_DIRECTORY, displayName: null, createdAt: at };
  const occasion = { tenantId: tenant.id, actor, at, changeId: uuid() };
  try {
    await transaction(context.db, async (trx) => {
      await insertTenant(trx, tenant);
      await insertDirectory(trx, tenant.id, directory);
      await record(trx, occasion, [
        { type: 'tenant.created', resourceType: 'Tenant', resourceId: tenant.id, after: tenant },
        { type: 'directory.created', resourceType: 'Directory', resourceId: directory.id, after: directory },
      ]);
    });
  } catch (error) {
    if (!violates(error, 'tenant_name_key')) throw error;
    throw new AppError('conflict', `A tenant with the name "${tenant.name}" exists already`, {
      reason: 'name_taken',
      pointer: '/name',
    });
  }
  return tenant;
}
