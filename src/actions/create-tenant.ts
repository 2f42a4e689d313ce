import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import type { Tables } from '../db/tables.ts';
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
  return transaction(context.db, 'operator', (trx) =>
    createTenantIn(trx, { actor, at: context.now() }, request),
  );
}

/** The same, in a transaction that does more. */
export async function createTenantIn(
  trx: Transaction<Tables>,
  { actor, at }: { readonly actor: Actor; readonly at: Date },
  request: CreateTenant,
): Promise<Tenant> {
  const tenant: Tenant = {
    id: uuid(),
    name: request.name,
    displayName: request.displayName ?? null,
    settings: changeSettings(DEFAULT_SETTINGS, request.settings ?? {}),
    createdAt: at,
  };
  const directory = { id: uuid(), name: DEFAULT_DIRECTORY, displayName: null, createdAt: at };
  await insertTenant(trx, tenant).catch((error) => {
    throw violates(error, 'tenant_name_key') ? nameTaken(request) : error;
  });
  await insertDirectory(trx, tenant.id, directory);
  await record(trx, { tenantId: tenant.id, actor, at, changeId: uuid() }, [
    { type: 'tenant.created', resourceType: 'Tenant', resourceId: tenant.id, after: tenant },
    { type: 'directory.created', resourceType: 'Directory', resourceId: directory.id, after: directory },
  ]);
  return tenant;
}

function nameTaken({ name }: CreateTenant): AppError {
  return new AppError('conflict', `A tenant with the name "${name}" exists already`, {
    reason: 'name_taken',
    pointer: '/name',
  });
}
