import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantShared } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Invitation, insertInvitation, invitationById } from '../tenants/invitations.ts';
import { holdTenant } from '../tenants/tenants.ts';
import { type NamedGrant, readGrants } from './named-grants.ts';

const DAY = 24 * 60 * 60 * 1_000;
/** In milliseconds. */
const LIFETIME = 7 * DAY;
const LONGEST_LIFETIME = 90 * DAY;

export interface Invite {
  readonly tenantId: string;
  readonly email: string;
  readonly grants: readonly NamedGrant[];
  /** Absent: in 7 days. */
  readonly expiresAt?: Date;
}

/**
 * Invites whoever signs in by this address, verified; the event tells the product to send the mail.
 * @throws AppError `invalid_request`: `expiry`, see `readGrants`; `conflict` (`already_invited`).
 */
export async function invite(
  context: Context,
  actor: Actor,
  { tenantId, email, grants, expiresAt: end }: Invite,
): Promise<Invitation> {
  const at = context.now();
  const expiresAt = end ?? new Date(at.getTime() + LIFETIME);
  requireExpiry(expiresAt, at);
  const id = uuid();
  try {
    return await transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantShared(tenantId));
      if ((await holdTenant(trx, tenantId)) === undefined) throw notFound('Tenant');
      const given = await readGrants(trx, tenantId, grants);
      const invited = { id, email, grants: given, expiresAt, createdAt: at, createdBy: actorJson(actor) };
      await insertInvitation(trx, tenantId, invited);
      const [invitation] = await runIn(trx, invitationById(tenantId, id, at));
      await record(trx, { tenantId, actor, at, changeId: uuid() }, [
        { type: 'invitation.created', resourceType: 'Invitation', resourceId: id, after: invitation },
      ]);
      return invitation as Invitation;
    });
  } catch (error) {
    throw violates(error, 'invitation_email_key') ? alreadyInvited() : error;
  }
}

/** Not "later than": a leap second is a moment to RFC 3339, and to Date not even a number. */
function requireExpiry(expiresAt: Date, now: Date): void {
  const life = expiresAt.getTime() - now.getTime();
  if (life > 0 && life <= LONGEST_LIFETIME) return;
  throw new AppError('invalid_request', '/expiresAt must lie in the future, and no more than 90 days ahead', {
    reason: 'expiry',
    pointer: '/expiresAt',
    hint: `It is now ${now.toISOString()}. Leave expiresAt out for 7 days.`,
  });
}

function alreadyInvited(): AppError {
  return new AppError('conflict', '/email: an invitation of this address is pending', {
    reason: 'already_invited',
    pointer: '/email',
    hint: 'Revoke the pending one first.',
  });
}
