import { runBounded, tooBroad } from '../db/bounded.ts';
import type { Database } from '../db/database.ts';
import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { NOTED_USERS } from '../db/noted.ts';
import type { Page } from '../db/page.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { pipeline, runAlone } from '../db/transaction.ts';
import { foldText } from '../scim/fold.ts';
import { isObject, ownValue } from '../scim/json.ts';
import { firstOf } from '../scim/profile.ts';
import type { JsonObject, JsonValue } from '../scim/types.ts';
import { isUuid } from './uuid.ts';

/** Users as the product and admins see them, whoever manages them. SCIM clients see resources instead. */

export interface Profile {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | null;
  /** The product's own id of the user. */
  readonly productUserId: string | null;
  readonly active: boolean;
  readonly displayName: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  /** The primary one, or else the first. */
  readonly email: string | null;
  /** The URL of the primary photo, or else of the first. */
  readonly avatar: string | null;
  /** `scim:<directory>`; `jit:<identity provider>` of the last sign-in that synced; null: unmanaged. */
  readonly managedBy: string | null;
}

interface ProfileRow {
  readonly id: string;
  /** null: the bodies of the rows are too large together. */
  readonly body: string | null;
  readonly external_id: string | null;
  readonly product_user_id: string | null;
  readonly active: boolean;
  readonly managed_by: string | null;
}

/** In bytes, as a page of SCIM has them: a body may have one MiB. */
const MAX_BODIES = 32 * 1024 * 1024;

const profilesText = (
  which: string,
) => `select u.id, case when sum(octet_length(u.body)) over () <= ${MAX_BODIES} then u.body end as body,
          u.external_id, u.product_user_id, u.active is true as active,
          coalesce('scim:' || d.name,
            (select 'jit:' || s.identity_provider from jit_sync s where s.tenant_id = $1 and s.user_id = u.id
             order by s.synced_at desc, s.identity_provider limit 1)) as managed_by
   from scim_user u
   left join directory d on d.tenant_id = $1 and d.id = u.directory_id
   where u.tenant_id = $1 and ${which}
   order by u.id`;

const readProfilesStatement = statement<ProfileRow>('read_profiles', profilesText('u.id = any ($2::uuid[])'));
const profilesOfNotedStatement = statement<ProfileRow>(
  'profiles_of_noted',
  `with ${NOTED_USERS} ${profilesText('u.id in (select user_id from noted)')}`,
);

/** The users whom this transaction has noted (`db/noted.ts`). */
export function profilesOfNoted(tenantId: string): Step<ProfileRow> {
  return step(profilesOfNotedStatement, [tenantId]);
}

/** The users with these ids, in their order; `profileOf` reads a row. */
export function readProfiles(tenantId: string, ids: readonly string[]): Step<ProfileRow> {
  return step(readProfilesStatement, [tenantId, ids]);
}

/** @throws AppError `invalid_request` (`too_broad`) for a row of too large a page. */
export function profileOf(row: ProfileRow): Profile {
  if (row.body === null) throw tooBroad(`The users of this page have more than ${MAX_BODIES} bytes together`);
  const body = JSON.parse(row.body) as JsonObject;
  const name = ownValue(body, 'name');
  return {
    id: row.id,
    userName: String(body.userName),
    externalId: row.external_id,
    productUserId: row.product_user_id,
    active: row.active,
    displayName: textOf(body, 'displayName'),
    givenName: textOf(name, 'givenName'),
    familyName: textOf(name, 'familyName'),
    email: textOf(firstOf(ownValue(body, 'emails')), 'value'),
    avatar: textOf(firstOf(ownValue(body, 'photos')), 'value'),
    managedBy: row.managed_by,
  };
}

function textOf(value: JsonValue | undefined, name: string): string | null {
  const text = isObject(value) ? ownValue(value, name) : undefined;
  return typeof text === 'string' ? text : null;
}

/** What else than our id a user can be found by. Only `externalId` may mean several. */
export const USER_KEYS = ['userName', 'externalId', 'productUserId'] as const;
export type UserKey = (typeof USER_KEYS)[number];

const idsBy = (name: string, column: string) =>
  statement<{ id: string }>(
    name,
    `select id from scim_user where tenant_id = $1 and ${column} = $2 order by id limit 2`,
  );
const IDS_BY: Readonly<Record<UserKey, ReturnType<typeof idsBy>>> = {
  userName: idsBy('ids_by_user_name', 'user_name_folded'),
  externalId: idsBy('ids_by_external_id', 'external_id'),
  productUserId: idsBy('ids_by_product_user_id', 'product_user_id'),
};

/** The ids of the users that have this value, `userName` compared without case; of several the first two. */
export async function userIdsBy(
  db: Database,
  tenantId: string,
  { key, value }: { readonly key: UserKey; readonly value: string },
): Promise<string[]> {
  const sought = key === 'userName' ? foldText(value) : value;
  return (await runAlone(db, step(IDS_BY[key], [tenantId, sought]))).map(({ id }) => id);
}

const listUserIdsStatement = statement<{ id: string }>(
  'list_user_ids',
  'select id from scim_user where tenant_id = $1 and id > $2 order by id limit $3',
);

// In the order of what costs least: the documents of those whose name already decides stay unread.
const searchUserIdsStatement = statement<{ id: string }>(
  'search_user_ids',
  `select u.id from scim_user u
   where u.tenant_id = $1 and u.id > $2
     and (u.id = $6::uuid or u.external_id = $5 or u.product_user_id = $5 or strpos(u.user_name_folded, $4) > 0
       or strpos(u.search ->> 'displayName', $4) > 0
       or exists (select from jsonb_array_elements(u.search -> 'emails') as e
                  where strpos(e ->> 'value', $4) > 0))
   order by u.id limit $3`,
);

/**
 * A page of the ids of all users, or of those whose `userName`, display name or an e-mail address contains the text
 * in any case, or whose id, `externalId` or product id it is. Throws like `runBounded`.
 */
export async function searchUserIds(
  db: Database,
  tenantId: string,
  { search, after, limit }: Page & { readonly search?: string | undefined },
): Promise<{ id: string }[]> {
  if (search === undefined) return runAlone(db, step(listUserIdsStatement, [tenantId, after, limit]));
  const id = isUuid(search.toLowerCase()) ? search : null;
  const values = [tenantId, after, limit, foldText(search), search, id];
  return runBounded(db, step(searchUserIdsStatement, values));
}

const setProductUserIdStatement = statement<unknown>(
  'set_product_user_id',
  `with was as (
     select id, product_user_id from scim_user
     where tenant_id = $1 and id = $4 and product_user_id is distinct from $5
   ), changed as (
     update scim_user u set product_user_id = $5 from was where u.tenant_id = $1 and u.id = was.id returning u.id
   ), told as (
     select 'user.product_id_changed' as type, 'User' as resource_type, id as resource_id, null::jsonb as reason,
            jsonb_build_object('productUserId', was.product_user_id) as before,
            jsonb_build_object('productUserId', $5::text) as after, $6::uuid as change_id, $7::text as request_id
     from changed join was using (id)
   )
   ${insertEvents('told', { at: '$2', actor: '$3' })}`,
);

export interface ProductUserIdChange extends Stamp, Told {
  readonly tenantId: string;
  readonly userId: string;
  readonly productUserId: string | null;
}

/** The write by itself, behind the locks of tenant and user; the same id again writes nothing. Breaks like the whole. */
export function writeProductUserId(change: ProductUserIdChange): Step {
  const { tenantId, userId, productUserId, at, actor, changeId, requestId } = change;
  return step(setProductUserIdStatement, [tenantId, at, actor, userId, productUserId, changeId, requestId]);
}

/**
 * Gives the user the product's id, or takes it away, and answers what the user then is; undefined: there is none.
 * Breaks `scim_user_product_user_id_key` when another user of the tenant has the id.
 */
export async function setProductUserId(
  db: Database,
  change: ProductUserIdChange,
): Promise<Profile | undefined> {
  const { tenantId, userId } = change;
  const [, , , [row]] = await pipeline(db, [
    lockTenantShared(tenantId),
    lockUsers(tenantId, [userId]),
    writeProductUserId(change),
    readProfiles(tenantId, [userId]),
  ]);
  return row && profileOf(row);
}
