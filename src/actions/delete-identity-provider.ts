import { type Actor, actorJson, type Context } from '../context.ts';
import { noteUsers } from '../db/noted.ts';
import { unlinkAll } from '../directory/unlink.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { givenBy } from '../reconcile/by-hand.ts';
import { MANUAL } from '../reconcile/grants.ts';
import { reconcileLocked } from '../reconcile/reconcile.ts';
import { endSync } from '../reconcile/sign-in.ts';
import { requireUnused, usesOfIdentityProvider } from '../reconcile/uses.ts';
import {
  countOnlyBy,
  deleteIdentityProviderRow,
  identityProviderByName,
  identityProviderOf,
} from '../tenants/identity-providers.ts';
import { type Change, type Review, type Reviewed, reviewed } from './reviewed.ts';

export interface DeleteIdentityProvider {
  readonly tenantId: string;
  readonly name: string;
  /** What becomes of what its sign-ins gave: it is kept as given by hand, or ends. */
  readonly users: 'keep' | 'release';
  readonly review: Review;
}

/**
 * Removes a way to sign in, with its links. The users stay.
 * @throws AppError `conflict`: `in_use` while rows of the mapping are restricted to it; see `reviewed`.
 */
export async function deleteIdentityProvider(
  context: Context,
  actor: Actor,
  { tenantId, name, users, review }: DeleteIdentityProvider,
): Promise<Pick<Reviewed<unknown>, 'plan' | 'shutOut'>> {
  const { plan, shutOut } = await reviewed(context, actor, { tenantId, review }, async (change) => {
    const { trx, send, occasion } = change;
    const [[row]] = await send([identityProviderByName(tenantId, name)]);
    if (row === undefined) throw notFound('Identity provider');
    const before = identityProviderOf(row);
    requireUnused(`The identity provider "${name}"`, await usesOfIdentityProvider(trx, tenantId, name));
    const [[only]] = await send([countOnlyBy(tenantId, before.id)]);
    if (users === 'keep') await keepByHand(change, name);
    await send([
      endSync(tenantId, name),
      unlinkAll(tenantId, before, stampOf(change)),
      deleteIdentityProviderRow(tenantId, before.id),
    ]);
    await record(trx, occasion, [
      {
        type: 'identity_provider.deleted',
        resourceType: 'IdentityProvider',
        resourceId: before.id,
        before,
      },
    ]);
    return { result: undefined, shutOut: only?.users ?? 0 };
  });
  return { plan, shutOut };
}

/** Gives by hand what the sign-ins gave, beside it: when that ends, users hold what they held. */
async function keepByHand(change: Change, name: string): Promise<void> {
  const { send, occasion } = change;
  const { tenantId } = occasion;
  const [given] = await send([givenBy(tenantId, `jit:${name}`)]);
  const holders = [...new Set(given.map(({ userId }) => userId))];
  const edits = given.map((each) => ({ ...each, origin: MANUAL, held: true }) as const);
  const stamp = stampOf(change);
  await send([noteUsers(holders), reconcileLocked(tenantId, stamp, stamp, { users: holders.length, edits })]);
}

function stampOf({ occasion: { at, actor, changeId } }: Change) {
  return { at, actor: actorJson(actor), changeId, requestId: actor.requestId };
}
