import { v7 as uuid } from 'uuid';
import type { ImportedUser, KnownUser, ReimportedUser } from '../directory/import.ts';
import { type UserColumns, userColumns, userResource } from '../directory/user-columns.ts';
import { AppError } from '../errors.ts';
import { MANUAL, OWNER } from '../reconcile/grants.ts';
import type { Edit } from '../reconcile/reconcile.ts';
import { difference } from '../scim/difference.ts';
import { ScimError } from '../scim/error.ts';
import { foldText } from '../scim/fold.ts';
import { type ProfileChange, withProfile } from '../scim/profile.ts';
import type { Resource, ResourceTypes } from '../scim/types.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { changeType } from './change-users.ts';
import { type Grantable, type NamedGrant, resolveGrant } from './named-grants.ts';
import { requireUserName } from './scim-writes.ts';

/** What one line of an import comes to, without SQL. */

/** A line that has the right form. Absent: as it is; an import takes away nothing but what it writes anew. */
export interface ImportEntry extends ProfileChange {
  readonly userName: string;
  readonly productUserId?: string | null;
  readonly teams?: readonly NamedGrant[];
  /** `false` says nothing. */
  readonly tenantOwner?: boolean;
  /** Names, in any case. */
  readonly permissions?: readonly string[];
}

export interface LineError {
  /** JSON pointer into the line; of CSV, by the names of the columns. */
  readonly pointer: string;
  readonly detail: string;
}

/** What is there of what the lines name. */
export interface ImportFacts {
  readonly tenant: Tenant;
  readonly types: ResourceTypes;
  readonly byName: ReadonlyMap<string, KnownUser>;
  /** Who has a product id already, or had it when the import began: ids of users. */
  readonly byProductId: ReadonlyMap<string, string>;
  readonly grantable: Grantable;
  /** Ids by name. */
  readonly permissions: ReadonlyMap<string, string>;
  /** Roles by `<user> <target>`, of what is held by hand. */
  readonly held: ReadonlyMap<string, string | null>;
  /** Users whom sign-ins give something. */
  readonly synced: ReadonlySet<string>;
}

/** What is to be written of a line; neither `insert` nor `update` nor edits: it is so already. */
export interface PlannedLine {
  readonly userId: string;
  readonly insert?: ImportedUser;
  readonly update?: ReimportedUser;
  readonly edits: readonly Edit[];
}

export function planLine(entry: ImportEntry, facts: ImportFacts): PlannedLine | readonly LineError[] {
  const known = facts.byName.get(foldText(entry.userName));
  if (known !== undefined && known.directory !== null) {
    return [{ pointer: '/userName', detail: `the directory "${known.directory}" manages this user` }];
  }
  const userId = known?.id ?? uuid();
  const errors: LineError[] = [];
  const edits = planGrants(entry, { userId, facts, errors });
  if (edits.length > 0 && facts.synced.has(userId)) {
    const detail = 'sign-ins say what this user holds; give more by hand, one by one';
    errors.push({ pointer: entry.teams ? '/teams' : '/userName', detail });
  }
  const profile = planProfile(entry, { known, userId, facts, errors });
  return errors.length > 0 ? errors : { userId, ...profile, edits };
}

interface Place {
  readonly userId: string;
  readonly facts: ImportFacts;
  /** Faults are added to it. */
  readonly errors: LineError[];
}

/** The grants of the line that are not held by hand as they are. */
function planGrants(entry: ImportEntry, { userId, facts, errors }: Place): Edit[] {
  const wanted = new Map<string, string | null>();
  for (const [place, grant] of (entry.teams ?? []).entries()) {
    const read = resolveGrant(facts.grantable, grant);
    if ('member' in read) {
      errors.push({ pointer: `/teams/${place}/${read.member}`, detail: `${read.detail}. ${read.hint}` });
    } else if (wanted.has(read.teamId)) {
      errors.push({ pointer: `/teams/${place}/team`, detail: 'the team is named twice' });
    } else wanted.set(read.teamId, read.role);
  }
  for (const [place, name] of (entry.permissions ?? []).entries()) {
    const id = facts.permissions.get(name.toUpperCase());
    if (id !== undefined) wanted.set(id, null);
    else errors.push({ pointer: `/permissions/${place}`, detail: `the tenant has no permission "${name}"` });
  }
  if (entry.tenantOwner) wanted.set(OWNER, null);
  return [...wanted]
    .filter(([targetId, role]) => facts.held.get(`${userId} ${targetId}`) !== role)
    .map(([targetId, role]) => ({ userId, targetId, origin: MANUAL, role, held: true }));
}

function planProfile(
  { teams: _, tenantOwner: __, permissions: ___, productUserId, ...change }: ImportEntry,
  { known, userId, facts, errors }: Place & { readonly known: KnownUser | undefined },
): Pick<PlannedLine, 'insert' | 'update'> {
  const productId = productUserId === undefined ? (known?.productUserId ?? null) : productUserId;
  const taken = productId === null ? undefined : facts.byProductId.get(productId);
  if (taken !== undefined && taken !== userId) {
    const detail =
      'another user of the tenant has this id; if a line of this file gives it up, import the file again';
    errors.push({ pointer: '/productUserId', detail });
  }
  const written = writtenUser(change, { known, facts, errors });
  if (written === undefined) return {};
  const { before, after, columns } = written;
  const user = { id: userId, productUserId: productId, ...columns };
  if (known === undefined) {
    const told = { ...after, ...(productId !== null && { productUserId: productId }) };
    return { insert: { ...user, after: JSON.stringify(told) } };
  }
  const differs = difference(before, after, facts.types.User);
  if (differs === undefined && productId === known.productUserId) return {};
  return {
    update: {
      ...user,
      type: changeType(before, after),
      before: differs ? JSON.stringify(differs.before) : null,
      after: JSON.stringify(differs?.after ?? {}),
    },
  };
}

interface WrittenUser {
  readonly before: Resource;
  readonly after: Resource;
  readonly columns: UserColumns;
}

/** Undefined: the profile is one that no user can have. */
function writtenUser(
  change: ProfileChange,
  { known, facts, errors }: Pick<Place, 'facts' | 'errors'> & { readonly known: KnownUser | undefined },
): WrittenUser | undefined {
  const { tenant, types } = facts;
  const before = known === undefined ? {} : userResource(known);
  try {
    const after = withProfile(before, known === undefined ? { active: true, ...change } : change, types.User);
    if (before.userName !== after.userName) requireUserName(tenant, after);
    return { before, after, columns: userColumns({ tenantId: tenant.id, types }, after) };
  } catch (error) {
    if (!(error instanceof ScimError || error instanceof AppError)) throw error;
    errors.push({ pointer: '', detail: error.message });
    return undefined;
  }
}
