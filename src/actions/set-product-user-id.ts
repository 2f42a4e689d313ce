import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { type Profile, setProductUserId as writeAndRead } from '../directory/profiles.ts';
import { AppError, notFound } from '../errors.ts';

export interface SetProductUserId {
  readonly tenantId: string;
  readonly userId: string;
  /** Unique in the tenant; null takes it away. */
  readonly productUserId: string | null;
}

/**
 * Notes by which id the product knows the user; the same id again writes nothing.
 * @throws AppError `not_found`, `conflict` (`product_user_id_taken`).
 */
export async function setProductUserId(
  { db, now }: Context,
  actor: Actor,
  change: SetProductUserId,
): Promise<Profile> {
  const told = { at: now(), actor: actorJson(actor), changeId: uuid(), requestId: actor.requestId };
  const profile = await writeAndRead(db, { ...change, ...told }).catch((error: unknown) => {
    throw violates(error, 'scim_user_product_user_id_key') ? productUserIdTaken() : error;
  });
  if (profile === undefined) throw notFound('User');
  return profile;
}

/** The refusal of an id that another user has. */
export function productUserIdTaken(): AppError {
  return new AppError('conflict', 'Another user of the tenant has this product user id', {
    reason: 'product_user_id_taken',
    pointer: '/productUserId',
    hint: 'Find that user with GET …/access?productUserId=, and take the id away by null first.',
  });
}
