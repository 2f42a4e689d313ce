import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import type { Tables } from '../db/tables.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { writeProductUserId } from '../directory/profiles.ts';
import { userColumns, userResource } from '../directory/user-columns.ts';
import { type UserByHand, updateUserByHand, userByHand } from '../directory/users-by-hand.ts';
import { notFound } from '../errors.ts';
import { type EventRow, record } from '../events/record.ts';
import { difference } from '../scim/difference.ts';
import { type ProfileChange, withProfile } from '../scim/profile.ts';
import { holdTenant } from '../tenants/tenants.ts';
import { changeType } from './change-users.ts';
import { reconciliation, requireUserName } from './scim-writes.ts';
import { refusingTaken, requireUnmanaged, typesOf } from './users-by-hand.ts';

export interface EditUser {
  readonly tenantId: string;
  readonly userId: string;
  /** The product's own id, of any user. null: none; absent: as it is. */
  readonly productUserId?: string | null;
  /** Only of users whom no directory manages. */
  readonly profile: ProfileChange;
}

/**
 * Changes what is named of a user, by hand; where nothing differs, nothing is written. Who is deactivated loses all
 * access in the same transaction, and who is activated again gets it back.
 * @throws AppError `conflict`: `managed_user`, `name_taken`, `product_user_id_taken`. ScimError: a value that no
 * user can have.
 */
export async function editUser(context: Context, actor: Actor, edit: EditUser): Promise<void> {
  const { tenantId, userId, productUserId } = edit;
  const now = { at: context.now(), actor: actorJson(actor) };
  const told = { changeId: uuid(), requestId: actor.requestId };
  await refusingTaken(() =>
    transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantShared(tenantId));
      await runIn(trx, lockUsers(tenantId, [userId]));
      const user = await userByHand(trx, tenantId, userId);
      if (user === undefined) throw notFound('User');
      if (productUserId !== undefined) {
        await runIn(trx, writeProductUserId({ tenantId, userId, productUserId, ...now, ...told }));
      }
      const event = await editProfile(trx, user, { ...edit, at: now.at });
      if (event === undefined) return;
      const occasion = { tenantId, actor, at: now.at, changeId: told.changeId };
      await record(trx, occasion, [{ ...event, resourceType: 'User', resourceId: userId }]);
      if (event.type === 'user.updated') return;
      for (const each of reconciliation({ tenantId }, now, [told])) await runIn(trx, each);
    }),
  );
}

/** Answers what is to be told; undefined: nothing differs, and nothing was written. */
async function editProfile(
  trx: Transaction<Tables>,
  user: UserByHand,
  { tenantId, profile, at }: EditUser & { readonly at: Date },
): Promise<Pick<EventRow, 'type' | 'before' | 'after'> | undefined> {
  if (Object.keys(profile).length === 0) return undefined;
  requireUnmanaged(user);
  const types = await typesOf(trx, tenantId);
  const before = userResource(user);
  const after = withProfile(before, profile, types.User);
  const differs = difference(before, after, types.User);
  if (differs === undefined) return undefined;
  const tenant = await holdTenant(trx, tenantId);
  if (tenant === undefined) throw notFound('Tenant');
  if (before.userName !== after.userName) requireUserName(tenant, after);
  const columns = userColumns({ tenantId, types }, after);
  await runIn(trx, updateUserByHand(tenantId, { ...columns, id: user.id, at }));
  return { type: changeType(before, after), ...differs };
}
