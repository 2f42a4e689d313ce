import { v7 } from 'uuid';
import { actorJson, type Context, type ScimActor } from '../context.ts';
import type { Stamp, Told } from '../db/event-row.ts';
import { lockOwners } from '../db/locks.ts';
import { isUuid } from '../directory/uuid.ts';
import { AppError, notFound } from '../errors.ts';
import { type Cause, reconcileLocked } from '../reconcile/reconcile.ts';
import { isEmailAddress } from '../scim/email.ts';
import { badRequest } from '../scim/error.ts';
import type { Resource } from '../scim/types.ts';
import type { Outcome } from './outcome.ts';

/** What every SCIM write asks and tells, whatever it writes. */

/** A request for one resource. */
export interface ResourceRequest {
  readonly id: string;
  readonly requestId: string;
  /** The versions that If-Match names; absent: any (RFC 7644 section 3.14). */
  readonly ifMatch?: readonly number[] | undefined;
}

/** The ids that can name something: what is no id of ours is never asked for. */
export function idsOf(named: readonly { readonly id: string }[]): string[] {
  return named.map(({ id }) => id).filter(isUuid);
}

/** Refuses SCIM writes where the tenant provisions by sign-in only. */
export function requireScimWrites({ settings }: ScimActor): void {
  if (settings.provisioning !== 'jit') return;
  throw new AppError('forbidden', 'This tenant is provisioned by sign-in only; SCIM may read but not write', {
    reason: 'provisioning_jit',
    hint: 'Set the tenant setting "provisioning" to "combined" or "scim" by the admin API.',
  });
}

/** Now, and the actor as events keep it. */
export function stamp(context: Context, actor: ScimActor): Stamp {
  return { at: context.now(), actor: actorJson(actor) };
}

/** A change of its own, in the request that asked for it. */
export function told({ requestId }: { readonly requestId: string }): Told {
  return { changeId: v7(), requestId };
}

/**
 * The steps that give the users whom the transaction has locked what they should hold now, behind the writes from
 * which that follows; `users`: how many those are at most. What it tells of a user belongs to the change
 * in `causes` that names them, else to the one change there is, or to one of its own.
 */
export function reconciliation(
  { tenantId }: Pick<ScimActor, 'tenantId'>,
  now: Stamp,
  changes: readonly Told[],
  {
    users = changes.length,
    causes = [],
  }: { readonly users?: number; readonly causes?: readonly Cause[] } = {},
) {
  const [first, ...others] = changes;
  const { changeId = v7(), requestId = '' } = { ...first, ...(others.length > 0 && { changeId: v7() }) };
  const extent = { users, causes: others.length > 0 ? causes : [] };
  return [lockOwners(tenantId), reconcileLocked(tenantId, now, { changeId, requestId }, extent)] as const;
}

/** The change of one user, as the cause of what that user gains or loses. */
export function asCause({ id, changeId, requestId }: Told & { readonly id: string }): Cause {
  return { changeId, requestId, users: [id] };
}

/** Refuses what was meant for another version. */
export function requireVersion({ ifMatch }: Pick<ResourceRequest, 'ifMatch'>, version: number): void {
  if (ifMatch && !ifMatch.includes(version)) throw versionMoved();
}

function versionMoved(): AppError {
  return new AppError(
    'precondition_failed',
    'The resource has another version than If-Match names; read it again',
  );
}

/** The tenant setting `userNameMustBeEmail`. */
export function requireUserName({ settings }: Pick<ScimActor, 'settings'>, { userName }: Resource): void {
  if (!settings.userNameMustBeEmail || isEmailAddress(String(userName))) return;
  throw badRequest(
    'invalidValue',
    '"userName" must be an e-mail address in this tenant (userNameMustBeEmail)',
  );
}

/** A taken `userName`, whoever holds it. */
export function userNameTaken(): AppError {
  return new AppError('conflict', 'A user with this userName exists in this tenant', {
    reason: 'uniqueness',
    pointer: 'userName',
  });
}

/** A taken `displayName` of a group. */
export function displayNameTaken(): AppError {
  return new AppError('conflict', 'A group with this displayName exists in this directory', {
    reason: 'uniqueness',
    pointer: 'displayName',
  });
}

/** Refuses members whose id is none of ours, before the database is asked. */
export function requireMemberIds(ids: readonly string[]): void {
  const wrong = ids.find((id) => !isUuid(id));
  if (wrong !== undefined) throw unknownMember(wrong);
}

/** A member that is no user of this directory. */
export function unknownMember(id: string): Error {
  return badRequest(
    'invalidValue',
    `"members" names ${JSON.stringify(id)}, which is no user of this directory`,
  );
}

/** What became of deletions: done, nothing there, or at another version than If-Match names. */
export function deletionOutcomes(
  requests: readonly ResourceRequest[],
  found: readonly { readonly id: string; readonly deleted: boolean }[],
  what: 'User' | 'Group',
): Outcome<null>[] {
  const rows = new Map(found.map((row) => [row.id, row]));
  return requests.map((request) => {
    const row = rows.get(request.id);
    if (!row) return { refusal: notFound(what) };
    return row.deleted ? { value: null } : { refusal: versionMoved() };
  });
}

/** Deletions as the statements take them; what is no id of ours names nothing. */
export function deletions(requests: readonly ResourceRequest[]) {
  return requests
    .filter((request) => isUuid(request.id))
    .map((request) => ({ id: request.id, versions: request.ifMatch, ...told(request) }));
}
