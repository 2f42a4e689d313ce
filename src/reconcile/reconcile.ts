import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { placesWhere } from '../db/found.ts';
import { type Statement, type Step, statementOfFew, step } from '../db/statement.ts';
import { type Causes, effectEvents, grantEvents, PERIOD } from './grant-events.ts';
import { type MANUAL, OWNER } from './grants.ts';
import { NOTED, planText } from './plan-sql.ts';

/** A claim that is not computed but made, or withdrawn, in this transaction. */
export interface Edit {
  readonly userId: string;
  /** A team's or a permission's id, or `OWNER`. */
  readonly targetId: string;
  readonly origin: typeof MANUAL | 'invitation' | 'email_domain';
  /** Null for rights without roles, and where it is withdrawn. */
  readonly role: string | null;
  readonly held: boolean;
}

/** What a reconciliation wrote. */
export interface Reconciled {
  /** Grants that were added, changed or ended. */
  readonly grants: number;
  /** Users and targets of which what is held differs now. */
  readonly effects: number;
}

const EDITS = `select * from unnest($6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::boolean[])
       as e (user_id, target_id, origin, role, held)`;

const NOUN = `case when target_id = '${OWNER}' then 'owner'
              when target_id in (select id from permission where tenant_id = $1) then 'permission'
              else 'membership' end`;

/** Whose change caused what a user gains or loses, where several changes are written together. */
const CAUSES = `, cause as materialized (
     select distinct on (user_id) * from unnest($11::uuid[], $12::uuid[], $13::text[]) as c (user_id, caused_by, caused_in)
     order by user_id
   )`;
const OWN_CAUSE = `, coalesce(caused_by, $4::uuid) as change_id, coalesce(caused_in, $5::text) as request_id`;
const WITH_CAUSE = 'full join cause using (user_id)';

const reconcileText = (causes: Causes) => {
  const [ctes, own, joined, only] =
    causes === 'each' ? [CAUSES, OWN_CAUSE, WITH_CAUSE, 'where target_id is not null'] : ['', '', '', ''];
  const [changeId, requestId] =
    causes === 'each' ? ['coalesce(caused_by, $4)', 'coalesce(caused_in, $5)'] : ['$4', '$5'];
  const ofFew = causes === 'each' ? 'left join cause using (user_id)' : '';
  return `with ${planText(NOTED, EDITS)}${ctes}, ended as (
     delete from access_grant g using (
       select place from changed c cross join lateral (${placesWhere(
         'access_grant',
         'y.target_id = c.target_id and y.user_id = c.user_id and y.origin = c.origin',
       )}) as p
       where c.was_held and not c.new_held) as p
     where g.tenant_id = $1 and g.ctid = p.place
   ), written as (
     insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, mapping_version, "row",
                               precedence, group_id, group_name, change_id)
     select $1, target_id, user_id, origin, new_role, new_suspended, $2, new_version, new_row,
            new_precedence, new_group_id, new_group_name, ${changeId}
     from changed ${joined} where new_held
     on conflict (tenant_id, target_id, user_id, origin) do update
     set role = excluded.role, suspended = excluded.suspended, since = greatest(access_grant.since, excluded.since),
         mapping_version = excluded.mapping_version, "row" = excluded."row", precedence = excluded.precedence,
         group_id = excluded.group_id, group_name = excluded.group_name, change_id = excluded.change_id
   ), kept as (
     insert into access_grant_history (tenant_id, user_id, target_id, origin, ${PERIOD}, ended_by)
     select $1, user_id, target_id, origin, old_role, old_suspended, old_since, greatest(old_since, $2),
            old_version, old_row, old_precedence, old_group_id, old_group_name, old_change_id, ${changeId}
     from changed ${joined} where was_held
   ), adopted as (
     delete from jit_sync j using scim_user u
     where j.tenant_id = $1 and u.tenant_id = $1 and u.id = j.user_id and u.directory_id is not null
       and ${NOTED.within('j.user_id')}
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
   ), told as (
     ${grantEvents('grant_told', causes)}
     union all
     ${effectEvents('effect_told', causes)}
     union all
     select type, 'Tenant', $1, null, null, after, ${changeId}, ${requestId} from alert ${ofFew}
   ), recorded as (
     ${insertEvents('told', { at: '$2', actor: '$3' })}
   )
   select (select count(*) from changed) as grants, (select count(*) from effect) as effects`;
};

const RECONCILE = reconcileText('one');
const RECONCILE_EACH = reconcileText('each');
const reconcileEach = statementOfFew<Reconciled>('reconcile_each', RECONCILE_EACH);
const reconcileManyEach: Statement<Reconciled> = { text: RECONCILE_EACH };
const reconcileFew = statementOfFew<Reconciled>('reconcile', RECONCILE);

/** Planned anew each time, for as many users as are noted: a plan that is right for one of them takes hours for all. */
const reconcileMany: Statement<Reconciled> = { text: RECONCILE };

/** Up to so many users by the prepared plan; making one anew takes PostgreSQL about 20 milliseconds. */
const FEW = 50;

/** One of several changes that are written together. */
export interface Cause extends Told {
  readonly users: readonly string[];
}

interface Extent {
  /** How many at most are noted: it chooses how the statement is planned, not whom it is for. */
  readonly users: number;
  readonly edits?: readonly Edit[];
  /** Where several changes are written together: which of them concerns whom. Others are told as the first. */
  readonly causes?: readonly Cause[];
}

/**
 * Brings what the users hold whom this transaction has locked (`db/locks.ts`) to what they should hold, and makes
 * these edits of theirs; where nothing differs, nothing is written. Behind the writes that it follows from, and
 * behind `lockOwners`.
 */
export function reconcileLocked(
  tenantId: string,
  { at, actor }: Stamp,
  { changeId, requestId }: Told,
  { users, edits = [], causes = [] }: Extent,
): Step<Reconciled> {
  const isFew = users <= FEW;
  const values = [
    tenantId,
    at,
    actor,
    changeId,
    requestId,
    edits.map((edit) => edit.userId),
    edits.map((edit) => edit.targetId),
    edits.map((edit) => edit.origin),
    edits.map((edit) => edit.role),
    edits.map((edit) => edit.held),
  ];
  if (causes.length === 0) return step(isFew ? reconcileFew : reconcileMany, values);
  return step(isFew ? reconcileEach : reconcileManyEach, [
    ...values,
    causes.flatMap((cause) => cause.users),
    causes.flatMap((cause) => cause.users.map(() => cause.changeId)),
    causes.flatMap((cause) => cause.users.map(() => cause.requestId)),
  ]);
}
