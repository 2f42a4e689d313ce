import type { Stamp, Told } from '../db/event-row.ts';
import { type Statement, type Step, step } from '../db/statement.ts';
import { applyText } from './apply-sql.ts';
import { type Difference, differenceColumns, differenceText, grantsOf } from './difference.ts';
import { NO_EDITS, planText, USER_RANGE, type UserRange } from './plan-sql.ts';

/** What a job does for a range of users, in one statement each: to compare them, or to bring them to what they should hold. */

const SCOPE = USER_RANGE;
const PLANNED = `${planText(SCOPE, NO_EDITS)}, ${differenceText(SCOPE)}`;

/** Both are planned for the range at hand, which may be ten users or 16,000. */
const compareStatement: Statement<Difference> = {
  text: `with ${PLANNED}
   select ${grantsOf(SCOPE)} as grants, ${differenceColumns('$4::integer')},
          length(set_config('rollcall.users', coalesce((
            select string_agg(user_id::text, ',') from (select distinct user_id from changed) as c), ''), true)) as bytes
   from counted`,
};

/**
 * What differs for these users, of whom nobody is locked. Notes whom it concerns, for `lockNotedUsers` and
 * `reconcileLocked`.
 * @param most so many changes are told one by one
 */
export function compareRange(tenantId: string, { after, upTo }: UserRange, most: number): Step<Difference> {
  return step(compareStatement, [tenantId, after, upTo, most]);
}

const reconcileStatement: Statement<Difference> = {
  text: `with ${PLANNED}, ${applyText({ scope: SCOPE, causes: 'one', at: '$6', actor: '$7' })}
   select ${grantsOf(SCOPE)} as grants, ${differenceColumns('$8::integer')} from counted`,
};

/**
 * Brings what these users hold to what they should hold, and says what differed. Behind `lockUsersOfRange` and
 * `lockOwnersOfRange`.
 * @param most so many changes are told one by one
 */
export function reconcileRangeLocked(
  tenantId: string,
  { after, upTo }: UserRange,
  { at, actor, changeId, requestId }: Stamp & Told,
  most: number,
): Step<Difference> {
  return step(reconcileStatement, [tenantId, after, upTo, changeId, requestId, at, actor, most]);
}
