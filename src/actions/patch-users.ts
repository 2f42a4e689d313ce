import type { Context, ScimActor } from '../context.ts';
import type { UserRow } from '../directory/users.ts';
import { applyPatch } from '../scim/patch.ts';
import type { PatchOperation } from '../scim/types.ts';
import { changeUsers } from './change-users.ts';
import type { Outcome } from './outcome.ts';
import type { ResourceRequest } from './scim-writes.ts';

export interface PatchUser extends ResourceRequest {
  readonly operations: readonly PatchOperation[];
}

/** Applies PATCH operations to users, each request whole or not at all (RFC 7644 section 3.5.2). */
export function patchUsers(
  context: Context,
  actor: ScimActor,
  requests: readonly PatchUser[],
): Promise<Outcome<UserRow>[]> {
  return changeUsers(
    context,
    actor,
    requests.map(({ operations, ...request }) => ({
      ...request,
      change: (current) => applyPatch(current, operations, actor.types.User),
    })),
  );
}
