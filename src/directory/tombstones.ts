import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { found } from '../db/found.ts';
import { type Step, statement, step } from '../db/statement.ts';

/** What is kept of deleted users: by what a sign-in would find them, so that it does not bring them back. */

/** In bytes of UTF-8: what an index takes. Nobody signs in by a longer one. */
const LONGEST_KEY = 2_400;

/** A CTE `buried`: leaves the keys of the users in CTE `target (id)`, who are deleted; `$1` tenant, `$4` time. */
export const BURIED = `buried as (
     insert into tombstone (tenant_id, key, user_id, directory_id, deleted_at)
     select $1, k.key, t.id, u.directory_id, $4 from target t cross join lateral (${found('scim_user', 'id', 't.id')}) as u
     cross join lateral (
       select 'userName:' || u.user_name_folded
       union all
       select 'externalId:' || u.external_id where u.external_id is not null
       union all
       select 'email:' || (e ->> 'value') from jsonb_array_elements(u.search -> 'emails') as e
       union all
       select 'subject:' || l.identity_provider_id || ':' || l.subject from identity_link l
       where l.tenant_id = $1 and l.user_id = u.id
     ) as k (key)
     where octet_length(k.key) <= ${LONGEST_KEY}
     on conflict do nothing
   )`;

/**
 * A CTE `lifted`: takes away what stands against the users in CTE `created (id, directory_id, user_name_folded,
 * external_id)`, whom somebody has created again: an admin under the same name, a directory under the same `externalId`
 * that it gave before. Names and addresses are given to others too, and lift nobody by themselves; whoever has one by
 * then is found before the tombstone (`who-signs-in.ts`).
 */
export const LIFTED = `lifted as (
     delete from tombstone s using (
       select o.user_id from created u
       join tombstone o on o.tenant_id = $1 and o.key = 'userName:' || u.user_name_folded
       -- Asked once: most tenants have none.
       where u.directory_id is null and exists (select from tombstone where tenant_id = $1)
       union
       select o.user_id from created u
       join tombstone o on o.tenant_id = $1 and o.key = 'externalId:' || u.external_id and o.directory_id = u.directory_id
       where exists (select from tombstone where tenant_id = $1)) as back
     where s.tenant_id = $1 and s.user_id = back.user_id
   )`;

const allowReturnStatement = statement<{ readonly lifted: number }>(
  'allow_return',
  `with gone as (
     delete from tombstone where tenant_id = $1 and user_id = $4 returning user_id
   ), told as (
     select distinct 'user.return_allowed' as type, 'User' as resource_type, user_id as resource_id,
            null::jsonb as reason, null::jsonb as before, null::jsonb as after, $5::uuid as change_id, $6::text as request_id
     from gone
   ), recorded as (
     ${insertEvents('told', { at: '$2', actor: '$3' })}
   )
   select count(*) as lifted from gone`,
);

/** Lets a deleted user sign in again, as somebody new. Answers how many keys stood against it. */
export function allowReturn(
  tenantId: string,
  { at, actor }: Stamp,
  { userId, changeId, requestId }: Told & { readonly userId: string },
): Step<{ readonly lifted: number }> {
  return step(allowReturnStatement, [tenantId, at, actor, userId, changeId, requestId]);
}
