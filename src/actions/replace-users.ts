import type { Context, ScimActor } from '../context.ts';
import type { UserRow } from '../directory/users.ts';
import type { Resource } from '../scim/types.ts';
import { requireImmutableKept } from '../scim/validate.ts';
import { changeUsers } from './change-users.ts';
import type { Outcome } from './outcome.ts';
import type { ResourceRequest } from './scim-writes.ts';

export interface ReplaceUser extends ResourceRequest {
  readonly resource: Resource;
}

/**
 * Replaces users (RFC 7644 section 3.5.1): what the request leaves out is cleared, but for `active`: a PUT that
 * does not speak of it must not let a leaver back in.
 */
export function replaceUsers(
  context: Context,
  actor: ScimActor,
  requests: readonly ReplaceUser[],
): Promise<Outcome<UserRow>[]> {
  return changeUsers(
    context,
    actor,
    requests.map(({ resource, ...request }) => ({
      ...request,
      change: (current) => {
        const active = resource.active ?? current.active;
        const next = { ...resource, ...(active !== undefined && { active }) };
        requireImmutableKept(current, next, actor.types.User);
        return next;
      },
    })),
  );
}
