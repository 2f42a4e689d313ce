import { v7 } from 'uuid';
import type { Context, ScimActor } from '../context.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { pipeline } from '../db/transaction.ts';
import { insertGroups, type NewGroup } from '../directory/group-write.ts';
import { type GroupRow, groupColumns } from '../directory/groups.ts';
import { viewerOf } from '../directory/viewer.ts';
import type { Resource } from '../scim/types.ts';
import { attempt, type Outcome } from './outcome.ts';
import {
  displayNameTaken,
  requireMemberIds,
  requireScimWrites,
  stamp,
  told,
  unknownMember,
} from './scim-writes.ts';

export interface CreateGroup {
  readonly requestId: string;
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
  const planned = requests.map((request) => attempt(() => newGroup(request)));
  const groups = planned.flatMap((plan) => ('value' in plan ? [plan.value] : []));
  const now = stamp(context, actor);
  const [, , rows] = await pipeline(context.db, [
    lockTenantShared(actor.tenantId),
    lockUsers(actor.tenantId, [...new Set(groups.flatMap((group) => group.members))]),
    insertGroups(viewerOf(actor), now, groups),
  ]);
  const results = new Map(rows.map((row) => [row.id, row]));
  return planned.map((plan) => {
    if ('refusal' in plan) return plan;
    const result = results.get(plan.value.id);
    if (result?.created) return { value: asRow(plan.value, now.at) };
    return { refusal: result?.unknown_member ? unknownMember(result.unknown_member) : displayNameTaken() };
  });
}

function newGroup(request: CreateGroup): NewGroup {
  requireMemberIds(request.members);
  const { resource, members } = request;
  return { id: v7(), ...groupColumns(resource), members, after: JSON.stringify(resource), ...told(request) };
}

function asRow({ id, body, members }: NewGroup, at: Date): GroupRow {
  return {
    id,
    version: 1,
    created_at: at,
    updated_at: at,
    body,
    members: members.length > 0 ? members.join() : null,
  };
}
