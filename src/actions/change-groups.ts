import type { Context, ScimActor } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockGroups, lockTenantShared } from '../db/locks.ts';
import { run } from '../db/statement.ts';
import { pipeline } from '../db/transaction.ts';
import { type ChangedGroup, updateGroups, type WrittenGroup } from '../directory/group-write.ts';
import { type GroupRow, groupColumns, readGroups } from '../directory/groups.ts';
import { isUuid } from '../directory/uuid.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { difference } from '../scim/difference.ts';
import type { MemberChange } from '../scim/members.ts';
import type { Resource } from '../scim/types.ts';
import { inRounds, type Outcome } from './outcome.ts';
import {
  displayNameTaken,
  type ResourceRequest,
  requireMemberIds,
  requireScimWrites,
  requireVersion,
  stamp,
  told,
  unknownMember,
} from './scim-writes.ts';

export interface ChangeGroup extends ResourceRequest {
  /** New attributes from the current ones (without members); absent: they stay, and need not be read. */
  readonly change?: ((current: Resource) => Resource) | undefined;
  /** What happens to the members; a function when that depends on who they are. */
  readonly members: MemberChange | ((group: GroupRow) => Promise<MemberChange>);
}

/**
 * What PUT and PATCH of groups share. A change of members alone, on any version, is a difference of rows and
 * needs no reading first: writers of one group queue on its row for one statement. Everything else is planned
 * on what was read, and holds only at that version.
 */
export async function changeGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly ChangeGroup[],
  { members }: { readonly members: boolean },
): Promise<Outcome<GroupRow>[]> {
  requireScimWrites(actor);
  return inRounds(requests, async (turn) => {
    const plans = await planAll(context, actor, turn);
    const changes = plans.flatMap((each) => ('value' in each ? [each.value] : []));
    const written = await write(context, actor, changes, members);
    return plans.map((each) =>
      'refusal' in each ? each : (written.get(each.value.id) ?? { refusal: notFound('Group') }),
    );
  });
}

async function planAll(
  context: Context,
  actor: ScimActor,
  turn: readonly ChangeGroup[],
): Promise<Outcome<ChangedGroup>[]> {
  const toRead = turn.filter((request) => !isRowDifference(request)).map((request) => request.id);
  const rows =
    toRead.length === 0
      ? []
      : await run(context.db.pool, readGroups(viewerOf(actor), toRead.filter(isUuid), { members: false }));
  const current = new Map(rows.map((row) => [row.id, row]));
  return Promise.all(
    turn.map(async (request) => {
      try {
        return { value: await plan(request, current.get(request.id)) };
      } catch (refusal) {
        return { refusal: refusal as Error };
      }
    }),
  );
}

function isRowDifference({ change, members, ifMatch }: ChangeGroup): boolean {
  return change === undefined && ifMatch === undefined && typeof members !== 'function';
}

async function plan(request: ChangeGroup, row: GroupRow | undefined): Promise<ChangedGroup> {
  if (!isUuid(request.id) || (!row && !isRowDifference(request))) throw notFound('Group');
  if (row) requireVersion(request, row.version);
  const members =
    typeof request.members === 'function' ? await request.members(row as GroupRow) : request.members;
  requireMemberIds(members.add);
  return {
    id: request.id,
    version: row?.version ?? null,
    attributes: row && request.change ? attributes(JSON.parse(row.body) as Resource, request.change) : null,
    reset: members.reset,
    add: members.add,
    // What is no id of ours is no member: removing it succeeds without effect.
    remove: members.remove.filter(isUuid),
    ...told(request),
  };
}

function attributes(before: Resource, change: (current: Resource) => Resource): ChangedGroup['attributes'] {
  const after = change(before);
  const differs = difference(before, after);
  if (!differs) return null;
  return {
    ...groupColumns(after),
    before: JSON.stringify(differs.before),
    after: JSON.stringify(differs.after),
  };
}

type Written = Map<string, Outcome<GroupRow> | 'moved'>;

async function write(
  context: Context,
  actor: ScimActor,
  changes: readonly ChangedGroup[],
  members: boolean,
): Promise<Written> {
  if (changes.length === 0) return new Map();
  const viewer = viewerOf(actor);
  const ids = changes.map((change) => change.id);
  try {
    const [, , results, rows] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      lockGroups(actor.tenantId, ids),
      updateGroups(viewer, stamp(context, actor), changes),
      readGroups(viewer, ids, { members }),
    ]);
    const read = new Map(rows.map((row) => [row.id, row]));
    return new Map(results.map((result) => [result.id, outcome(result, read.get(result.id))]));
  } catch (error) {
    if (!violates(error, 'scim_group_display_name_key')) throw error;
    const [change] = changes;
    if (change && changes.length === 1) return new Map([[change.id, { refusal: displayNameTaken() }]]);
    // One of several took a name that is not free: one by one, so that it harms no other.
    const each = await Promise.all(changes.map((single) => write(context, actor, [single], members)));
    return new Map(each.flatMap((outcomes) => [...outcomes]));
  }
}

function outcome(result: WrittenGroup, row: GroupRow | undefined): Outcome<GroupRow> | 'moved' {
  if (!result.found || !row) return { refusal: notFound('Group') };
  if (!result.current) return 'moved';
  return result.unknown_member ? { refusal: unknownMember(result.unknown_member) } : { value: row };
}
