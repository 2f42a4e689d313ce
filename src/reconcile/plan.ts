import { createHash } from 'node:crypto';
import { onlyRow, type Statement, type Step, statement, statementOfFew, step } from '../db/statement.ts';
import type { Send } from '../db/transaction.ts';
import {
  type Difference,
  differenceColumns,
  differenceText,
  grantsOf,
  type MembershipChange,
  type Right,
  TOLD_CHANGES,
} from './difference.ts';
import { isManaged, OWNER } from './grants.ts';
import { ALL_USERS, NEXT_SIGN_IN, NO_EDITS, OWNERS, planText, type Scope, USER_RANGE } from './plan-sql.ts';

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

/** What planning answers beside the plan itself. */
interface PlanRow extends Difference {
  /** Sums that do not depend on the order of the changes. */
  readonly sum: string;
  readonly other_sum: string;
  /** Memberships of these users that are managed: what the removals are measured by. */
  readonly managed: number;
}

/** Notes whom the plan changes, if they are at most `$4`; else only those whose ownership changes. */
const CONCERNED = `select distinct user_id from changed
     where (select grants from summed) <= $4 or target_id = '${OWNER}'`;

const NOTES = `length(set_config('rollcall.users',
            coalesce((select string_agg(user_id::text, ',') from (${CONCERNED}) as c), ''), true)) as bytes`;

const planRangeText = (
  scope: Scope,
) => `with ${planText(scope, NO_EDITS)}, ${differenceText(scope)}, hashed as (
     -- A team by its name: one that a dry run makes has another id in the run that follows.
     select jsonb_build_array(user_id, coalesce(t.kind || ':' || t.name, target_id::text), origin, was_held, old_role,
                              old_suspended, new_held, new_role, new_suspended)::text as text
     from changed full join target t on t.id = target_id where ${scope.within('user_id')}
     union all
     select jsonb_build_array(user_id, coalesce(kind || ':' || team, target_id::text), change, was, role)::text from told
   ), summed as (
     select ${grantsOf(scope)} as grants,
            coalesce(sum(hashtextextended(text, 0)::numeric), 0)::text as sum,
            coalesce(sum(hashtextextended(text, 1)::numeric), 0)::text as other_sum
     from hashed
   )
   select grants, sum, other_sum, ${differenceColumns(TOLD_CHANGES)},
          (select count(*) from access_grant
           where tenant_id = $1 and target_id <> '${OWNER}' and role is not null and ${isManaged('origin')}
             and ${scope.within('user_id')}) as managed,
          ${NOTES}
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

/**
 * Plans the whole tenant: what waits for sign-ins, then what can be done now; notes whom that concerns for
 * `reconcileLocked`, of more than `most` changes only those whose ownership changes.
 */
export async function planTenant(send: Send, tenantId: string, most: number): Promise<PlannedTenant> {
  const values = [tenantId, ALL_USERS.after, ALL_USERS.upTo];
  const [size] = await send([step(sizeStatement, [tenantId])]);
  const { many, syncs } = onlyRow(size);
  const [nextSignIn, range] = many ? [planNextSignIn, planRange] : [planFewNextSignIn, planFew];
  const later = syncs ? onlyRow((await send([step(nextSignIn, [...values, 0])]))[0]) : NOTHING_LATER;
  const [now] = await send([step(range, [...values, most])]);
  return planned(onlyRow(now), later);
}

/** Plans for one user; where everything is as it should be, the plan is empty. */
export async function planUser(send: Send, tenantId: string, userId: string): Promise<Plan> {
  const [later, now] = await send([
    step(planFewNextSignIn, [tenantId, idBefore(userId), userId, 0]),
    step(planFew, [tenantId, idBefore(userId), userId, 0]),
  ]);
  return planned(onlyRow(now), onlyRow(later)).plan;
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
