import { createHash } from 'node:crypto';
import { MAX, NIL } from 'uuid';
import { found } from '../db/found.ts';
import { type Statement, type Step, statement, statementOfFew, step } from '../db/statement.ts';
import type { Send } from '../db/transaction.ts';
import { isManaged, OWNER, RETENTION } from './grants.ts';
import { NEXT_SIGN_IN, NO_EDITS, OWNERS, planText, type Scope, USER_RANGE } from './plan-sql.ts';

/** What a sync would do, in the words of the admin API. */
export interface Plan {
  /** Names exactly these changes: another plan has another digest. */
  readonly digest: string;
  /** Memberships that users gain, that get another role, and that users lose. */
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  /** Changes that wait for the next sign-in of users who are synced there; those of them that remove. */
  readonly atNextSignIn: number;
  readonly removeAtNextSignIn: number;
  /** Users; `retained`: who stays owner only because nobody else is left (`retention-sql.ts`). */
  readonly owners: {
    readonly gained: readonly string[];
    readonly lost: readonly string[];
    readonly retained: readonly string[];
  };
  readonly permissions: { readonly gained: readonly Right[]; readonly lost: readonly Right[] };
  /** The first `TOLD_CHANGES` changes of memberships. */
  readonly changes: readonly MembershipChange[];
}

export interface Right {
  readonly permission: string;
  readonly user: string;
}

export interface MembershipChange {
  readonly change: 'add' | 'change' | 'remove';
  readonly user: string;
  readonly userName: string | null;
  /** Name; null: the team is gone. */
  readonly team: string | null;
  readonly teamId: string;
  readonly kind: string | null;
  /** The role from now on; null: none. */
  readonly role: string | null;
  /** The role so far; null: none. */
  readonly was: string | null;
  /** The row of the mapping that gives it, or gave what is lost; null: no row did. */
  readonly row: string | null;
  /** The version of the mapping whose row that is. */
  readonly mappingVersion: number | null;
}

/** So many changes does a plan tell one by one; so many owners and permissions each way. */
export const TOLD_CHANGES = 1_000;

/** What planning answers beside the plan itself. */
export interface PlanRow {
  /** Grants that are added, changed or ended. */
  readonly grants: number;
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  readonly owners_gained: string[];
  readonly owners_lost: string[];
  readonly owners_lost_count: number;
  readonly owners_retained: string[];
  readonly permissions_gained: Right[];
  readonly permissions_lost: Right[];
  readonly changes: MembershipChange[];
  /** Sums that do not depend on the order of the changes. */
  readonly sum: string;
  readonly other_sum: string;
  /** Memberships of these users that are managed: what the removals are measured by. */
  readonly managed: number;
}

const list = (value: string, from: string) =>
  `(select coalesce(jsonb_agg(value order by place), '[]')
          from (select ${value} as value, row_number() over (order by target_id, user_id) as place ${from}
                limit ${TOLD_CHANGES}) as first)`;

const RIGHT = `jsonb_build_object('permission', permission, 'user', user_id)`;

/** Notes whom the plan changes, if they are at most `$4`; else only those whose ownership changes. */
const CONCERNED = `select distinct user_id from changed
     where (select grants from summed) <= $4 or target_id = '${OWNER}'`;

const planRangeText = (scope: Scope) => `with ${planText(scope, NO_EDITS)}, told as materialized (
     select user_id, target_id, e.role, was, "row", e.version, case when is_team then t.name end as team, t.kind,
            case when not is_team then t.name end as permission,
            case when had then case when has then 'change' else 'remove' end else 'add' end as change
     from effect e full join target t on t.id = e.target_id
     -- Who is kept as the last owner may lie beyond a range.
     where ${scope.within('user_id')}
   ), counted as (
     select count(*) filter (where change = 'add') as add, count(*) filter (where change = 'change') as change,
            count(*) filter (where change = 'remove') as remove
     from told where target_id <> '${OWNER}' and permission is null
   ), hashed as (
     -- A team by its name: one that a dry run makes has another id in the run that follows.
     select jsonb_build_array(user_id, coalesce(t.kind || ':' || t.name, target_id::text), origin, was_held, old_role,
                              old_suspended, new_held, new_role, new_suspended)::text as text
     from changed full join target t on t.id = target_id where ${scope.within('user_id')}
     union all
     select jsonb_build_array(user_id, coalesce(kind || ':' || team, target_id::text), change, was, role)::text from told
   ), summed as (
     select (select count(*) from changed where ${scope.within('user_id')}) as grants,
            coalesce(sum(hashtextextended(text, 0)::numeric), 0)::text as sum,
            coalesce(sum(hashtextextended(text, 1)::numeric), 0)::text as other_sum
     from hashed
   )
   select grants, sum, other_sum, add, change, remove,
          ${list('user_id', `from told where change = 'add' and target_id = '${OWNER}'`)} as owners_gained,
          ${list('user_id', `from told where change = 'remove' and target_id = '${OWNER}'`)} as owners_lost,
          (select count(*) from told where change = 'remove' and target_id = '${OWNER}') as owners_lost_count,
          (select coalesce(jsonb_agg(user_id), '[]') from changed where origin = '${RETENTION}' and new_held) as owners_retained,
          ${list(RIGHT, `from told where change = 'add' and permission is not null`)} as permissions_gained,
          ${list(RIGHT, `from told where change = 'remove' and permission is not null`)} as permissions_lost,
          (select coalesce(jsonb_agg(jsonb_build_object('change', change, 'user', user_id,
                    'userName', (select body::jsonb ->> 'userName' from (${found('scim_user', 'id', 'user_id')}) as u),
                    'team', team, 'teamId', target_id, 'kind', kind, 'role', role, 'was', was, 'row', "row",
                    'mappingVersion', version)
                    order by team, user_id, kind), '[]')
           from (select * from told where target_id <> '${OWNER}' and permission is null
                 order by team, user_id, kind limit ${TOLD_CHANGES}) as first) as changes,
          (select count(*) from access_grant
           where tenant_id = $1 and target_id <> '${OWNER}' and role is not null and ${isManaged('origin')}
             and ${scope.within('user_id')}) as managed,
          length(set_config('rollcall.users',
            coalesce((select string_agg(user_id::text, ',') from (${CONCERNED}) as c), ''), true)) as bytes
   from summed cross join counted`;

/** Without a name: PostgreSQL plans it for the range at hand, which may be ten users or a million. */
const planRange: Statement<PlanRow> = { text: planRangeText(USER_RANGE) };
const planNextSignIn: Statement<PlanRow> = { text: planRangeText(NEXT_SIGN_IN) };
const planOwnership: Statement<PlanRow> = { text: planRangeText(OWNERS) };

/** Prepared: making such a plan takes PostgreSQL longer than carrying it out for few. */
const planFew = statementOfFew<PlanRow>('plan_few', planRangeText({ ...USER_RANGE, few: true }));
const planFewNextSignIn = statementOfFew<PlanRow>(
  'plan_few_next_sign_in',
  planRangeText({ ...NEXT_SIGN_IN, few: true }),
);

/** So many users are few. */
const FEW = 1_000;

/** Whether a tenant has more than few users, and whether any of them is synced at their sign-ins. */
const sizeStatement = statement<{ many: boolean; syncs: boolean }>(
  'size_for_planning',
  `select (select count(*) > ${FEW} from (select from scim_user where tenant_id = $1 limit ${FEW + 1}) as first) as many,
          exists (select from jit_sync where tenant_id = $1 and mode = 'enhanced') as syncs`,
);

/** Whom to plan for: users with ids above `after`, up to `upTo`. */
export interface UserRange {
  readonly after: string;
  readonly upTo: string;
}

export const ALL_USERS: UserRange = { after: NIL, upTo: MAX };

/**
 * Plans for these users, and notes whom it concerns for `reconcileLocked`; of more than `most` changes, only those
 * whose ownership changes.
 */
export function planOf(tenantId: string, { after, upTo }: UserRange, most: number): Step<PlanRow> {
  return step(planRange, [tenantId, after, upTo, most]);
}

/** Plans the whole tenant: what waits for sign-ins, then what can be done now, and notes like `planOf`. */
export async function planTenant(send: Send, tenantId: string, most: number): Promise<PlannedTenant> {
  const values = [tenantId, ALL_USERS.after, ALL_USERS.upTo];
  const [size] = await send([step(sizeStatement, [tenantId])]);
  const { many, syncs } = required(size);
  const [nextSignIn, range] = many ? [planNextSignIn, planRange] : [planFewNextSignIn, planFew];
  const later = syncs ? required((await send([step(nextSignIn, [...values, 0])]))[0]) : NOTHING_LATER;
  const [now] = await send([step(range, [...values, most])]);
  return planned(required(now), later);
}

/** Plans for one user; where everything is as it should be, the plan is empty. */
export async function planUser(send: Send, tenantId: string, userId: string): Promise<Plan> {
  const [later, now] = await send([
    step(planFewNextSignIn, [tenantId, idBefore(userId), userId, 0]),
    step(planFew, [tenantId, idBefore(userId), userId, 0]),
  ]);
  return planned(required(now), required(later)).plan;
}

/** The UUID before this one. */
function idBefore(id: string): string {
  return (BigInt(`0x${id.replaceAll('-', '')}`) - 1n).toString(16).padStart(32, '0');
}

/** Notes, for `reconcileLocked`, everybody whose ownership changes. */
export function planOwners(tenantId: string): Step<PlanRow> {
  return step(planOwnership, [tenantId, ALL_USERS.after, ALL_USERS.upTo, 0]);
}

/** A plan, how many grants it writes, and what it is judged by. */
export interface PlannedTenant {
  readonly plan: Plan;
  readonly grants: number;
  readonly managed: number;
  /** How many users stop being owners, of whom the plan tells the first. */
  readonly ownersLost: number;
}

function planned(now: PlanRow, later: Later): PlannedTenant {
  const plan: Plan = {
    digest: digestOf(now, later),
    add: now.add,
    change: now.change,
    remove: now.remove,
    atNextSignIn: later.add + later.change + later.remove,
    removeAtNextSignIn: later.remove,
    owners: {
      gained: now.owners_gained,
      lost: [...new Set([...now.owners_lost, ...later.owners_lost])],
      retained: now.owners_retained,
    },
    permissions: { gained: now.permissions_gained, lost: now.permissions_lost },
    changes: now.changes,
  };
  const ownersLost = now.owners_lost_count + later.owners_lost_count;
  return { plan, grants: now.grants, managed: now.managed, ownersLost };
}

function digestOf(now: Sums, later: Sums): string {
  const sums = [now.grants, now.sum, now.other_sum, later.grants, later.sum, later.other_sum];
  return createHash('sha256').update(sums.join()).digest('hex').slice(0, 32);
}

type Sums = Pick<PlanRow, 'grants' | 'sum' | 'other_sum'>;
const NO_SUMS: Sums = { grants: 0, sum: '0', other_sum: '0' };

/** What a plan says of the next sign-ins. */
type Later = Sums & Pick<PlanRow, 'add' | 'change' | 'remove' | 'owners_lost' | 'owners_lost_count'>;
const NOTHING_LATER: Later = {
  ...NO_SUMS,
  add: 0,
  change: 0,
  remove: 0,
  owners_lost: [],
  owners_lost_count: 0,
};

function required<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('planning answered no row');
  return row;
}

/** The plan of a change that changes nothing. */
export const NO_CHANGES: Plan = {
  digest: digestOf(NO_SUMS, NO_SUMS),
  add: 0,
  change: 0,
  remove: 0,
  atNextSignIn: 0,
  removeAtNextSignIn: 0,
  owners: { gained: [], lost: [], retained: [] },
  permissions: { gained: [], lost: [] },
  changes: [],
};
