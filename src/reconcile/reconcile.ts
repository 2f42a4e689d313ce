import type { Stamp, Told } from '../db/event-row.ts';
import { type Statement, type Step, statementOfFew, step } from '../db/statement.ts';
import { applyText } from './apply-sql.ts';
import type { Causes } from './grant-events.ts';
import type { MANUAL } from './grants.ts';
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

const reconcileText = (
  causes: Causes,
) => `with ${planText(NOTED, EDITS)}, ${applyText({ scope: NOTED, causes, at: '$2', actor: '$3' })}
   select (select count(*) from changed) as grants, (select count(*) from effect) as effects`;

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
