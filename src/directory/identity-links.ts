import type { Facts } from '../assertions/types.ts';
import { insertEvents, type Stamp, type Told } from '../db/event-row.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Subject } from './sign-in-people.ts';
import type { Proof } from './who-signs-in.ts';

/** By which subject of which identity provider a user signs in. */
export interface Identity {
  /** Name. */
  readonly identityProvider: string;
  readonly subject: string;
  readonly linkedAt: Date;
  /** null: linked by an admin, and not used yet. */
  readonly lastSignInAt: Date | null;
}

/** SQL: links, before a sign-in has said anything, rows of tenant, identity provider, subject, user, proof and time. */
export const linkRows = (rows: string) =>
  `insert into identity_link (tenant_id, identity_provider_id, subject, user_id, proof, linked_at, group_state, groups)
   select linking.*, 'absent', '{}' from (${rows}) as linking`;

const linkStatement = statement<unknown>(
  'link_identity',
  linkRows('values ($1::uuid, $2::uuid, $3::text, $4::uuid, $5::text, $6::timestamptz)'),
);

/** Links the subject to the user. Breaks `identity_link_pkey` and `identity_link_user_key`. */
export function linkIdentity(
  { tenantId, identityProviderId, facts: { subject } }: Subject,
  { userId, proof }: { readonly userId: string; readonly proof: Exclude<Proof, 'admin'> },
  at: Date,
): Step {
  return step(linkStatement, [tenantId, identityProviderId, subject, userId, proof, at]);
}

/**
 * SQL: what a sign-in notes in its link `l`; claims stay as last told where it does not tell them. Who signs in as a
 * directory's user was found to be that user.
 */
export const noted = (at: string, state: string, groups: string) =>
  `proof = case when l.proof = 'created' and exists (
              select from scim_user u where u.tenant_id = l.tenant_id and u.id = l.user_id and u.directory_id is not null)
            then 'matched' else l.proof end,
     last_sign_in_at = greatest(last_sign_in_at, ${at}), group_state = ${state},
     groups = case when ${state} in ('list', 'empty') then ${groups}::text[] else groups end,
     groups_seen_at = case when ${state} in ('list', 'empty') then ${at} else groups_seen_at end`;

const noteStatement = statement<unknown>(
  'note_claims',
  `update identity_link l set ${noted('$4', '$5', '$6')}
   where tenant_id = $1 and identity_provider_id = $2 and subject = $3`,
);

/** Notes that the linked person has signed in, and what was said of their groups. */
export function noteClaims({ tenantId, identityProviderId, facts }: Subject, at: Date): Step {
  const { state, groups } = facts.groups;
  return step(noteStatement, [tenantId, identityProviderId, facts.subject, at, state, groups]);
}

const noteLinkedStatement = statement<unknown>(
  'note_linked_user',
  `select set_config('rollcall.users', coalesce((
     select user_id::text from identity_link where tenant_id = $1 and identity_provider_id = $2 and subject = $3), ''), true)`,
);

/** Notes whom the subject is linked to (`db/noted.ts`), so that what is read next in the transaction is theirs. */
export function noteLinkedUser({ tenantId, identityProviderId, facts }: Subject): Step {
  return step(noteLinkedStatement, [tenantId, identityProviderId, facts.subject]);
}

const unlinkStatement = statement<{ readonly unlinked: number }>(
  'unlink_identity',
  `with gone as (
     delete from identity_link l using identity_provider p
     where l.tenant_id = $1 and l.user_id = $4 and p.tenant_id = $1 and p.id = l.identity_provider_id and p.name = $5
     returning l.user_id, l.subject
   ), told as (
     select 'identity.unlinked' as type, 'User' as resource_type, user_id as resource_id, null::jsonb as reason,
            jsonb_build_object('identityProvider', $5::text, 'subject', subject) as before, null::jsonb as after,
            $6::uuid as change_id, $7::text as request_id
     from gone
   ), recorded as (
     ${insertEvents('told', { at: '$2', actor: '$3' })}
   )
   select count(*) as unlinked from gone`,
);

export interface Unlinking extends Told {
  readonly userId: string;
  /** Name. */
  readonly identityProvider: string;
}

/** Ends the user's link to the identity provider; answers whether there was one. */
export function unlinkIdentity(
  tenantId: string,
  { at, actor }: Stamp,
  { userId, identityProvider, changeId, requestId }: Unlinking,
): Step<{ readonly unlinked: number }> {
  return step(unlinkStatement, [tenantId, at, actor, userId, identityProvider, changeId, requestId]);
}

interface IdentityRow extends Identity {
  readonly userId: string;
}

const identitiesStatement = statement<IdentityRow>(
  'identities_of_users',
  `select l.user_id as "userId", p.name as "identityProvider", l.subject, l.linked_at as "linkedAt",
          l.last_sign_in_at as "lastSignInAt"
   from identity_link l join identity_provider p on p.tenant_id = $1 and p.id = l.identity_provider_id
   where l.tenant_id = $1 and l.user_id = any ($2::uuid[])
   order by p.name`,
);

/** How these users sign in, by the names of the identity providers. */
export function identitiesOf(tenantId: string, userIds: readonly string[]): Step<IdentityRow> {
  return step(identitiesStatement, [tenantId, userIds]);
}

/** The rows of `identitiesOf` of one user. */
export function identitiesIn(rows: readonly IdentityRow[], id: string): Identity[] {
  return rows.flatMap(({ userId, ...identity }) => (userId === id ? identity : []));
}

/** Whether what is known of a person's groups is what this sign-in says, in any order. */
export function sameGroups(known: readonly string[], { groups }: Facts): boolean {
  const told = new Set(groups.groups);
  return known.length === told.size && known.every((group) => told.has(group));
}
