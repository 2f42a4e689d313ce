import { isDeepStrictEqual } from 'node:util';
import {
  type Claim,
  compare,
  currentMapping,
  desired,
  effective,
  type Grant,
  hasRow,
  isManaged,
  isSynced,
  type JitMode,
  type MappingDocument,
  OWNER,
  ownersOf,
  type State,
  type Team,
} from './reconcile.ts';
import { renameGroupInMapping, renameTeamInMapping } from './reconcile-rename.ts';
import { type SignIn, type SignInRefusal, signIn, switchJit, takes } from './reconcile-sign-in.ts';

/**
 * What a change of the tenant's state makes of it, with the three rules that look at what was held before: members
 * of a team that lost its last row may stay, a takeover ends what was given by hand, and the last owner stays.
 */

/** One change. Users, groups and teams are named by what they are called in the state. */
export type Command =
  | { do: 'post user'; user: string; directory: string; active: boolean; userType: string | null }
  | { do: 'add user by hand'; user: string; active: boolean }
  | { do: 'put user'; user: string; directory: string; active: boolean; userType: string | null }
  | { do: 'patch user'; user: string; directory: string; active?: boolean; userType?: string | null }
  | { do: 'delete user'; user: string; directory: string }
  | { do: 'post group'; group: string; directory: string; name: string; members: string[] }
  | { do: 'put group'; group: string; name: string; members: string[] }
  | { do: 'patch group'; group: string; name?: string; add: string[]; remove: string[] }
  | { do: 'delete group'; group: string }
  | { do: 'put mapping'; document: MappingDocument; createTeams: boolean }
  | { do: 'revert mapping'; version: number }
  | { do: 'create team'; team: Team }
  | { do: 'rename team'; team: Team; name: string }
  | { do: 'delete team'; team: Team }
  | { do: 'grant'; user: string; to: Target; role: string }
  | { do: 'withdraw'; user: string; to: Target }
  | { do: 'set'; settings: Partial<State['settings']> }
  | ({ do: 'sign in' } & SignIn)
  | { do: 'switch jit'; provider: string; jit: JitMode }
  | { do: 'allow return'; user: string }
  | { do: 'create directory'; directory: string }
  | { do: 'delete directory'; directory: string; users: 'release' | 'deactivate' };

export type Target = Team | { kind: 'owner' } | { kind: 'permission'; name: string };

/** `absent`: what the command is about is not there. The others are how the service must refuse. */
export type Refusal =
  | 'absent'
  | 'not found'
  | 'taken'
  | 'unknown member'
  | 'invalid'
  | 'managed'
  | 'in use'
  | 'last_owner'
  | SignInRefusal;

/** The state after the command, or why it is refused. `id` is what the service calls what the command makes. */
export function step(before: State, command: Command, id = ''): State | Refusal {
  const after = structuredClone(before);
  after.steps++;
  const refusal = change(after, command, id);
  if (refusal !== undefined) return refusal;
  keepUnmapped(before, after, command);
  takeOver(after);
  keepAnOwner(before, after);
  const byHand = command.do === 'withdraw' && after.retained !== null && before.retained === null;
  return byHand ? 'last_owner' : after;
}

/** The key of the team in the state. */
export function teamKey(state: State, { kind, name }: Team): string | undefined {
  return Object.keys(state.teams).find((key) => isDeepStrictEqual(state.teams[key], { kind, name }));
}

/**
 * `on_unmap: keep`: members of a team that no row of a new mapping names any more are so by hand; those whom an
 * enhanced sign-in syncs, when it comes under the new mapping.
 */
function keepUnmapped(before: State, after: State, command: Command): void {
  if (currentMapping(after)?.on_unmap !== 'keep') return;
  const concerns = ({ user, origin }: Grant) =>
    command.do === 'sign in'
      ? user === command.user && origin === `jit:${command.provider}` && takes(after, command)
      : ['put mapping', 'revert mapping'].includes(command.do) && origin.startsWith('scim:');
  for (const grant of desired(before).filter(concerns)) {
    const { user, target, role } = grant;
    if (!(target in after.teams) || hasRow(after, target)) continue;
    const kept: Claim = { user, target, origin: 'manual', role };
    after.claims = [...after.claims.filter((claim) => !isSamePlace(claim, kept)), kept];
  }
}

/** `takeover`: in targets that have a row, synced users hold nothing by hand. */
function takeOver(state: State): void {
  if (!state.settings.takeover) return;
  state.claims = state.claims.filter(
    ({ origin, user, target }) => origin !== 'manual' || !isSynced(state, user) || !hasRow(state, target),
  );
}

/** A tenant that had an owner has one, unless those who were are no longer active: the longest-standing of them. */
function keepAnOwner(before: State, after: State): void {
  const were = ownersOf(before);
  after.retained = null;
  if (ownersOf(after).length === 0) {
    const since = (user: string) => before.ownerSince[user] ?? 0;
    const id = (user: string) => before.users[user]?.id ?? '';
    const [first] = were
      .filter((user) => after.users[user]?.active)
      .sort((one, other) => since(one) - since(other) || compare(id(one), id(other)));
    after.retained = first ?? null;
  }
  after.ownerSince = Object.fromEntries(
    ownersOf(after).map((user) => [user, were.includes(user) ? (before.ownerSince[user] ?? 0) : after.steps]),
  );
}

function change(state: State, command: Command, id: string): Refusal | undefined {
  switch (command.do) {
    case 'post user':
    case 'add user by hand':
      return addUser(state, command, id);
    case 'put user':
    case 'patch user':
    case 'delete user':
      return changeUser(state, command);
    case 'post group':
    case 'put group':
    case 'patch group':
    case 'delete group':
      return changeGroup(state, command, id);
    case 'put mapping':
    case 'revert mapping':
      return changeMapping(state, command);
    case 'create team':
    case 'rename team':
    case 'delete team':
      return changeTeam(state, command);
    case 'grant':
    case 'withdraw':
      return changeByHand(state, command);
    case 'set':
      Object.assign(state.settings, command.settings);
      return undefined;
    case 'sign in':
      return signIn(state, command, id);
    case 'switch jit':
      switchJit(state, command);
      return undefined;
    case 'allow return':
      return lift(state, command.user);
    case 'create directory':
      if (state.directories.includes(command.directory)) return 'taken';
      state.directories.push(command.directory);
      return undefined;
    case 'delete directory':
      return deleteDirectory(state, command);
  }
}

type Of<Do extends Command['do']> = Extract<Command, { do: Do }>;

function addUser(state: State, command: Of<'post user' | 'add user by hand'>, id: string) {
  const { directory = null, userType = null } = command.do === 'post user' ? command : {};
  if (directory !== null && !state.directories.includes(directory)) return 'absent';
  if (command.user in state.users) return 'taken';
  state.users[command.user] = { id, directory, userType, active: command.active };
  // A name that a directory gives may be another's.
  if (directory === null) lift(state, command.user);
  return undefined;
}

function bury(state: State, name: string, id: string): void {
  const linked = state.links.filter(({ user }) => user === name).map(({ provider }) => provider);
  for (const provider of [null, ...linked]) {
    const stands = state.deleted.some((each) => each.user === name && each.provider === provider);
    if (!stands) state.deleted.push({ user: name, provider, id });
  }
}

function lift(state: State, name: string): 'absent' | undefined {
  const id = buried(state, name);
  if (id === undefined) return 'absent';
  state.deleted = state.deleted.filter((each) => each.id !== id);
  return undefined;
}

/** The id of the deleted user whose name it was. */
export function buried({ deleted }: State, name: string): string | undefined {
  return deleted.find(({ user, provider }) => user === name && provider === null)?.id;
}

function changeUser(state: State, command: Of<'put user' | 'patch user' | 'delete user'>) {
  const user = state.users[command.user];
  if (user === undefined || !state.directories.includes(command.directory)) return 'absent';
  if ((user.directory ?? command.directory) !== command.directory) return 'not found';
  if (command.do === 'delete user') {
    bury(state, command.user, user.id);
    delete state.users[command.user];
    state.links = state.links.filter((link) => link.user !== command.user);
    state.claims = state.claims.filter((claim) => claim.user !== command.user);
    state.syncs = state.syncs.filter((sync) => sync.user !== command.user);
    for (const group of Object.values(state.groups))
      group.members = group.members.filter((member) => member !== command.user);
    return undefined;
  }
  adopt(state, command.user, command.directory);
  if (command.active !== undefined) user.active = command.active;
  if (command.userType !== undefined) user.userType = command.userType;
  return undefined;
}

/** The first write of a directory makes an unmanaged user its own; what sign-ins gave is over. */
function adopt(state: State, name: string, directory: string): void {
  const user = state.users[name];
  if (user === undefined) return;
  user.directory = directory;
  state.syncs = state.syncs.filter((sync) => sync.user !== name);
}

function changeGroup(
  state: State,
  command: Of<'post group' | 'put group' | 'patch group' | 'delete group'>,
  id: string,
) {
  if (command.do === 'post group') {
    const { group: key, directory, name } = command;
    if (!state.directories.includes(directory) || key in state.groups) return 'absent';
    state.groups[key] = { id, directory, displayName: '', externalId: `external-${key}`, members: [] };
    return writeGroup(state, { key, name, members: command.members });
  }
  const { group: key } = command;
  const group = state.groups[key];
  if (group === undefined) return 'absent';
  if (command.do === 'delete group') {
    delete state.groups[key];
    return undefined;
  }
  const renamed = command.name !== undefined && command.name !== group.displayName;
  if (renamed && state.settings.renameFollows) renameGroupInMapping(state, key, String(command.name));
  const members =
    command.do === 'put group'
      ? command.members
      : [...group.members, ...command.add].filter((member) => !command.remove.includes(member));
  return writeGroup(state, { key, name: command.name ?? group.displayName, members });
}

function writeGroup(state: State, written: { key: string; name: string; members: string[] }) {
  const { key, name } = written;
  const members = [...new Set(written.members)].filter((member) => member in state.users);
  const group = state.groups[key];
  if (group === undefined) return 'absent';
  const others = Object.keys(state.groups).filter((other) => other !== key);
  const bears = (other: string) =>
    state.groups[other]?.directory === group.directory &&
    state.groups[other]?.displayName.toLowerCase() === name.toLowerCase();
  const directoryOf = (member: string) => state.users[member]?.directory ?? group.directory;
  if (members.some((member) => directoryOf(member) !== group.directory)) return 'unknown member';
  if (others.some(bears)) return 'taken';
  for (const member of members) if (!group.members.includes(member)) adopt(state, member, group.directory);
  Object.assign(group, { displayName: name, members });
  return undefined;
}

function changeMapping(state: State, command: Of<'put mapping' | 'revert mapping'>) {
  const document = command.do === 'put mapping' ? command.document : state.versions[command.version - 1];
  if (document === undefined) return 'absent';
  const rows = [...(document.tenant_permission ?? []), ...document.mappings];
  const unknown = ({ directory }: { readonly directory?: string }) =>
    directory !== undefined && !state.directories.includes(directory);
  if (rows.some(unknown)) return 'invalid';
  if (isDeepStrictEqual(document, currentMapping(state))) return undefined;
  state.versions.push(document);
  if (command.do === 'put mapping' && command.createTeams) createMissingTeams(state, document);
  return undefined;
}

function createMissingTeams(state: State, { mappings }: MappingDocument): void {
  for (const { team_name, case_group_name = '' } of mappings) {
    const team: Team =
      team_name === undefined
        ? { kind: 'case_group', name: case_group_name }
        : { kind: 'team', name: team_name };
    if (teamKey(state, team) === undefined) createTeam(state, team);
  }
}

function createTeam(state: State, team: Team): void {
  state.teams[`${team.kind} ${team.name} of step ${state.steps}`] = team;
}

function changeTeam(state: State, command: Of<'create team' | 'rename team' | 'delete team'>) {
  const { team } = command;
  const key = teamKey(state, team);
  if (command.do === 'create team') {
    if (key !== undefined) return 'taken';
    createTeam(state, team);
    return undefined;
  }
  if (key === undefined) return 'absent';
  if (command.do === 'delete team') {
    delete state.teams[key];
    state.claims = state.claims.filter((claim) => claim.target !== key);
    return undefined;
  }
  if (command.name === team.name) return undefined;
  if (teamKey(state, { ...team, name: command.name }) !== undefined) return 'taken';
  renameTeamInMapping(state, team, command.name);
  state.teams[key] = { ...team, name: command.name };
  return undefined;
}

function changeByHand(state: State, command: Of<'grant' | 'withdraw'>): Refusal | undefined {
  const { user, to } = command;
  const target = targetKey(state, to);
  if (target === undefined || !(user in state.users)) return 'absent';
  const claim: Claim = { user, target, origin: 'manual', role: null };
  const isHeld = desired(state).some(
    (grant) => grant.user === user && grant.target === target && isManaged(grant),
  );
  if (!isSynced(state, user) && isHeld) turnManual(state, user, target);
  if (command.do === 'grant') {
    if (isSynced(state, user) && hasRow(state, target)) return 'managed';
    const isTeam = target in state.teams;
    const others = state.claims.filter((other) => !isSamePlace(other, claim));
    state.claims = [...others, { ...claim, role: isTeam ? command.role : null }];
    return undefined;
  }
  const grants = desired(state).filter((grant) => grant.user === user && grant.target === target);
  if (isSynced(state, user) && grants.some(isManaged)) return 'managed';
  if (target === OWNER && state.retained === user) return 'last_owner';
  // What came by invitation or e-mail domain is withdrawn with it.
  state.claims = state.claims.filter((other) => other.user !== user || other.target !== target);
  return undefined;
}

/** What standard JIT gave a user is the admins' from the first edit of a part of it on: it gives once. */
function turnManual(state: State, user: string, edited: string): void {
  const given = effective(desired(state).filter((grant) => grant.user === user && isManaged(grant)));
  for (const { target, role } of given) {
    if (target === edited) continue;
    const claim: Claim = { user, target, origin: 'manual', role };
    state.claims = [...state.claims.filter((other) => !isSamePlace(other, claim)), claim];
  }
  state.syncs = state.syncs.map((sync) => (sync.user === user ? { ...sync, groups: [] } : sync));
}

function targetKey(state: State, to: Target): string | undefined {
  if (to.kind === 'owner') return OWNER;
  if (to.kind !== 'permission') return teamKey(state, to);
  return state.permissions.includes(to.name) ? `permission:${to.name}` : undefined;
}

function isSamePlace(one: Claim, other: Claim): boolean {
  return one.user === other.user && one.target === other.target && one.origin === other.origin;
}

function deleteDirectory(state: State, { directory, users }: Of<'delete directory'>): Refusal | undefined {
  if (!state.directories.includes(directory)) return 'absent';
  const { mappings = [], tenant_permission: entries = [] } = currentMapping(state) ?? {};
  if ([...entries, ...mappings].some((row) => row.directory === directory)) return 'in use';
  state.directories = state.directories.filter((each) => each !== directory);
  for (const [key, group] of Object.entries(state.groups))
    if (group.directory === directory) delete state.groups[key];
  for (const user of Object.values(state.users)) {
    if (user.directory !== directory) continue;
    user.directory = null;
    if (users === 'deactivate') user.active = false;
  }
  return undefined;
}
