import { CORE_GROUP, CORE_USER, ENTERPRISE_USER as ENTERPRISE } from '../../src/scim/resource-types.ts';
import type { JsonObject, JsonValue } from '../../src/scim/types.ts';

/** A user with some attributes, what a PATCH has as its Operations, and the attributes afterwards. */
export type Case = [sentence: string, before: JsonObject, operations: JsonValue[], after: JsonObject];

export const add = (path: string, value: JsonValue) => ({ op: 'add', path, value });
export const replace = (path: string, value: JsonValue) => ({ op: 'replace', path, value });
export const remove = (path: string, ...values: JsonValue[]) => ({
  op: 'remove',
  path,
  ...values.map((value) => ({ value }))[0],
});

export const work = { value: 'w@x', type: 'work', primary: true };
export const home = { value: 'h@x', type: 'home' };
const both = { emails: [work, home] };

export const MANAGER = `${ENTERPRISE}:manager`;
export const managed = { [ENTERPRISE]: { manager: { value: 'm', $ref: '../Users/m' } } };

/** What RFC 7644 section 3.5.2 says, by its parts. */
export const RFC_CASES: Record<string, Case[]> = {
  '§3.5.2.1 add': [
    ['an attribute that has no value gets it', {}, [add('nickName', 'Babs')], { nickName: 'Babs' }],
    ['a single value is replaced', { nickName: 'B' }, [add('nickName', 'Babs')], { nickName: 'Babs' }],
    [
      'without a path the keys are attributes',
      { emails: [work] },
      [{ op: 'add', value: { emails: [home], nickname: 'Babs' } }],
      { emails: [work, home], nickName: 'Babs' },
    ],
    [
      'a complex value is merged',
      { name: { givenName: 'B', familyName: 'J' } },
      [add('name', { givenName: 'C' })],
      { name: { givenName: 'C', familyName: 'J' } },
    ],
    ['an array adds each of its values', {}, [add('emails', [work, home])], { emails: [work, home] }],
    ['one value needs no array', { emails: [work] }, [add('emails', home)], { emails: [work, home] }],
    [
      'a value that is there is not doubled',
      { emails: [work, home] },
      [add('emails', [home])],
      { emails: [work, home] },
    ],
    [
      'nor in another case, where case does not count',
      { emails: [home] },
      [add('emails', [{ value: 'H@X', type: 'HOME' }])],
      { emails: [{ value: 'H@X', type: 'HOME' }] },
    ],
    [
      'the same value and type takes what is added',
      { emails: [home] },
      [add('emails', [{ ...home, display: 'H' }])],
      { emails: [{ ...home, display: 'H' }] },
    ],
    [
      'another type is another value',
      { emails: [home] },
      [add('emails', [{ value: 'h@x', type: 'other' }])],
      { emails: [home, { value: 'h@x', type: 'other' }] },
    ],
    [
      'no values add nothing',
      { emails: [home] },
      [add('emails', []), add('emails', null)],
      { emails: [home] },
    ],
    [
      'a selected element is merged',
      { emails: [work, home] },
      [add('emails[type eq "home"]', { display: 'H' })],
      { emails: [work, { ...home, display: 'H' }] },
    ],
    [
      'an extension joins schemas with its first value',
      {},
      [add(`${ENTERPRISE}:employeeNumber`, '7')],
      { [ENTERPRISE]: { employeeNumber: '7' } },
    ],
  ],
  '§3.5.2.2 remove': [
    ['a single value is unassigned', { title: 'x' }, [remove('title')], {}],
    ['a complex value too', { name: { givenName: 'B' } }, [remove('name')], {}],
    [
      'a sub-attribute too',
      { name: { givenName: 'B', familyName: 'J' } },
      [remove('name.givenName')],
      { name: { familyName: 'J' } },
    ],
    [
      'the last sub-attribute takes the attribute along',
      { name: { givenName: 'B' } },
      [remove('name.givenName')],
      {},
    ],
    ['without a filter all values go', both, [remove('emails')], {}],
    [
      'with a filter the selected go',
      both,
      [remove('emails[type eq "work" and value ew "x"]')],
      { emails: [home] },
    ],
    ['the last value takes the attribute along', { emails: [home] }, [remove('emails[type eq "home"]')], {}],
    [
      'a sub-attribute of the selected',
      { emails: [{ ...work, display: 'W' }, home] },
      [remove('emails[type eq "work"].display')],
      { emails: [work, home] },
    ],
    [
      'an element of which labels are left goes',
      both,
      [remove('emails[type eq "work"].value')],
      { emails: [home] },
    ],
    [
      'an address keeps its other parts',
      { addresses: [{ type: 'work', locality: 'L', country: 'US' }] },
      [remove('addresses[type eq "work"].locality')],
      { addresses: [{ type: 'work', country: 'US' }] },
    ],
    [
      'what is not there is removed with success',
      both,
      [
        remove('phoneNumbers[type eq "fax"].value'),
        remove('nickName'),
        remove('emails[value eq "z"]'),
        remove(ENTERPRISE),
      ],
      both,
    ],
    ['an extension goes, and its schema', { [ENTERPRISE]: { department: 'd' } }, [remove(ENTERPRISE)], {}],
    [
      'the last attribute takes the extension along',
      { [ENTERPRISE]: { department: 'd' } },
      [remove(`${ENTERPRISE}:department`)],
      {},
    ],
    [
      'listed values only, when some are listed',
      both,
      [{ op: 'Remove', path: 'emails', value: [{ $ref: null, value: 'w@x' }] }],
      { emails: [home] },
    ],
    [
      'of the listed type, when one is listed',
      both,
      [remove('emails', [{ value: 'w@x', type: 'other' }])],
      both,
    ],
    ['none, when the list is empty', both, [remove('emails', []), remove('emails', '')], both],
    ['all, when the value is null (Keycloak)', both, [remove('emails', null)], {}],
    ['one that is listed without an array', both, [remove('emails', { value: 'H@X' })], { emails: [work] }],
    [
      'a list without a path (Salesforce)',
      both,
      [{ op: 'remove', value: { emails: [{ value: 'w@x' }] } }],
      { emails: [home] },
    ],
    [
      'a list of addresses is compared as a whole',
      { addresses: [{ type: 'work', country: 'US' }] },
      [remove('addresses', [{ country: 'US', type: 'work' }])],
      {},
    ],
  ],
  '§3.5.2.3 replace': [
    ['a single value', { title: 'x' }, [replace('title', 'y')], { title: 'y' }],
    ['a value that is not there is added', {}, [replace('title', 'y')], { title: 'y' }],
    [
      'all values of a multi-valued attribute',
      both,
      [replace('emails', [{ value: 'n@x' }])],
      { emails: [{ value: 'n@x' }] },
    ],
    ['by one', both, [replace('emails', { value: 'n@x' })], { emails: [{ value: 'n@x' }] }],
    ['by none', both, [replace('emails', [])], {}],
    [
      'the given sub-attributes of a complex value',
      { name: { givenName: 'B', familyName: 'J' } },
      [replace('name', { givenName: 'C', honorificPrefix: 'Ms.' })],
      { name: { givenName: 'C', familyName: 'J', honorificPrefix: 'Ms.' } },
    ],
    [
      'a sub-attribute that is given as null is unassigned',
      { name: { givenName: 'B', familyName: 'J' } },
      [replace('name', { givenName: null })],
      { name: { familyName: 'J' } },
    ],
    [
      'the selected records',
      both,
      [replace('emails[type eq "work"]', { value: 'n@x', display: 'N' })],
      { emails: [{ value: 'n@x', display: 'N', type: 'work' }, home] },
    ],
    [
      'all of them',
      {
        roles: [
          { value: 'a', type: 'x' },
          { value: 'b', type: 'x' },
        ],
      },
      [replace('roles[type eq "x"].display', 'D')],
      {
        roles: [
          { value: 'a', type: 'x', display: 'D' },
          { value: 'b', type: 'x', display: 'D' },
        ],
      },
    ],
    [
      'records that become equal are one',
      {
        roles: [
          { value: 'a', type: 'x' },
          { value: 'b', type: 'x' },
        ],
      },
      [replace('roles[type eq "x"]', { value: 'c', type: 'y' })],
      { roles: [{ value: 'c', type: 'y' }] },
    ],
    [
      'a sub-attribute of the selected',
      both,
      [replace('emails[type eq "work"].value', 'n@x')],
      { emails: [{ ...work, value: 'n@x' }, home] },
    ],
    [
      'a sub-attribute of none creates one',
      {},
      [replace('emails.value', 'n@x')],
      { emails: [{ value: 'n@x' }] },
    ],
    [
      'a sub-attribute of all',
      both,
      [replace('emails.display', 'D')],
      {
        emails: [
          { ...work, display: 'D' },
          { ...home, display: 'D' },
        ],
      },
    ],
    [
      'an extension without a path is merged',
      { [ENTERPRISE]: { employeeNumber: '7' } },
      [{ op: 'replace', value: { [ENTERPRISE]: { department: 'D1' } } }],
      { [ENTERPRISE]: { employeeNumber: '7', department: 'D1' } },
    ],
    [
      'an extension with its URN as the path is merged',
      { [ENTERPRISE]: { employeeNumber: '7' } },
      [replace(ENTERPRISE, { department: 'D1' })],
      { [ENTERPRISE]: { employeeNumber: '7', department: 'D1' } },
    ],
    [
      'an extension by null is removed',
      { [ENTERPRISE]: { employeeNumber: '7' } },
      [{ op: 'replace', value: { [ENTERPRISE]: null } }],
      {},
    ],
    ['the URN of the core schema is the resource', {}, [replace(CORE_USER, { title: 'x' })], { title: 'x' }],
    [
      'schemas follows from the values and cannot be set',
      {},
      [replace('schemas', [CORE_GROUP]), { op: 'add', value: { schemas: ['urn:x'] } }],
      {},
    ],
  ],
  '§3.5.2 of several primary values the newest stays': [
    [
      'an added one',
      { emails: [work, home] },
      [add('emails', { value: 'n@x', primary: true })],
      { emails: [{ ...work, primary: false }, home, { value: 'n@x', primary: true }] },
    ],
    [
      'the last of several added',
      { emails: [work] },
      [
        add('emails', [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ]),
      ],
      {
        emails: [
          { ...work, primary: false },
          { value: 'a', primary: false },
          { value: 'b', primary: true },
        ],
      },
    ],
    [
      'the last of several in a replacement',
      {},
      [
        replace('emails', [
          { value: 'a', primary: true },
          { value: 'b', primary: 'True' },
        ]),
      ],
      {
        emails: [
          { value: 'a', primary: false },
          { value: 'b', primary: true },
        ],
      },
    ],
    [
      'one that becomes primary by a path',
      { emails: [work, home] },
      [replace('emails[type eq "home"].primary', true)],
      {
        emails: [
          { ...work, primary: false },
          { ...home, primary: true },
        ],
      },
    ],
    [
      'one that is primary already',
      { emails: [work, home] },
      [add('emails', work)],
      { emails: [work, home] },
    ],
  ],
  '§3.5.2 operations work on the result of those before them': [
    [
      'the last wins',
      { externalId: 'a' },
      [
        remove('externalId'),
        { op: 'add', value: { externalId: 'b' } },
        { op: 'replace', value: { externalId: 'c' } },
      ],
      { externalId: 'c' },
    ],
    [
      'a created element is found by the next',
      {},
      [
        { op: 'Add', path: 'addresses[type eq "work"].formatted', value: '18/2111' },
        { op: 'Add', path: 'addresses[type eq "work"].country', value: 'US' },
        { op: 'Add', path: 'addresses[type eq "other"].Formatted', value: 'Office 7' },
      ],
      {
        addresses: [
          { formatted: '18/2111', country: 'US', type: 'work' },
          { formatted: 'Office 7', type: 'other' },
        ],
      },
    ],
  ],
};
