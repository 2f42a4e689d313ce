import type { Context, ScimActor } from '../context.ts';
import type { GroupRow } from '../directory/groups.ts';
import { GROUP_TYPE } from '../scim/resource-types.ts';
import type { Resource } from '../scim/types.ts';
import { requireImmutableKept } from '../scim/validate.ts';
import { changeGroups } from './change-groups.ts';
import type { Outcome } from './outcome.ts';
import type { ResourceRequest } from './scim-writes.ts';

export interface ReplaceGroup extends ResourceRequest {
  /** Without its members. */
  readonly resource: Resource;
  readonly members: readonly string[];
}

/** Replaces groups, members included: who is not named leaves (RFC 7644 section 3.5.1). */
export function replaceGroups(
  context: Context,
  actor: ScimActor,
  requests: readonly ReplaceGroup[],
  { members: withMembers }: { readonly members: boolean },
): Promise<Outcome<GroupRow>[]> {
  const changes = requests.map(({ resource, members, ...request }) => ({
    ...request,
    change: (current: Resource) => {
      requireImmutableKept(current, resource, GROUP_TYPE);
      return resource;
    },
    members: { reset: true, add: [...members], remove: [] },
  }));
  return changeGroups(context, actor, changes, { members: withMembers });
}
