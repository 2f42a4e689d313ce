import { type Actor, actorJson, type Context } from '../context.ts';
import {
  deactivateUsersOfDirectory,
  deleteGroupsOfDirectory,
  releaseUsersOfDirectory,
} from '../directory/release.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { requireUnused, usesOfDirectory } from '../reconcile/uses.ts';
import { deleteApiKeysOfDirectory } from '../tenants/api-keys.ts';
import { DEFAULT_DIRECTORY, deleteDirectoryRow, directoryForUpdate } from '../tenants/directories.ts';
import { type Review, type Reviewed, reviewed } from './reviewed.ts';

export interface DeleteDirectory {
  readonly tenantId: string;
  readonly name: string;
  /** What becomes of its users: both make them unmanaged, and `deactivate` ends their access too. */
  readonly users: 'release' | 'deactivate';
  readonly review: Review;
}

/**
 * Removes a directory with its groups and its keys, and what its groups gave. Its users, groups and keys are each told;
 * all events share one change.
 * @throws AppError `conflict`: `default_directory`, which stays; `in_use` while rows of the mapping are restricted to it;
 *   see `reviewed`.
 */
export async function deleteDirectory(
  context: Context,
  actor: Actor,
  { tenantId, name, users, review }: DeleteDirectory,
): Promise<Pick<Reviewed<unknown>, 'plan' | 'shutOut'>> {
  if (name === DEFAULT_DIRECTORY) {
    throw new AppError('conflict', 'The directory "default" cannot be deleted', {
      reason: 'default_directory',
    });
  }
  const { plan, shutOut } = await reviewed(
    context,
    actor,
    { tenantId, review },
    async ({ trx, occasion }) => {
      const before = await directoryForUpdate(trx, tenantId, name);
      if (before === undefined) throw notFound('Directory');
      requireUnused(`The directory "${name}"`, await usesOfDirectory(trx, tenantId, name));
      const { id } = before;
      const departure = { ...occasion, directoryId: id, actor: actorJson(actor), requestId: actor.requestId };
      await deleteGroupsOfDirectory(trx, departure);
      const shutOut = users === 'deactivate' ? await deactivateUsersOfDirectory(trx, departure) : 0;
      await releaseUsersOfDirectory(trx, departure);
      const keys = await deleteApiKeysOfDirectory(trx, tenantId, id);
      await deleteDirectoryRow(trx, tenantId, id);
      await record(trx, occasion, [
        ...keys.map((key) => ({ type: 'api_key.revoked', resourceType: 'ApiKey', resourceId: key })),
        { type: 'directory.deleted', resourceType: 'Directory', resourceId: id, before },
      ]);
      return { result: undefined, shutOut };
    },
  );
  return { plan, shutOut };
}
