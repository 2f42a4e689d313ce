import t from 'tap';
import type { MappingDocument, MappingRow } from '../../src/reconcile/mapping-document.ts';
import { type MappingFacts, mappingWarnings, type SeenGroup } from '../../src/reconcile/mapping-warnings.ts';
import { EXAMPLE, ROLES } from './mapping-arbitraries.ts';

const pushed = (name: string, directory = 'entra', ids: string[] = []): SeenGroup => ({
  directory,
  identityProvider: null,
  name,
  ids,
});
const claimed = (name: string, identityProvider = 'okta'): SeenGroup => ({
  directory: null,
  identityProvider,
  name,
  ids: [name],
});

const FACTS: MappingFacts = {
  roles: ROLES,
  teams: [
    { kind: 'team', name: 'Incident Response' },
    { kind: 'case_group', name: 'Fraud' },
  ],
  groups: [
    pushed('IT Admins'),
    pushed('Auditors'),
    pushed('SecOps'),
    claimed('Analysts'),
    pushed('Fraud people', 'entra', ['0190', '7d2f']),
  ],
  ownerGroupsWithMembers: new Set(['IT Admins']),
};

/** Codes and pointers of the warnings about a document. */
const told = (document: MappingDocument, facts: Partial<MappingFacts> = {}) =>
  mappingWarnings(document, { ...FACTS, ...facts }).map(({ code, pointer }) => `${code} ${pointer}`);

const ROW: MappingRow = { group_name: 'SecOps', team_name: 'Incident Response', role_name: 'EDITOR' };
const rows = (...changes: Partial<MappingRow>[]): MappingDocument => ({
  mappings: changes.map((change) => ({ ...ROW, ...change })),
});

t.test('where everything is there, nothing is warned of', async (t) => {
  t.strictSame(mappingWarnings(EXAMPLE, FACTS), []);
});

t.test('a team that is not there', async (t) => {
  const warnings = mappingWarnings(rows({ team_name: 'Legal' }, {}, { team_name: 'Fraud' }), FACTS);
  t.match(warnings, [
    {
      code: 'unknown_team',
      pointer: '/mappings/0/team_name',
      detail:
        /There is no team "Legal": the row gives nothing until there is one\. Create it, or correct the name\.$/,
    },
    {
      pointer: '/mappings/2/team_name',
      detail: /There is a case group of this name: if .* case_group_name\.$/,
    },
  ]);
  const { team_name: _, ...row } = ROW;
  t.strictSame(told({ mappings: [{ ...row, case_group_name: 'Incident Response' }] }), [
    'unknown_team /mappings/0/case_group_name',
  ]);
});

t.test('a group that was never seen, at each place that names it', async (t) => {
  t.strictSame(told(EXAMPLE, { groups: [] }), [
    'group_never_seen /tenant_owners_groups/0',
    'group_never_seen /tenant_permission/0/group_name',
    'group_never_seen /mappings/0/group_name',
    'group_never_seen /mappings/1/group_name',
    'group_never_seen /mappings/2/group_id',
  ]);
});

t.test('a group counts as seen in the source that the row asks for', async (t) => {
  const { group_name: _, ...byId } = ROW;
  const cases: [title: string, row: MappingRow, isSeen: boolean][] = [
    ['its directory', { ...ROW, directory: 'entra' }, true],
    ['another directory', { ...ROW, directory: 'default' }, false],
    ['pushed, and asked of sign-ins', { ...ROW, identity_provider: 'okta' }, false],
    ['claimed there', { ...ROW, group_name: 'Analysts', identity_provider: 'okta' }, true],
    ['claimed elsewhere', { ...ROW, group_name: 'Analysts', identity_provider: 'keycloak' }, false],
    ['claimed, and asked of a directory', { ...ROW, group_name: 'Analysts', directory: 'entra' }, false],
    ['our id', { ...byId, group_id: '0190' }, true],
    ['its externalId', { ...byId, group_id: '7d2f' }, true],
    ['a claim by id', { ...byId, group_id: 'Analysts' }, true],
    ['a name as id of a SCIM group', { ...byId, group_id: 'SecOps' }, false],
    ['an id as name of a SCIM group', { ...ROW, group_name: '7d2f' }, false],
  ];
  for (const [title, row, isSeen] of cases) {
    const warnings = told({ mappings: [row] });
    t.equal(warnings.length === 0, isSeen, title);
    t.ok(
      warnings.every((each) => each.startsWith('group_never_seen /mappings/0/group_')),
      title,
    );
  }
  const [warning] = mappingWarnings(rows({ directory: 'default' }), FACTS);
  t.match(
    warning?.detail,
    /seen in the directory "default": .* It has been seen in the directory "entra"\.$/,
  );
});

t.test('something that is called nearly so', async (t) => {
  const cases: [written: string, differs: RegExp | undefined][] = [
    ['secops', /"SecOps", which differs in case only/],
    ['Sec Ops', /"SecOps", which differs in white space/],
    ['Sec\u200bOps', /"SecOps", which differs in white space or invisible/],
    ['sec ops', /"SecOps", which differs in case, white space or Unicode form/],
    ['ＳecOps', /"SecOps", which differs in the Unicode form/],
    ['SecOp', /"SecOps", which differs in one character/],
    ['SecOpss', /"SecOps", which differs in one character/],
    ['SegOps', /"SecOps", which differs in one character/],
    ['TecOps', /"SecOps", which differs in one character/],
    ['SceOps', undefined],
    ['SecOpsss', undefined],
    ['Lega', undefined],
  ];
  const groups = [pushed('SecOps'), pushed('Legal')];
  for (const [written, differs] of cases) {
    const warnings = mappingWarnings(rows({ group_name: written }), { ...FACTS, groups });
    const near = warnings.find(({ code }) => code === 'near_miss');
    t.equal(warnings[0]?.code, 'group_never_seen', written);
    t.equal(near?.pointer, differs && '/mappings/0/group_name', written);
    t.match(near?.detail ?? '', differs ?? /^$/, written);
  }
  t.strictSame(told(rows({ team_name: 'incident response' })), [
    'unknown_team /mappings/0/team_name',
    'near_miss /mappings/0/team_name',
  ]);
  const { group_name: _, ...byId } = ROW;
  t.strictSame(
    told({ mappings: [{ ...byId, group_id: '7D2F' }] }),
    ['group_never_seen /mappings/0/group_id', 'near_miss /mappings/0/group_id'],
    'ids are compared with ids',
  );
  t.strictSame(
    told(rows({ group_name: 'secops', directory: 'default' })),
    ['group_never_seen /mappings/0/group_name'],
    'what is near lies in the source that the row asks for',
  );
});

t.test('what differs in spelling only is meant rather than what differs in a character', async (t) => {
  const groups = [pushed('SecOpt'), pushed('SECOPS')];
  const warnings = mappingWarnings(rows({}), { ...FACTS, groups });
  t.match(warnings.at(-1)?.detail, /there is "SECOPS", which differs in case only/);
});

t.test('white space at the ends of a name that is not there', async (t) => {
  t.strictSame(told(rows({ group_name: ' SecOps' })), [
    'group_never_seen /mappings/0/group_name',
    'near_miss /mappings/0/group_name',
    'outer_white_space /mappings/0/group_name',
  ]);
  t.strictSame(told(rows({ team_name: 'Legal\u00a0' })), [
    'unknown_team /mappings/0/team_name',
    'outer_white_space /mappings/0/team_name',
  ]);
  t.strictSame(told(rows({ group_name: ' SecOps' }), { groups: [pushed(' SecOps')] }), [], 'it is called so');
});

t.test('rows that never count', async (t) => {
  const { team_name: _, ...noTeam } = ROW;
  const highest = { conflict_strategy: 'highest_role' } as const;
  const admin = { ...ROW, role_name: 'TEAM_ADMIN' };
  type Case = [title: string, document: MappingDocument, dead: string[]];
  const cases: Case[] = [
    ['the same group and team', rows({}, { role_name: 'VIEWER' }), ['/mappings/1']],
    ['a higher role behind it', { mappings: [ROW, admin] }, ['/mappings/1']],
    ['highest role: the lower one', { ...highest, mappings: [ROW, admin] }, ['/mappings/0']],
    ['highest role: of two alike the later', { ...highest, mappings: [ROW, ROW] }, ['/mappings/1']],
    ['another group', rows({}, { group_name: 'IT Admins' }), []],
    ['another team', { mappings: [ROW, { ...noTeam, case_group_name: 'Fraud' }] }, []],
    ['any source before one', rows({}, { directory: 'entra' }), ['/mappings/1']],
    ['one source before any', rows({ directory: 'entra' }, {}), []],
    ['the same source twice', rows({ directory: 'entra' }, { directory: 'entra' }), ['/mappings/1']],
    ['a third behind both', rows({ directory: 'entra' }, {}, { directory: 'entra' }), ['/mappings/2']],
    [
      'a permission that the group has by an earlier entry',
      {
        ...rows({}),
        tenant_permission: [
          { group_name: 'Auditors', permissions: ['AUDIT_LOG_READ'] },
          { group_name: 'Auditors', permissions: ['TUNNEL_MANAGE', 'AUDIT_LOG_READ'] },
        ],
      },
      ['/tenant_permission/1/permissions/1'],
    ],
  ];
  for (const [title, document, dead] of cases) {
    t.strictSame(
      told(document),
      dead.map((pointer) => `dead_row ${pointer}`),
      title,
    );
  }
  t.match(mappingWarnings({ mappings: [admin, ROW] }, FACTS), [
    {
      detail:
        /never counts: \/mappings\/0 comes first and gives the same group the same team, as TEAM_ADMIN\./,
    },
  ]);
});

t.test('owner groups without an active member', async (t) => {
  const owners = (...names: string[]) => ({ ...rows({}), tenant_owners_groups: names });
  const facts = { groups: [...FACTS.groups, pushed('Nobody')] };
  t.strictSame(told(owners('Nobody'), facts), ['owner_group_empty /tenant_owners_groups']);
  t.strictSame(told(owners('Nobody', 'IT Admins'), facts), [], 'one of them is enough');
  t.strictSame(told(owners(), facts), []);
});

t.test('at most a thousand warnings are told', async (t) => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({ team_name: `Team ${index}` }));
  t.equal(told(rows(...many)).length, 1_000);
});
