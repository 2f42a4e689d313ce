import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';
import type { UserColumns } from './user-columns.ts';

/** Users as admins read and write them, one at a time: the same columns as SCIM's, and the product's own id. */

/** What is written of a user by hand, and when. */
interface HandWritten extends UserColumns {
  readonly id: string;
  readonly at: Date;
}

/** Creates a user whom no directory manages. Breaks `scim_user_user_name_key`, `scim_user_product_user_id_key`. */
export async function insertUserByHand(
  trx: Transaction<Tables>,
  tenantId: string,
  user: HandWritten & Pick<UserByHand, 'productUserId'>,
): Promise<void> {
  await trx
    .insertInto('scim_user')
    .values({
      tenant_id: tenantId,
      id: user.id,
      directory_id: null,
      version: 1,
      created_at: user.at,
      updated_at: user.at,
      product_user_id: user.productUserId,
      ...columnsOf(user),
    })
    .execute();
}

/** Writes a user anew, as a new version. Breaks `scim_user_user_name_key`. */
export async function updateUserByHand(
  trx: Transaction<Tables>,
  tenantId: string,
  user: HandWritten,
): Promise<void> {
  await trx
    .updateTable('scim_user')
    .set(({ eb, fn, val }) => ({
      ...columnsOf(user),
      version: eb('version', '+', 1),
      updated_at: fn<Date>('greatest', ['updated_at', val(user.at)]),
    }))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', user.id)
    .execute();
}

function columnsOf(user: UserColumns) {
  return {
    user_name_folded: user.userNameFolded,
    external_id: user.externalId,
    active: user.active,
    body: user.body,
    search: user.search,
    lookup: sql<string[]>`${user.lookup}::bigint[]`,
  };
}

export interface UserByHand extends Pick<UserColumns, 'active' | 'body'> {
  readonly id: string;
  readonly productUserId: string | null;
  /** The name of the directory that manages the user; null: none does. */
  readonly directory: string | null;
}

export function userByHand(
  kysely: Kysely<Tables>,
  tenantId: string,
  userId: string,
): Promise<UserByHand | undefined> {
  return kysely
    .selectFrom('scim_user as u')
    .leftJoin('directory as d', (join) =>
      join.onRef('d.tenant_id', '=', 'u.tenant_id').onRef('d.id', '=', 'u.directory_id'),
    )
    .select(['u.id', 'u.active', 'u.body', 'u.product_user_id as productUserId', 'd.name as directory'])
    .where('u.tenant_id', '=', tenantId)
    .where('u.id', '=', userId)
    .executeTakeFirst();
}
