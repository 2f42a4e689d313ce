import { actorJson } from '../context.ts';
import type { Send } from '../db/transaction.ts';
import { type Occasion, recordStep } from '../events/record.ts';
import {
  asWritten,
  bearersOf,
  currentMapping,
  knownNames,
  type MappingCause,
  namesForMapping,
  renameTarget,
  storeMapping,
} from '../reconcile/mapping.ts';
import type { MappingDocument } from '../reconcile/mapping-document.ts';
import { leftBehind, renameGroup, renameTeam } from '../reconcile/mapping-rename.ts';
import { matchOf } from '../reconcile/mapping-rows.ts';
import type { Team } from '../reconcile/teams.ts';

/** The mapping follows the names of groups and teams, as versions by the system. Behind the tenant's exclusive lock. */

/** What the mapping can know a group by. */
export interface GroupNames {
  readonly displayName: string;
  readonly externalId: string | null;
}

export interface MovedGroup {
  readonly id: string;
  readonly before: GroupNames;
  readonly after: GroupNames;
}

/**
 * Makes the mapping follow a group that has got another `displayName`, if the tenant wants that; answers whether its
 * members may now hold something else, because the mapping knows it by other rows than before.
 */
export async function followGroup(send: Send, occasion: Occasion, group: MovedGroup): Promise<boolean> {
  const { id, before, after } = group;
  const [[current], [bearers]] = await send([
    currentMapping(occasion.tenantId),
    bearersOf(occasion.tenantId, id, before.displayName, after.displayName),
  ]);
  if (current === undefined || bearers === undefined) return false;
  const { document } = asWritten(current);
  const gained = names(document, keysOf(after, before));
  const lost = names(document, keysOf(before, after));
  if (!gained && !lost) return false;
  if (before.displayName === after.displayName) return true;
  const rename = {
    directory: bearers.directory,
    before: before.displayName,
    after: after.displayName,
    keepOld: bearers.old_name_borne,
    newTaken: bearers.new_name_borne,
  };
  const left = leftBehind(document, rename, bearers.follows);
  if (left.length > 0) await send([recordStep(occasion, [warning(occasion, current.version, group, left)])]);
  const followed = bearers.follows ? renameGroup(document, rename) : undefined;
  if (followed === undefined) return true;
  const renamed = { before: before.displayName, after: after.displayName };
  await store(send, occasion, current.version, followed, { kind: 'group_renamed', ...renamed });
  // Where nothing named the new name or id before, and owners followed too, everybody keeps what they have.
  return gained || bearers.new_name_borne || before.externalId !== after.externalId;
}

/** The same for a team or case group. */
export async function followTeam(
  send: Send,
  occasion: Occasion,
  { kind, before, after }: { readonly kind: Team['kind']; readonly before: string; readonly after: string },
): Promise<void> {
  const [[current]] = await send([currentMapping(occasion.tenantId)]);
  if (current === undefined) return;
  const followed = renameTeam(asWritten(current).document, { kind, before, after });
  if (followed !== undefined) {
    await store(send, occasion, current.version, followed, { kind: 'team_renamed', before, after });
  }
  await send([renameTarget(occasion.tenantId, kind, before, after)]);
}

async function store(
  send: Send,
  occasion: Occasion,
  before: number,
  document: MappingDocument,
  cause: MappingCause,
): Promise<void> {
  const { tenantId, at } = occasion;
  const author = JSON.stringify({
    kind: 'system',
    name: 'rename',
    for: JSON.parse(actorJson(occasion.actor)),
  });
  const version = before + 1;
  const [[known]] = await send([namesForMapping(tenantId)]);
  const { roles } = knownNames(known);
  const stored = { version, document, cause, author, at, sameJob: true };
  const event = {
    type: 'group_mapping.updated',
    resourceType: 'GroupMapping',
    resourceId: tenantId,
    before: { version: before },
    after: { version, cause, document },
  };
  await send([storeMapping(tenantId, stored, roles), recordStep(occasion, [event])]);
}

/** The warning about rows that do not follow: what they gave the group's members, they give them no more. */
function warning(
  { tenantId }: Occasion,
  mappingVersion: number,
  { id, before, after }: MovedGroup,
  rows: readonly string[],
) {
  return {
    type: 'group_mapping.left_behind',
    resourceType: 'GroupMapping',
    resourceId: tenantId,
    reason: { mappingVersion, group: { id, name: after.displayName } },
    before: { group: before.displayName },
    after: { group: after.displayName, rows: rows.slice(0, 1_000) },
  };
}

/** By what a group is found that has these names and had others. */
function keysOf({ displayName, externalId }: GroupNames, other: GroupNames): Set<string> {
  return new Set([
    ...(displayName === other.displayName ? [] : [`name:${displayName}`]),
    ...(externalId === null || externalId === other.externalId ? [] : [`id:${externalId}`]),
  ]);
}

function names(document: MappingDocument, keys: ReadonlySet<string>): boolean {
  const { tenant_owners_groups: owners = [], tenant_permission: entries = [], mappings } = document;
  return (
    owners.some((name) => keys.has(`name:${name}`)) ||
    [...entries, ...mappings].some((reference) => keys.has(matchOf(reference)))
  );
}
