import type { Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';
import { AppError } from '../errors.ts';
import { directoryByName } from '../tenants/directories.ts';

/** @throws AppError `invalid_request` (`unknown_directory`): one that is not there would match nobody. */
export async function requireMatchDirectory(
  trx: Transaction<Tables>,
  tenantId: string,
  { matchDirectory }: { readonly matchDirectory?: string | null },
): Promise<void> {
  if (matchDirectory === undefined || matchDirectory === null) return;
  if (await directoryByName(trx, tenantId, matchDirectory)) return;
  throw new AppError('invalid_request', '/matchDirectory: the tenant has no directory of this name', {
    reason: 'unknown_directory',
    pointer: '/matchDirectory',
    hint: 'GET …/directories lists those there are; null is any of them.',
  });
}
