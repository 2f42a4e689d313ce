import { OWNER, RETENTION } from './grants.ts';

/** Since when the user of `s` has been owner without a break, whatever grants followed each other. */
const OWNER_SINCE = `(
        select max(o.since) from ownership o
        where o.user_id = s.user_id and not exists (
          select from ownership e where e.user_id = o.user_id and e.since < o.since and e.until >= o.since))`;

const NOTHING = 'null::integer, null::text, null::integer, null::uuid, null::text';

/**
 * The last owner: no change of groups, mapping, settings or `userType` leaves a tenant that had an owner without one.
 * Of those who lose it together the one who has been owner longest keeps it, by a grant of the origin `retention`,
 * until another is made. It never keeps somebody who was deactivated or deleted: a leaver's access is cut.
 *
 * CTE `retained`: rows of `changed` for grants of that origin. It reads all owners of the tenant, so whoever writes
 * by it holds the owners lock.
 */
export const RETAINED = `holder as (
     select g.*, g.ctid as place, coalesce(u.active, false) as active, u.id is not null as there
     from access_grant g left join scim_user u on u.tenant_id = $1 and u.id = g.user_id
     where g.tenant_id = $1 and g.target_id = '${OWNER}' and g.origin = '${RETENTION}'
   ), owned as (
     select exists (select from settled where target_id = '${OWNER}' and new_held and not new_suspended)
         or exists (select from access_grant g
                    where tenant_id = $1 and target_id = '${OWNER}' and origin <> '${RETENTION}' and not suspended
                      and (g.user_id, g.origin) not in (select user_id, origin from settled
                                                        where target_id = '${OWNER}')) as by_others
   ), ownership as (
     select user_id, since, until from access_grant_history
     where tenant_id = $1 and target_id = '${OWNER}' and not suspended
       and user_id in (select user_id from settled where target_id = '${OWNER}' and was_held)
     union all
     select user_id, since, 'infinity' from access_grant
     where tenant_id = $1 and target_id = '${OWNER}' and not suspended
   ), successor as (
     select s.user_id from settled s
     where s.target_id = '${OWNER}' and s.was_held and not s.old_suspended and s.active
       and not (select by_others from owned) and not exists (select from holder where active)
     group by s.user_id order by ${OWNER_SINCE}, s.user_id limit 1
   ), retained as (
     select user_id, target_id, origin, true as was_held, role as old_role, suspended as old_suspended,
            since as old_since, change_id as old_change_id, mapping_version, "row", precedence, group_id, group_name,
            false as new_held, null as new_role, false as new_suspended, ${NOTHING},
            case when not there then 'user_deleted' when not active then 'deactivated' else 'another_owner' end as cause,
            active, place
     from holder cross join owned where by_others or not active
     union all
     select user_id, '${OWNER}', '${RETENTION}', false, null, null, null, null, ${NOTHING},
            true, null, false, ${NOTHING}, 'last_owner', true, null
     from successor
   )`;
