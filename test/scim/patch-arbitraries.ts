import fc from 'fast-check';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { CORE_USER, ENTERPRISE_USER as ENTERPRISE } from '../../src/scim/resource-types.ts';
import { MANAGER } from './patch-cases.ts';

const words = fc.constantFrom('work', 'home', 'True', '', 'a@x', 'b@x', 'urn:x', '__proto__');
const names = fc.constantFrom(
  'userName',
  'title',
  'active',
  'name',
  'name.givenName',
  'emails',
  'emails.value',
  'emails[type eq "work"]',
  'emails[type eq "work"].value',
  'emails[value eq "a@x"].primary',
  'emails[not (type eq "work")]',
  'emails[',
  'roles',
  'addresses[type eq "home"].country',
  'id',
  'password',
  'schemas',
  'groups',
  'shoeSize',
  'constructor',
  '__proto__',
  '__proto__.polluted',
  'toString',
  CORE_USER,
  ENTERPRISE,
  MANAGER,
  `${MANAGER}.value`,
  `${ENTERPRISE}:department`,
);
const objects = fc.dictionary(
  fc.constantFrom(
    'value',
    'type',
    'primary',
    'display',
    'givenName',
    'Value',
    '__proto__',
    'constructor',
    'department',
    'manager',
  ),
  fc.oneof(words, fc.boolean(), fc.constant(null)),
  { maxKeys: 4 },
);
const values: fc.Arbitrary<unknown> = fc.oneof(
  words,
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  objects,
  fc.array(fc.oneof(words, objects), { maxLength: 3 }),
  fc.dictionary(names, fc.oneof(words, objects, fc.array(objects, { maxLength: 2 })), { maxKeys: 3 }),
  fc.jsonValue({ maxDepth: 3 }),
);
const operation = fc.record(
  { op: fc.constantFrom('add', 'remove', 'replace', 'Add', 'x'), path: names, value: values },
  { requiredKeys: ['op'] },
);
/** PATCH messages, most of them odd, as `JSON.parse` gives them: `__proto__` is a name like any other. */
export const patchBodies = fc
  .array(operation, { minLength: 1, maxLength: 5 })
  .map((operations): unknown => JSON.parse(JSON.stringify({ schemas: [PATCH_OP], Operations: operations })));
