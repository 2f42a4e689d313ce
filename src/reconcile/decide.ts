import { comparePrecedence, compareText, isManagedOrigin } from './grants.ts';
import type { MappingDocument } from './mapping-document.ts';
import { type CompiledRow, compileMapping } from './mapping-rows.ts';
import type { Role } from './roles.ts';

/**
 * What the mapping gives one person, decided without a database: for the rows that lose, for the past, and for what
 * is only tried. A property shows that it agrees with the text that plans (`plan-sql.ts`).
 */

/** A version of the mapping, as groups are joined to it. */
export interface Mapping {
  /** null: a document that is not stored. */
  readonly version: number | null;
  /** `highest_role`: a row may lose against a later one. */
  readonly byRole: boolean;
  readonly rows: readonly CompiledRow[];
}

/** A group or a claim that the person has. */
export interface SourceGroup {
  /** null: a claim, or a group that is made up. */
  readonly id: string | null;
  readonly name: string;
  /** The other id that rows find it by: of a claim the claim itself; null: none. */
  readonly externalId: string | null;
}

/** Who says what groups the person has, and by which mapping they count. */
export interface Source {
  /** `scim:<directory>` or `jit:<identity provider>`. */
  readonly origin: string;
  readonly groups: readonly SourceGroup[];
  readonly mapping: Mapping;
  /** Whether this goes on saying so: a directory does, and sign-ins that sync each time. */
  readonly syncs: boolean;
}

/** A row that names a group of the person. */
export interface Reach {
  readonly origin: string;
  readonly mappingVersion: number | null;
  readonly byRole: boolean;
  /** JSON pointer into the document; null: no row, but the `userType`, which makes an owner. */
  readonly row: string | null;
  readonly precedence: number | null;
  readonly group: { readonly id: string | null; readonly name: string } | null;
  readonly kind: CompiledRow['kind'];
  /** The name of the team, case group or permission; null: tenant owner. */
  readonly target: string | null;
  readonly role: string | null;
  /** Whether groups of this origin count for the row. */
  readonly counts: boolean;
}

/** What an origin claims of a target for the person. */
export interface Claim {
  readonly origin: string;
  readonly role: string | null;
  readonly mappingVersion: number | null;
  readonly row: string | null;
  readonly precedence: number | null;
  readonly group: { readonly id: string | null; readonly name: string } | null;
}

/** Why a row that reaches the person, or a claim, is not what they hold of a target. */
export const LOST_BECAUSE = [
  'later_in_list',
  'lower_role',
  'another_group',
  'managed_first',
  'origin_order',
  'not_applied',
] as const;

export interface Lost extends Omit<Claim, 'precedence'> {
  readonly why: (typeof LOST_BECAUSE)[number];
}

/** A document, stored or not, as groups are joined to it. */
export function mappingOf(
  { version, document }: { readonly version: number | null; readonly document: MappingDocument },
  roles: readonly Pick<Role, 'name' | 'rank'>[],
): Mapping {
  const byRole = document.conflict_strategy === 'highest_role';
  return { version, byRole, rows: compileMapping(document, roles) };
}

export const NO_MAPPING: Mapping = { version: null, byRole: false, rows: [] };

/** Every row of the source's mapping that names one of its groups; what decides first stands first. */
export function reachOf({ origin, groups, mapping: { version, byRole, rows } }: Source): Reach[] {
  const rowsBy = new Map<string, CompiledRow[]>();
  for (const row of rows) {
    const known = rowsBy.get(row.match);
    if (known) known.push(row);
    else rowsBy.set(row.match, [row]);
  }
  const found = groups.flatMap(({ id, name, externalId }) => {
    const ids = [id, externalId].filter((each) => each !== null);
    const keys = new Set([`name:${name}`, ...ids.map((each) => `id:${each}`)]);
    const named = [...keys].flatMap((key) => rowsBy.get(key) ?? []);
    return named.map(({ match: _, directory, identityProvider, ...row }) => ({
      ...row,
      origin,
      mappingVersion: version,
      byRole,
      group: { id, name },
      counts: isFor(origin, { directory, identityProvider }),
    }));
  });
  return found.sort(compareReach);
}

function isFor(origin: string, row: Pick<CompiledRow, 'directory' | 'identityProvider'>): boolean {
  if (row.directory !== null) return origin === `scim:${row.directory}`;
  return row.identityProvider === null || origin === `jit:${row.identityProvider}`;
}

/** That the `userType` makes an owner of somebody whom a directory manages. */
export function reachByUserType(origin: string): Reach {
  const nothing = { mappingVersion: null, byRole: false, row: null, precedence: null, group: null };
  return { ...nothing, origin, kind: 'owner', target: null, role: null, counts: true };
}

function compareReach(left: Reach, right: Reach): number {
  return (
    comparePrecedence(left.precedence, right.precedence) ||
    compareText(left.group?.name ?? '', right.group?.name ?? '') ||
    compareText(left.group?.id ?? '', right.group?.id ?? '')
  );
}

/**
 * Of one target: by which row the first of the claims holds now, and what loses against it. Both lists stand in the
 * order in which they count.
 */
export function decide<Held extends Claim>(
  claims: readonly [Held, ...Held[]],
  reached: readonly Reach[],
): { readonly held: Held; readonly heldBy: Reach | null; readonly lost: readonly Lost[] } {
  const [held, ...others] = claims;
  const first = reached.find(({ origin }) => origin === held.origin);
  const heldBy = first !== undefined && first.role === held.role ? first : null;
  const claimed = new Set(claims.map(({ origin }) => origin));
  const rows = reached
    .filter((reach) => reach !== heldBy)
    .map((reach) => {
      const applied = claimed.has(reach.origin) && (reach !== first || heldBy !== null);
      return lostTo(reach, applied ? whyRow(reach, first ?? held) : 'not_applied');
    });
  const unreached = others.filter(({ origin }) => !reached.some((reach) => reach.origin === origin));
  return { held, heldBy, lost: [...rows, ...unreached.map((claim) => lostTo(claim, whyClaim(claim, held)))] };
}

function lostTo({ origin, role, mappingVersion, row, group }: Claim, why: Lost['why']): Lost {
  return { origin, role, mappingVersion, row, group, why };
}

function whyRow(reach: Reach, first: Claim): Lost['why'] {
  if (reach.precedence === first.precedence) {
    return reach.origin === first.origin ? 'another_group' : 'origin_order';
  }
  return reach.byRole && reach.role !== first.role ? 'lower_role' : 'later_in_list';
}

function whyClaim(claim: Claim, held: Claim): Lost['why'] {
  if (!isManagedOrigin(held.origin)) return 'origin_order';
  if (!isManagedOrigin(claim.origin)) return 'managed_first';
  return claim.precedence === held.precedence ? 'origin_order' : 'later_in_list';
}
