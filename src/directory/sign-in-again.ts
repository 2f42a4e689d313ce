import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { type Answered, CONSUMED_COLUMNS, type Consumption, hexHash } from './consumed-assertions.ts';
import { noted } from './identity-links.ts';
import type { Subject } from './sign-in-people.ts';

/**
 * A sign-in that changes nothing but its link: read in one wait, written in the next, if all that it was decided on is
 * still as it was read.
 */

/**
 * All that a sign-in of a linked person is decided on, as one digest: `$1` tenant, `$2` identity provider, `$3` subject.
 * The read takes it, and the write asks for it again.
 */
const STANDING = `select l.user_id, encode(sha256(convert_to(row(
       u.id, u.version, u.active, u.directory_id, p.version, p.enabled, t.settings, m.version, j.mode, j.mapping_version,
       j.groups)::text, 'UTF8')), 'hex') as standing
     from identity_link l
     join scim_user u on u.tenant_id = $1 and u.id = l.user_id
     join identity_provider p on p.tenant_id = $1 and p.id = l.identity_provider_id
     join tenant t on t.tenant_id = $1
     left join group_mapping m on m.tenant_id = $1
     left join jit_sync j on j.tenant_id = $1 and j.user_id = l.user_id and j.identity_provider = p.name
     where l.tenant_id = $1 and l.identity_provider_id = $2 and l.subject = $3`;

const standingStatement = statement<{ readonly standing: string }>('standing_of_sign_in', STANDING);

/** A row: the subject is linked. */
export function standingOfSubject({
  tenantId,
  identityProviderId,
  facts,
}: Subject): Step<{ readonly standing: string }> {
  return step(standingStatement, [tenantId, identityProviderId, facts.subject]);
}

const signInAgainStatement = statement<{ readonly done: boolean }>(
  'sign_in_again',
  // The link is locked before anything is written: one that is gone by then is no row of \`held\`.
  `with held as materialized (
     select user_id from (${STANDING} for no key update of l) as s where standing = $4
   ), consumed as (
     insert into consumed_assertion (${CONSUMED_COLUMNS})
     select $1, $2, decode($5, 'hex'), $6, $7, decode($8, 'hex'), $9, $10 from held
     on conflict do nothing returning true
   ), touched as (
     update identity_link l set ${noted('$6::timestamptz', '$11', '$12')} from consumed
     where l.tenant_id = $1 and l.identity_provider_id = $2 and l.subject = $3
     returning l.user_id
   ), told as (
     select 'sign_in.accepted' as type, 'User' as resource_type, user_id as resource_id, null::jsonb as reason,
            null::jsonb as before, $14::jsonb as after, $15::uuid as change_id, $16::text as request_id
     from touched
   ), recorded as (
     ${insertEvents('told', { at: '$6', actor: '$13' })}
   )
   select true as done from touched`,
);

/** What the write of such a sign-in takes. */
export interface SignInAgain extends Told {
  readonly standing: string;
  readonly consumption: Consumption;
  readonly answered: Answered;
  /** JSON of what the event says. */
  readonly after: string;
}

/** Uses the assertion up, notes the sign-in in its link and tells it. No row: something has moved, and nothing was written. */
export function signInAgain(
  { facts }: Subject,
  { at, actor }: Stamp,
  { standing, consumption, answered, after, changeId, requestId }: SignInAgain,
): Step<{ readonly done: boolean }> {
  const { tenantId, identityProviderId, assertionId, expiresAt, retryHash } = consumption;
  return step(signInAgainStatement, [
    tenantId,
    identityProviderId,
    facts.subject,
    standing,
    hexHash(assertionId),
    at,
    expiresAt,
    retryHash,
    answered.status,
    retryHash === null ? null : answered.answer,
    facts.groups.state,
    facts.groups.groups,
    actor,
    after,
    changeId,
    requestId,
  ]);
}
