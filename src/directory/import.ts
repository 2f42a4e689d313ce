import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { type Parameter, type Step, statement, step } from '../db/statement.ts';
import { LIFTED } from './tombstones.ts';
import type { UserColumns } from './user-columns.ts';
import type { UserByHand } from './users-by-hand.ts';

/** Many users by hand at once. Behind the tenant's exclusive lock: what is read stays so until it is written. */

export interface KnownUser extends UserByHand {
  readonly userNameFolded: string;
}

const knownUsersStatement = statement<KnownUser>(
  'known_users',
  `select u.id, u.user_name_folded as "userNameFolded", u.active, u.body, u.product_user_id as "productUserId",
          d.name as directory
   from scim_user u left join directory d on d.tenant_id = $1 and d.id = u.directory_id
   where u.tenant_id = $1 and (u.user_name_folded = any ($2) or u.product_user_id = any ($3))`,
);

/** The users who have one of these names, folded, or of these ids of the product, in no order. */
export function knownUsers(
  tenantId: string,
  { names, productIds }: { readonly names: readonly string[]; readonly productIds: readonly string[] },
): Step<KnownUser> {
  return step(knownUsersStatement, [tenantId, names, productIds]);
}

const holdersStatement = statement<{ readonly productUserId: string; readonly userId: string }>(
  'holders_of_product_ids',
  `select product_user_id as "productUserId", id as "userId" from scim_user
   where tenant_id = $1 and product_user_id = any ($2)`,
);

/** Who has these ids of the product. */
export function holdersOf(
  tenantId: string,
  productIds: readonly string[],
): Step<{ readonly productUserId: string; readonly userId: string }> {
  return step(holdersStatement, [tenantId, productIds]);
}

/** A user as it is written, with what the event says of it. */
export interface ImportedUser extends UserColumns {
  readonly id: string;
  readonly productUserId: string | null;
  /** JSON. */
  readonly after: string;
}

const insertImportedStatement = statement<unknown>(
  'insert_imported',
  `with incoming as (
     select * from unnest($6::uuid[], $7::text[], $8::text[], $9::boolean[], $10::text[], $11::text[], $12::text[],
                          $13::text[], $14::text[])
       as i (id, user_name_folded, external_id, active, body, search, lookup, product_user_id, after)
   ), created as (
     insert into scim_user (tenant_id, id, directory_id, user_name_folded, external_id, active, version, created_at,
                            updated_at, body, search, lookup, product_user_id)
     select $1, id, null, user_name_folded, external_id, active, 1, $2, $2, body, search::jsonb, lookup::bigint[],
            product_user_id
     from incoming
     returning id, directory_id, user_name_folded, external_id
   ), ${LIFTED}, told as (
     select 'user.created' as type, 'User' as resource_type, id as resource_id, null::jsonb as reason,
            null::jsonb as before, after::jsonb as after, $4::uuid as change_id, $5::text as request_id
     from created join incoming using (id)
   )
   ${insertEvents('told', { at: '$2', actor: '$3' })}`,
);

/** Creates users whom no directory manages. */
export function insertImported(
  tenantId: string,
  { at, actor, changeId, requestId }: Stamp & Told,
  users: readonly ImportedUser[],
): Step {
  return step(insertImportedStatement, [
    tenantId,
    at,
    actor,
    changeId,
    requestId,
    ...columnsOf(users),
    users.map((user) => user.productUserId),
    users.map((user) => user.after),
  ]);
}

export interface ReimportedUser extends ImportedUser {
  readonly type: 'user.updated' | 'user.activated' | 'user.deactivated';
  /** JSON of what differs; null: nothing but the product's id. */
  readonly before: string | null;
}

const updateImportedStatement = statement<unknown>(
  'update_imported',
  `with incoming as (
     select * from unnest($6::uuid[], $7::text[], $8::text[], $9::boolean[], $10::text[], $11::text[], $12::text[],
                          $13::text[], $14::text[], $15::text[], $16::text[])
       as i (id, user_name_folded, external_id, active, body, search, lookup, product_user_id, after, type, before)
   ), was as (
     select u.id, u.product_user_id from incoming i join scim_user u on u.tenant_id = $1 and u.id = i.id
   ), changed as (
     update scim_user u
     set user_name_folded = i.user_name_folded, external_id = i.external_id, active = i.active, body = i.body,
         search = i.search::jsonb, lookup = i.lookup::bigint[], product_user_id = i.product_user_id,
         version = u.version + (i.before is not null)::integer,
         updated_at = case when i.before is null then u.updated_at else greatest(u.updated_at, $2) end
     from incoming i where u.tenant_id = $1 and u.id = i.id
   ), told as (
     select type, 'User' as resource_type, id as resource_id, null::jsonb as reason, before::jsonb as before,
            after::jsonb as after, $4::uuid as change_id, $5::text as request_id
     from incoming where before is not null
     union all
     select 'user.product_id_changed', 'User', id, null, jsonb_build_object('productUserId', was.product_user_id),
            jsonb_build_object('productUserId', i.product_user_id), $4, $5
     from incoming i join was using (id) where i.product_user_id is distinct from was.product_user_id
   )
   ${insertEvents('told', { at: '$2', actor: '$3' })}`,
);

/** Writes users anew, as a new version where more differs than the product's id; tells what differs. */
export function updateImported(
  tenantId: string,
  { at, actor, changeId, requestId }: Stamp & Told,
  users: readonly ReimportedUser[],
): Step {
  return step(updateImportedStatement, [
    tenantId,
    at,
    actor,
    changeId,
    requestId,
    ...columnsOf(users),
    users.map((user) => user.productUserId),
    users.map((user) => user.after),
    users.map((user) => user.type),
    users.map((user) => user.before),
  ]);
}

function columnsOf(users: readonly ImportedUser[]): Parameter[] {
  return [
    users.map((user) => user.id),
    users.map((user) => user.userNameFolded),
    users.map((user) => user.externalId),
    users.map((user) => user.active),
    users.map((user) => user.body),
    users.map((user) => user.search),
    users.map((user) => user.lookup),
  ];
}
