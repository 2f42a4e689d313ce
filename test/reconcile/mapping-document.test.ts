import fc from 'fast-check';
import t from 'tap';
import { AppError } from '../../src/errors.ts';
import {
  canonicalDocument,
  type MappingDocument,
  readMappingDocument,
  sameDocument,
} from '../../src/reconcile/mapping-document.ts';
import { runs, SEED } from '../support/runs.ts';
import { brokenDocuments, documents, EXAMPLE, KNOWN } from './mapping-arbitraries.ts';

const read = (input: unknown) => readMappingDocument(input, KNOWN);

/** The refusal of a document; undefined: it is read. Throws whatever else reading throws. */
function refusalOf(input: unknown): AppError | undefined {
  try {
    read(input);
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.reason === 'invalid_mapping') return error;
    throw error;
  }
}

/** What is told of a document that does not hold: pointers with their details. */
function faultsOf(input: unknown): [pointer: string, detail: string][] {
  const { errors = [] } = (refusalOf(input)?.members ?? {}) as {
    errors?: { pointer: string; detail: string }[];
  };
  return errors.map(({ pointer, detail }) => [pointer, detail]);
}

const ROW = { group_name: 'Analysts', team_name: 'IR', role_name: 'EDITOR' };
const mapped = (row: object, more: object = {}) => ({ ...more, mappings: [row] });
const without = (name: keyof typeof ROW, more: object = {}) => {
  const { [name]: _, ...rest } = ROW;
  return mapped({ ...rest, ...more });
};
const permitted = (entry: unknown) => mapped(ROW, { tenant_permission: [entry] });

t.test('a document in canonical keys is read as it was sent', async (t) => {
  t.strictSame(read(EXAMPLE), EXAMPLE);
  t.equal(JSON.stringify(read(EXAMPLE)), JSON.stringify(EXAMPLE), 'the keys in their order too');
  t.strictSame(read({ mappings: [ROW] }), { mappings: [ROW] }, 'what is not stated stays unstated');
  const empty = { tenant_owners_groups: [], tenant_permission: [], mappings: [ROW] };
  t.strictSame(read(empty), empty);
});

t.test('aliases and the wrapper are read, and the canonical names are written', async (t) => {
  const canonical = {
    tenant_owners_groups: ['Managers'],
    tenant_permission: [{ group_name: 'Auditors', permissions: ['AUDIT_LOG_READ'] }],
    mappings: [ROW],
  };
  const old = {
    tenant_owners_group: 'Managers',
    tenant_permissions: [{ sso_group: 'Auditors', permissions: ['audit_log_read'] }],
    mappings: [{ sso_group: 'Analysts', team_name: 'IR', role_name: 'editor' }],
  };
  t.strictSame(read(old), canonical);
  t.strictSame(read({ user_group_mapping: old }), canonical);
});

t.test('names are kept exactly: white space, case, and Unicode form', async (t) => {
  for (const name of [
    ' Analysts\u00a0',
    'ANALYSTS',
    'e\u0301',
    'x'.repeat(2000),
    'é'.repeat(1000),
    '__proto__',
  ]) {
    t.equal(read(mapped({ ...ROW, group_name: name })).mappings[0]?.group_name, name);
  }
});

t.test('every fault is refused at its pointer', async (t) => {
  const cases: [title: string, input: unknown, pointer: string, detail: RegExp][] = [
    ['no object', [], '', /must be an object with group_attribute_name/],
    ['null', null, '', /must be an object/],
    ['no mappings', {}, '/mappings', /missing/],
    ['empty mappings', { mappings: [] }, '/mappings', /empty/],
    ['mappings of another type', { mappings: {} }, '/mappings', /must be a list/],
    ['a row of another type', { mappings: ['x'] }, '/mappings/0', /must be an object with group_name/],
    ['an unknown key', mapped(ROW, { on_unmaps: 'keep' }), '/on_unmaps', /Did you mean on_unmap\?/],
    ['a key in camelCase', mapped({ ...ROW, teamName: 'IR' }), '/mappings/0/teamName', /mean team_name\?/],
    [
      'an escaped key',
      mapped({ ...ROW, 'a/b~c': 1 }),
      '/mappings/0/a~1b~0c',
      /not known.*Possible: group_name,/,
    ],
    ['__proto__', JSON.parse('{"__proto__":1,"mappings":[]}'), '/__proto__', /not known/],
    ['toString', mapped(ROW, { toString: 1 }), '/toString', /not known/],
    ['no group', without('group_name'), '/mappings/0', /neither group_name nor group_id/],
    ['two groups', mapped({ ...ROW, group_id: '1' }), '/mappings/0', /both group_name and group_id/],
    ['no team', without('team_name'), '/mappings/0', /neither team_name nor case_group_name/],
    [
      'two teams',
      mapped({ ...ROW, case_group_name: 'x' }),
      '/mappings/0',
      /both team_name and case_group_name/,
    ],
    ['no role', without('role_name'), '/mappings/0/role_name', /missing/],
    [
      'two sources',
      mapped({ ...ROW, directory: 'entra', identity_provider: 'okta' }),
      '/mappings/0',
      /both directory and identity_provider/,
    ],
    [
      'a key and its alias',
      mapped({ ...ROW, sso_group: 'x' }),
      '/mappings/0/sso_group',
      /same as group_name/,
    ],
    [
      'owners and their alias',
      mapped(ROW, { tenant_owners_group: 'x', tenant_owners_groups: ['y'] }),
      '/tenant_owners_group',
      /same as tenant_owners_groups/,
    ],
    ['an empty name', mapped({ ...ROW, group_name: '' }), '/mappings/0/group_name', /empty/],
    ['a number as name', mapped({ ...ROW, team_name: 1 }), '/mappings/0/team_name', /must be a text/],
    ['null as name', mapped({ ...ROW, directory: null }), '/mappings/0/directory', /must be a text/],
    ['a long name', mapped({ ...ROW, team_name: 'x'.repeat(2001) }), '/mappings/0/team_name', /2000 bytes/],
    ['long in bytes', mapped({ ...ROW, team_name: 'é'.repeat(1001) }), '/mappings/0/team_name', /2000 bytes/],
    ['a control character', mapped({ ...ROW, group_name: 'a\tb' }), '/mappings/0/group_name', /control/],
    [
      'half a surrogate pair',
      mapped({ ...ROW, group_name: 'a\ud800' }),
      '/mappings/0/group_name',
      /surrogate/,
    ],
    ['an unknown role', mapped({ ...ROW, role_name: 'EDITR' }), '/mappings/0/role_name', /mean EDITOR\?/],
    [
      'a role far off',
      mapped({ ...ROW, role_name: 'boss' }),
      '/mappings/0/role_name',
      /Possible: TEAM_ADMIN, EDITOR/,
    ],
    [
      'a role by another letter',
      mapped({ ...ROW, role_name: 'edıtor' }),
      '/mappings/0/role_name',
      /is no role/,
    ],
    [
      'an object as role',
      mapped({ ...ROW, role_name: { toString: 1 } }),
      '/mappings/0/role_name',
      /must be a text/,
    ],
    ['an unknown directory', mapped({ ...ROW, directory: 'Entra' }), '/mappings/0/directory', /mean entra\?/],
    [
      'an unknown identity provider',
      mapped({ ...ROW, identity_provider: 'entra' }),
      '/mappings/0/identity_provider',
      /is no identity provider of this tenant. Possible: okta, keycloak$/,
    ],
    [
      'a strategy',
      mapped(ROW, { conflict_strategy: 'best' }),
      '/conflict_strategy',
      /first_match, highest_role/,
    ],
    ['on_unmap', mapped(ROW, { on_unmap: true }), '/on_unmap', /remove, keep/],
    ['an attribute', mapped(ROW, { group_attribute_name: '' }), '/group_attribute_name', /empty/],
    [
      'owners as a text',
      mapped(ROW, { tenant_owners_groups: 'x' }),
      '/tenant_owners_groups',
      /must be a list/,
    ],
    [
      'the alias as a list',
      mapped(ROW, { tenant_owners_group: ['x'] }),
      '/tenant_owners_group',
      /must be a text/,
    ],
    [
      'an owner group twice',
      mapped(ROW, { tenant_owners_groups: ['x', 'y', 'x'] }),
      '/tenant_owners_groups/2',
      /_groups\/0 already/,
    ],
    ['permissions missing', permitted({ group_name: 'x' }), '/tenant_permission/0/permissions', /missing/],
    [
      'no permission',
      permitted({ group_name: 'x', permissions: [] }),
      '/tenant_permission/0/permissions',
      /empty/,
    ],
    [
      'an unknown permission',
      permitted({ group_name: 'x', permissions: ['AUDIT_LOG_READ', 'AUDIT_LOG_REED'] }),
      '/tenant_permission/0/permissions/1',
      /is no permission of this tenant. Did you mean AUDIT_LOG_READ\?/,
    ],
    [
      'a permission twice',
      permitted({ group_name: 'x', permissions: ['AUDIT_LOG_READ', 'audit_log_read'] }),
      '/tenant_permission/0/permissions/1',
      /permissions\/0 already/,
    ],
    [
      'permissions for nobody',
      permitted({ permissions: ['TUNNEL_MANAGE'] }),
      '/tenant_permission/0',
      /neither group_name/,
    ],
    [
      'a team in an entry',
      permitted({ group_name: 'x', permissions: ['TUNNEL_MANAGE'], team_name: 'x' }),
      '/tenant_permission/0/team_name',
      /not known/,
    ],
    ['beside the wrapper', { user_group_mapping: mapped(ROW), mappings: [] }, '/mappings', /not known here/],
    [
      'in the wrapper',
      { user_group_mapping: mapped({ ...ROW, role_name: 'x' }) },
      '/user_group_mapping/mappings/0/role_name',
      /is no role/,
    ],
    ['an empty wrapper', { user_group_mapping: null }, '/user_group_mapping', /must be an object/],
    [
      'wrapped twice',
      { user_group_mapping: { user_group_mapping: mapped(ROW) } },
      '/user_group_mapping/user_group_mapping',
      /not known/,
    ],
  ];
  for (const [title, input, pointer, detail] of cases) {
    const [[at, why] = ['nothing', '']] = faultsOf(input);
    t.equal(at, pointer, title);
    t.match(why, detail, title);
  }
});

t.test('all faults are told at once', async (t) => {
  const input = {
    on_unmap: 'x',
    tenant_owners_groups: [1],
    mappings: [{ ...ROW, role_name: 'x', extra: 1 }, ROW, { directory: 'x' }],
  };
  t.strictSame(
    faultsOf(input).map(([pointer]) => pointer),
    [
      '/on_unmap',
      '/tenant_owners_groups/0',
      '/mappings/0/extra',
      '/mappings/0/role_name',
      '/mappings/2/directory',
      '/mappings/2',
      '/mappings/2',
      '/mappings/2/role_name',
    ],
  );
});

t.test('what cannot be read is told once, and not as twice the same', async (t) => {
  t.strictSame(
    faultsOf(mapped(ROW, { tenant_owners_groups: [1, 1] })).map(([pointer]) => pointer),
    ['/tenant_owners_groups/0', '/tenant_owners_groups/1'],
  );
});

t.test('the refusal itself names the first fault, and how many there are', async (t) => {
  t.match(refusalOf({ mappings: [{ ...ROW, extra: 1, role_name: 'x' }] }), {
    code: 'invalid_request',
    pointer: '/mappings/0/extra',
    message: /^The group mapping does not hold: \/mappings\/0\/extra: this key .* \(errors lists 2 faults\)$/,
  });
  t.match(refusalOf(7), { pointer: '', message: /^The group mapping does not hold: it must be an object/ });
});

t.test('of very many faults a hundred are told', async (t) => {
  t.equal(faultsOf({ mappings: Array(9_000).fill(0) }).length, 100);
});

t.test('a document has at most 10,000 rows of all kinds', async (t) => {
  const rows = (count: number) => Array(count).fill(ROW);
  t.equal(read({ mappings: rows(10_000) }).mappings.length, 10_000);
  t.strictSame(faultsOf({ mappings: rows(10_001) }), [['/mappings', 'it has more than 10000 items']]);
  const mixed = (count: number) => ({
    tenant_owners_groups: ['x'],
    tenant_permission: [{ group_name: 'x', permissions: ['TUNNEL_MANAGE', 'AUDIT_LOG_READ'] }],
    mappings: rows(count),
  });
  t.strictSame(faultsOf(mixed(9_997)), []);
  t.match(faultsOf({ user_group_mapping: mixed(9_998) }), [['/user_group_mapping', /more than 10000 rows/]]);
});

t.test('a tenant that has none of something is told so', async (t) => {
  const known = { ...KNOWN, permissions: new Set<string>() };
  t.throws(() => readMappingDocument(permitted({ group_name: 'x', permissions: ['Y'] }), known), {
    message: /"Y" is no permission of this tenant. There is none yet: create it first/,
  });
});

t.test('a message quotes at most 60 characters', async (t) => {
  const [[, detail] = ['', '']] = faultsOf(mapped({ ...ROW, role_name: '🦊'.repeat(100) }));
  t.ok(detail.isWellFormed());
  t.ok(detail.length < 250, detail);
});

t.test('documents are the same when they state the same, in any order of keys', async (t) => {
  const shuffled: MappingDocument = {
    mappings: [{ role_name: 'EDITOR', team_name: 'IR', group_name: 'Analysts' }],
    on_unmap: 'keep',
  };
  const document: MappingDocument = { on_unmap: 'keep', mappings: [ROW] };
  t.ok(sameDocument(shuffled, document));
  t.equal(JSON.stringify(canonicalDocument(shuffled)), JSON.stringify(document));
  t.notOk(sameDocument(document, { mappings: [ROW] }));
  t.notOk(sameDocument(document, { ...document, mappings: [ROW, { ...ROW, group_name: 'x' }] }));
  const other = { ...ROW, group_name: 'x' };
  t.notOk(sameDocument({ mappings: [ROW, other] }, { mappings: [other, ROW] }), 'the order of rows decides');
});

t.test(`what is read is canonical: reading it again gives the same (ROLLCALL_SEED=${SEED})`, async (t) => {
  fc.assert(
    fc.property(documents, (input) => {
      const document = read(input);
      const again = read(JSON.parse(JSON.stringify(document)));
      return JSON.stringify(document) === JSON.stringify(again) && sameDocument(document, again);
    }),
    { numRuns: runs(500, 20_000), seed: SEED },
  );
  t.pass();
});

t.test(
  `reading refuses with pointers that are there, and throws nothing else (ROLLCALL_SEED=${SEED})`,
  async (t) => {
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), brokenDocuments), (input) => {
        const faults = faultsOf(input);
        if (faults.length > 0) refused += 1;
        for (const [pointer] of faults) requireThere(input, pointer);
      }),
      { numRuns: runs(1_000, 50_000), seed: SEED },
    );
    t.ok(refused > 200, `${refused} documents were refused`);
  },
);

/** A pointer names what was sent, or a member that is missing of something that was. */
function requireThere(input: unknown, pointer: string): void {
  const keys = pointer.split('/').slice(1);
  let value = input;
  for (const [depth, key] of keys.entries()) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    if (!isThere && depth === keys.length - 1 && typeof value === 'object' && value !== null) return;
    if (!isThere) throw new Error(`${pointer} is nowhere in ${JSON.stringify(input)}`);
    value = (value as Record<string, unknown>)[name];
  }
}
