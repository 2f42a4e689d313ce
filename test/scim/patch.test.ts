import fc from 'fast-check';
import t from 'tap';
import { ScimError } from '../../src/scim/error.ts';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { applyPatch, readPatch } from '../../src/scim/patch.ts';
import {
  CORE_GROUP,
  CORE_USER,
  ENTERPRISE_USER as ENTERPRISE,
  GROUP_TYPE,
  USER_TYPE,
} from '../../src/scim/resource-types.ts';
import { attribute } from '../../src/scim/schemas/attribute.ts';
import type { JsonObject, JsonValue, Resource } from '../../src/scim/types.ts';
import { readResource } from '../../src/scim/validate.ts';
import { runs } from '../support/runs.ts';
import { reading, refusal } from '../support/scim.ts';
import { patchBodies } from './patch-arbitraries.ts';
import { add, type Case, home, MANAGER, managed, RFC_CASES, remove, replace, work } from './patch-cases.ts';
import { CLIENT_CASES, SCIM_PATCH_DEFECTS } from './patch-client-cases.ts';

type Operation = JsonValue;

/** A stored user with these attributes. */
function user(attributes: JsonObject = {}): Resource {
  const body = { schemas: [CORE_USER], userName: 'bjensen', active: true, ...attributes };
  return readResource(body, USER_TYPE, reading());
}

function patch(resource: Resource, ...operations: Operation[]): Resource {
  const body = { schemas: [PATCH_OP], Operations: operations };
  return applyPatch(resource, readPatch(body, USER_TYPE, reading()), USER_TYPE);
}

function check(t: Tap, cases: Case[]): void {
  for (const [sentence, before, operations, after] of cases) {
    t.strictSame(patch(user(before), ...operations), user(after), sentence);
  }
}
type Tap = Pick<typeof t, 'strictSame'>;

for (const [section, cases] of Object.entries(RFC_CASES)) {
  t.test(section, async (t) => check(t, cases));
}

t.test('an extension joins schemas with its first value', async (t) => {
  t.strictSame(patch(user(), add(`${ENTERPRISE}:employeeNumber`, '7')).schemas, [CORE_USER, ENTERPRISE]);
});

t.test('what clients send', async (t) => {
  check(t, CLIENT_CASES);
  t.strictSame(
    applyPatch(user(), readPatch({ operations: [add('title', 'x')] }, USER_TYPE, reading()), USER_TYPE),
    user({ title: 'x' }),
    'a message without schemas and with operations in lower case',
  );
  const group = { schemas: [CORE_GROUP], displayName: 'old', externalId: 'e' };
  const rename = {
    schemas: [PATCH_OP],
    Operations: [{ op: 'replace', value: { id: 'g', displayName: 'new' } }],
  };
  t.strictSame(
    applyPatch(group, readPatch(rename, GROUP_TYPE, reading()), GROUP_TYPE),
    { ...group, displayName: 'new' },
    'Okta renames a group and sends its id along',
  );
});

t.test('what does not hold is refused with its position', async (t) => {
  const cases: [sentence: string, operation: Operation, expected: RegExp][] = [
    ['an operation that is no object', 'add', /^invalidSyntax: Operations\[1\]: /],
    ['an unknown op', { op: 'delete', path: 'title' }, /^invalidSyntax: Operations\[1\]: op must be/],
    ['no op', { path: 'title', value: 'x' }, /^invalidSyntax/],
    ['an op that is no text', { op: 1, path: 'title' }, /^invalidSyntax/],
    ['two ops', { op: 'add', Op: 'remove', path: 'title', value: 'x' }, /^invalidSyntax: .*occurs twice/],
    ['add without a value', { op: 'add', path: 'title' }, /^invalidValue: .*value is missing/],
    ['replace without a value', { op: 'replace', path: 'title' }, /^invalidValue: .*value is missing/],
    ['§3.5.2.2 remove without a path', { op: 'remove' }, /^noTarget/],
    [
      'remove without a path of something that is no list',
      { op: 'remove', value: { title: 'x' } },
      /^noTarget/,
    ],
    ['remove without a path of all', { op: 'remove', value: { emails: null } }, /^noTarget/],
    ['remove of the resource', remove(CORE_USER), /^noTarget/],
    [
      'a value without a path that is no object',
      { op: 'add', value: 'x' },
      /^invalidValue: .*when there is no path/,
    ],
    ['an extension that is no object', add(ENTERPRISE, 'x'), /^invalidValue/],
    ['a path that is no text', { op: 'add', path: ['title'], value: 'x' }, /^invalidPath/],
    ['a broken path', replace('emails[type eq', 'x'), /^invalid(Path|Filter)/],
    ['a broken path as a key', { op: 'replace', value: { 'emails[type eq': 'x' } }, /^invalid(Path|Filter)/],
    ['an unknown path', replace('shoeSize', 1), /^invalidPath: .*shoeSize/],
    ['a path to a prototype', add('__proto__.polluted', 'yes'), /^invalidPath/],
    ['a path to a constructor', add('constructor.prototype.x', 'yes'), /^invalidPath/],
    ['a read-only path', replace('id', 'x'), /^mutability: .*id is read-only/],
    ['a read-only sub-attribute', replace(`${MANAGER}.displayName`, 'x'), /^mutability/],
    ['a read-only value path', remove('groups[value eq "x"]'), /^mutability/],
    ['removal of schemas', remove('schemas'), /^mutability/],
    [
      'a name twice in different case',
      { op: 'add', value: { title: 'a', Title: 'b' } },
      /^invalidSyntax: .*"Title" occurs twice/,
    ],
    ['a boolean that is none', replace('active', 'maybe'), /^invalidValue: .*active must be true or false/],
    ['a wrong type', replace('title', { a: 1 }), /^invalidValue: .*title must be a string/],
    [
      'a wrong type behind a value path',
      replace('emails[type eq "work"].value', 5),
      /^invalidValue: .*emails\[…\].value must be a string/,
    ],
    [
      'a wrong type of an element',
      add('addresses', 'Main St'),
      /^invalidValue: .*addresses\[0\] must be an object/,
    ],
    ['text for a complex value', replace('name', 'Barbara'), /^invalidValue: .*name must be an object/],
  ];
  for (const [sentence, operation, expected] of cases) {
    t.match(
      refusal(() => patch(user(), add('title', 'x'), operation)),
      expected,
      sentence,
    );
  }
});

t.test('operations are resolved when they are read', async (t) => {
  const read = (...operations: Operation[]) =>
    readPatch({ schemas: [PATCH_OP], Operations: operations }, USER_TYPE, reading()).map(
      ({ op, target, value }) => {
        const path = target.kind === 'attribute' || target.kind === 'element' ? target.path : undefined;
        const names = [path?.attribute.name, path?.subAttribute?.name].filter(Boolean).join('.');
        return [op, target.kind, names, value];
      },
    );
  t.strictSame(
    read({ op: 'add', value: { Title: 'x', name: { familyName: 'J', givenName: '' }, emails: home } }),
    [
      ['add', 'attribute', 'title', 'x'],
      ['add', 'attribute', 'name.familyName', 'J'],
      ['remove', 'attribute', 'name.givenName', undefined],
      ['add', 'attribute', 'emails', [home]],
    ],
  );
  t.strictSame(read({ op: 'Replace', path: MANAGER, value: { $ref: 'r', value: 'm' } }), [
    ['replace', 'attribute', 'manager.value', 'm'],
    ['replace', 'attribute', 'manager.$ref', 'r'],
  ]);
  const removals: [operation: Operation, ...removal: unknown[]][] = [
    [replace('title', null), 'remove', 'attribute', 'title', undefined],
    [replace('emails', []), 'remove', 'attribute', 'emails', undefined],
    [add('name', {})],
    [add('name', ''), 'remove', 'attribute', 'name', undefined],
    [add(MANAGER, { value: '', $ref: '../Users/' }), 'remove', 'attribute', 'manager', undefined],
    [add('emails[type eq "work"]', null), 'remove', 'element', 'emails', undefined],
    [replace(ENTERPRISE, null), 'remove', 'extension', '', undefined],
    [remove('emails', home), 'remove', 'attribute', 'emails', [home]],
    [remove('title', 'x'), 'remove', 'attribute', 'title', undefined],
  ];
  for (const [operation, ...removal] of removals) {
    t.strictSame(read(operation), removal.length === 0 ? [] : [removal], JSON.stringify(operation));
  }
});

t.test('a message that does not hold', async (t) => {
  const read = (body: unknown) => () => readPatch(body, USER_TYPE, reading());
  const operation = add('title', 'x');
  const cases: [sentence: string, body: unknown, expected: RegExp][] = [
    ['no object', [operation], /^invalidSyntax: The body must be a JSON object/],
    [
      'another message',
      { schemas: [CORE_USER], Operations: [operation] },
      /^invalidSyntax: schemas must contain ".*PatchOp"/,
    ],
    [
      'schemas of the wrong type',
      { schemas: PATCH_OP, Operations: [operation] },
      /^invalidSyntax: schemas must be an array/,
    ],
    ['no Operations', { schemas: [PATCH_OP] }, /^invalidSyntax: Operations must be/],
    ['no operations', { schemas: [PATCH_OP], Operations: [] }, /^invalidSyntax: Operations must be/],
    [
      'one operation without an array',
      { schemas: [PATCH_OP], Operations: operation },
      /^invalidSyntax: Operations must be/,
    ],
    [
      'too many operations',
      { schemas: [PATCH_OP], Operations: Array(1001).fill(operation) },
      /^invalidValue: .*1000/,
    ],
  ];
  for (const [sentence, body, expected] of cases) t.match(refusal(read(body)), expected, sentence);
  t.equal(read({ schemas: [PATCH_OP], Operations: Array(1000).fill(operation) })().length, 1000);
});

t.test('a result that does not hold', async (t) => {
  const cases: [sentence: string, operation: Operation, expected: RegExp][] = [
    ['userName removed', remove('userName'), /^mutability: userName cannot be removed/],
    ['userName cleared', replace('userName', ''), /^mutability: userName/],
    ['userName null without a path', { op: 'replace', value: { userName: null } }, /^mutability: userName/],
    [
      'a value path that matches nothing and says nothing',
      replace('emails[value co "z"].type', 'home'),
      /^noTarget: Operations\[0\]: /,
    ],
    ['a value path of alternatives', add('emails[type eq "a" or type eq "b"].value', 'x'), /^noTarget/],
    [
      'more values than are kept',
      add(
        'emails',
        Array.from({ length: 1000 }, (_, n) => ({ value: `${n}` })),
      ),
      /^invalidValue: .*emails has more than 1000 values/,
    ],
  ];
  for (const [sentence, operation, expected] of cases)
    t.match(
      refusal(() => patch(user({ emails: [home] }), operation)),
      expected,
      sentence,
    );
  t.strictSame(
    patch(user(), remove('userName'), add('userName', 'x')),
    user({ userName: 'x' }),
    'the end counts',
  );
});

t.test('each tolerance is noted, and refused in strict mode with its name', async (t) => {
  const cases: [name: string, operation: Operation][] = [
    ['operationCase', { op: 'Add', path: 'title', value: 'x' }],
    ['pathAsName', { op: 'add', value: { 'name.givenName': 'x' } }],
    ['pathAsName', { op: 'add', value: { 'emails[type eq "work"].value': 'x' } }],
    ['pathAsName', add(ENTERPRISE, { 'manager.value': 'm' })],
    ['pathless', add(CORE_USER, { title: 'x' })],
    ['unknownAttribute', { op: 'add', value: { shoeSize: 1 } }],
    ['unknownAttribute', { ...add('title', 'x'), name: 'addTitle' }],
    ['unknownAttribute', add('name', { nick: 1 })],
    ['readOnlyAttribute', { op: 'add', value: { id: 'x' } }],
    ['password', add('password', 'x')],
    ['password', { op: 'add', value: { password: 'x' } }],
    ['emptyText', add('title', '')],
    ['booleanText', add('active', 'True')],
    ['bareValue', add(MANAGER, 'm')],
    ['listAroundOne', add(MANAGER, [{ value: 'm' }])],
    ['removeListed', remove('emails', [{ value: 'm' }])],
    ['urnDot', remove(`${ENTERPRISE}.manager`)],
    ['filterBooleanText', remove('emails[primary eq "True"]')],
  ];
  for (const [name, operation] of cases) {
    const body = { schemas: [PATCH_OP], Operations: [operation] };
    const lenient = reading();
    readPatch(body, USER_TYPE, lenient);
    const pathless = Object.hasOwn(operation as object, 'path') ? [] : ['pathless'];
    t.strictSame([...lenient.tolerances], [...pathless, name], name);
    t.match(
      refusal(() => readPatch(body, USER_TYPE, reading(true))),
      new RegExp(`^\\w+: .*"${pathless[0] ?? name}"`),
      name,
    );
  }
  const salesforce = reading();
  readPatch(
    { schemas: [PATCH_OP], Operations: [{ op: 'remove', value: { emails: [{ value: 'x' }] } }] },
    USER_TYPE,
    salesforce,
  );
  t.strictSame([...salesforce.tolerances], ['removeWithoutPath', 'removeListed']);
  const authentik = reading();
  readPatch({ Operations: [remove('title')] }, USER_TYPE, authentik);
  t.strictSame([...authentik.tolerances], ['schemasMissing']);
});

/** Defects that were measured in scim-patch 0.8.3; several are the rows of other tables here. */
t.test('defects of another implementation that this one does not have', async (t) => {
  const built = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  for (const text of [
    '{"op":"add","path":"__proto__.polluted","value":"yes"}',
    '{"op":"add","path":"constructor.prototype.polluted","value":"yes"}',
    '{"op":"add","value":{"__proto__.polluted":"yes"}}',
    '{"op":"add","value":{"__proto__":{"polluted":"yes"}}}',
    '{"op":"add","path":"emails","value":[{"__proto__":{"polluted":"yes"},"value":"a"}]}',
    '{"op":"add","path":"name","value":{"constructor":{"prototype":{"polluted":"yes"}}}}',
    '{"op":"add","path":"emails[type eq \\"__proto__\\"].value","value":"a"}',
  ]) {
    refusal(() => patch(user(), JSON.parse(text)));
    t.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), built, text);
  }
  check(t, SCIM_PATCH_DEFECTS);
  t.match(
    refusal(() => patch(user(), add('"[.'.repeat(20_000), 'x'))),
    /^invalidPath/,
    'a long path is refused before it is read',
  );
});

t.test('§3.5.2 a failure leaves the resource as it was', async (t) => {
  const before = user({ title: 'old', emails: [work] });
  const copy = structuredClone(before);
  const act = () =>
    patch(before, replace('title', 'new'), remove('emails[type eq "work"].primary'), replace('userName', ''));
  t.match(refusal(act), /^mutability/);
  t.strictSame(before, copy);
});

t.test('a change that changes nothing gives an equal resource', async (t) => {
  const before = user({ title: 't', name: { givenName: 'B' }, emails: [work, home], ...managed });
  t.strictSame(
    patch(
      before,
      add('title', 't'),
      replace('emails', [work, home]),
      { op: 'add', value: { name: { givenName: 'B' }, ...managed } },
      remove('roles'),
    ),
    before,
  );
});

t.test('any operations end in a canonical resource or a ScimError, and leave their input alone', async () => {
  const before = user({ emails: [work, home], name: { givenName: 'B' }, ...managed });
  const copy = JSON.stringify(before);
  const built = Object.getOwnPropertyNames(Object.prototype).length;
  const act = (body: unknown): Resource | undefined => {
    try {
      return applyPatch(before, readPatch(body, USER_TYPE, reading()), USER_TYPE);
    } catch (error) {
      if (error instanceof ScimError) return undefined;
      throw error;
    }
  };
  fc.assert(
    fc.property(patchBodies, (body) => {
      const result = act(body);
      const again = act(body);
      const isCanonical =
        result === undefined ||
        JSON.stringify(readResource(result, USER_TYPE, reading())) === JSON.stringify(result);
      return (
        isCanonical &&
        JSON.stringify(result) === JSON.stringify(again) &&
        JSON.stringify(before) === copy &&
        Object.getOwnPropertyNames(Object.prototype).length === built
      );
    }),
    { numRuns: runs(1_000, 100_000) },
  );
});

t.test('a value path of values without parts creates the value that it is given', async (t) => {
  const id = 'urn:example:own';
  const tags = attribute({ name: 'tags', description: 'Tags.', multiValued: true });
  const schema = { id, name: 'Own', description: 'Own', attributes: [tags] };
  const type = { ...USER_TYPE, extensions: [{ schema, required: false }] };
  const operations = [add(`${id}:tags[value eq "a"]`, 'a'), replace(`${id}:tags[value eq "a"]`, 'b')];
  const body = { schemas: [PATCH_OP], Operations: operations };
  const patched = applyPatch(user(), readPatch(body, type, reading()), type);
  t.strictSame(patched[id], { tags: ['b'] });
});
