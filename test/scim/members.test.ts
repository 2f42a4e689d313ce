import fc from 'fast-check';
import t from 'tap';
import {
  foldMemberSteps,
  hasMemberFilter,
  type MemberStep,
  splitMemberOperations,
  takeMembers,
} from '../../src/scim/members.ts';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { readPatch } from '../../src/scim/patch.ts';
import { CORE_GROUP, GROUP_TYPE } from '../../src/scim/resource-types.ts';
import type { JsonObject, JsonValue } from '../../src/scim/types.ts';
import { readResource } from '../../src/scim/validate.ts';
import { runs } from '../support/runs.ts';
import { reading, refusal } from '../support/scim.ts';

const split = (...operations: JsonValue[]) =>
  splitMemberOperations(readPatch({ schemas: [PATCH_OP], Operations: operations }, GROUP_TYPE, reading()));

t.test('the members of a group that is created or replaced', async (t) => {
  const take = (attributes: JsonObject) =>
    takeMembers(
      readResource({ schemas: [CORE_GROUP], displayName: 'Sales', ...attributes }, GROUP_TYPE, reading()),
    );
  const rest = { schemas: [CORE_GROUP], displayName: 'Sales' };
  t.strictSame(take({}), { resource: rest, members: undefined });
  t.strictSame(take({ members: [] }), { resource: rest, members: undefined });
  t.strictSame(
    take({ members: [{ value: 'B', display: 'b@x' }, { value: 'a', $ref: null, type: 'User' }, 'b'] }),
    { resource: rest, members: ['b', 'a'] },
    'ids in their order, without case, each once',
  );
  t.match(
    refusal(() => take({ members: [{ value: 'a' }, { value: 'g', type: 'group' }] })),
    /^invalidValue: members\[1\] is a group: nested groups are not supported/,
  );
  t.match(
    refusal(() => take({ members: [{ display: 'b@x' }] })),
    /^invalidValue: members\[0\].value is missing/,
  );
});

t.test('operations on members become steps', async (t) => {
  const cases: [sentence: string, operation: JsonValue, steps: MemberStep[]][] = [
    [
      'Okta and Entra ID add',
      {
        op: 'Add',
        path: 'members',
        value: [
          { $ref: null, value: 'A' },
          { value: 'b', display: 'b@x' },
        ],
      },
      [{ kind: 'add', ids: ['a', 'b'] }],
    ],
    [
      'without a path (PingOne)',
      { op: 'add', value: { members: [{ value: 'a' }] } },
      [{ kind: 'add', ids: ['a'] }],
    ],
    ['bare ids', { op: 'add', path: 'members', value: ['a', 'a'] }, [{ kind: 'add', ids: ['a'] }]],
    ['nobody is added', { op: 'add', path: 'members', value: [] }, []],
    [
      'Okta and Entra ID with its flag remove one',
      { op: 'remove', path: 'members[value eq "A"]' },
      [{ kind: 'remove', ids: ['a'] }],
    ],
    [
      'and several',
      { op: 'remove', path: 'members[value eq "a" or (value eq "b" or value eq "c")]' },
      [{ kind: 'remove', ids: ['a', 'b', 'c'] }],
    ],
    [
      'Entra ID removes by a list',
      { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'a' }] },
      [{ kind: 'remove', ids: ['a'] }],
    ],
    ['an empty list removes nobody', { op: 'Remove', path: 'members', value: [] }, []],
    [
      'Salesforce removes by a list without a path',
      { op: 'remove', value: { members: [{ value: 'a' }] } },
      [{ kind: 'remove', ids: ['a'] }],
    ],
    [
      'a group in such a list was no member',
      { op: 'remove', path: 'members', value: [{ value: 'g', type: 'Group' }] },
      [{ kind: 'remove', ids: ['g'] }],
    ],
    ['§3.5.2.2 without a value all go', { op: 'remove', path: 'members' }, [{ kind: 'replace', ids: [] }]],
    [
      'Keycloak: null is no list',
      { op: 'remove', path: 'members', value: null },
      [{ kind: 'replace', ids: [] }],
    ],
    [
      'Okta pushes all',
      { op: 'replace', path: 'members', value: [{ value: 'a' }, { value: 'b' }] },
      [{ kind: 'replace', ids: ['a', 'b'] }],
    ],
    ['or none', { op: 'replace', path: 'members', value: [] }, [{ kind: 'replace', ids: [] }]],
    [
      'a value path that creates its member',
      { op: 'add', path: 'members[value eq "A"]', value: { value: 'A' } },
      [{ kind: 'add', ids: ['a'] }],
    ],
  ];
  for (const [sentence, operation, steps] of cases) {
    t.strictSame(split(operation), { attributeOperations: [], steps }, sentence);
  }
});

t.test('other filters on members are kept as filters', async (t) => {
  for (const filter of [
    'type eq "User"',
    'value ne "a"',
    'not (value eq "a")',
    'value eq "a" and type eq "User"',
    'value eq "a" or display sw "b"',
  ]) {
    const { steps } = split({ op: 'remove', path: `members[${filter}]` });
    t.match(steps, [{ kind: 'removeWhere', filter: {} }], filter);
    t.ok(hasMemberFilter(steps), filter);
    t.throws(() => foldMemberSteps(steps));
  }
  t.notOk(hasMemberFilter(split({ op: 'remove', path: 'members' }).steps));
});

t.test('a member itself cannot be changed', async (t) => {
  for (const operation of [
    { op: 'replace', path: 'members[value eq "a"].type', value: 'User' },
    { op: 'replace', path: 'members[value eq "a"]', value: { value: 'b' } },
    { op: 'add', path: 'members[type eq "User"]', value: { value: 'b' } },
    { op: 'replace', path: 'members.value', value: 'b' },
    { op: 'remove', path: 'members[value eq "a"].value' },
  ]) {
    t.match(
      refusal(() => split(operation)),
      /^mutability: Operations\[0\]: A member cannot be changed/,
      operation.path,
    );
  }
  for (const value of [
    [{ value: 'a' }, { value: 'g', type: 'Group' }],
    [{}],
    [{ value: 'a' }, { value: '' }],
  ]) {
    t.match(
      refusal(() => split({ op: 'add', path: 'members', value })),
      /^invalidValue: .*members\[\d\]/,
    );
  }
});

t.test('the other operations of a group are left', async (t) => {
  const { attributeOperations, steps } = split(
    { op: 'replace', value: { id: 'x', displayName: 'new', members: [{ value: 'a' }] } },
    { op: 'replace', path: 'externalId', value: 'e' },
  );
  t.strictSame(
    attributeOperations.map(({ value }) => value),
    ['new', 'e'],
  );
  t.strictSame(steps, [{ kind: 'replace', ids: ['a'] }]);
});

t.test('steps fold to the change that they make one after the other', async () => {
  const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 });
  const steps = fc.array(fc.record({ kind: fc.constantFrom('add', 'remove', 'replace'), ids }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(ids, steps, (current, steps) => {
      let expected = new Set<string>(current);
      for (const step of steps) {
        if (step.kind === 'replace') expected = new Set(step.ids);
        for (const id of step.ids) step.kind === 'remove' ? expected.delete(id) : expected.add(id);
      }
      const { reset, add, remove } = foldMemberSteps(steps as MemberStep[]);
      const kept = reset ? [] : current.filter((id) => !remove.includes(id));
      const folded = new Set<string>([...kept, ...add]);
      const disjoint = !add.some((id) => remove.includes(id));
      return (
        disjoint &&
        (!reset || remove.length === 0) &&
        folded.size === expected.size &&
        [...folded].every((id) => expected.has(id))
      );
    }),
    { numRuns: runs(1_000, 100_000) },
  );
});
