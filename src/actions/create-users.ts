import { v7 } from 'uuid';
import type { Context, ScimActor } from '../context.ts';
import type { Stamp } from '../db/event-row.ts';
import { lockTenantShared } from '../db/locks.ts';
import { noteUsers } from '../db/noted.ts';
import { pipeline, runAlone } from '../db/transaction.ts';
import { userColumns } from '../directory/user-columns.ts';
import { insertUsers, type NewUser as NewUserRow, type UserRow } from '../directory/users.ts';
import { concealed } from '../scim/conceal.ts';
import type { Resource } from '../scim/types.ts';
import { attemptEach, type Outcome, valuesOf } from './outcome.ts';
import {
  asCause,
  reconciliation,
  requireScimWrites,
  requireUserName,
  stamp,
  told,
  userNameTaken,
} from './scim-writes.ts';

export interface CreateUser {
  readonly requestId: string;
  /** Where it was given out beforehand: an id that we have made, and that nothing has. */
  readonly id?: string;
  readonly resource: Resource;
}

/** What is to be inserted. */
export interface NewUser extends NewUserRow {
  /** Whether a `userType` is told, which makes owners where the tenant asks for it. */
  readonly mayOwn: boolean;
}

/**
 * Creates users of the actor's directory (RFC 7644 section 3.3). A new user is in no group, so nothing is to be
 * reconciled (but for a `userType` that may make an owner): one statement writes users and events. Refusals: 409 `uniqueness`, in a list also for the second
 * of two equal names; 403 where SCIM may not write.
 */
export async function createUsers(
  context: Context,
  actor: ScimActor,
  requests: readonly CreateUser[],
): Promise<Outcome<UserRow>[]> {
  requireScimWrites(actor);
  const planned = await planUsers(actor, requests);
  const now = stamp(context, actor);
  const created = await insert(context, actor, now, valuesOf(planned));
  return createdUsers(planned, created, now.at);
}

/** By itself, where nobody can become an owner by it. */
async function insert({ db }: Context, actor: ScimActor, now: Stamp, users: readonly NewUser[]) {
  if (users.length === 0) return [];
  const inserted = insertUsers(actor, now, users);
  const typed = users.filter((user) => user.mayOwn);
  if (typed.length === 0) return runAlone(db, inserted);
  const [, created] = await pipeline(db, [
    lockTenantShared(actor.tenantId),
    inserted,
    noteUsers(typed.map(({ id }) => id)),
    ...reconciliation(actor, now, typed, { causes: typed.map(asCause) }),
  ]);
  return created;
}

/** What is to be inserted for each request. */
export function planUsers(actor: ScimActor, requests: readonly CreateUser[]): Promise<Outcome<NewUser>[]> {
  return attemptEach(requests, (request) => newUser(actor, request));
}

/** What came of the plans, by what `insertUsers` answered at that time. */
export function createdUsers(
  planned: readonly Outcome<NewUser>[],
  created: readonly { readonly id: string }[],
  at: Date,
): Outcome<UserRow>[] {
  const ids = new Set(created.map((row) => row.id));
  return planned.map((plan) => {
    if ('refusal' in plan) return plan;
    return ids.has(plan.value.id) ? { value: asRow(plan.value, at) } : { refusal: userNameTaken() };
  });
}

function newUser(actor: ScimActor, request: CreateUser): NewUser {
  const resource: Resource = { ...request.resource, active: request.resource.active ?? true };
  requireUserName(actor, resource);
  return {
    id: request.id ?? v7(),
    ...userColumns(actor, resource),
    mayOwn: resource.userType !== undefined && resource.active === true,
    after: JSON.stringify(concealed(resource, actor.types.User)),
    ...told(request),
  };
}

function asRow({ id, active, body }: NewUser, at: Date): UserRow {
  const now = at.toISOString();
  return { id, managed: true, version: 1, active, created_at: now, updated_at: now, body, groups: null };
}
