import type { Context, ScimActor } from '../context.ts';
import type { Stamp } from '../db/event-row.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { conversation, pipeline, runAlone } from '../db/transaction.ts';
import { userColumns, userResource } from '../directory/user-columns.ts';
import { type ChangedUser, readUsers, type UserRow, updateUsers } from '../directory/users.ts';
import { viewerOf } from '../directory/viewer.ts';
import { notFound } from '../errors.ts';
import { difference } from '../scim/difference.ts';
import { foldText } from '../scim/fold.ts';
import type { Resource } from '../scim/types.ts';
import { requireSchemaVersion } from '../tenants/schema-extensions.ts';
import {
  apartOnConflict,
  attemptEach,
  heldAfterLoss,
  inTurns,
  type Moved,
  type Outcome,
  type Renaming,
  requireApartNames,
  valuesOf,
} from './outcome.ts';
import {
  asCause,
  idsOf,
  type ResourceRequest,
  reconciliation,
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

const CONFLICT = { constraint: 'scim_user_user_name_key', taken: userNameTaken } as const;

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
  return inTurns(requests, (turn) =>
    heldAfterLoss(
      turn,
      (some) => apartOnConflict(some, CONFLICT, (few) => changeOpenly(context, actor, few)),
      (some) => apartOnConflict(some, CONFLICT, (few) => changeHeld(context, actor, few)),
    ),
  );
}

type Answer = Outcome<UserRow> | Moved;

/** Two waits: the read, and a transaction that is sent as a whole. */
async function changeOpenly(
  context: Context,
  actor: ScimActor,
  requests: readonly ChangeUser[],
): Promise<Answer[]> {
  const viewer = viewerOf(actor);
  const rows = await runAlone(context.db, readUsers(viewer, idsOf(requests), { groups: true }));
  const plans = await planAll(actor, requests, rows);
  const changes = changesOf(plans);
  if (changes.length === 0) return answers(plans, [], []);
  const now = stamp(context, actor);
  const [, , , updated, written] = await pipeline(context.db, [
    lockTenantShared(actor.tenantId),
    requireSchemaVersion(actor),
    lockUsers(actor.tenantId, idsOf(changes)),
    updateUsers(viewer, now, changes),
    readUsers(viewer, idsOf(changes), { groups: true }),
    ...reconciliationOf(actor, now, changes),
  ]);
  return answers(plans, updated, written);
}

/** The same, holding the users from the read to the write. */
function changeHeld(context: Context, actor: ScimActor, requests: readonly ChangeUser[]): Promise<Answer[]> {
  const viewer = viewerOf(actor);
  return conversation(context.db, actor.tenantId, async (send) => {
    const [, , , rows] = await send([
      lockTenantShared(actor.tenantId),
      requireSchemaVersion(actor),
      lockUsers(actor.tenantId, idsOf(requests)),
      readUsers(viewer, idsOf(requests), { groups: true }),
    ]);
    const plans = await planAll(actor, requests, rows);
    const changes = changesOf(plans);
    if (changes.length === 0) return answers(plans, [], []);
    const now = stamp(context, actor);
    const [updated, written] = await send([
      updateUsers(viewer, now, changes),
      readUsers(viewer, idsOf(changes), { groups: true }),
      ...reconciliationOf(actor, now, changes),
    ]);
    return answers(plans, updated, written);
  });
}

/** What a change of a user does to what they hold. */
function reconciliationOf(actor: ScimActor, now: Stamp, changes: readonly PlannedUser[]) {
  const concerned = changes.filter((change) => change.reconciled);
  if (concerned.length === 0) return [];
  return reconciliation(actor, now, concerned, { causes: concerned.map(asCause) });
}

interface PlannedUser extends ChangedUser {
  /** Whether access may follow from it: the user is activated, deactivated or adopted, or has another `userType`. */
  readonly reconciled: boolean;
}

type Plan = { readonly unchanged: UserRow } | { readonly change: PlannedUser; readonly renaming: Renaming };

async function planAll(
  actor: ScimActor,
  requests: readonly ChangeUser[],
  rows: readonly UserRow[],
): Promise<Outcome<Plan>[]> {
  const current = new Map(rows.map((row) => [row.id, row]));
  const plans = await attemptEach(requests, (request) => plan(actor, request, current.get(request.id)));
  requireApartNames(valuesOf(plans).flatMap((each) => ('change' in each ? [each.renaming] : [])));
  return plans;
}

function plan(actor: ScimActor, request: ChangeUser, row: UserRow | undefined): Plan {
  if (!row) throw notFound('User');
  requireVersion(request, row.version);
  const before = userResource(row);
  const wanted = request.change(before);
  const after = row.managed ? wanted : keepIdentity(before, wanted);
  const differs = difference(before, after, actor.types.User);
  if (!differs && row.managed) return { unchanged: row };
  if (before.userName !== after.userName) requireUserName(actor, after);
  const columns = userColumns(actor, after);
  return {
    renaming: { before: foldText(String(before.userName)), after: columns.userNameFolded },
    change: {
      id: row.id,
      version: row.version,
      managed: row.managed,
      ...columns,
      type: changeType(before, after),
      reconciled:
        !row.managed || changeType(before, after) !== 'user.updated' || before.userType !== after.userType,
      before: JSON.stringify(differs?.before ?? {}),
      after: JSON.stringify(differs?.after ?? {}),
      ...told(request),
    },
  };
}

/** What the change of a user is called: whether it lets the user in or out decides. */
export function changeType(before: Resource, after: Resource): ChangedUser['type'] {
  if ((before.active === true) === (after.active === true)) return 'user.updated';
  return after.active === true ? 'user.activated' : 'user.deactivated';
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

function changesOf(plans: readonly Outcome<Plan>[]): PlannedUser[] {
  return valuesOf(plans).flatMap((each) => ('change' in each ? [each.change] : []));
}

function answers(
  plans: readonly Outcome<Plan>[],
  updated: readonly { readonly id: string }[],
  rows: readonly UserRow[],
): Answer[] {
  const done = new Set(updated.map((row) => row.id));
  const written = new Map(rows.filter((row) => done.has(row.id)).map((row) => [row.id, row]));
  return plans.map((each) => {
    if ('refusal' in each) return each;
    if ('unchanged' in each.value) return { value: each.value.unchanged };
    const row = written.get(each.value.change.id);
    return row ? { value: row } : 'moved';
  });
}
