import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  type Directory,
  directoryForUpdate,
  updateDirectory as writeDirectory,
} from '../tenants/directories.ts';

export interface UpdateDirectory {
  readonly tenantId: string;
  readonly name: string;
  /** null: none; absent: as it is. */
  readonly displayName?: string | null;
}

/** Changes what is named; where nothing differs, nothing is written. */
export async function updateDirectory(
  context: Context,
  actor: Actor,
  { tenantId, name, displayName }: UpdateDirectory,
): Promise<Directory> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  return transaction(context.db, tenantId, async (trx) => {
    const before = await directoryForUpdate(trx, tenantId, name);
    if (before === undefined) throw notFound('Directory');
    if (displayName === undefined || displayName === before.displayName) return before;
    const after: Directory = { ...before, displayName };
    await writeDirectory(trx, tenantId, after);
    await record(trx, occasion, [
      { type: 'directory.updated', resourceType: 'Directory', resourceId: before.id, before, after },
    ]);
    return after;
  });
}
