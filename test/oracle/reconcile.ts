/**
 * What everybody should hold: the table of the design as a pure function of the tenant's state. It is written to be
 * read beside that table, shares nothing with `src/`, and does not care how long it takes.
 */

/** A row's group: by name, or by id (our id, the group's externalId, or a claim that is an id). */
export interface GroupReference {
  readonly group_name?: string;
  readonly group_id?: string;
  readonly directory?: string;
  readonly identity_provider?: string;
}

export interface TeamRow extends GroupReference {
  readonly team_name?: string;
  readonly case_group_name?: string;
  readonly role_name: string;
}

export interface PermissionRow extends GroupReference {
  readonly permissions: readonly string[];
}

/** The group mapping, in its canonical form. */
export interface MappingDocument {
  readonly conflict_strategy?: 'first_match' | 'highest_role';
  readonly on_unmap?: 'remove' | 'keep';
  readonly tenant_owners_groups?: readonly string[];
  readonly tenant_permission?: readonly PermissionRow[];
  readonly mappings: readonly TeamRow[];
}

export interface User {
  id: string;
  /** The name of the directory that manages the user; null: none does. */
  directory: string | null;
  active: boolean;
  userType: string | null;
}

export interface Group {
  id: string;
  directory: string;
  displayName: string;
  externalId: string | null;
  /** Keys of `State.users`. */
  members: string[];
}

export interface Team {
  kind: 'team' | 'case_group';
  name: string;
}

export type JitMode = 'off' | JitSync['mode'];

/** By what a user signs in, and what was last said of their groups there. */
export interface Link {
  user: string;
  provider: string;
  state: 'list' | 'empty' | 'absent' | 'overage';
  /** As last known. */
  groups: readonly string[];
}

/** What the last sign-in by an identity provider synced. */
export interface JitSync {
  user: string;
  provider: string;
  mode: 'standard' | 'enhanced';
  /** The mapping that was current then. */
  mapping: MappingDocument | null;
  groups: string[];
}

/** A claim that somebody made, and no mapping. */
export interface Claim {
  user: string;
  /** A key of `State.teams`, `OWNER`, or `permission:<name>`. */
  target: string;
  origin: 'manual' | 'invitation' | 'email_domain';
  role: string | null;
}

/** By what a deleted user would be known again: the name, or who they were to an identity provider. */
export interface Tombstone {
  user: string;
  /** Null: the name, which speaks of nobody who has it by now. */
  provider: string | null;
  /** The deleted user's. */
  id: string;
}

export interface State {
  settings: {
    takeover: boolean;
    ownersByUserType: boolean;
    renameFollows: boolean;
    /** Every user's name is an address of the tenant's own domain. */
    linkByEmail: 'never' | 'verified_domains';
  };
  /** Every version of the mapping; the first is version 1, the last is current. */
  versions: MappingDocument[];
  /** Rank of each role; the lower, the more permissive. */
  roles: Record<string, number>;
  permissions: string[];
  directories: string[];
  teams: Record<string, Team>;
  users: Record<string, User>;
  deleted: Tombstone[];
  groups: Record<string, Group>;
  claims: Claim[];
  /** The mode of each identity provider. */
  providers: Record<string, JitMode>;
  links: Link[];
  syncs: JitSync[];
  /** Whom the rule of the last owner holds. */
  retained: string | null;
  /** Since which step each owner has been one without a break. */
  ownerSince: Record<string, number>;
  /** How many steps there were. */
  steps: number;
}

export interface Grant {
  readonly user: string;
  readonly target: string;
  readonly origin: string;
  readonly role: string | null;
  readonly suspended: boolean;
  /** Of managed grants: the place of the row that gives it; userType comes behind every row. */
  readonly precedence: number;
}

export const OWNER = 'owner';

export const EMPTY: State = {
  settings: { takeover: false, ownersByUserType: false, renameFollows: true, linkByEmail: 'never' },
  versions: [],
  roles: { TEAM_ADMIN: 100, EDITOR: 200, VIEWER: 300, CASE_MANAGER: 400, WORKBENCH_USER: 500 },
  permissions: [],
  directories: ['default'],
  teams: {},
  users: {},
  deleted: [],
  groups: {},
  claims: [],
  providers: {},
  links: [],
  syncs: [],
  retained: null,
  ownerSince: {},
  steps: 0,
};

/** Every grant that there should be, of everybody. */
export function desired(state: State): Grant[] {
  return [
    ...Object.keys(state.users).flatMap((user) => managedGrants(state, user)),
    ...state.claims.map((claim) => ({
      ...claim,
      suspended: !state.users[claim.user]?.active,
      precedence: Number.POSITIVE_INFINITY,
    })),
    ...(state.retained === null ? [] : [retention(state.retained)]),
  ];
}

/** What is held of each target by each user: of the grants that are not suspended the first. */
export function effective(grants: readonly Grant[]): Grant[] {
  const inOrder = grants.filter((grant) => !grant.suspended).sort(comesBefore);
  return firstOfEach(inOrder, (grant) => `${grant.user} ${grant.target}`);
}

/** Who owns the tenant. */
export function ownersOf(state: State): string[] {
  return effective(desired(state))
    .filter((grant) => grant.target === OWNER)
    .map((grant) => grant.user);
}

/** The mapping that holds. */
export const currentMapping = (state: State): MappingDocument | undefined => state.versions.at(-1);

/** Whether the current mapping (for ownership also the setting) says who holds the target. */
export function hasRow(state: State, target: string): boolean {
  if (target === OWNER && state.settings.ownersByUserType) return true;
  return rowsOf(state, currentMapping(state)).some((row) => row.target === target);
}

/** Whether somebody else than the admins says what the user holds, and goes on saying it. */
export function isSynced(state: State, user: string): boolean {
  if (state.users[user]?.directory) return true;
  return state.syncs.some((sync) => sync.user === user && sync.mode === 'enhanced');
}

export const isManaged = ({ origin }: { readonly origin: string }) =>
  origin.startsWith('scim:') || origin.startsWith('jit:');

function retention(user: string): Grant {
  return {
    user,
    target: OWNER,
    origin: 'retention',
    role: null,
    suspended: false,
    precedence: Number.POSITIVE_INFINITY,
  };
}

/** What groups, claims and userType give; nothing to those who are not active. */
function managedGrants(state: State, name: string): Grant[] {
  const user = state.users[name];
  if (!user?.active) return [];
  if (user.directory !== null) return directoryGrants(state, name, { ...user, directory: user.directory });
  return state.syncs.filter((sync) => sync.user === name).flatMap((sync) => signInGrants(state, sync));
}

/** A managed user: what the groups of their own directory give under the current mapping, and nothing else. */
function directoryGrants(state: State, name: string, { directory, userType }: User & { directory: string }) {
  const origin = `scim:${directory}`;
  const groups = Object.values(state.groups).filter(
    (group) => group.directory === directory && group.members.includes(name),
  );
  const names = ({ group: row }: Row, group: Group) =>
    row.identity_provider === undefined &&
    (row.directory ?? directory) === directory &&
    (row.group_name === group.displayName ||
      (row.group_id !== undefined && [group.id, group.externalId].includes(row.group_id)));
  const rows = rowsOf(state, currentMapping(state)).filter((row) =>
    groups.some((group) => names(row, group)),
  );
  const ownsByType = state.settings.ownersByUserType && userType?.toUpperCase() === 'TENANT_OWNER';
  const byType = { target: OWNER, role: null, precedence: Number.POSITIVE_INFINITY };
  return grantsOf(name, origin, ownsByType ? [...rows, byType] : rows);
}

/** An unmanaged user: what the claims of a sign-in give under the mapping of that time. */
function signInGrants(state: State, { user, provider, mapping, groups }: JitSync): Grant[] {
  const rows = rowsOf(state, mapping ?? undefined).filter(
    ({ group: row }) =>
      row.directory === undefined &&
      (row.identity_provider ?? provider) === provider &&
      groups.includes(row.group_name ?? row.group_id ?? ''),
  );
  return grantsOf(user, `jit:${provider}`, rows);
}

/** One grant of each target: by the first row. */
function grantsOf(user: string, origin: string, rows: readonly Omit<Row, 'group'>[]): Grant[] {
  const inOrder = rows.toSorted((one, other) => one.precedence - other.precedence);
  return firstOfEach(inOrder, (row) => row.target).map(({ target, role, precedence }) => ({
    user,
    target,
    origin,
    role,
    suspended: false,
    precedence,
  }));
}

interface Row {
  readonly group: GroupReference;
  readonly target: string;
  readonly role: string | null;
  readonly precedence: number;
}

/** The rows of a document whose target there is, each with its place: the order of the list, or of the roles' ranks. */
function rowsOf(state: State, document: MappingDocument | undefined): Row[] {
  if (document === undefined) return [];
  const { tenant_owners_groups: owners = [], tenant_permission: permissions = [], mappings } = document;
  const rows = [
    ...owners.map((name) => ({ group: { group_name: name }, targets: [OWNER], role: null })),
    ...permissions.flatMap((group) =>
      group.permissions.map((name) => ({ group, targets: permissionsNamed(state, name), role: null })),
    ),
    ...mappings.map((group) => ({ group, targets: teamsNamed(state, group), role: group.role_name })),
  ];
  const rank = (role: string | null) =>
    document.conflict_strategy === 'highest_role' && role !== null ? (state.roles[role] ?? 0) : 0;
  return rows
    .toSorted((one, other) => rank(one.role) - rank(other.role))
    .flatMap(({ group, targets, role }, precedence) =>
      targets.map((target) => ({ group, target, role, precedence })),
    );
}

const permissionsNamed = (state: State, name: string) =>
  state.permissions.includes(name) ? [`permission:${name}`] : [];

/** The team of that kind and name, where there is one. */
function teamsNamed(state: State, row: TeamRow): string[] {
  const [kind, name] =
    row.team_name === undefined ? ['case_group', row.case_group_name] : ['team', row.team_name];
  return Object.keys(state.teams).filter((team) => {
    const found = state.teams[team];
    return found?.kind === kind && found.name === name;
  });
}

/** Managed before invitation before e-mail domain before manual before retention; of managed ones by their rows. */
function comesBefore(one: Grant, other: Grant): number {
  return (
    place(one) - place(other) ||
    compare(one.precedence, other.precedence) ||
    compare(one.origin, other.origin)
  );
}

function place(grant: Grant): number {
  if (isManaged(grant)) return 0;
  return ['invitation', 'email_domain', 'manual', 'retention'].indexOf(grant.origin) + 1;
}

export function compare<Value extends string | number>(one: Value, other: Value): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function firstOfEach<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const first = new Map<string, Item>();
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item);
  return [...first.values()];
}
