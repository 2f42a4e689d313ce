import type { Kysely, Transaction } from 'kysely';
import type { Scope } from '../context.ts';
import type { Page } from '../db/page.ts';
import type { Tables } from '../db/tables.ts';
import type { ServiceKey } from './service-keys.ts';

/** A credential of one tenant. */
export interface ApiKey extends ServiceKey {
  /** The name of the directory that the key sees and writes: present exactly when its scopes hold `scim`. */
  readonly directory: string | null;
}

/** What a tenant's key may be for. */
export const API_KEY_SCOPES = [
  'scim',
  'jit',
  'jit:claims',
  'admin',
  'read',
] as const satisfies readonly Scope[];

/** A key as it is written: with its directory's id, and the hash of its secret. */
export interface NewApiKey {
  readonly key: ApiKey;
  readonly directoryId: string | null;
  readonly secretHash: Buffer;
}

export async function insertApiKey(
  trx: Transaction<Tables>,
  tenantId: string,
  { key, directoryId, secretHash }: NewApiKey,
): Promise<void> {
  await trx
    .insertInto('api_key')
    .values({
      tenant_id: tenantId,
      id: key.id,
      directory_id: directoryId,
      name: key.name,
      scopes: [...key.scopes],
      prefix: key.prefix,
      secret_hash: secretHash,
      created_at: key.createdAt,
      expires_at: key.expiresAt,
    })
    .execute();
}

/** Revokes a key for ever; false when the tenant has none with this id that is not yet revoked. */
export async function revokeApiKeyRow(
  trx: Transaction<Tables>,
  tenantId: string,
  id: string,
  at: Date,
): Promise<boolean> {
  const result = await trx
    .updateTable('api_key')
    .set({ revoked_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Lets a key end at `at`, in favour of its successor. */
export async function expireApiKey(
  trx: Transaction<Tables>,
  tenantId: string,
  { id, successorId, at }: { readonly id: string; readonly successorId: string; readonly at: Date },
): Promise<void> {
  await trx
    .updateTable('api_key')
    .set({ expires_at: at, successor_id: successorId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute();
}

/** Deletes the keys of a directory, and says which of them were not yet revoked. */
export async function deleteApiKeysOfDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  directoryId: string,
): Promise<string[]> {
  const rows = await trx
    .deleteFrom('api_key')
    .where('tenant_id', '=', tenantId)
    .where('directory_id', '=', directoryId)
    .returning(['id', 'revoked_at'])
    .execute();
  return rows.filter((row) => row.revoked_at === null).map((row) => row.id);
}

/** A key that is not revoked, with its directory's id, locked until the transaction ends. */
export async function apiKeyForUpdate(
  trx: Transaction<Tables>,
  tenantId: string,
  id: string,
): Promise<{ key: ApiKey; directoryId: string | null; successorId: string | null } | undefined> {
  const row = await living(trx, tenantId).where('k.id', '=', id).forNoKeyUpdate('k').executeTakeFirst();
  return row && { key: apiKeyOf(row), directoryId: row.directory_id, successorId: row.successor_id };
}

/** The tenant's keys that are not revoked. */
export async function listApiKeys(
  kysely: Kysely<Tables>,
  tenantId: string,
  { after, limit }: Page,
): Promise<ApiKey[]> {
  const rows = await living(kysely, tenantId)
    .where('k.id', '>', after)
    .orderBy('k.id')
    .limit(limit)
    .execute();
  return rows.map(apiKeyOf);
}

/** The keys that are not revoked, with the names of their directories. */
function living(kysely: Kysely<Tables>, tenantId: string) {
  return kysely
    .selectFrom('api_key as k')
    .leftJoin('directory as d', (join) =>
      join.onRef('d.tenant_id', '=', 'k.tenant_id').onRef('d.id', '=', 'k.directory_id'),
    )
    .selectAll('k')
    .select('d.name as directory')
    .where('k.tenant_id', '=', tenantId)
    .where('k.revoked_at', 'is', null);
}

type LivingRow = Awaited<ReturnType<ReturnType<typeof living>['execute']>>[number];

function apiKeyOf(row: LivingRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes as Scope[],
    directory: row.directory,
    prefix: row.prefix,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  };
}
