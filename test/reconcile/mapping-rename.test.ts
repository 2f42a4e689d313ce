import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  type MappingDocument,
  type MappingRow,
  readMappingDocument,
  sameDocument,
} from '../../src/reconcile/mapping-document.ts';
import { type GroupRename, renameGroup, renameTeam } from '../../src/reconcile/mapping-rename.ts';
import { compileMapping } from '../../src/reconcile/mapping-rows.ts';
import { runs, SEED } from '../support/runs.ts';
import { documents, KNOWN, ROLES } from './mapping-arbitraries.ts';

const RENAME: GroupRename = { directory: 'entra', before: 'Old', after: 'New', keepOld: false };
const row = (group: object): MappingRow => ({ ...group, team_name: 'IR', role_name: 'EDITOR' });
const OTHER = row({ group_name: 'Other' });

t.test('rows follow a renamed group', async (t) => {
  const keepOld = { keepOld: true };
  const newTaken = { newTaken: true };
  const old = { group_name: 'Old' };
  const renamed = { group_name: 'New' };
  const here = { directory: 'entra' };
  type Case = [title: string, before: object[], more: Partial<GroupRename>, after: object[] | undefined];
  const cases: Case[] = [
    ['a row for any source', [old], {}, [renamed]],
    ['a row for this directory', [{ ...old, ...here }], {}, [{ ...renamed, ...here }]],
    ['another directory', [{ ...old, directory: 'default' }], {}, undefined],
    ['an identity provider', [{ ...old, identity_provider: 'okta' }], {}, undefined],
    ['a group by id', [{ group_id: 'Old' }], {}, undefined],
    ['another case', [{ group_name: 'old' }], {}, undefined],
    ['the same name', [old], { after: 'Old' }, undefined],
    ['the old name is kept', [old], keepOld, [old, { ...renamed, ...here }]],
    ['kept elsewhere, named for here', [{ ...old, ...here }], keepOld, [{ ...renamed, ...here }]],
    ['kept, for another directory', [{ ...old, directory: 'default' }], keepOld, undefined],
    ['the new name is taken', [old], newTaken, [{ ...renamed, ...here }]],
    ['taken elsewhere, named for here', [{ ...old, ...here }], newTaken, [{ ...renamed, ...here }]],
    ['kept and taken', [old], { ...keepOld, ...newTaken }, [old, { ...renamed, ...here }]],
    ['an earlier row gives the same', [renamed, old], {}, [renamed]],
    ['a later row gives the same', [old, renamed], {}, [renamed, renamed]],
    ['an earlier row covers the copy', [renamed, old], keepOld, undefined],
    [
      'an earlier row is for elsewhere',
      [{ ...renamed, directory: 'default' }, old],
      {},
      [{ ...renamed, directory: 'default' }, renamed],
    ],
  ];
  for (const [title, before, more, after] of cases) {
    const document = { mappings: [OTHER, ...before.map(row), OTHER] };
    const expected = after && { mappings: [OTHER, ...after.map(row), OTHER] };
    const answer = renameGroup(document, { ...RENAME, ...more });
    t.ok(expected === undefined ? answer === undefined : answer && sameDocument(answer, expected), title);
  }
});

t.test('owner groups and permissions follow too', async (t) => {
  const document = (owners: string[], groups: object[]): MappingDocument => ({
    on_unmap: 'keep',
    tenant_owners_groups: owners,
    tenant_permission: groups.map((group) => ({ ...group, permissions: ['TUNNEL_MANAGE'] })),
    mappings: [OTHER],
  });
  const before = document(['A', 'Old', 'B'], [{ group_name: 'Old' }]);
  t.strictSame(renameGroup(before, RENAME), document(['A', 'New', 'B'], [{ group_name: 'New' }]));
  t.strictSame(
    renameGroup(before, { ...RENAME, keepOld: true }),
    document(['A', 'Old', 'New', 'B'], [{ group_name: 'Old' }, { group_name: 'New', directory: 'entra' }]),
  );
  t.strictSame(
    renameGroup(document(['New', 'Old'], []), RENAME),
    document(['New'], []),
    'no owner group twice',
  );
  t.strictSame(
    renameGroup(before, { ...RENAME, newTaken: true }),
    document(['A', 'Old', 'B'], [{ group_name: 'New', directory: 'entra' }]),
    'owners know no directory: who bears the new name elsewhere must not become one',
  );
  t.equal(renameGroup(document(['Old'], []), { ...RENAME, newTaken: true }), undefined);
  t.equal(renameGroup({ mappings: [OTHER] }, RENAME), undefined);
});

t.test('rows follow a renamed team of their kind, in their places', async (t) => {
  const rows = (names: object[]) => ({
    mappings: names.map((name) => ({ group_name: 'x', ...name, role_name: 'EDITOR' })),
  });
  const before = rows([
    { team_name: 'Old' },
    { case_group_name: 'Old' },
    { team_name: 'B' },
    { team_name: 'Old' },
  ]);
  const rename = { before: 'Old', after: 'New' };
  t.strictSame(
    renameTeam(before, { kind: 'team', ...rename }),
    rows([{ team_name: 'New' }, { case_group_name: 'Old' }, { team_name: 'B' }, { team_name: 'New' }]),
  );
  t.strictSame(
    renameTeam(before, { kind: 'case_group', ...rename }),
    rows([{ team_name: 'Old' }, { case_group_name: 'New' }, { team_name: 'B' }, { team_name: 'Old' }]),
  );
  t.equal(renameTeam(before, { kind: 'team', before: 'old', after: 'New' }), undefined);
  t.equal(renameTeam(before, { kind: 'team', before: 'Old', after: 'Old' }), undefined);
});

t.test('a document with its keys in the order of jsonb comes back in canonical order', async (t) => {
  const stored: MappingDocument = {
    mappings: [
      { role_name: 'EDITOR', team_name: 'IR', group_name: 'New' },
      { team_name: 'IR', group_name: 'Old', role_name: 'EDITOR' },
      { team_name: 'Old', role_name: 'EDITOR', group_name: 'Old' },
    ],
    on_unmap: 'keep',
  };
  const row = (team: string) => `{"group_name":"New","team_name":"${team}","role_name":"EDITOR"}`;
  t.equal(
    JSON.stringify(renameGroup(stored, RENAME)),
    `{"on_unmap":"keep","mappings":[${row('IR')},${row('Old')}]}`,
    'a row that gives the same as an earlier one is dropped in any order of keys',
  );
  const teams = renameTeam(stored, { kind: 'team', before: 'Old', after: 'B' });
  t.equal(Object.keys(teams ?? {}).join(), 'on_unmap,mappings');
  t.equal(JSON.stringify(teams?.mappings[2]), '{"group_name":"Old","team_name":"B","role_name":"EDITOR"}');
});

const renames = fc.record({
  directory: fc.constantFrom(...KNOWN.directories),
  before: fc.constantFrom('Analysts', 'SecOps'),
  after: fc.constantFrom('New', 'analysts'),
  keepOld: fc.boolean(),
  newTaken: fc.boolean(),
});

t.test(
  `after a rename the group has what it had, and nobody else's rows change (ROLLCALL_SEED=${SEED})`,
  async (t) => {
    let followed = 0;
    fc.assert(
      fc.property(documents, renames, (input, rename) => {
        const document = readMappingDocument(input, KNOWN);
        const after = renameGroup(document, rename);
        if (after === undefined) return;
        followed += 1;
        assert.ok(sameDocument(after, readMappingDocument(after, KNOWN)), 'it is canonical');
        // What the document names under the new name already comes to the group besides.
        if (rename.after === 'New' && !(rename.newTaken && ownsBy(document, rename.before))) {
          assert.deepEqual(
            held(after, rename.directory, rename.after),
            held(document, rename.directory, rename.before),
          );
        }
        for (const name of ['é', 'a/b~c', ...(rename.keepOld ? [rename.before] : [])]) {
          assert.deepEqual(held(after, 'elsewhere', name), held(document, 'elsewhere', name));
        }
        if (rename.newTaken) {
          assert.deepEqual(held(after, 'elsewhere', rename.after), held(document, 'elsewhere', rename.after));
        }
      }),
      { numRuns: runs(500, 20_000), seed: SEED },
    );
    t.ok(followed > 50, `${followed} renames were followed`);
  },
);

t.test(
  `a name that is changed and changed back leaves the document as it was (ROLLCALL_SEED=${SEED})`,
  async () => {
    const there = renames.map((rename) => ({ ...rename, after: 'New', newTaken: false }));
    fc.assert(
      fc.property(documents, there, (input, rename) => {
        // Without rows that give the same twice, which a rename drops.
        const document = renameGroup(readMappingDocument(input, KNOWN), rename);
        const back = { ...rename, before: 'New', after: rename.before, keepOld: false };
        const original = document && renameGroup(document, back);
        const again = original && renameGroup(original, rename);
        const returned = again && renameGroup(again, back);
        assert.ok(returned === undefined || (original && sameDocument(returned, original)));
      }),
      { numRuns: runs(300, 20_000), seed: SEED },
    );
  },
);

const ownsBy = ({ tenant_owners_groups: owners }: MappingDocument, name: string) =>
  owners?.includes(name) === true;

/** What a group of this name in this directory gives: for each target the role of the first row. */
function held(document: MappingDocument, directory: string, name: string): Record<string, string | null> {
  const rows = compileMapping(document, ROLES).filter(
    (each) =>
      each.match === `name:${name}` &&
      each.identityProvider === null &&
      (each.directory === null || each.directory === directory),
  );
  const first = new Map<string, string | null>();
  for (const { kind, target, role } of rows) {
    const key = JSON.stringify([kind, target]);
    if (!first.has(key)) first.set(key, role);
  }
  return Object.fromEntries([...first].sort());
}
