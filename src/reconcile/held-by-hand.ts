import { type Step, statement, step } from '../db/statement.ts';
import { MANUAL } from './grants.ts';

/** What many users hold by hand: for those who write many at once. */

export interface HeldByHand {
  readonly userId: string;
  readonly targetId: string;
  readonly role: string | null;
}

const heldByHandStatement = statement<HeldByHand>(
  'held_by_hand_of_many',
  `select user_id as "userId", target_id as "targetId", role from access_grant
   where tenant_id = $1 and user_id = any ($2::uuid[]) and origin = '${MANUAL}'`,
);

/** Their grants by hand, suspended ones too, in no order. */
export function heldByHand(tenantId: string, userIds: readonly string[]): Step<HeldByHand> {
  return step(heldByHandStatement, [tenantId, userIds]);
}

const signedInStatement = statement<{ userId: string }>(
  'synced_by_sign_in',
  `select distinct user_id as "userId" from jit_sync where tenant_id = $1 and user_id = any ($2::uuid[])`,
);

/** Which of the users hold what sign-ins give. */
export function syncedBySignIn(tenantId: string, userIds: readonly string[]): Step<{ userId: string }> {
  return step(signedInStatement, [tenantId, userIds]);
}
