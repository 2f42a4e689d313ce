import { v7 } from 'uuid';
import type { Context, ScimActor } from '../context.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { type CreatedGroup, insertGroups, type NewGroup } from '../directory/group-write.ts';
import { type GroupRow, groupColumns } from '../directory/groups.ts';
import { viewerOf } from '../directory/viewer.ts';
import type { Resource } from '../scim/types.ts';
import { attemptEach, type Outcome, valuesOf } from './outcome.ts';
import {
  displayNameTaken,
  reconciliation,
  requireMemberIds,
  requireScimWrites,
  stamp,
  told,
  unknownMember,
} from './scim-writes.ts';

export interface CreateGroup {
  readonly requestId: string;
  /** Where it was given out beforehand: an id that we have made, and that nothing has. */
  readonly id?: string;
  /** Without its members. */
  readonly resource: Resource;
  readonly members: readonly string[];
}

/**
 * Creates groups of the actor's directory with their members (RFC 7644 section 3.3). Refusals: 409 `uniqueness`
 * for a taken displayName, 400 for a member that is no user of the directory: then nothing is created.
 */
export async function createGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly CreateGroup[],
): Promise<Outcome<GroupRow>[]> {
  requireScimWrites(actor);
  const planned = await planGroups(requests);
  const groups = valuesOf(planned);
  const now = stamp(context, actor);
  const [, , rows] = await pipeline(context.db, [
    lockTenantShared(actor.tenantId),
    lockUsers(actor.tenantId, memberIds(groups)),
    insertGroups(viewerOf(actor), now, groups),
    ...reconciliation(actor, now, groups, { users: memberIds(groups).length }),
  ]);
  return createdGroups(planned, rows, now.at);
}

/** What is to be inserted for each request. */
export function planGroups(requests: readonly CreateGroup[]): Promise<Outcome<NewGroup>[]> {
  return attemptEach(requests, newGroup);
}

/** The members of all of them. */
export function memberIds(groups: readonly NewGroup[]): string[] {
  return [...new Set(groups.flatMap((group) => group.members))];
}

/** What came of the plans, by what `insertGroups` answered at that time. */
export function createdGroups(
  planned: readonly Outcome<NewGroup>[],
  created: readonly CreatedGroup[],
  at: Date,
): Outcome<GroupRow>[] {
  const results = new Map(created.map((row) => [row.id, row]));
  return planned.map((plan) => {
    if ('refusal' in plan) return plan;
    const result = results.get(plan.value.id);
    if (result?.created) return { value: asRow(plan.value, at) };
    return { refusal: result?.unknown_member ? unknownMember(result.unknown_member) : displayNameTaken() };
  });
}

function newGroup(request: CreateGroup): NewGroup {
  requireMemberIds(request.members);
  const { resource, members, id = v7() } = request;
  return { id, ...groupColumns(resource), members, after: JSON.stringify(resource), ...told(request) };
}

function asRow({ id, body, members }: NewGroup, at: Date): GroupRow {
  const now = at.toISOString();
  return {
    id,
    version: 1,
    created_at: now,
    updated_at: now,
    body,
    members: members.length > 0 ? members.join() : null,
  };
}
