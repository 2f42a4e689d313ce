import t from 'tap';
import { desired, EMPTY, effective, type MappingDocument, type State } from './reconcile.ts';
import type { SignIn } from './reconcile-sign-in.ts';
import { type Command, step } from './reconcile-step.ts';

/** The specification of reconciliation, sentence by sentence of the design's table. Nothing here asks the service. */

const IR = { kind: 'team', name: 'IR' } as const;
const row = (group_name: string, role_name: string) => ({ group_name, team_name: 'IR', role_name });
const MAPPING: MappingDocument = { mappings: [row('SecOps', 'TEAM_ADMIN'), row('Analysts', 'EDITOR')] };

/** A state in which ada is in SecOps and Analysts, and bob nowhere. */
const START: State = {
  ...EMPTY,
  directories: ['default', 'entra'],
  permissions: ['AUDIT_LOG_READ'],
  teams: { ir: IR },
  users: {
    ada: { id: '1', directory: 'default', active: true, userType: null },
    bob: { id: '2', directory: 'default', active: true, userType: null },
    zoe: { id: '3', directory: null, active: true, userType: null },
  },
  groups: {
    secops: { id: '8', directory: 'default', displayName: 'SecOps', externalId: 'x-8', members: ['ada'] },
    analysts: { id: '9', directory: 'default', displayName: 'Analysts', externalId: null, members: ['ada'] },
  },
  versions: [MAPPING],
  providers: { okta: 'enhanced', google: 'standard', ping: 'off' },
  settings: { ...EMPTY.settings, linkByEmail: 'verified_domains' },
};

const put = (document: Partial<MappingDocument>): Command => ({
  do: 'put mapping',
  document: { ...MAPPING, ...document },
  createTeams: false,
});
const grant = (user: string, role = 'VIEWER'): Command => ({ do: 'grant', user, to: IR, role });
const signIn = (provider: string, groups: SignIn['groups'], user = 'zoe'): Command => ({
  do: 'sign in',
  user,
  provider,
  groups,
});
const own = (user: string): Command => ({ do: 'grant', user, to: { kind: 'owner' }, role: '' });
const ADOPT: Command = { do: 'patch user', user: 'zoe', directory: 'default' };
const DELETE: Command = { do: 'delete user', user: 'ada', directory: 'default' };
const OWNERS = put({ tenant_owners_groups: ['SecOps'] });
const LEAVE: Command = { do: 'patch group', group: 'secops', add: [], remove: ['ada'] };
const active = (user: string, is: boolean): Command => ({
  do: 'patch user',
  user,
  directory: 'default',
  active: is,
});

/** What is held after the commands, or why the last of them is refused. */
function after(...commands: Command[]): string[] {
  let state = START;
  for (const command of commands) {
    const next = step(state, command, '7');
    if (typeof next === 'string') return [next];
    state = next;
  }
  return effective(desired(state))
    .map(
      ({ user, target, role, origin }) => `${user} ${state.teams[target]?.name ?? target} ${role} ${origin}`,
    )
    .sort();
}

const ADMIN = 'ada IR TEAM_ADMIN scim:default';
const EDITOR = 'ada IR EDITOR scim:default';
const OWNER = 'ada owner null scim:default';
const RETAINED = 'ada owner null retention';

const CASES: readonly [sentence: string, commands: Command[], held: string[]][] = [
  ['the first row in list order whose group the user has decides', [], [ADMIN]],
  ['another order, another role', [put({ mappings: MAPPING.mappings.toReversed() })], [EDITOR]],
  [
    'or the highest role, where the document says so',
    [put({ mappings: MAPPING.mappings.toReversed(), conflict_strategy: 'highest_role' })],
    [ADMIN],
  ],
  ['the next row takes over', [LEAVE], [EDITOR]],
  ['names are case-sensitive', [put({ mappings: [row('secops', 'EDITOR')] })], []],
  [
    'a row finds a group by its externalId',
    [put({ mappings: [{ group_id: 'x-8', team_name: 'IR', role_name: 'VIEWER' }] })],
    ['ada IR VIEWER scim:default'],
  ],
  [
    'a row for another directory gives nothing',
    [put({ mappings: [{ ...row('SecOps', 'EDITOR'), directory: 'entra' }] })],
    [],
  ],
  ['nobody holds anything who is not active', [active('ada', false)], []],
  ['and does again when active again', [active('ada', false), active('ada', true)], [ADMIN]],
  ['a member of an owner group is owner', [OWNERS], [ADMIN, OWNER]],
  [
    'a permission is given by its row',
    [put({ tenant_permission: [{ group_name: 'SecOps', permissions: ['AUDIT_LOG_READ'] }] })],
    [ADMIN, 'ada permission:AUDIT_LOG_READ null scim:default'],
  ],
  [
    'userType makes an owner only where the tenant wants it',
    [
      { do: 'patch user', user: 'bob', directory: 'default', userType: 'TENANT_OWNER' },
      { do: 'set', settings: { ownersByUserType: true } },
    ],
    [ADMIN, 'bob owner null scim:default'],
  ],
  ['a removed row takes away', [put({ mappings: [row('Analysts', 'EDITOR')] })], [EDITOR]],
  [
    'on_unmap: keep turns the members of a team without rows manual',
    [put({ mappings: [{ ...row('SecOps', 'EDITOR'), team_name: 'Other' }], on_unmap: 'keep' })],
    ['ada IR TEAM_ADMIN manual'],
  ],
  [
    'rows follow a renamed group',
    [{ do: 'patch group', group: 'secops', name: 'Sec', add: [], remove: [] }],
    [ADMIN],
  ],
  [
    'unless the tenant does not want that',
    [
      { do: 'set', settings: { renameFollows: false } },
      { do: 'patch group', group: 'secops', name: 'Sec', add: [], remove: [] },
    ],
    [EDITOR],
  ],
  ['a deleted group gives nothing', [{ do: 'delete group', group: 'secops' }], [EDITOR]],
  [
    'rows follow a renamed team',
    [{ do: 'rename team', team: IR, name: 'Hunt' }],
    ['ada Hunt TEAM_ADMIN scim:default'],
  ],
  ['a synced user is not edited by hand where the mapping decides', [grant('ada')], ['managed']],
  ['an unmanaged one is', [grant('zoe')], [ADMIN, 'zoe IR VIEWER manual']],
  [
    'a manual grant from before stays when the user is adopted',
    [grant('zoe'), { do: 'patch user', user: 'zoe', directory: 'default' }],
    [ADMIN, 'zoe IR VIEWER manual'],
  ],
  [
    'takeover ends it',
    [
      { do: 'set', settings: { takeover: true } },
      grant('zoe'),
      { do: 'patch user', user: 'zoe', directory: 'default' },
    ],
    [ADMIN],
  ],
  ['a sign-in gives what its claims give', [signIn('okta', ['Analysts'])], [ADMIN, 'zoe IR EDITOR jit:okta']],
  ['enhanced, it takes what they do not', [signIn('okta', ['Analysts']), signIn('okta', [])], [ADMIN]],
  [
    'unknown groups take nothing',
    [signIn('okta', ['Analysts']), signIn('okta', 'overage')],
    [ADMIN, 'zoe IR EDITOR jit:okta'],
  ],
  [
    'standard mode gives once',
    [signIn('google', ['Analysts']), signIn('google', ['SecOps'])],
    [ADMIN, 'zoe IR EDITOR jit:google'],
  ],
  [
    'a mapping change waits for the next sign-in',
    [signIn('okta', ['Analysts']), put({ mappings: [row('SecOps', 'TEAM_ADMIN')] })],
    [ADMIN, 'zoe IR EDITOR jit:okta'],
  ],
  ['nobody unknown comes in by a provider whose JIT is off', [signIn('ping', [], 'eve')], ['unknown_user']],
  ['by another one they do', [signIn('okta', ['SecOps'], 'eve')], [ADMIN, 'eve IR TEAM_ADMIN jit:okta']],
  ['whom a directory manages keeps what it gives', [signIn('okta', ['Analysts'], 'ada')], [ADMIN]],
  ['whom a directory adopts holds what its groups give', [signIn('okta', ['Analysts']), ADOPT], [ADMIN]],
  ['who is not active stays outside', [active('ada', false), signIn('okta', [], 'ada')], ['deactivated']],
  ['whoever was deleted too', [DELETE, signIn('okta', ['SecOps'], 'ada')], ['deprovisioned']],
  [
    'until an admin allows the return',
    [DELETE, { do: 'allow return', user: 'ada' }, signIn('okta', ['SecOps'], 'ada')],
    ['ada IR TEAM_ADMIN jit:okta'],
  ],
  ['an owner is linked by no address', [own('zoe'), signIn('okta', [])], ['link_conflict']],
  [
    'nobody is where the tenant does not want it',
    [{ do: 'set', settings: { linkByEmail: 'never' } }, signIn('okta', [])],
    ['link_conflict'],
  ],
  [
    'once linked, an owner comes in',
    [signIn('okta', []), own('zoe'), signIn('okta', [])],
    [ADMIN, 'zoe owner null manual'],
  ],
  [
    'another mode takes nothing by itself',
    [signIn('okta', ['SecOps']), { do: 'switch jit', provider: 'okta', jit: 'off' }, signIn('okta', [])],
    [ADMIN, 'zoe IR TEAM_ADMIN jit:okta'],
  ],
  ['the last owner stays when the group goes', [OWNERS, LEAVE], [EDITOR, RETAINED]],
  ['until another is made', [OWNERS, LEAVE, own('zoe')], [EDITOR, 'zoe owner null manual']],
  [
    'of several who go at once the longest-standing stays',
    [OWNERS, { do: 'patch group', group: 'secops', add: ['bob'], remove: [] }, put({})],
    [ADMIN, RETAINED, 'bob IR TEAM_ADMIN scim:default'],
  ],
  ['a deactivated last owner does not stay', [OWNERS, active('ada', false)], []],
  ['nor come back by retention', [OWNERS, LEAVE, active('ada', false), active('ada', true)], [EDITOR]],
  [
    'the last owner is not withdrawn by hand',
    [own('zoe'), { do: 'withdraw', user: 'zoe', to: { kind: 'owner' } }],
    ['last_owner'],
  ],
];

for (const [sentence, commands, held] of CASES) {
  t.test(sentence, async (t) => {
    t.same(after(...commands), held.toSorted());
  });
}
