import {
  type Claim,
  decide,
  type Lost,
  type Reach,
  reachByUserType,
  reachOf,
  type Source,
} from './decide.ts';
import { compareGrants, compareText, OWNER } from './grants.ts';
import type { Team } from './teams.ts';

/** What one person holds and why, made of facts: as they are, as they were, or as somebody tries them. */

/** What can be held: a team, case group or permission. */
export interface Target {
  readonly id: string;
  readonly kind: Team['kind'] | 'permission';
  readonly name: string;
}

/** A grant with what gave it. */
export interface Grant extends Claim {
  readonly targetId: string;
  readonly suspended: boolean;
  /** null: it is only tried. */
  readonly since: Date | null;
  readonly changeId: string | null;
  /** The event that told of it; null: it is not sealed yet. */
  readonly event: { readonly id: string; readonly sequence: number } | null;
}

export interface Person {
  /** null: a made-up one. */
  readonly id: string | null;
  readonly userName: string | null;
  readonly active: boolean;
  readonly managedBy: string | null;
}

/** What of the past cannot be told exactly. */
export const LIMITS = ['claims_unknown', 'ranks_unknown'] as const;

export interface Facts {
  readonly user: Person;
  readonly at: Date;
  /** null: there is no mapping, or it is not stored. */
  readonly mappingVersion: number | null;
  readonly state: 'active' | 'applying' | 'none' | 'tried';
  readonly sources: readonly Source[];
  /** The origin by which the `userType` makes an owner; null: it does not. */
  readonly ownerByType: string | null;
  readonly grants: readonly Grant[];
  /** Whatever the grants hold and the rows name, as far as it exists. */
  readonly targets: readonly Target[];
  readonly limits: readonly (typeof LIMITS)[number][];
}

/** By which row and group something is held. */
export type HeldBy = Pick<Claim, 'mappingVersion' | 'row' | 'group'>;

interface Holding {
  readonly origin: string;
  readonly since: Date | null;
  /** What made the grant as it is; null: it is only tried. */
  readonly gave: (HeldBy & Pick<Grant, 'event'> & { readonly changeId: string }) | null;
  /** What would give it if it were made now; null: no row does. */
  readonly heldBy: HeldBy | null;
  readonly lost: readonly Lost[];
}

/** Why a row that names a group of the person gives nothing. */
export const NOTHING_BECAUSE = [
  'unknown_team',
  'unknown_permission',
  'other_source',
  'not_active',
  'not_applied',
] as const;

interface TargetNamed {
  /** null: tenant owner, or there is no such target. */
  readonly id: string | null;
  readonly kind: Reach['kind'];
  readonly name: string | null;
}

export interface Explanation extends Omit<Facts, 'sources' | 'ownerByType' | 'grants' | 'targets'> {
  readonly memberships: readonly (Holding & {
    readonly team: Pick<Team, 'id' | 'name' | 'kind'>;
    readonly role: string;
  })[];
  readonly tenantOwner: Holding | null;
  readonly permissions: readonly (Holding & { readonly permission: string })[];
  /** Grants that hold nothing while the user is not active. */
  readonly suspended: readonly (Omit<Holding, 'heldBy' | 'lost'> & {
    readonly target: TargetNamed;
    readonly role: string | null;
    readonly why: 'not_active';
  })[];
  /** Rows that reach the person and give nothing. */
  readonly nothing: readonly (HeldBy & {
    readonly origin: string;
    readonly target: TargetNamed;
    readonly role: string | null;
    readonly why: (typeof NOTHING_BECAUSE)[number];
  })[];
}

/** The rows of all sources that reach the person, and what the `userType` makes; what decides first stands first. */
export function reachedBy({ sources, ownerByType }: Pick<Facts, 'sources' | 'ownerByType'>): Reach[] {
  const byType = ownerByType === null ? [] : [reachByUserType(ownerByType)];
  return [...sources.flatMap(reachOf), ...byType].sort(compareGrants);
}

/** Explains whatever is held, and whatever names the person and gives nothing. */
export function explained(facts: Facts): Explanation {
  const { user, at, mappingVersion, state, limits, grants } = facts;
  const known = new Map(facts.targets.map((target) => [target.id, target]));
  const idOf = targetIds(facts.targets);
  const reached = reachedBy(facts);
  const held = heldOf(grants, user.active ? reached : [], idOf);
  const memberships = held.flatMap(({ targetId, role, ...holding }) => {
    const team = known.get(targetId);
    return team && isTeam(team) && role !== null ? { team, role, ...holding } : [];
  });
  const permissions = held.flatMap(({ targetId, role: _, ...holding }) => {
    const target = known.get(targetId);
    return target?.kind === 'permission' ? { permission: target.name, ...holding } : [];
  });
  const [tenantOwner = null] = held.flatMap(({ targetId, role: _, ...holding }) =>
    targetId === OWNER ? holding : [],
  );
  return {
    ...{ user, at, mappingVersion, state, limits },
    memberships: memberships.sort((left, right) => compareText(left.team.name, right.team.name)),
    tenantOwner,
    permissions: permissions.sort((left, right) => compareText(left.permission, right.permission)),
    suspended: grants.flatMap((grant) => suspendedOf(grant, known)),
    nothing: reached.flatMap((reach) => nothingOf(reach, { facts, held, idOf })),
  };
}

/** What a row gives, by id; undefined: there is no such target. */
type IdOf = (row: Pick<Reach, 'kind' | 'target'>) => string | undefined;

export function targetIds(targets: readonly Target[]): IdOf {
  const placeOf = (kind: Reach['kind'], name: string | null) => `${kind} ${name}`;
  const ids = new Map(targets.map(({ id, kind, name }) => [placeOf(kind, name), id]));
  return ({ kind, target }) => (kind === 'owner' ? OWNER : ids.get(placeOf(kind, target)));
}

function isTeam(target: Target): target is Target & { readonly kind: Team['kind'] } {
  return target.kind !== 'permission';
}

type Held = Holding & { readonly targetId: string; readonly role: string | null };

/** Each target that is held. */
function heldOf(grants: readonly Grant[], reached: readonly Reach[], idOf: IdOf): Held[] {
  const byTarget = new Map<string, [Grant, ...Grant[]]>();
  for (const grant of grants.filter(({ suspended }) => !suspended).sort(compareGrants)) {
    const known = byTarget.get(grant.targetId);
    if (known) known.push(grant);
    else byTarget.set(grant.targetId, [grant]);
  }
  return [...byTarget].map(([targetId, claims]) => {
    const rows = reached.filter((reach) => reach.counts && idOf(reach) === targetId);
    const { held, heldBy, lost } = decide(claims, rows);
    const by = heldBy && { mappingVersion: heldBy.mappingVersion, row: heldBy.row, group: heldBy.group };
    return { targetId, role: held.role, ...gaveOf(held), heldBy: by, lost };
  });
}

function gaveOf({ origin, since, mappingVersion, row, group, changeId, event }: Grant) {
  return { origin, since, gave: changeId === null ? null : { mappingVersion, row, group, changeId, event } };
}

function suspendedOf(grant: Grant, known: ReadonlyMap<string, Target>): Explanation['suspended'] {
  const { targetId, suspended, role } = grant;
  const { kind, name } = targetId === OWNER ? OWNERSHIP : (known.get(targetId) ?? {});
  if (!suspended || kind === undefined || name === undefined) return [];
  return [{ target: { id: targetId, kind, name }, role, ...gaveOf(grant), why: 'not_active' }];
}

const OWNERSHIP = { kind: 'owner', name: null } as const;

interface Answered {
  readonly facts: Facts;
  readonly held: readonly Held[];
  readonly idOf: IdOf;
}

/** A row that is the reason of nothing that is held, nor one of those that lost. */
function nothingOf(reach: Reach, { facts, held, idOf }: Answered): Explanation['nothing'] {
  const id = idOf(reach);
  const isHeld = held.some(({ targetId }) => targetId === id);
  if (reach.counts && isHeld) return [];
  const { origin, mappingVersion, row, group, kind, target: name, role } = reach;
  const target = { id: id ?? null, kind, name };
  return [{ origin, mappingVersion, row, group, target, role, why: whyNothing(reach, id, facts.user) }];
}

function whyNothing({ counts, kind }: Reach, id: string | undefined, { active }: Person) {
  if (!counts) return 'other_source';
  if (id === undefined) return kind === 'permission' ? 'unknown_permission' : 'unknown_team';
  return active ? 'not_applied' : 'not_active';
}
