import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantShared } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { allowReturn as allowReturnStep } from '../directory/tombstones.ts';
import { notFound } from '../errors.ts';

/** Lets somebody who was deleted sign in again, as somebody new. */
export async function allowReturn(
  context: Context,
  actor: Actor,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: string },
): Promise<void> {
  const now = { at: context.now(), actor: actorJson(actor) };
  const [, [row]] = await pipeline(context.db, [
    lockTenantShared(tenantId),
    allowReturnStep(tenantId, now, { userId, changeId: uuid(), requestId: actor.requestId }),
  ]);
  if (row === undefined || row.lifted === 0) throw notFound('Deleted user');
}
