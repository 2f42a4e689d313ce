import { v7 } from 'uuid';
import type { Context, ScimActor } from '../context.ts';
import { runAlone } from '../db/transaction.ts';
import { userColumns } from '../directory/user-columns.ts';
import { insertUsers, type NewUser, type UserRow } from '../directory/users.ts';
import { viewerOf } from '../directory/viewer.ts';
import { concealed } from '../scim/conceal.ts';
import type { Resource } from '../scim/types.ts';
import { attempt, type Outcome } from './outcome.ts';
import { requireScimWrites, requireUserName, stamp, told, userNameTaken } from './scim-writes.ts';

export interface CreateUser {
  readonly requestId: string;
  readonly resource: Resource;
}

/**
 * Creates users of the actor's directory (RFC 7644 section 3.3). A new user is in no group, so nothing is to be
 * reconciled: one statement writes users and events. Refusals: 409 `uniqueness`, in a list also for the second
 * of two equal names; 403 where SCIM may not write.
 */
export async function createUsers(
  context: Context,
  actor: ScimActor,
  requests: readonly CreateUser[],
): Promise<Outcome<UserRow>[]> {
  requireScimWrites(actor);
  const planned = requests.map((request) => attempt(() => newUser(actor, request)));
  const users = planned.flatMap((plan) => ('value' in plan ? [plan.value] : []));
  const now = stamp(context, actor);
  const created = await runAlone(context.db, insertUsers(viewerOf(actor), now, users));
  const ids = new Set(created.map((row) => row.id));
  return planned.map((plan) => {
    if ('refusal' in plan) return plan;
    return ids.has(plan.value.id) ? { value: asRow(plan.value, now.at) } : { refusal: userNameTaken() };
  });
}

function newUser(actor: ScimActor, request: CreateUser): NewUser {
  const resource = { ...request.resource, active: request.resource.active ?? true };
  requireUserName(actor, resource);
  return {
    id: v7(),
    ...userColumns(actor, resource),
    after: JSON.stringify(concealed(resource, actor.types.User)),
    ...told(request),
  };
}

function asRow({ id, active, body }: NewUser, at: Date): UserRow {
  return { id, managed: true, version: 1, active, created_at: at, updated_at: at, body, groups: null };
}
