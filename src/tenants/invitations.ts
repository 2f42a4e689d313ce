import type { Transaction } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Page } from '../db/page.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Tables, TeamGrant } from '../db/tables.ts';
import { runAlone, runIn } from '../db/transaction.ts';
import { foldText } from '../scim/fold.ts';
import { type ShownGrant, shownGrants } from './team-grants.ts';

/** Invitations: what somebody gets who comes in by a certain e-mail address. The product sends the mail. */

export const INVITATION_STATES = ['pending', 'accepted', 'expired', 'revoked'] as const;
export type InvitationState = (typeof INVITATION_STATES)[number];

export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly state: InvitationState;
  readonly grants: readonly ShownGrant[];
  readonly expiresAt: Date;
  readonly createdAt: Date;
  /** Who invited, as events name them. */
  readonly createdBy: Readonly<Record<string, unknown>>;
  /** When it was accepted or revoked. */
  readonly endedAt: Date | null;
  /** Who accepted. */
  readonly userId: string | null;
}

export interface NewInvitation extends Pick<Invitation, 'id' | 'email' | 'expiresAt' | 'createdAt'> {
  readonly grants: readonly TeamGrant[];
  /** `actorJson`. */
  readonly createdBy: string;
}

const expireStatement = statement<unknown>(
  'expire_invitation',
  `update invitation set state = 'expired', ended_at = expires_at
   where tenant_id = $1 and email_folded = $2 and state = 'pending' and expires_at <= $3`,
);

/** Breaks `invitation_email_key` while another invitation of the address is pending; an expired one makes room. */
export async function insertInvitation(
  trx: Transaction<Tables>,
  tenantId: string,
  { id, email, grants, expiresAt, createdAt, createdBy }: NewInvitation,
): Promise<void> {
  const folded = foldText(email);
  await runIn(trx, step(expireStatement, [tenantId, folded, createdAt]));
  await trx
    .insertInto('invitation')
    .values({
      tenant_id: tenantId,
      id,
      email,
      email_folded: folded,
      grants: JSON.stringify(grants),
      state: 'pending',
      expires_at: expiresAt,
      created_at: createdAt,
      created_by: createdBy,
    })
    .execute();
}

const IS_PENDING = `state = 'pending' and expires_at > $3`;

const revokeStatement = statement<{ id: string }>(
  'revoke_invitation',
  `update invitation set state = 'revoked', ended_at = $3
   where tenant_id = $1 and id = $2 and ${IS_PENDING} returning id`,
);

/** Answers a row where it was pending. */
export function revokeInvitation(tenantId: string, id: string, at: Date): Step<{ id: string }> {
  return step(revokeStatement, [tenantId, id, at]);
}

const acceptStatement = statement<{ id: string }>(
  'accept_invitation',
  `update invitation set state = 'accepted', ended_at = $3, user_id = $4
   where tenant_id = $1 and id = $2 and ${IS_PENDING} returning id`,
);

export interface Acceptance {
  readonly invitationId: string;
  readonly userId: string;
}

/** Answers a row where it was pending. */
export function acceptInvitation(
  tenantId: string,
  { invitationId, userId }: Acceptance,
  at: Date,
): Step<{ id: string }> {
  return step(acceptStatement, [tenantId, invitationId, at, userId]);
}

/** `$2` is now. */
const STATE = `case when i.state = 'pending' and i.expires_at <= $2 then 'expired' else i.state end`;
const INVITATION = `select i.id, i.email, ${STATE} as state, ${shownGrants('i')} as grants, i.expires_at as "expiresAt",
          i.created_at as "createdAt", i.created_by as "createdBy",
          case when i.state <> 'expired' then i.ended_at end as "endedAt", i.user_id as "userId"
   from invitation i where i.tenant_id = $1`;
const byIdStatement = statement<Invitation>('invitation_by_id', `${INVITATION} and i.id = $3`);
const listStatement = statement<Invitation>(
  'list_invitations',
  `${INVITATION} and i.id > $3 order by i.id limit $4`,
);
const listInStateStatement = statement<Invitation>(
  'list_invitations_in_state',
  `${INVITATION} and i.id > $3 and ${STATE} = $5 order by i.id limit $4`,
);

/** The invitation as it is at that moment. */
export function invitationById(tenantId: string, id: string, now: Date): Step<Invitation> {
  return step(byIdStatement, [tenantId, now, id]);
}

export function listInvitations(
  db: Database,
  tenantId: string,
  { state, now, after, limit }: Page & { readonly state?: InvitationState; readonly now: Date },
): Promise<Invitation[]> {
  const values = [tenantId, now, after, limit];
  return runAlone(
    db,
    state === undefined ? step(listStatement, values) : step(listInStateStatement, [...values, state]),
  );
}
