import type { Transaction } from 'kysely';
import { violates } from '../db/constraints.ts';
import type { Tables } from '../db/tables.ts';
import { AppError } from '../errors.ts';
import { typesWith } from '../scim/resource-types.ts';
import type { ResourceTypes } from '../scim/types.ts';
import { listSchemaExtensions } from '../tenants/schema-extensions.ts';
import { productUserIdTaken } from './set-product-user-id.ts';

/** What every write of a user by hand asks. */

/** The resource types of the tenant, behind its lock: nobody changes them beside. */
export async function typesOf(trx: Transaction<Tables>, tenantId: string): Promise<ResourceTypes> {
  const extensions = await listSchemaExtensions(trx, tenantId);
  return typesWith(
    extensions.map(({ required, createdAt: _, updatedAt: __, ...schema }) => ({ schema, required })),
  );
}

/** Refuses to write by hand what a directory manages. */
export function requireUnmanaged({ directory }: { readonly directory: string | null }): void {
  if (directory === null) return;
  throw new AppError('conflict', `The directory "${directory}" manages this user`, {
    reason: 'managed_user',
    hint: 'Change the user in the identity provider; by hand only productUserId can be changed.',
    members: { managedBy: `scim:${directory}` },
  });
}

/** Carries out a write of one user; a name or an id that is taken is its refusal. */
export async function refusingTaken<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (violates(error, 'scim_user_product_user_id_key')) throw productUserIdTaken();
    throw violates(error, 'scim_user_user_name_key') ? nameTaken() : error;
  }
}

function nameTaken(): AppError {
  return new AppError('conflict', 'Another user of the tenant has this userName', {
    reason: 'name_taken',
    pointer: '/userName',
  });
}
