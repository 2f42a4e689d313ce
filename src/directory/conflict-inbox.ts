import type { Database } from '../db/database.ts';
import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import type { Page } from '../db/page.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { runAlone } from '../db/transaction.ts';
import { linkRows } from './identity-links.ts';
import { settled, toldSettled } from './sign-in-conflicts.ts';

/** Sign-ins that met a user to whom they may not be linked, as admins see them and decide on them. */

export const CONFLICT_STATES = ['open', 'linked', 'rejected', 'settled'] as const;
export type ConflictState = (typeof CONFLICT_STATES)[number];

export interface Conflict {
  readonly id: string;
  /** Name. */
  readonly identityProvider: string;
  readonly subject: string;
  /** As the sign-in told it, verified or not. */
  readonly email: string | null;
  /** Whom the sign-in met. */
  readonly user: { readonly id: string; readonly userName: string };
  readonly reason: string;
  readonly state: ConflictState;
  /** The last time, of so many. */
  readonly seenAt: Date;
  readonly times: number;
  readonly createdAt: Date;
  readonly resolvedAt: Date | null;
  /** As events name who acts. */
  readonly resolvedBy: Readonly<Record<string, unknown>> | null;
}

const CONFLICT = `select c.id, p.name as "identityProvider", c.subject, c.email,
          json_build_object('id', u.id, 'userName', u.body::json ->> 'userName') as "user", c.reason, c.state,
          c.seen_at as "seenAt", c.times, c.created_at as "createdAt", c.resolved_at as "resolvedAt",
          c.resolved_by as "resolvedBy"
   from sign_in_conflict c
        join identity_provider p on p.tenant_id = $1 and p.id = c.identity_provider_id
        join scim_user u on u.tenant_id = $1 and u.id = c.user_id
   where c.tenant_id = $1`;
const byIdStatement = statement<Conflict>('conflict_by_id', `${CONFLICT} and c.id = $2`);
const listStatement = statement<Conflict>(
  'list_conflicts',
  `${CONFLICT} and c.id > $2 and c.state = any ($4) order by c.id limit $3`,
);

export function conflictById(tenantId: string, id: string): Step<Conflict> {
  return step(byIdStatement, [tenantId, id]);
}

export function listConflicts(
  db: Database,
  tenantId: string,
  { state, after, limit }: Page & { readonly state?: ConflictState },
): Promise<Conflict[]> {
  return runAlone(
    db,
    step(listStatement, [tenantId, after, limit, state === undefined ? CONFLICT_STATES : [state]]),
  );
}

/** `$4` conflict, `$5` change, `$6` request. */
const resolved = (state: ConflictState, from: readonly ConflictState[], only = '') => `resolved as (
     update sign_in_conflict c set state = '${state}', resolved_at = $2, resolved_by = $3::jsonb
     from identity_provider p
     where c.tenant_id = $1 and c.id = $4 and c.state in (${from.map((each) => `'${each}'`).join()})
       and p.tenant_id = $1 and p.id = c.identity_provider_id ${only}
     returning c.id, c.identity_provider_id, c.subject, c.user_id,
               jsonb_build_object('identityProvider', p.name, 'subject', c.subject) as told
   )`;
/** Who is linked by now signs in, whatever is said of one of the users whom they met. */
const NOT_LINKED = `and not exists (
         select from identity_link l
         where l.tenant_id = $1 and l.identity_provider_id = c.identity_provider_id and l.subject = c.subject)`;
const TOLD_RESOLVED = `select 'sign_in.conflict_resolved' as type, 'User' as resource_type, user_id as resource_id,
            null::jsonb as reason, null::jsonb as before, told || jsonb_build_object('conflict', id, 'state', $7::text) as after,
            $5::uuid as change_id, $6::text as request_id
     from resolved`;

const linkStatement = statement<{ id: string }>(
  'link_by_conflict',
  `with ${resolved('linked', ['open', 'rejected'])}, linked as (
     ${linkRows(`select $1::uuid, identity_provider_id, subject, user_id, 'admin', $2::timestamptz from resolved`)}
   ), ${settled('resolved', 's.user_id <> c.user_id')}, told as (
     ${TOLD_RESOLVED}
     union all
     select 'identity.linked', 'User', user_id, null, null, told, $5, $6 from resolved
     union all
     ${toldSettled('$5', '$6')}
   ), recorded as (
     ${insertEvents('told', { at: '$2', actor: '$3' })}
   )
   select id from resolved`,
);

const rejectStatement = statement<{ id: string }>(
  'reject_by_conflict',
  `with ${resolved('rejected', ['open'], NOT_LINKED)}, told as (
     ${TOLD_RESOLVED}
   ), recorded as (
     ${insertEvents('told', { at: '$2', actor: '$3' })}
   )
   select id from resolved`,
);

/** What an admin makes of a conflict. */
export interface Resolution extends Told {
  readonly id: string;
  readonly state: Exclude<ConflictState, 'open' | 'settled'>;
}

/**
 * Links the subject to the user, or keeps it out, and tells it; a row where the conflict was in a state from which that
 * is done. Breaks `identity_link_pkey` and `identity_link_user_key`.
 */
export function resolveConflict(
  tenantId: string,
  { at, actor }: Stamp,
  { id, state, changeId, requestId }: Resolution,
): Step<{ id: string }> {
  const text = state === 'linked' ? linkStatement : rejectStatement;
  return step(text, [tenantId, at, actor, id, changeId, requestId, state]);
}
