import fc, { type Arbitrary } from 'fast-check';
import type { GroupReference, JitMode, MappingDocument, Team, TeamRow } from './reconcile.ts';
import type { Command, Target } from './reconcile-step.ts';

/** Random changes of a tenant. The pools are small, so that what they name collides. */

export const PERMISSIONS = ['AUDIT_LOG_READ', 'TUNNEL_MANAGE'] as const;
/** The directory that comes and goes; the other one, `default`, stays. */
export const SECOND = 'entra';

/** The identity providers, as they begin. */
export const PROVIDERS: Readonly<Record<string, JitMode>> = { okta: 'enhanced', google: 'standard' };
/** Of the addresses that are names of users. */
export const DOMAIN = 'acme.test';

function address(user: string): string {
  return `${user}@${DOMAIN}`;
}

const user = fc.constantFrom(...['u0', 'u1', 'u2', 'u3'].map(address));
/** Somebody who comes by signing in only, and others who do, too. */
const visitor = fc.constantFrom(...['u0', 'u1', 'u2', 'u3', 'u3', 'u4', 'u4'].map(address));
const anybody = fc.oneof(
  { weight: 3, arbitrary: user },
  { weight: 1, arbitrary: fc.constant(address('u4')) },
);
const group = fc.constantFrom('g0', 'g1', 'g2', 'g3');
const members = fc.uniqueArray(anybody, { maxLength: 3, size: 'max' });
const directory = fc.constantFrom('default', 'default', SECOND);
// Two that differ in case only: one name in a directory, two in the mapping.
const groupName = fc.constantFrom('A', 'B', 'C', 'a');
const active = fc.constantFrom(true, true, true, false);
const userType = fc.constantFrom(null, 'TENANT_OWNER', 'Employee');
const role = fc.constantFrom('TEAM_ADMIN', 'EDITOR', 'VIEWER');
const TEAMS: readonly Team[] = [
  { kind: 'team', name: 'Red' },
  { kind: 'team', name: 'Blue' },
  { kind: 'case_group', name: 'Red' },
];
const team = fc.constantFrom(...TEAMS);
const target: Arbitrary<Target> = fc.oneof(
  { weight: 3, arbitrary: team },
  { weight: 3, arbitrary: fc.constant({ kind: 'owner' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...PERMISSIONS).map((name) => ({ kind: 'permission' as const, name })),
  },
);

const claims: Arbitrary<string[] | 'absent' | 'overage'> = fc.oneof(
  { weight: 4, arbitrary: fc.uniqueArray(groupName, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom('absent' as const, 'overage' as const) },
);

/** What stands for our id of a group until it has one. */
export const idOf = (key: string) => `the id of ${key}`;

const reference: Arbitrary<GroupReference> = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: groupName.map((group_name) => ({ group_name })) },
      { weight: 1, arbitrary: group.map((key) => ({ group_id: `external-${key}` })) },
      { weight: 1, arbitrary: group.map((key) => ({ group_id: idOf(key) })) },
    ),
    fc.constantFrom(
      {},
      {},
      {},
      { directory: 'default' },
      { directory: SECOND },
      { identity_provider: 'okta' },
    ),
  )
  .map(([named, source]) => ({ ...named, ...source }));

const row: Arbitrary<TeamRow> = fc.tuple(reference, team, role).map(([group, { kind, name }, role_name]) => ({
  ...group,
  ...(kind === 'team' ? { team_name: name } : { case_group_name: name }),
  role_name,
}));

const document: Arbitrary<MappingDocument> = fc.record(
  {
    conflict_strategy: fc.constantFrom('first_match' as const, 'highest_role' as const),
    on_unmap: fc.constantFrom('remove' as const, 'keep' as const),
    tenant_owners_groups: fc.uniqueArray(groupName, { maxLength: 2 }),
    tenant_permission: fc.array(
      fc
        .tuple(reference, fc.uniqueArray(fc.constantFrom(...PERMISSIONS), { minLength: 1 }))
        .map(([group, permissions]) => ({ ...group, permissions })),
      { maxLength: 2 },
    ),
    mappings: fc.array(row, { minLength: 1, maxLength: 5, size: 'max' }),
  },
  { requiredKeys: ['mappings'] },
);

const provider = fc.constantFrom('okta', 'okta', 'google');
const setting = fc.constantFrom(
  { takeover: true },
  { takeover: false },
  { ownersByUserType: true },
  { ownersByUserType: false },
  { renameFollows: true },
  { renameFollows: false },
  { linkByEmail: 'never' as const },
  { linkByEmail: 'verified_domains' as const },
);

const one = <Do extends Command['do'], Rest extends object>(
  name: Do,
  rest: { [Key in keyof Rest]: Arbitrary<Rest[Key]> },
) => fc.record<Rest>(rest).map((fields) => ({ do: name, ...fields }));

/** How often each comes, beside the others. */
const changes: { readonly [Do in Command['do']]: { weight: number; arbitrary: Arbitrary<Command> } } = {
  'post user': { weight: 4, arbitrary: one('post user', { user, directory, active, userType }) },
  'add user by hand': { weight: 4, arbitrary: one('add user by hand', { user, active }) },
  'put user': { weight: 3, arbitrary: one('put user', { user: anybody, directory, active, userType }) },
  'patch user': {
    weight: 7,
    arbitrary: fc.record(
      { do: fc.constant('patch user' as const), user: anybody, directory, active, userType },
      { requiredKeys: ['do', 'user', 'directory'] },
    ),
  },
  'delete user': { weight: 2, arbitrary: one('delete user', { user: anybody, directory }) },
  'post group': {
    weight: 5,
    arbitrary: one('post group', { group, directory, name: groupName, members }),
  },
  'put group': { weight: 4, arbitrary: one('put group', { group, name: groupName, members }) },
  'patch group': {
    weight: 14,
    arbitrary: fc.record(
      { do: fc.constant('patch group' as const), group, name: groupName, add: members, remove: members },
      { requiredKeys: ['do', 'group', 'add', 'remove'] },
    ),
  },
  'delete group': { weight: 2, arbitrary: one('delete group', { group }) },
  'put mapping': {
    weight: 10,
    arbitrary: one('put mapping', { document, createTeams: fc.constantFrom(true, true, false) }),
  },
  'revert mapping': {
    weight: 2,
    arbitrary: one('revert mapping', { version: fc.integer({ min: 1, max: 4 }) }),
  },
  'create team': { weight: 3, arbitrary: one('create team', { team }) },
  'rename team': {
    weight: 2,
    arbitrary: one('rename team', { team, name: fc.constantFrom('Red', 'Blue', 'Green') }),
  },
  'delete team': { weight: 1, arbitrary: one('delete team', { team }) },
  grant: { weight: 6, arbitrary: one('grant', { user: anybody, to: target, role }) },
  withdraw: { weight: 4, arbitrary: one('withdraw', { user: anybody, to: target }) },
  set: { weight: 4, arbitrary: one('set', { settings: setting }) },
  'sign in': {
    weight: 9,
    arbitrary: one('sign in', { user: visitor, provider, groups: claims }),
  },
  'switch jit': {
    weight: 2,
    arbitrary: one('switch jit', {
      provider,
      jit: fc.constantFrom('enhanced', 'enhanced', 'standard', 'off'),
    }),
  },
  'allow return': { weight: 1, arbitrary: one('allow return', { user: anybody }) },
  'create directory': { weight: 1, arbitrary: fc.constant({ do: 'create directory', directory: SECOND }) },
  'delete directory': {
    weight: 1,
    arbitrary: one('delete directory', {
      directory: fc.constant(SECOND),
      users: fc.constantFrom('release' as const, 'deactivate' as const),
    }),
  },
};

/** What most changes need to have an effect. */
const BEGINNING: readonly Command[] = [
  { do: 'create directory', directory: SECOND },
  { do: 'post user', user: address('u0'), directory: 'default', active: true, userType: 'TENANT_OWNER' },
  { do: 'post user', user: address('u1'), directory: 'default', active: true, userType: null },
  { do: 'post user', user: address('u2'), directory: SECOND, active: true, userType: null },
  { do: 'post group', group: 'g0', directory: 'default', name: 'A', members: ['u0', 'u1'].map(address) },
  { do: 'set', settings: { linkByEmail: 'verified_domains' } },
  { do: 'sign in', user: address('u4'), provider: 'okta', groups: ['A'] },
];

/** A history of a tenant. */
export const commands = fc
  .array(fc.oneof(...Object.values(changes)), { maxLength: 50, size: 'max' })
  .map((random) => [...BEGINNING, ...random]);
