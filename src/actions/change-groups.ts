import type { Context, ScimActor } from '../context.ts';
import {
  lockGroups,
  lockMembers,
  lockTenantExclusive,
  lockTenantShared,
  type MemberLock,
} from '../db/locks.ts';
import { type Noted, noteMembers } from '../db/noted.ts';
import { onlyRow, type Step } from '../db/statement.ts';
import { conversation, pipeline, runAlone, type Send } from '../db/transaction.ts';
import { type ChangedGroup, updateGroups, type WrittenGroup } from '../directory/group-write.ts';
import { type GroupColumns, type GroupRow, groupColumns, readGroups } from '../directory/groups.ts';
import { isUuid } from '../directory/uuid.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { difference } from '../scim/difference.ts';
import { foldText } from '../scim/fold.ts';
import type { MemberChange } from '../scim/members.ts';
import { GROUP_TYPE } from '../scim/resource-types.ts';
import type { Resource } from '../scim/types.ts';
import { followGroup, type MovedGroup } from './follow-rename.ts';
import {
  apartOnConflict,
  attemptEach,
  heldAfterLoss,
  inTurns,
  type Moved,
  type Outcome,
  type Renaming,
  requireApartNames,
  valuesOf,
} from './outcome.ts';
import {
  displayNameTaken,
  idsOf,
  type ResourceRequest,
  reconciliation,
  requireMemberIds,
  requireScimWrites,
  requireVersion,
  stamp,
  told,
  unknownMember,
} from './scim-writes.ts';

/** Asks the database, on whatever connection the plan is made. */
export type Ask = <Row>(step: Step<Row>) => Promise<Row[]>;

export interface ChangeGroup extends ResourceRequest {
  /** New attributes from the current ones (without members); absent: they stay, and need not be read. */
  readonly change?: ((current: Resource) => Resource) | undefined;
  /** What happens to the members; a function when that depends on who they are. */
  readonly members: MemberChange | ((group: GroupRow, ask: Ask) => Promise<MemberChange>);
}

/** Whether the answer needs the members. */
interface Answered {
  readonly members: boolean;
}

const CONFLICT = { constraint: 'scim_group_display_name_key', taken: displayNameTaken } as const;

/**
 * What PUT and PATCH of groups share. A change of members alone, on any version, is a difference of rows and
 * needs no reading first: writers of one group queue on its row for one statement. Everything else is planned
 * on what was read, and holds only at that version.
 */
export async function changeGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly ChangeGroup[],
  answered: Answered,
): Promise<Outcome<GroupRow>[]> {
  requireScimWrites(actor);
  const change = { context, actor, answered };
  const unlessMoved = (few: readonly ChangeGroup[], work: typeof changeOpenly) =>
    work(change, few).catch((error: unknown) => {
      if (error instanceof GroupMoves) return changeAlone(change, few);
      throw error;
    });
  return inTurns(requests, (turn) =>
    heldAfterLoss(
      turn,
      (some) => apartOnConflict(some, CONFLICT, (few) => unlessMoved(few, changeOpenly)),
      (some) => apartOnConflict(some, CONFLICT, (few) => unlessMoved(few, changeHeld)),
    ),
  );
}

/** Breaks off what was begun beside other writers: the mapping follows a group's name, and holds for all of them. */
class GroupMoves extends Error {}

interface Change {
  readonly context: Context;
  readonly actor: ScimActor;
  readonly answered: Answered;
}

type Answer = Outcome<GroupRow> | Moved;

/** One wait for a difference of rows, two for the rest: the read, and a transaction that is sent as a whole. */
async function changeOpenly(
  { context, actor, answered }: Change,
  requests: readonly ChangeGroup[],
): Promise<Answer[]> {
  const viewer = viewerOf(actor);
  const toRead = idsOf(requests.filter((request) => !isRowDifference(request)));
  const ask: Ask = (step) => runAlone(context.db, step);
  const rows = toRead.length > 0 ? await ask(readGroups(viewer, toRead, { members: false })) : [];
  const plans = await planAll(requests, rows, ask);
  const changes = valuesOf(plans);
  if (changes.length === 0) return answers(plans, [], []);
  if (changes.some(({ moved }) => moved)) throw new GroupMoves();
  const { tenantId } = actor;
  const locks = [lockTenantShared(tenantId), lockGroups(tenantId, idsOf(changes))] as const;
  if (changes.some(({ reset }) => reset)) {
    const [results, written] = await conversation(context.db, tenantId, async (send) => {
      const [, , noted] = await send([...locks, lockMembers(tenantId, changes)]);
      return write(send, { context, actor, answered }, changes, onlyRow(noted));
    });
    return answers(plans, results, written);
  }
  const now = stamp(context, actor);
  const users = changes.reduce((sum, { add, remove }) => sum + add.length + remove.length, 0);
  const [, , , results, written] = await pipeline(context.db, [
    ...locks,
    lockMembers(tenantId, changes),
    updateGroups(viewer, now, changes),
    readGroups(viewer, idsOf(changes), answered),
    ...reconciliation(actor, now, changes, { users }),
  ]);
  return answers(plans, results, written);
}

/**
 * Writes changes of groups whose members are locked. How whom they concern is reconciled depends on how many those are,
 * so whoever resets groups waits to hear it: of 100,000 members that stay it is nobody.
 */
async function write(
  send: Send,
  { context, actor, answered }: Change,
  changes: readonly PlannedGroup[],
  noted: Noted,
): Promise<[WrittenGroup[], GroupRow[]]> {
  const viewer = viewerOf(actor);
  const now = stamp(context, actor);
  const [results, written] = await send([
    updateGroups(viewer, now, changes),
    readGroups(viewer, idsOf(changes), answered),
    ...(noted.users > 0 ? reconciliation(actor, now, changes, noted) : []),
  ]);
  return [results, written];
}

/** The same, holding the groups from the read to the write. */
function changeHeld(
  { context, actor, answered }: Change,
  requests: readonly ChangeGroup[],
): Promise<Answer[]> {
  const viewer = viewerOf(actor);
  return conversation(context.db, actor.tenantId, async (send) => {
    const [, , rows] = await send([
      lockTenantShared(actor.tenantId),
      lockGroups(actor.tenantId, idsOf(requests)),
      readGroups(viewer, idsOf(requests), { members: false }),
    ]);
    const plans = await planAll(requests, rows, async (step) => (await send([step]))[0]);
    const changes = valuesOf(plans);
    if (changes.length === 0) return answers(plans, [], []);
    if (changes.some(({ moved }) => moved)) throw new GroupMoves();
    const [noted] = await send([lockMembers(actor.tenantId, changes)]);
    const [results, written] = await write(send, { context, actor, answered }, changes, onlyRow(noted));
    return answers(plans, results, written);
  });
}

/**
 * The same, holding the tenant: groups get other names, or other ids in their directory, so that the mapping follows,
 * and their members may come under other rows.
 */
function changeAlone(
  { context, actor, answered }: Change,
  requests: readonly ChangeGroup[],
): Promise<Answer[]> {
  const viewer = viewerOf(actor);
  const { tenantId } = actor;
  return conversation(context.db, actor.tenantId, async (send) => {
    const [, , rows] = await send([
      lockTenantExclusive(tenantId),
      lockGroups(tenantId, idsOf(requests)),
      readGroups(viewer, idsOf(requests), { members: false }),
    ]);
    const plans = await planAll(requests, rows, async (step) => (await send([step]))[0]);
    const changes = valuesOf(plans);
    if (changes.length === 0) return answers(plans, [], []);
    const now = stamp(context, actor);
    const [, results, written] = await send([
      lockMembers(tenantId, changes),
      updateGroups(viewer, now, changes),
      readGroups(viewer, idsOf(changes), answered),
    ]);
    const sound = new Set(results.filter((each) => each.current && !each.unknown_member).map(({ id }) => id));
    const reached: string[] = [];
    for (const { id, moved, changeId } of changes) {
      const occasion = { tenantId, actor, at: now.at, changeId };
      if (moved && sound.has(id) && (await followGroup(send, occasion, { id, ...moved }))) reached.push(id);
    }
    const [noted] = await send([noteMembers(tenantId, reached)]);
    await send(reconciliation(actor, now, changes, onlyRow(noted)));
    return answers(plans, results, written);
  });
}

function isRowDifference({ change, members, ifMatch }: ChangeGroup): boolean {
  return change === undefined && ifMatch === undefined && typeof members !== 'function';
}

async function planAll(
  requests: readonly ChangeGroup[],
  rows: readonly GroupRow[],
  ask: Ask,
): Promise<Outcome<PlannedGroup>[]> {
  const current = new Map(rows.map((row) => [row.id, row]));
  const plans = await attemptEach(requests, (request) => plan(request, current.get(request.id), ask));
  requireApartNames(valuesOf(plans).flatMap((change) => renaming(change, current.get(change.id))));
  return plans;
}

function renaming({ attributes }: ChangedGroup, row: GroupRow | undefined): Renaming[] {
  if (!attributes || !row) return [];
  const { displayName } = JSON.parse(row.body) as Resource;
  return [{ before: foldText(String(displayName)), after: attributes.displayNameFolded }];
}

/** A change of a group, and what it gives the mapping to follow. */
interface PlannedGroup extends ChangedGroup, MemberLock {
  readonly moved: Pick<MovedGroup, 'before' | 'after'> | undefined;
}

async function plan(request: ChangeGroup, row: GroupRow | undefined, ask: Ask): Promise<PlannedGroup> {
  if (!isUuid(request.id) || (!row && !isRowDifference(request))) throw notFound('Group');
  if (row) requireVersion(request, row.version);
  const members =
    typeof request.members === 'function' ? await request.members(row as GroupRow, ask) : request.members;
  requireMemberIds(members.add);
  const changed = row && request.change ? attributes(JSON.parse(row.body) as Resource, request.change) : null;
  // Okta sends the name along with each membership update: where it stays the same, only the rows differ.
  const holdsOnAny =
    changed === null && request.ifMatch === undefined && typeof request.members !== 'function';
  return {
    id: request.id,
    version: holdsOnAny ? null : (row?.version ?? null),
    attributes: changed,
    moved: row && changed ? movedBy(JSON.parse(row.body) as Resource, changed) : undefined,
    reset: members.reset,
    add: members.add,
    // What is no id of ours is no member: removing it succeeds without effect.
    remove: members.remove.filter(isUuid),
    ...told(request),
  };
}

function movedBy(body: Resource, after: GroupColumns): PlannedGroup['moved'] {
  const { displayName, externalId } = groupColumns(body);
  if (displayName === after.displayName && externalId === after.externalId) return undefined;
  return { before: { displayName, externalId }, after };
}

function attributes(before: Resource, change: (current: Resource) => Resource): ChangedGroup['attributes'] {
  const after = change(before);
  const differs = difference(before, after, GROUP_TYPE);
  if (!differs) return null;
  return {
    ...groupColumns(after),
    before: JSON.stringify(differs.before),
    after: JSON.stringify(differs.after),
  };
}

function answers(
  plans: readonly Outcome<PlannedGroup>[],
  results: readonly WrittenGroup[],
  rows: readonly GroupRow[],
): Answer[] {
  const written = new Map(rows.map((row) => [row.id, row]));
  const resultOf = new Map(results.map((result) => [result.id, result]));
  return plans.map((each) => {
    if ('refusal' in each) return each;
    const result = resultOf.get(each.value.id);
    const row = written.get(each.value.id);
    if (!result?.found || !row) return { refusal: notFound('Group') };
    if (!result.current) return 'moved';
    return result.unknown_member ? { refusal: unknownMember(result.unknown_member) } : { value: row };
  });
}
