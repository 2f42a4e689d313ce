import type { Kysely } from 'kysely';
import { type Parameter, type Step, statement, step } from '../db/statement.ts';
import type { Tables } from '../db/tables.ts';
import { LIFTED } from './tombstones.ts';
import type { UserColumns } from './user-columns.ts';

/** Users as admins read and write them, one at a time: the same columns as SCIM's, and the product's own id. */

/** What is written of a user by hand, and when. */
interface HandWritten extends UserColumns {
  readonly id: string;
  readonly at: Date;
}

const insertText = (lifted = '') => `with created as (
     insert into scim_user (tenant_id, id, directory_id, version, created_at, updated_at, user_name_folded, external_id,
                            active, body, search, lookup, product_user_id)
     values ($1, $2, null, 1, $3, $3, $4, $5, $6, $7, $8, $9, $10)
     returning id, directory_id, user_name_folded, external_id
   )${lifted}
   select true from created`;
const insertStatement = statement<unknown>('insert_user_at_sign_in', insertText());
const insertAgainStatement = statement<unknown>('insert_user_by_hand', insertText(`, ${LIFTED}`));

type NewUserByHand = HandWritten & Pick<UserByHand, 'productUserId'>;

/**
 * Creates a user whom no directory manages, and lets who was deleted under the name come back. Breaks
 * `scim_user_user_name_key`, `scim_user_product_user_id_key`.
 */
export function insertUserByHand(tenantId: string, user: NewUserByHand): Step {
  return step(insertAgainStatement, [tenantId, ...valuesOf(user), user.productUserId]);
}

/** Creates a user because of a sign-in, which says nothing of who was deleted. Breaks the same. */
export function insertUserAtSignIn(tenantId: string, user: HandWritten): Step {
  return step(insertStatement, [tenantId, ...valuesOf(user), null]);
}

const updateStatement = statement<unknown>(
  'update_user_by_hand',
  `update scim_user set version = version + 1, updated_at = greatest(updated_at, $3), user_name_folded = $4,
          external_id = $5, active = $6, body = $7, search = $8, lookup = $9
   where tenant_id = $1 and id = $2`,
);

/** Writes a user anew, as a new version. Breaks `scim_user_user_name_key`. */
export function updateUserByHand(tenantId: string, user: HandWritten): Step {
  return step(updateStatement, [tenantId, ...valuesOf(user)]);
}

function valuesOf(user: HandWritten): Parameter[] {
  const { id, at, userNameFolded, externalId, active, body, search, lookup } = user;
  return [id, at, userNameFolded, externalId, active, body, search, lookup];
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

const userBodyStatement = statement<Pick<UserColumns, 'active' | 'body'>>(
  'body_of_user',
  'select active, body from scim_user where tenant_id = $1 and id = $2',
);

/** What a user is, to be changed behind the lock of the user. */
export function bodyOfUser(tenantId: string, userId: string): Step<Pick<UserColumns, 'active' | 'body'>> {
  return step(userBodyStatement, [tenantId, userId]);
}
