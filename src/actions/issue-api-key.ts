import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { Actor, Context, Scope } from '../context.ts';
import type { Tables } from '../db/tables.ts';
import { transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type ApiKey, insertApiKey } from '../tenants/api-keys.ts';
import { DEFAULT_DIRECTORY, type Directory, holdDirectory } from '../tenants/directories.ts';
import { checkExpiry } from '../tenants/expiry.ts';
import { makeKey } from '../tenants/key-format.ts';
import { holdTenant } from '../tenants/tenants.ts';

export interface IssueApiKey {
  readonly tenantId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The name of the directory that a key with scope `scim` sees and writes; `default` when absent. */
  readonly directory?: string;
  /** null: never. */
  readonly expiresAt: Date | null;
}

/**
 * Issues a key of a tenant; `key` in the answer is the only time it is shown.
 * @throws AppError `invalid_request` when `expiresAt` is past or the directory does not fit the scopes.
 */
export async function issueApiKey(
  context: Context,
  actor: Actor,
  request: IssueApiKey,
): Promise<ApiKey & { key: string }> {
  return transaction(context.db, request.tenantId, (trx) =>
    issueApiKeyIn(trx, { actor, at: context.now() }, request),
  );
}

/** The same, in a transaction that does more. */
export async function issueApiKeyIn(
  trx: Transaction<Tables>,
  { actor, at }: { readonly actor: Actor; readonly at: Date },
  request: IssueApiKey,
): Promise<ApiKey & { key: string }> {
  const { tenantId, name, scopes, expiresAt } = request;
  checkExpiry(expiresAt, at);
  if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
  const directory = await directoryOfKey(trx, request);
  const id = uuid();
  const { key, prefix, secretHash } = makeKey({ keyId: id, tenantId });
  const issued: ApiKey = {
    ...{ id, name, scopes, directory: directory?.name ?? null, prefix },
    ...{ createdAt: at, expiresAt, lastUsedAt: null },
  };
  await insertApiKey(trx, tenantId, { key: issued, directoryId: directory?.id ?? null, secretHash });
  await record(trx, { tenantId, actor, at, changeId: uuid() }, [
    { type: 'api_key.issued', resourceType: 'ApiKey', resourceId: id, after: issued },
  ]);
  return { ...issued, key };
}

/** A key has a directory exactly when its scopes hold `scim`. */
async function directoryOfKey(
  trx: Transaction<Tables>,
  request: IssueApiKey,
): Promise<Directory | undefined> {
  const { tenantId, scopes, directory: name } = request;
  if (!scopes.includes('scim')) {
    if (name === undefined) return undefined;
    throw new AppError('invalid_request', 'Only a key with the scope scim belongs to a directory', {
      pointer: '/directory',
      hint: 'Leave directory out, or add the scope scim.',
    });
  }
  const directory = await holdDirectory(trx, tenantId, name ?? DEFAULT_DIRECTORY);
  if (directory !== undefined) return directory;
  throw new AppError('invalid_request', `The tenant has no directory with the name "${name}"`, {
    pointer: '/directory',
    hint: 'Create it first, or leave directory out for the one called default.',
  });
}
