import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { countUsersWithValues } from '../directory/extension-use.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { deleteSchemaExtensionRow, schemaExtensionByUrn } from '../tenants/schema-extensions.ts';

export interface DeleteSchemaExtension {
  readonly tenantId: string;
  readonly urn: string;
}

/**
 * Takes an extension away that no user has a value of.
 * @throws AppError `conflict` (`in_use`).
 */
export async function deleteSchemaExtension(
  context: Context,
  actor: Actor,
  { tenantId, urn }: DeleteSchemaExtension,
): Promise<void> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
    const before = await schemaExtensionByUrn(trx, tenantId, urn);
    if (before === undefined) throw notFound('Schema extension');
    const users = await countUsersWithValues(trx, tenantId, { urn: before.id, paths: [[]] });
    if (users > 0) {
      throw new AppError('conflict', `Users with a value of "${before.id}": ${users}`, {
        reason: 'in_use',
        hint: `Remove the values by SCIM first: a PATCH that removes the path "${before.id}".`,
      });
    }
    await deleteSchemaExtensionRow(trx, tenantId, urn);
    await record(trx, occasion, [
      { type: 'schema_extension.deleted', resourceType: 'Tenant', resourceId: tenantId, before },
    ]);
  });
}
