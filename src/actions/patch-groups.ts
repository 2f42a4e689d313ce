import type { Context, ScimActor } from '../context.ts';
import type { GroupRow } from '../directory/groups.ts';
import { membersMatching } from '../directory/member-filter.ts';
import { viewerOf } from '../directory/viewer.ts';
import { Effort } from '../scim/effort.ts';
import { matchesElement } from '../scim/match.ts';
import {
  foldMemberSteps,
  hasMemberFilter,
  type MemberChange,
  type MemberStep,
  splitMemberOperations,
} from '../scim/members.ts';
import { applyPatch } from '../scim/patch.ts';
import { GROUP_TYPE } from '../scim/resource-types.ts';
import type { FilterNode, PatchOperation } from '../scim/types.ts';
import type { CarryOut } from './batches.ts';
import { type ChangeGroup, changeGroups } from './change-groups.ts';
import { FEW_MEMBERS, type MemberDifference } from './change-members.ts';
import { eachPlanned, type Outcome } from './outcome.ts';
import type { ResourceRequest } from './scim-writes.ts';

export interface PatchGroup extends ResourceRequest {
  readonly operations: readonly PatchOperation[];
}

export interface PatchGroupsOptions {
  /** Whether the answer needs the members. */
  readonly members: boolean;
  /** `changeFewMembers`, for changes that may go together with those of other requests. */
  readonly together: CarryOut<MemberDifference, GroupRow>;
  /** `https://host/api/scim/v2`: what `$ref` in a member filter is compared with. */
  readonly baseUrl: string;
}

/** Applies PATCH operations to groups, each request whole or not at all (RFC 7644 section 3.5.2). */
export function patchGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly PatchGroup[],
  { members, baseUrl, together }: PatchGroupsOptions,
): Promise<Outcome<GroupRow>[]> {
  const viewer = viewerOf(actor);
  const carryOut = (changes: readonly ChangeGroup[]) => changeGroups(context, actor, changes, { members });
  const plan = ({ operations, ...request }: PatchGroup): ChangeGroup => {
    const { attributeOperations, steps } = splitMemberOperations(operations);
    return {
      ...request,
      change:
        attributeOperations.length > 0
          ? (current) => applyPatch(current, attributeOperations, GROUP_TYPE)
          : undefined,
      members: hasMemberFilter(steps)
        ? ({ id }, ask) =>
            foldedUnderFilters(steps, baseUrl, async (filter) => {
              const rows = await ask(membersMatching(context.db, viewer, { groupId: id, filter, baseUrl }));
              return rows.map((row) => row.user_id);
            })
        : foldMemberSteps(steps),
    };
  };
  return eachPlanned(requests, plan, async (changes) => {
    const [change, ...others] = changes;
    const few = change && others.length === 0 && !members ? fewMembers(change) : undefined;
    return few ? together(actor, [few]) : carryOut(changes);
  });
}

/** The same change, where it is of a few members and nothing else. */
function fewMembers({ change, members, ifMatch, ...request }: ChangeGroup): MemberDifference | undefined {
  if (change !== undefined || ifMatch !== undefined || typeof members === 'function') return undefined;
  const { reset, add, remove } = members;
  return reset || add.length + remove.length > FEW_MEMBERS ? undefined : { ...request, add, remove };
}

/** The net effect of steps that remove whoever a filter matches: it is asked at its place in the sequence. */
async function foldedUnderFilters(
  steps: readonly MemberStep[],
  baseUrl: string,
  matching: (filter: FilterNode) => Promise<string[]>,
): Promise<MemberChange> {
  const effort = new Effort();
  let resolved: MemberStep[] = [];
  for (const each of steps) {
    if (each.kind !== 'removeWhere') {
      resolved.push(each);
      continue;
    }
    const { reset, add, remove } = foldMemberSteps(resolved);
    const added = add.filter((id) => matchesElement(memberElement(id, baseUrl), each.filter, effort));
    const held = reset ? [] : await matching(each.filter);
    const soFar: MemberStep[] = reset
      ? [{ kind: 'replace', ids: add }]
      : [
          { kind: 'remove', ids: remove },
          { kind: 'add', ids: add },
        ];
    resolved = [...soFar, { kind: 'remove', ids: [...held, ...added] }];
  }
  return foldMemberSteps(resolved);
}

function memberElement(id: string, baseUrl: string) {
  return { value: id, $ref: `${baseUrl}/Users/${id}`, type: 'User' };
}
