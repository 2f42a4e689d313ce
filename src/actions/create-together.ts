import type { Context, ScimActor } from '../context.ts';
import { lockTenantShared, lockUsers } from '../db/locks.ts';
import { noteUsers } from '../db/noted.ts';
import { conversation } from '../db/transaction.ts';
import { insertGroups, type NewGroup } from '../directory/group-write.ts';
import type { GroupRow } from '../directory/groups.ts';
import { insertUsers, type UserRow } from '../directory/users.ts';
import { viewerOf } from '../directory/viewer.ts';
import { AppError } from '../errors.ts';
import { type CreateGroup, createdGroups, memberIds, planGroups } from './create-groups.ts';
import { type CreateUser, createdUsers, type NewUser, planUsers } from './create-users.ts';
import { type Outcome, valuesOf } from './outcome.ts';
import { reconciliation, requireScimWrites, stamp } from './scim-writes.ts';

/** Something of each for every user and every group, in their order. */
interface Each<User, Group> {
  readonly users: readonly User[];
  readonly groups: readonly Group[];
}

type Outcomes = Each<Outcome<UserRow>, Outcome<GroupRow>>;

/**
 * Creates users and groups that refer to each other in a circle, by ids given out beforehand (RFC 7644 section
 * 3.7.1): all of them in one transaction, or none. Where one is refused, the others are refused with 409 for it.
 */
export async function createTogether(
  context: Context,
  actor: ScimActor,
  requests: Each<CreateUser, CreateGroup>,
): Promise<Outcomes> {
  requireScimWrites(actor);
  const users = await planUsers(actor, requests.users);
  const groups = await planGroups(requests.groups);
  const planned = { users, groups };
  if (isRefused(planned)) return noneOf(planned);
  try {
    return await insertTogether(context, actor, planned);
  } catch (error) {
    if (error instanceof Incomplete) return noneOf(error.outcomes);
    throw error;
  }
}

/** Rolls the transaction back. */
class Incomplete extends Error {
  readonly outcomes: Outcomes;

  constructor(outcomes: Outcomes) {
    super('not all of a circle could be created');
    this.outcomes = outcomes;
  }
}

function insertTogether(
  context: Context,
  actor: ScimActor,
  { users, groups }: Each<Outcome<NewUser>, Outcome<NewGroup>>,
): Promise<Outcomes> {
  const viewer = viewerOf(actor);
  const now = stamp(context, actor);
  return conversation(context.db, actor.tenantId, async (send) => {
    const [, , newUsers, newGroups] = await send([
      lockTenantShared(actor.tenantId),
      lockUsers(actor.tenantId, memberIds(valuesOf(groups))),
      insertUsers(actor, now, valuesOf(users)),
      insertGroups(viewer, now, valuesOf(groups)),
    ]);
    const outcomes = {
      users: createdUsers(users, newUsers, now.at),
      groups: createdGroups(groups, newGroups, now.at),
    };
    if (isRefused(outcomes)) throw new Incomplete(outcomes);
    const concerned = [...newUsers.map(({ id }) => id), ...memberIds(valuesOf(groups))];
    const changes = [...valuesOf(users), ...valuesOf(groups)];
    await send([noteUsers(concerned), ...reconciliation(actor, now, changes, { users: concerned.length })]);
    return outcomes;
  });
}

function isRefused({ users, groups }: Each<Outcome<unknown>, Outcome<unknown>>): boolean {
  return [...users, ...groups].some((each) => 'refusal' in each);
}

/** The refusals, and for the others that they failed with them. */
function noneOf({ users, groups }: Each<Outcome<unknown>, Outcome<unknown>>): Outcomes {
  const refused = (each: Outcome<unknown>) => ('refusal' in each ? each : { refusal: circleFailed() });
  return { users: users.map(refused), groups: groups.map(refused) };
}

/** Why something of a circle was not created although nothing is wrong with it. */
export function circleFailed(): AppError {
  return new AppError(
    'conflict',
    'It is part of a circle of references, of which another operation failed: none of them was created',
  );
}
