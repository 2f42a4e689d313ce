import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  EXTENSION_LIMITS,
  type ExtensionDeclaration,
  overlapping,
  readExtension,
} from '../scim/extension.ts';
import {
  insertSchemaExtension,
  listSchemaExtensions,
  type SchemaExtension,
} from '../tenants/schema-extensions.ts';
import { holdTenant } from '../tenants/tenants.ts';

export interface CreateSchemaExtension {
  readonly tenantId: string;
  readonly declaration: ExtensionDeclaration;
}

/**
 * Adds a schema to the tenant's users. A `required` one is asked of who is created or replaced from now on.
 * @throws AppError `invalid_request` with a pointer; `conflict` (`urn_taken`, `too_many_extensions`).
 */
export async function createSchemaExtension(
  context: Context,
  actor: Actor,
  { tenantId, declaration }: CreateSchemaExtension,
): Promise<SchemaExtension> {
  const { schema, required } = readExtension(declaration);
  const at = context.now();
  const extension: SchemaExtension = { ...schema, required, createdAt: at, updatedAt: at };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
    if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
    requireRoom(extension, await listSchemaExtensions(trx, tenantId));
    await insertSchemaExtension(trx, tenantId, extension);
    await record(trx, { tenantId, actor, at, changeId: uuid() }, [
      { type: 'schema_extension.created', resourceType: 'Tenant', resourceId: tenantId, after: extension },
    ]);
  });
  return extension;
}

function requireRoom({ id }: SchemaExtension, others: readonly SchemaExtension[]): void {
  const taken = overlapping(
    id,
    others.map((other) => other.id),
  );
  if (taken !== undefined) {
    throw new AppError(
      'conflict',
      `The tenant has an extension "${taken}", which a path could confuse with it`,
      {
        reason: 'urn_taken',
        pointer: '/id',
      },
    );
  }
  if (others.length >= EXTENSION_LIMITS.extensions) {
    throw new AppError('conflict', `A tenant has at most ${EXTENSION_LIMITS.extensions} extensions`, {
      reason: 'too_many_extensions',
    });
  }
}
