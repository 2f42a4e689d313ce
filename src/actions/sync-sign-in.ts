import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockOwners, lockTenantShared, lockUsers } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { type Reconciled, reconcileLocked } from '../reconcile/reconcile.ts';
import { noteSignIn, type SignIn } from '../reconcile/sign-in.ts';
import { keepUnmappedAtSignIn } from '../reconcile/unmapped.ts';

/**
 * Gives a user what a sign-in's claims give by the mapping that holds, and in enhanced mode takes what they do not.
 * Whoever is managed by a directory keeps what its groups give; whoever is not active gets nothing.
 */
export async function syncSignIn(
  context: Context,
  actor: Actor,
  { tenantId, ...signIn }: SignIn & { readonly tenantId: string },
): Promise<Reconciled> {
  const now = { at: context.now(), actor: actorJson(actor) };
  const told = { changeId: uuid(), requestId: actor.requestId };
  const [, , , , , [done]] = await pipeline(context.db, [
    lockTenantShared(tenantId),
    lockUsers(tenantId, [signIn.userId]),
    noteSignIn(tenantId, signIn, now.at),
    keepUnmappedAtSignIn(tenantId, now, told, signIn),
    lockOwners(tenantId),
    reconcileLocked(tenantId, now, told, { users: 1 }),
  ]);
  return done ?? { grants: 0, effects: 0 };
}
