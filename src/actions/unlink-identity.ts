import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { unlinkIdentity as unlinkStep } from '../directory/identity-links.ts';
import { notFound } from '../errors.ts';

export interface UnlinkIdentity {
  readonly tenantId: string;
  readonly userId: string;
  /** Name. */
  readonly identityProvider: string;
}

/** Ends a user's link to an identity provider. What its sign-ins gave stays until somebody changes it. */
export async function unlinkIdentity(
  context: Context,
  actor: Actor,
  { tenantId, ...link }: UnlinkIdentity,
): Promise<void> {
  const now = { at: context.now(), actor: actorJson(actor) };
  const told = { changeId: uuid(), requestId: actor.requestId };
  const [, , [row]] = await pipeline(context.db, [
    lockTenantShared(tenantId),
    lockUsers(tenantId, [link.userId]),
    unlinkStep(tenantId, now, { ...link, ...told }),
  ]);
  if (row === undefined || row.unlinked === 0) throw notFound('Identity');
}
