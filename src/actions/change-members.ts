import type { Context, ScimActor } from '../context.ts';
import { lockGroups, lockMembers, lockTenantShared } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { type ChangedMembers, changeMembers } from '../directory/group-write.ts';
import { type GroupRow, readGroups } from '../directory/groups.ts';
import { isUuid } from '../directory/uuid.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import type { MemberChange } from '../scim/members.ts';
import { attemptEach, type Outcome, valuesOf } from './outcome.ts';
import {
  idsOf,
  reconciliation,
  requireMemberIds,
  requireScimWrites,
  stamp,
  told,
  unknownMember,
} from './scim-writes.ts';

/** A few members come or go, whatever the group is otherwise. */
export interface MemberDifference extends Pick<MemberChange, 'add' | 'remove'> {
  /** Of the group. */
  readonly id: string;
  readonly requestId: string;
}

/** So many users may one name: the changes of a list are joined to their users. */
export const FEW_MEMBERS = 100;

/**
 * What a change must have for itself among the others of its list: each user that it names, whatever the group, because
 * what a user gains or loses is told of one change.
 */
export function membersNamed({ add, remove }: MemberDifference): string[] {
  return [...add, ...remove];
}

/**
 * Changes members of groups in one wait, several times of one group: writers of one group, who would else queue on its
 * row, go together. Each has its own outcome, its own change, its own event and its own version.
 */
export async function changeFewMembers(
  context: Context,
  actor: ScimActor,
  requests: readonly MemberDifference[],
): Promise<Outcome<GroupRow>[]> {
  requireScimWrites(actor);
  const { tenantId } = actor;
  const viewer = viewerOf(actor);
  const planned = await attemptEach(requests, plan);
  const changes = valuesOf(planned);
  if (changes.length === 0) return planned as Outcome<never>[];
  const now = stamp(context, actor);
  const groups = [...new Set(idsOf(changes))];
  const causes = changes.map(({ add, remove, ...cause }) => ({ ...cause, users: [...add, ...remove] }));
  const users = causes.reduce((sum, cause) => sum + cause.users.length, 0);
  const [, , , results, rows] = await pipeline(context.db, [
    lockTenantShared(tenantId),
    lockGroups(tenantId, groups),
    lockMembers(
      tenantId,
      changes.map((change) => ({ ...change, reset: false })),
    ),
    changeMembers(viewer, now, changes),
    readGroups(viewer, groups, { members: false }),
    ...reconciliation(actor, now, changes, { users, causes }),
  ]);
  const written = new Map(rows.map((row) => [row.id, row]));
  const resultOf = new Map(results.map((result) => [result.change_id, result]));
  return planned.map((each) => {
    if ('refusal' in each) return each;
    const { id, changeId } = each.value;
    const [result, row] = [resultOf.get(changeId), written.get(id)];
    if (!result?.found || !row) return { refusal: notFound('Group') };
    if (result.unknown_member) return { refusal: unknownMember(result.unknown_member) };
    return { value: { ...row, version: result.version } };
  });
}

function plan(request: MemberDifference): ChangedMembers {
  const { id, add, remove } = request;
  if (!isUuid(id)) throw notFound('Group');
  requireMemberIds(add);
  // What is no id of ours is no member: removing it succeeds without effect.
  return { id, add, remove: remove.filter(isUuid), ...told(request) };
}
