import { isDeepStrictEqual } from 'node:util';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { countUsersWithValues, type ExtensionUse } from '../directory/extension-use.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type ExtensionDeclaration, readExtension } from '../scim/extension.ts';
import { misreadBy } from '../scim/extension-change.ts';
import {
  type SchemaExtension,
  schemaExtensionByUrn,
  updateSchemaExtension,
} from '../tenants/schema-extensions.ts';

export interface ReplaceSchemaExtension {
  readonly tenantId: string;
  readonly urn: string;
  /** Its `id`, where it is there, names the same URN. */
  readonly declaration: Omit<ExtensionDeclaration, 'id'> & { readonly id?: string };
}

/**
 * Gives an extension another definition; where nothing differs, nothing is written. What stored values would not
 * fit (`misreadBy`) is done only while no user has such a value.
 * @throws AppError `invalid_request` with a pointer; `conflict` (`in_use`).
 */
export async function replaceSchemaExtension(
  context: Context,
  actor: Actor,
  { tenantId, urn, declaration }: ReplaceSchemaExtension,
): Promise<SchemaExtension> {
  if ((declaration.id ?? urn).toLowerCase() !== urn.toLowerCase()) {
    throw new AppError('invalid_request', '/id is another URN than the path names: a URN does not change', {
      pointer: '/id',
    });
  }
  const { schema, required } = readExtension({ ...declaration, id: urn });
  const at = context.now();
  return transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
    const before = await schemaExtensionByUrn(trx, tenantId, urn);
    if (before === undefined) throw notFound('Schema extension');
    // The URN stays in the case under which values lie.
    const after: SchemaExtension = { ...before, ...schema, id: before.id, required, updatedAt: at };
    if (isDeepStrictEqual({ ...after, updatedAt: before.updatedAt }, before)) return before;
    const paths = misreadBy(before, after);
    if (paths.length > 0) {
      const use = { urn: before.id, paths };
      requireUnused(use, await countUsersWithValues(trx, tenantId, use));
    }
    await updateSchemaExtension(trx, tenantId, after);
    await record(trx, { tenantId, actor, at, changeId: uuid() }, [
      { type: 'schema_extension.updated', resourceType: 'Tenant', resourceId: tenantId, before, after },
    ]);
    return after;
  });
}

function requireUnused({ urn, paths }: ExtensionUse, users: number): void {
  if (users === 0) return;
  const names = paths.map((path) => `${urn}:${path.join('.')}`).join(', ');
  throw new AppError(
    'conflict',
    `Users with a value that would no longer hold: ${users}. The new definition removes ${names}, or gives another type, plurality, case or visibility`,
    {
      reason: 'in_use',
      hint: 'Remove the values by SCIM first, or declare a new attribute beside the old one.',
    },
  );
}
