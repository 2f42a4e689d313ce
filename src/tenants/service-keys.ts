import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Scope } from '../context.ts';
import type { Page } from '../db/page.ts';
import type { ServiceKeyTable, Tables } from '../db/tables.ts';

/** A credential of the product that runs the service: it serves all tenants. */
export interface ServiceKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** How the key begins, for people who must tell two keys apart. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** What a service key may be for. */
export const SERVICE_KEY_SCOPES = ['jit', 'jit:claims', 'read'] as const satisfies readonly Scope[];

export async function insertServiceKey(
  trx: Transaction<Tables>,
  key: ServiceKey,
  secretHash: Buffer,
): Promise<void> {
  await trx
    .insertInto('service_key')
    .values({
      id: key.id,
      name: key.name,
      scopes: [...key.scopes],
      prefix: key.prefix,
      secret_hash: secretHash,
      created_at: key.createdAt,
      expires_at: key.expiresAt,
    })
    .execute();
}

/** Revokes a key for ever; undefined when there is none with this id that is not yet revoked. */
export async function revokeServiceKeyRow(
  trx: Transaction<Tables>,
  id: string,
  at: Date,
): Promise<ServiceKey | undefined> {
  const row = await trx
    .updateTable('service_key')
    .set({ revoked_at: at })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row && serviceKeyOf(row);
}

/** The keys that are not revoked. */
export async function listServiceKeys(kysely: Kysely<Tables>, { after, limit }: Page): Promise<ServiceKey[]> {
  const rows = await kysely
    .selectFrom('service_key')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(serviceKeyOf);
}

function serviceKeyOf(row: Selectable<ServiceKeyTable>): ServiceKey {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes as Scope[],
    prefix: row.prefix,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  };
}
