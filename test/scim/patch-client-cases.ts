import { CORE_USER, ENTERPRISE_USER as ENTERPRISE } from '../../src/scim/resource-types.ts';
import { add, type Case, home, MANAGER, managed, remove, replace, work } from './patch-cases.ts';

/** What the clients of identity providers send, in their literal forms. */
export const CLIENT_CASES: Case[] = [
  ['Okta deactivates without a path', {}, [{ op: 'replace', value: { active: false } }], { active: false }],
  [
    'Okta syncs a password, which is dropped',
    {},
    [{ op: 'replace', value: { password: 'Kv7J2LEa' } }, replace('password', 'x'), remove('password')],
    {},
  ],
  [
    'Okta sends an id, which is ignored',
    {},
    [{ op: 'replace', value: { id: '1', meta: {}, groups: [], displayName: 'n' } }],
    { displayName: 'n' },
  ],
  [
    'Okta replaces several attributes at once',
    { name: { givenName: 'A', middleName: 'M' } },
    [
      {
        op: 'replace',
        value: { title: 'D', name: { givenName: 'O', familyName: 'U' }, [ENTERPRISE]: { department: 'F' } },
      },
    ],
    {
      title: 'D',
      name: { givenName: 'O', familyName: 'U', middleName: 'M' },
      [ENTERPRISE]: { department: 'F' },
    },
  ],
  [
    'Entra ID disables with the text "False"',
    {},
    [{ op: 'Replace', path: 'active', value: 'False' }],
    { active: false },
  ],
  [
    'Entra ID adds an e-mail address by its type',
    {},
    [{ op: 'Add', path: 'emails[type eq "work"].value', value: 'n@x' }],
    { emails: [{ value: 'n@x', type: 'work' }] },
  ],
  [
    'Entra ID replaces a phone number that is not there',
    {},
    [{ op: 'Replace', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555 0100' }],
    { phoneNumbers: [{ value: '+1 555 0100', type: 'mobile' }] },
  ],
  [
    'a type in another case selects',
    { emails: [work] },
    [{ op: 'Replace', path: 'emails[type eq "Work"].value', value: 'n@x' }],
    { emails: [{ ...work, value: 'n@x' }] },
  ],
  [
    'Entra ID builds a role from a text that means true',
    {},
    [
      { op: 'Add', path: 'roles[primary eq "True"].value', value: 'Admin' },
      { op: 'Add', path: 'roles[primary eq "True"].display', value: 'Administrator' },
    ],
    { roles: [{ value: 'Admin', display: 'Administrator', primary: true }] },
  ],
  [
    'Entra ID writes dotted and qualified keys',
    { name: { formatted: 'F' } },
    [
      {
        op: 'replace',
        value: {
          displayName: 'B',
          'name.givenName': 'K',
          'name.familyName': 'U',
          [`${ENTERPRISE}:employeeNumber`]: 'A',
          [`${CORE_USER}:userType`]: 'E',
        },
      },
    ],
    {
      displayName: 'B',
      name: { formatted: 'F', givenName: 'K', familyName: 'U' },
      [ENTERPRISE]: { employeeNumber: 'A' },
      userType: 'E',
    },
  ],
  [
    'Entra ID writes value paths as keys',
    { emails: [work] },
    [
      {
        op: 'replace',
        value: { 'emails[type eq "work"].value': 'n@x', 'phoneNumbers[type eq "work"].value': '5' },
      },
    ],
    { emails: [{ ...work, value: 'n@x' }], phoneNumbers: [{ value: '5', type: 'work' }] },
  ],
  [
    'the core schema qualifies paths',
    { name: { givenName: 'G' } },
    [replace(`${CORE_USER}:name.familyName`, 'Q')],
    { name: { givenName: 'G', familyName: 'Q' } },
  ],
  [
    '"" unassigns, as null does (null-update test)',
    { title: 't', nickName: 'n', emails: [work] },
    [
      replace('title', ''),
      { op: 'Add', path: 'nickName', value: null },
      { op: 'replace', value: { 'emails[type eq "work"].value': '' } },
    ],
    {},
  ],
  [
    'manager as a plain id',
    {},
    [{ op: 'Add', path: MANAGER, value: 'm' }],
    { [ENTERPRISE]: { manager: { value: 'm' } } },
  ],
  [
    'manager as an object',
    {},
    [{ op: 'Replace', path: MANAGER, value: { value: 'm' } }],
    { [ENTERPRISE]: { manager: { value: 'm' } } },
  ],
  [
    'manager as an array of one, unqualified',
    {},
    [{ op: 'Add', path: 'manager', value: [{ $ref: '../Users/m', value: 'm' }] }],
    managed,
  ],
  [
    'manager after a dot',
    {},
    [replace(`${ENTERPRISE}.manager`, 'm')],
    { [ENTERPRISE]: { manager: { value: 'm' } } },
  ],
  [
    'a new manager has no old $ref',
    managed,
    [replace(MANAGER, 'n')],
    { [ENTERPRISE]: { manager: { value: 'n' } } },
  ],
  [
    'a new manager keeps a new $ref',
    managed,
    [replace(MANAGER, { $ref: '../Users/n', value: 'n' })],
    { [ENTERPRISE]: { manager: { value: 'n', $ref: '../Users/n' } } },
  ],
  ['the same manager keeps the $ref', managed, [replace(MANAGER, 'm')], managed],
  ['manager cleared by ""', managed, [replace(MANAGER, '')], {}],
  ['manager cleared by {"value": ""}', managed, [replace(MANAGER, { value: '' })], {}],
  ['manager cleared by its value', managed, [remove(`${MANAGER}.value`)], {}],
  [
    'a removal may carry a stale value',
    { emails: [work, home] },
    [{ op: 'Remove', path: 'emails[type eq "work"].value', value: 'old@x' }],
    { emails: [home] },
  ],
  [
    'Operations, op, path and value in any case',
    {},
    [{ OP: 'REPLACE', Path: 'Title', VALUE: 'x' }],
    { title: 'x' },
  ],
  [
    'unknown attributes without a path are ignored',
    {},
    [
      {
        op: 'replace',
        value: {
          shoeSize: 1,
          'shoes[type eq "work"].size': 2,
          'name.nick': 'x',
          'urn:x:y': { a: 1 },
          title: 'x',
          name: { nick: 'x' },
        },
      },
    ],
    { title: 'x' },
  ],
];

/** Forms that scim-patch 0.8.3 was measured to get wrong; others of them are among the cases above. */
export const SCIM_PATCH_DEFECTS: Case[] = [
  [
    'attribute names in other case are no second attribute',
    { emails: [work] },
    [replace('UserName', 'c'), replace('emails[TYPE eq "WORK"].Value', 'n@x')],
    { userName: 'c', emails: [{ ...work, value: 'n@x' }] },
  ],
  [
    'a URN is not split at its dots',
    {},
    [{ op: 'add', value: { [ENTERPRISE]: { department: 'd' } } }],
    { [ENTERPRISE]: { department: 'd' } },
  ],
  [
    'a value path with two terms creates the element',
    {},
    [add('addresses[type eq "work" and primary eq true].streetAddress', 's')],
    { addresses: [{ type: 'work', primary: true, streetAddress: 's' }] },
  ],
  [
    'filter values with a colon',
    { emails: [{ value: 'sip:a@w' }, home] },
    [remove('emails[value eq "sip:a@w"]')],
    { emails: [home] },
  ],
  [
    'one object replaces all e-mail addresses',
    { emails: [work, home] },
    [replace('emails', { value: 'n@x' })],
    { emails: [{ value: 'n@x' }] },
  ],
  ['a text too', { emails: [work, home] }, [replace('emails', 'n@x')], { emails: [{ value: 'n@x' }] }],
  [
    'nothing is doubled without a path',
    { emails: [work] },
    [{ op: 'add', value: { emails: [work] } }],
    { emails: [work] },
  ],
  [
    'name without a path is merged',
    { name: { givenName: 'B', familyName: 'J' } },
    [{ op: 'replace', value: { name: { givenName: 'C' } } }],
    { name: { givenName: 'C', familyName: 'J' } },
  ],
];
