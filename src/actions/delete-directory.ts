import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { IDS_PER_EVENT } from '../db/event-row.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { transaction } from '../db/transaction.ts';
import {
  deactivateUsersOfDirectory,
  deleteGroupsOfDirectory,
  releaseUsersOfDirectory,
} from '../directory/release.ts';
import { AppError, notFound } from '../errors.ts';
import { type EventRow, record } from '../events/record.ts';
import { deleteApiKeysOfDirectory } from '../tenants/api-keys.ts';
import { DEFAULT_DIRECTORY, deleteDirectoryRow, directoryForUpdate } from '../tenants/directories.ts';

export interface DeleteDirectory {
  readonly tenantId: string;
  readonly name: string;
  /** What becomes of its users: both make them unmanaged, and `deactivate` ends their access too. */
  readonly users: 'release' | 'deactivate';
}

/**
 * Removes a directory with its groups and its keys.
 * @throws AppError `conflict` (`default_directory`): that one stays.
 */
export async function deleteDirectory(
  context: Context,
  actor: Actor,
  { tenantId, name, users }: DeleteDirectory,
): Promise<void> {
  if (name === DEFAULT_DIRECTORY) {
    throw new AppError('conflict', 'The directory "default" cannot be deleted', {
      reason: 'default_directory',
    });
  }
  const at = context.now();
  const occasion = { tenantId, actor, at, changeId: uuid() };
  await transaction(context.db, async (trx) => {
    await lockTenantExclusive(trx, tenantId);
    const before = await directoryForUpdate(trx, tenantId, name);
    if (before === undefined) throw notFound('Directory');
    const { id } = before;
    const groups = await deleteGroupsOfDirectory(trx, tenantId, id);
    const deactivated = users === 'deactivate' ? await deactivateUsersOfDirectory(trx, tenantId, id, at) : [];
    const released = await releaseUsersOfDirectory(trx, tenantId, id);
    const keys = await deleteApiKeysOfDirectory(trx, tenantId, id);
    await deleteDirectoryRow(trx, tenantId, id);
    await record(trx, occasion, [
      ...eventsOf(id, groups, (ids) => ({ type: 'group.deleted', before: { groups: ids } })),
      ...eventsOf(id, deactivated, (ids) => ({ type: 'user.deactivated', after: { users: ids } })),
      ...eventsOf(id, released, (ids) => ({ type: 'user.released', after: { users: ids } })),
      ...keys.map((key) => ({ type: 'api_key.revoked', resourceType: 'ApiKey', resourceId: key })),
      { type: 'directory.deleted', resourceType: 'Directory', resourceId: id, before },
    ]);
  });
}

/** One event for at most `IDS_PER_EVENT` ids, told of the directory that they belonged to. */
function eventsOf(
  directoryId: string,
  ids: readonly string[],
  tell: (ids: readonly string[]) => Pick<EventRow, 'type' | 'before' | 'after'>,
): EventRow[] {
  const events: EventRow[] = [];
  const sorted = [...ids].sort();
  for (let start = 0; start < sorted.length; start += IDS_PER_EVENT) {
    const some = sorted.slice(start, start + IDS_PER_EVENT);
    events.push({ ...tell(some), resourceType: 'Directory', resourceId: directoryId });
  }
  return events;
}
