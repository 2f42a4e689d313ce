import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockOwners, lockOwnersAlways, lockTenantShared, lockUsers } from '../db/locks.ts';
import type { Tables } from '../db/tables.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import {
  endStandardSync,
  givenBySync,
  giversOf,
  type Held,
  heldOf,
  type Place,
  type Standing,
  standingOf,
} from '../reconcile/by-hand.ts';
import { MANUAL, OWNER } from '../reconcile/grants.ts';
import { permissionByName } from '../reconcile/permissions.ts';
import { type Edit, reconcileLocked } from '../reconcile/reconcile.ts';
import { teamById } from '../reconcile/teams.ts';

/** What every edit of grants by hand asks and does. */

/** What a user may hold. */
export type Target =
  | { readonly kind: 'team'; readonly id: string }
  | { readonly kind: 'permission'; readonly name: string }
  | { readonly kind: 'owner' };

export interface GrantRequest {
  readonly tenantId: string;
  readonly userId: string;
  readonly target: Target;
}

/** What is there when an edit is decided. */
export interface Found extends Standing {
  readonly place: Place;
  /** The first is what the user holds, unless it is suspended. */
  readonly grants: readonly Held[];
}

/** Decides on edits by what is there; what it throws is the refusal. */
type Decide = (trx: Transaction<Tables>, found: Found) => Promise<readonly Edit[]>;

/** Makes the edits of one user's grants, and answers the grants of the target afterwards, the first of them first. */
export function editGrants(
  context: Context,
  actor: Actor,
  { tenantId, userId, target }: GrantRequest,
  decide: Decide,
): Promise<Held[]> {
  const now = { at: context.now(), actor: actorJson(actor) };
  const told = { changeId: uuid(), requestId: actor.requestId };
  return transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantShared(tenantId));
    await runIn(trx, lockUsers(tenantId, [userId]));
    await runIn(trx, target.kind === 'owner' ? lockOwnersAlways(tenantId) : lockOwners(tenantId));
    const place = { userId, targetId: await targetId(trx, tenantId, target) };
    const [standing] = await runIn(trx, standingOf(tenantId, place));
    if (standing === undefined) throw notFound('User');
    const grants = await runIn(trx, heldOf(tenantId, place));
    const found = { ...standing, place, grants };
    const edits = await decide(trx, found);
    const turned = await turnedManual(trx, tenantId, found);
    if (edits.length === 0 && turned === undefined) return grants;
    const all = [...edits, ...(turned ?? [])];
    await runIn(trx, reconcileLocked(tenantId, now, told, { users: 1, edits: all }));
    return runIn(trx, heldOf(tenantId, place));
  });
}

/**
 * Edits for what standard JIT gave the user: it gives once, and what an admin takes or changes must not come back with
 * the next reconciliation. So all of it is the admins' from the first edit of a part of it on. Undefined: nothing of the kind.
 */
async function turnedManual(
  trx: Transaction<Tables>,
  tenantId: string,
  { place: { userId, targetId }, grants, synced }: Found,
): Promise<Edit[] | undefined> {
  if (synced || !grants.some(({ managed }) => managed)) return undefined;
  await runIn(trx, endStandardSync(tenantId, userId));
  const given = await runIn(trx, givenBySync(tenantId, userId));
  return given
    .filter((each) => each.targetId !== targetId)
    .map((each) => ({ ...each, userId, origin: MANUAL, held: true }));
}

async function targetId(trx: Transaction<Tables>, tenantId: string, target: Target): Promise<string> {
  if (target.kind === 'owner') return OWNER;
  const [what, found] =
    target.kind === 'team'
      ? ['Team', await teamById(trx, tenantId, target.id)]
      : ['Permission', await permissionByName(trx, tenantId, target.name)];
  if (found === undefined) throw notFound(what);
  return found.id;
}

const WHAT: Readonly<Record<Target['kind'], string>> = {
  team: 'membership of this team',
  permission: 'permission',
  owner: 'ownership of the tenant',
};

/** The refusal of an edit of what is managed elsewhere: it names the groups and rows by which. */
export async function managedElsewhere(
  trx: Transaction<Tables>,
  { tenantId, target: { kind } }: GrantRequest,
  { place, grants, directory }: Found,
): Promise<AppError> {
  const holding = grants.filter(({ managed }) => managed);
  const heldBy =
    holding.length > 0
      ? holding.map(({ group, row }) => ({ group, row }))
      : await runIn(trx, giversOf(tenantId, place.targetId));
  const source = directory === null ? 'sign-in' : `the directory "${directory}"`;
  const by = heldBy.map(({ group, row }) => (row === null ? 'userType' : `the group "${group}" (${row})`));
  const manages = `The user's ${WHAT[kind]} is managed by ${source}`;
  const detail =
    holding.length > 0
      ? `${manages}: ${by.join(' and ')} holds it`
      : `${manages}: it is given by ${by.length > 0 ? by.join(' or ') : 'userType'}, which the user has not`;
  return new AppError('conflict', detail, {
    reason: `managed_${kind}`,
    hint: "Change the user's groups in the identity provider, or the group mapping.",
    members: { heldBy },
  });
}
