import { insertEvents } from '../db/event-row.ts';
import { type Causes, effectEvents, grantEvents, PERIOD } from './grant-events.ts';
import { OWNER } from './grants.ts';
import type { Scope } from './plan-sql.ts';

/** The one text that writes a plan (`plan-sql.ts`): grants, what they were, and the events of both. */

interface Apply {
  readonly scope: Scope;
  /** Whose change it is: the one of `$4` in the request `$5`, or of `$11` to `$13` what is each user's (CTE `cause`). */
  readonly causes: Causes;
  /** The parameters with the time and the actor's JSON. */
  readonly at: string;
  readonly actor: string;
}

const NOUN = `case when target_id = '${OWNER}' then 'owner'
              when target_id in (select id from permission where tenant_id = $1) then 'permission'
              else 'membership' end`;

/** Whose change caused what a user gains or loses, where several changes are written together. */
const EACH = {
  cause: `cause as materialized (
     select distinct on (user_id) * from unnest($11::uuid[], $12::uuid[], $13::text[]) as c (user_id, caused_by, caused_in)
     order by user_id
   ), `,
  own: `, coalesce(caused_by, $4::uuid) as change_id, coalesce(caused_in, $5::text) as request_id`,
  joined: 'full join cause using (user_id)',
  only: 'where target_id is not null',
  changeId: 'coalesce(caused_by, $4::uuid)',
  requestId: 'coalesce(caused_in, $5::text)',
  ofFew: 'left join cause using (user_id)',
} as const;
const ONE: Readonly<Record<keyof typeof EACH, string>> = {
  cause: '',
  own: '',
  joined: '',
  only: '',
  ofFew: '',
  changeId: '$4::uuid',
  requestId: '$5::text',
};

/**
 * The CTEs that write what `planText` of the scope has made, where the transaction holds the users of it: nobody else
 * writes their grants, so that what is held is written at its place, and what is not there is not looked for again.
 */
export function applyText({ scope, causes, at, actor }: Apply): string {
  const { cause, own, joined, only, changeId, requestId, ofFew } = causes === 'each' ? EACH : ONE;
  return `${cause}ended as (
     delete from access_grant g using changed as c
     where g.tenant_id = $1 and g.ctid = c.place and not new_held
   ), renewed as (
     -- At its place, and no column of an index: PostgreSQL writes the new row beside the old one, and nothing else.
     update access_grant g
     set role = new_role, suspended = new_suspended, since = greatest(g.since, ${at}), mapping_version = new_version,
         "row" = new_row, precedence = new_precedence, group_id = new_group_id, group_name = new_group_name,
         change_id = ${changeId}
     from (select * from changed ${joined}) as c
     where g.tenant_id = $1 and g.ctid = c.place and new_held
  ), added as (
     insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, mapping_version, "row",
                               precedence, group_id, group_name, change_id)
     select $1, target_id, user_id, origin, new_role, new_suspended, ${at}, new_version, new_row,
            new_precedence, new_group_id, new_group_name, ${changeId}
     from changed ${joined} where new_held and not was_held
   ), kept as (
     insert into access_grant_history (tenant_id, user_id, target_id, origin, ${PERIOD}, ended_by)
     select $1, user_id, target_id, origin, old_role, old_suspended, old_since, greatest(old_since, ${at}),
            old_version, old_row, old_precedence, old_group_id, old_group_name, old_change_id, ${changeId}
     from changed ${joined} where was_held
  ), adopted as (
     delete from jit_sync j using scim_user u
     where j.tenant_id = $1 and u.tenant_id = $1 and u.id = j.user_id and u.directory_id is not null
       and ${scope.within('j.user_id')}
   ), grant_told as (
     select case when not was_held then 'grant.added' when new_held then 'grant.changed' else 'grant.ended' end as type,
            user_id, target_id, origin, cause, old_role as was, new_role as role, new_suspended as suspended,
            case when new_held then new_version else old_version end as version,
            case when new_held then new_row else old_row end as "row",
            case when new_held then new_group_id else old_group_id end as group_id,
            case when new_held then new_group_name else old_group_name end as group_name${own}
     from changed ${joined} ${only}
   ), effect_told as (
     select ${NOUN} || case when not had then '.added' when has then '.changed' else '.removed' end as type,
            user_id, target_id, origin, cause, was, role, false as suspended, version, "row", group_id, group_name${own}
     from effect ${joined} ${only}
   ), alert as (
     select 'owner.retained' as type, jsonb_build_object('users', jsonb_build_array(user_id)) as after, user_id
     from retained where new_held
     union all
     (select 'owner.none_left', null, user_id from effect
      where target_id = '${OWNER}' and not has
        and not (select by_others from owned) and not exists (select from retained where new_held)
        and not exists (select from holder where active)
      limit 1)
   ), events as (
     ${grantEvents('grant_told', causes)}
     union all
     ${effectEvents('effect_told', causes)}
     union all
     select type, 'Tenant', $1, null, null, after, ${changeId}, ${requestId} from alert ${ofFew}
   ), recorded as (
     ${insertEvents('events', { at, actor })}
   )`;
}
