import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantShared } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { userColumns } from '../directory/user-columns.ts';
import { insertUserByHand } from '../directory/users-by-hand.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type ProfileChange, withProfile } from '../scim/profile.ts';
import { holdTenant } from '../tenants/tenants.ts';
import { requireUserName } from './scim-writes.ts';
import { refusingTaken, typesOf } from './users-by-hand.ts';

export interface AddUser extends ProfileChange {
  readonly tenantId: string;
  readonly userName: string;
  /** The product's own id of the user, unique in the tenant. */
  readonly productUserId?: string | null;
}

/**
 * Creates a user by hand, whom no directory manages; active unless it says otherwise. Answers the id.
 * @throws AppError `conflict`: `name_taken`, `product_user_id_taken`. ScimError: a value that no user can have.
 */
export function addUser(
  context: Context,
  actor: Actor,
  { tenantId, productUserId = null, ...profile }: AddUser,
): Promise<string> {
  const [id, at] = [uuid(), context.now()];
  return refusingTaken(() =>
    transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantShared(tenantId));
      const tenant = await holdTenant(trx, tenantId);
      if (tenant === undefined) throw notFound('Tenant');
      const types = await typesOf(trx, tenantId);
      const resource = withProfile({}, { active: true, ...profile }, types.User);
      requireUserName(tenant, resource);
      const columns = userColumns({ tenantId, types }, resource);
      await runIn(trx, insertUserByHand(tenantId, { id, at, productUserId, ...columns }));
      await record(trx, { tenantId, actor, at, changeId: uuid() }, [
        {
          type: 'user.created',
          resourceType: 'User',
          resourceId: id,
          after: { ...resource, ...(productUserId !== null && { productUserId }) },
        },
      ]);
      return id;
    }),
  );
}
