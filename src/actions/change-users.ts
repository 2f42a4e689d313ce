import type { Context, ScimActor } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { run } from '../db/statement.ts';
import { pipeline } from '../db/transaction.ts';
import { userColumns, userResource } from '../directory/user-columns.ts';
import { type ChangedUser, readUsers, type UserRow, updateUsers } from '../directory/users.ts';
import { isUuid } from '../directory/uuid.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { difference } from '../scim/difference.ts';
import type { Resource } from '../scim/types.ts';
import { attempt, inRounds, type Outcome } from './outcome.ts';
import {
  type ResourceRequest,
  requireScimWrites,
  requireUserName,
  requireVersion,
  stamp,
  told,
  userNameTaken,
} from './scim-writes.ts';

export interface ChangeUser extends ResourceRequest {
  /** The new state from the current one; what it throws is the refusal. Runs again when the user has moved. */
  change(current: Resource): Resource;
}

/**
 * What PUT and PATCH of users share: read, plan, and a write that holds only at the version that was read. A
 * change without effect writes nothing. The first write to an unmanaged user adopts it and leaves its userName
 * and e-mail as they are.
 */
export async function changeUsers(
  context: Context,
  actor: ScimActor,
  requests: readonly ChangeUser[],
): Promise<Outcome<UserRow>[]> {
  requireScimWrites(actor);
  return inRounds(requests, async (turn) => {
    const ids = turn.map((request) => request.id).filter(isUuid);
    const rows = await run(context.db.pool, readUsers(viewerOf(actor), ids, { groups: true }));
    const current = new Map(rows.map((row) => [row.id, row]));
    const plans = turn.map((request) => attempt(() => plan(actor, request, current.get(request.id))));
    const changes = plans.flatMap((each) =>
      'value' in each && 'change' in each.value ? [each.value.change] : [],
    );
    const written = await write(context, actor, changes);
    return plans.map((each) => {
      if ('refusal' in each) return each;
      if ('unchanged' in each.value) return { value: each.value.unchanged };
      return written.get(each.value.change.id) ?? 'moved';
    });
  });
}

type Plan = { readonly unchanged: UserRow } | { readonly change: ChangedUser };

function plan(actor: ScimActor, request: ChangeUser, row: UserRow | undefined): Plan {
  if (!row) throw notFound('User');
  requireVersion(request, row.version);
  const before = userResource(row);
  const wanted = request.change(before);
  const after = row.managed ? wanted : keepIdentity(before, wanted);
  const differs = difference(before, after);
  if (!differs && row.managed) return { unchanged: row };
  if (before.userName !== after.userName) requireUserName(actor, after);
  return {
    change: {
      id: row.id,
      version: row.version,
      ...userColumns(actor.tenantId, after),
      type: eventType(before, after),
      before: JSON.stringify(differs?.before ?? {}),
      after: JSON.stringify(differs?.after ?? {}),
      ...told(request),
    },
  };
}

function eventType(before: Resource, after: Resource): ChangedUser['type'] {
  if (before.active === after.active) return 'user.updated';
  return after.active ? 'user.activated' : 'user.deactivated';
}

/** Adoption links a person to a directory; it must not rewrite who the person is. */
function keepIdentity(before: Resource, { userName: _, emails: __, ...after }: Resource): Resource {
  const { userName, emails } = before;
  return {
    ...after,
    ...(userName === undefined ? {} : { userName }),
    ...(emails === undefined ? {} : { emails }),
  };
}

async function write(
  context: Context,
  actor: ScimActor,
  changes: readonly ChangedUser[],
): Promise<Map<string, Outcome<UserRow>>> {
  if (changes.length === 0) return new Map();
  const viewer = viewerOf(actor);
  const ids = changes.map((change) => change.id);
  try {
    const [, , updated, rows] = await pipeline(context.db, [
      lockTenantShared(actor.tenantId),
      lockUsers(actor.tenantId, ids),
      updateUsers(viewer, stamp(context, actor), changes),
      readUsers(viewer, ids, { groups: true }),
    ]);
    const done = new Set(updated.map((row) => row.id));
    return new Map(rows.filter((row) => done.has(row.id)).map((row) => [row.id, { value: row }]));
  } catch (error) {
    if (!violates(error, 'scim_user_user_name_key')) throw error;
    const [change] = changes;
    if (change && changes.length === 1) return new Map([[change.id, { refusal: userNameTaken() }]]);
    // One of several took a name that is not free: one by one, so that it harms no other.
    const each = await Promise.all(changes.map((single) => write(context, actor, [single])));
    return new Map(each.flatMap((outcomes) => [...outcomes]));
  }
}
