import { v7 as uuid } from 'uuid';
import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Subject } from './sign-in-people.ts';
import type { ConflictReason } from './who-signs-in.ts';

const noteConflictStatement = statement<unknown>(
  'note_sign_in_conflict',
  `with noted as (
     insert into sign_in_conflict as c (tenant_id, id, identity_provider_id, subject, email, user_id, reason, state,
                                        seen_at, times, created_at)
     values ($1, $4, $5, $6, $7, $8, $9, 'open', $2, 1, $2)
     on conflict (tenant_id, identity_provider_id, subject, user_id) do update
     set email = excluded.email, reason = excluded.reason, seen_at = greatest(c.seen_at, excluded.seen_at),
         times = c.times + 1, state = 'open', resolved_at = null, resolved_by = null
     returning times
   ), told as (
     select 'sign_in.conflict_found' as type, 'User' as resource_type, $8::uuid as resource_id, null::jsonb as reason,
            null::jsonb as before, jsonb_build_object('conflict', $4::uuid, 'identityProvider', $10::text, 'subject', $6::text,
                                                      'reason', $9::text) as after,
            $11::uuid as change_id, $12::text as request_id
     from noted where times = 1
   )
   ${insertEvents('told', { at: '$2', actor: '$3' })}`,
);

export interface SignInConflict extends Told {
  /** Name. */
  readonly identityProvider: string;
  /** Whom the sign-in met. */
  readonly userId: string;
  readonly reason: ConflictReason;
}

/** Puts a sign-in that could not be linked before the admins; again and again it is the same conflict, told once. */
export function noteConflict(
  { tenantId, identityProviderId, facts: { subject, email } }: Subject,
  { at, actor }: Stamp,
  { identityProvider, userId, reason, changeId, requestId }: SignInConflict,
): Step {
  return step(noteConflictStatement, [
    tenantId,
    at,
    actor,
    uuid(),
    identityProviderId,
    subject,
    email,
    userId,
    reason,
    identityProvider,
    changeId,
    requestId,
  ]);
}

/**
 * A CTE `settled`: what the subjects of `source (identity_provider_id, subject, …)` met is over once they are linked;
 * `$1` tenant, `$2` time, `$3` actor. Who is linked comes in, and nobody has to decide on it any more.
 */
export const settled = (source: string, only = 'true') => `settled as (
     update sign_in_conflict c set state = 'settled', resolved_at = $2, resolved_by = $3::jsonb from ${source} s
     where c.tenant_id = $1 and c.identity_provider_id = s.identity_provider_id and c.subject = s.subject
       and c.state = 'open' and ${only}
     returning c.id, c.user_id, c.subject
   )`;

/** Rows for `insertEvents`. */
export const toldSettled = (changeId: string, requestId: string) =>
  `select 'sign_in.conflict_resolved' as type, 'User' as resource_type, user_id as resource_id, null::jsonb as reason,
            null::jsonb as before, jsonb_build_object('conflict', id, 'subject', subject, 'state', 'settled') as after,
            ${changeId}::uuid as change_id, ${requestId}::text as request_id
     from settled`;

const settleStatement = statement<unknown>(
  'settle_sign_in_conflicts',
  `with source as (select $4::uuid as identity_provider_id, $5::text as subject),
   ${settled('source')}, told as (
     ${toldSettled('$6', '$7')}
   )
   ${insertEvents('told', { at: '$2', actor: '$3' })}`,
);

/** Ends the open conflicts of a subject who is linked now. */
export function settleConflicts(
  { tenantId, identityProviderId, facts: { subject } }: Subject,
  { at, actor }: Stamp,
  { changeId, requestId }: Told,
): Step {
  return step(settleStatement, [tenantId, at, actor, identityProviderId, subject, changeId, requestId]);
}
