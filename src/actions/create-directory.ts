import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Directory, insertDirectory } from '../tenants/directories.ts';
import { holdTenant } from '../tenants/tenants.ts';

export interface CreateDirectory {
  readonly tenantId: string;
  readonly name: string;
  readonly displayName?: string | null;
}

/** @throws AppError `conflict` (`name_taken`). */
export async function createDirectory(
  context: Context,
  actor: Actor,
  { tenantId, name, displayName }: CreateDirectory,
): Promise<Directory> {
  const at = context.now();
  const directory: Directory = { id: uuid(), name, displayName: displayName ?? null, createdAt: at };
  const occasion = { tenantId, actor, at, changeId: uuid() };
  try {
    await transaction(context.db, tenantId, async (trx) => {
      if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
      await insertDirectory(trx, tenantId, directory);
      await record(trx, occasion, [
        { type: 'directory.created', resourceType: 'Directory', resourceId: directory.id, after: directory },
      ]);
    });
  } catch (error) {
    if (!violates(error, 'directory_name_key')) throw error;
    throw new AppError('conflict', `The tenant has a directory with the name "${name}" already`, {
      reason: 'name_taken',
      pointer: '/name',
    });
  }
  return directory;
}
