import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { type Statement, type Step, step } from '../db/statement.ts';

const UNLINK_ALL: Statement<{ readonly unlinked: number }> = {
  text: `with gone as (
     delete from identity_link where tenant_id = $1 and identity_provider_id = $2 returning user_id, subject
   ), told as (
     select 'identity.unlinked' as type, 'User' as resource_type, user_id as resource_id, null::jsonb as reason,
            jsonb_build_object('identityProvider', $3::text, 'subject', subject) as before, null::jsonb as after,
            $6::uuid as change_id, $7::text as request_id
     from gone order by user_id
   ), recorded as (
     ${insertEvents('told', { at: '$4', actor: '$5' })}
   )
   select count(*) as unlinked from gone`,
};

/** Ends all links of an identity provider, and tells each user's. Answers how many there were. */
export function unlinkAll(
  tenantId: string,
  provider: { readonly id: string; readonly name: string },
  { at, actor, changeId, requestId }: Stamp & Told,
): Step<{ readonly unlinked: number }> {
  return step(UNLINK_ALL, [tenantId, provider.id, provider.name, at, actor, changeId, requestId]);
}

const DROP_OPEN_CONFLICTS: Statement<unknown> = {
  text: `delete from sign_in_conflict where tenant_id = $1 and identity_provider_id = $2 and state = 'open'`,
};

/** Forgets what waits for an admin's decision on sign-ins by the identity provider. */
export function dropOpenConflicts(tenantId: string, providerId: string): Step {
  return step(DROP_OPEN_CONFLICTS, [tenantId, providerId]);
}
