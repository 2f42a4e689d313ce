import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { type Statement, type Step, statement, step } from '../db/statement.ts';
import { grantEvents, PERIOD } from './grant-events.ts';
import { MANUAL } from './grants.ts';
import type { SignIn } from './sign-in.ts';

/**
 * `on_unmap: keep`: who is a member of a team that no row of the mapping names any more stays, by hand, in the role
 * that the mapping gave. Before anything is planned, so that planning finds nothing to take away.
 */
const keepText = (whose: string) => `with kept as materialized (
     select g.* from access_grant g
     join group_mapping m on m.tenant_id = $1
     join group_mapping_version v on v.tenant_id = $1 and v.version = m.version and v.keeps_unmapped
     join team t on t.tenant_id = $1 and t.id = g.target_id
     where g.tenant_id = $1 and ${whose} and not exists (
       select from mapping_row r where r.tenant_id = $1 and r.version = v.version and r.kind = t.kind and r.target = t.name)
   ), manual as (
     select g.*, k.role as kept_role from access_grant g join kept k using (target_id, user_id)
     where g.tenant_id = $1 and g.origin = '${MANUAL}'
   ), before as (
     select * from manual where role is distinct from kept_role or suspended
   ), ended as (
     delete from access_grant g using kept k
     where g.tenant_id = $1 and g.target_id = k.target_id and g.user_id = k.user_id and g.origin = k.origin
   ), by_hand as (
     insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, change_id)
     select $1, target_id, user_id, '${MANUAL}', role, false, $2, $4 from kept
     on conflict (tenant_id, target_id, user_id, origin) do update
     set role = excluded.role, suspended = false, since = greatest(access_grant.since, excluded.since),
         change_id = excluded.change_id
     where access_grant.role is distinct from excluded.role or access_grant.suspended
   ), history as (
     insert into access_grant_history (tenant_id, user_id, target_id, origin, ${PERIOD}, ended_by)
     select $1, user_id, target_id, origin, role, suspended, since, greatest(since, $2), mapping_version, "row",
            precedence, group_id, group_name, change_id, $4
     from (select *, null as kept_role from kept union all select * from before) as were
   ), changes as (
     select 'grant.ended' as type, target_id, origin, role as was, null as role, user_id from kept
     union all
     select 'grant.added', k.target_id, '${MANUAL}', null, k.role, k.user_id from kept k
     where not exists (select from manual m where m.target_id = k.target_id and m.user_id = k.user_id)
     union all
     select 'grant.changed', target_id, '${MANUAL}', role, kept_role, user_id from before
   ), grant_told as (
     select *, false as suspended, 'unmapped' as cause, null::integer as version, null as "row",
            null::uuid as group_id, null as group_name
     from changes
   ), told as (
     ${grantEvents('grant_told')}
   ), recorded as (
     ${insertEvents('told', { at: '$2', actor: '$3' })}
   )
   select count(*) as kept from kept`;

const KEEP: Statement<Kept> = { text: keepText(`g.origin like 'scim:%'`) };
const keepAtSignIn = statement<Kept>(
  'keep_unmapped_at_sign_in',
  keepText('$8::boolean and g.user_id = $6 and g.origin = $7'),
);

/** How many memberships stay. */
export interface Kept {
  readonly kept: number;
}

/** Keeps whom directories manage, under the version that holds now; the transaction holds the tenant alone. */
export function keepUnmapped(
  tenantId: string,
  { at, actor }: Stamp,
  { changeId, requestId }: Told,
): Step<Kept> {
  return step(KEEP, [tenantId, at, actor, changeId, requestId]);
}

/** Keeps a user at the sign-in that syncs them; the transaction has locked the user. */
export function keepUnmappedAtSignIn(
  tenantId: string,
  { at, actor }: Stamp,
  { changeId, requestId }: Told,
  { userId, identityProvider, mode, groups }: SignIn,
): Step<Kept> {
  // Only a sign-in that counts by the version that holds can take anything away.
  const counts = mode === 'enhanced' && groups !== null;
  const origin = `jit:${identityProvider}`;
  return step(keepAtSignIn, [tenantId, at, actor, changeId, requestId, userId, origin, counts]);
}
