import { CORE_USER, ENTERPRISE_USER as ENTERPRISE } from '../../src/scim/resource-types.ts';
import type { JsonObject } from '../../src/scim/types.ts';

/** The least that a client sends of a user, and what is kept of it. */
export const BASE = { schemas: [CORE_USER], userName: 'bjensen' };

/** What clients send and what is kept of it. */
export const CANONICAL_CASES: [sentence: string, body: JsonObject, kept: JsonObject][] = [
  [
    'names are matched without case and returned in the case of the schema',
    { USERNAME: 'bjensen', Schemas: [CORE_USER], NAME: { GivenName: 'B' } },
    { ...BASE, name: { givenName: 'B' } },
  ],
  [
    'values stay as they were sent',
    {
      ...BASE,
      userName: ' BJensen ',
      phoneNumbers: [{ value: '415.123.4567' }],
      locale: 'xx_nonsense',
      timezone: 'Mars',
    },
    {
      ...BASE,
      userName: ' BJensen ',
      phoneNumbers: [{ value: '415.123.4567' }],
      locale: 'xx_nonsense',
      timezone: 'Mars',
    },
  ],
  ['active is kept', { ...BASE, active: false }, { ...BASE, active: false }],
  ['active may be left to whoever writes', { ...BASE, active: null }, BASE],
  [
    'null, "", [] and {} are no value (RFC 7643 §2.5)',
    { ...BASE, displayName: null, nickName: '', roles: [], name: {}, title: [] },
    BASE,
  ],
  [
    'the parts of a complex value too',
    { ...BASE, name: { givenName: 'B', middleName: '', familyName: null } },
    { ...BASE, name: { givenName: 'B' } },
  ],
  [
    'a complex value whose parts are all unassigned is unassigned',
    { ...BASE, name: { givenName: '' } },
    BASE,
  ],
  [
    'an element with an empty value is no element',
    { ...BASE, emails: [{ type: 'work', primary: true, value: '' }, {}, null, { value: 'b@x' }] },
    { ...BASE, emails: [{ value: 'b@x' }] },
  ],
  [
    'read-only attributes are ignored (§3.5.1)',
    {
      ...BASE,
      id: '1',
      meta: { version: 'x' },
      groups: [{ value: 'g' }],
      [ENTERPRISE]: { manager: { value: 'm', displayName: 'M' } },
    },
    {
      schemas: [CORE_USER, ENTERPRISE],
      userName: 'bjensen',
      [ENTERPRISE]: { manager: { value: 'm' } },
    },
  ],
  ['the password is dropped', { ...BASE, password: 'secret' }, BASE],
  [
    'unknown attributes are ignored',
    { ...BASE, shoeSize: 43, name: { nick: 'x', givenName: 'B' }, 'urn:unknown': { a: 1 } },
    { ...BASE, name: { givenName: 'B' } },
  ],
  [
    'prototype names are unknown attributes',
    JSON.parse(
      `{"schemas":["${CORE_USER}"],"userName":"bjensen","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"name":{"__proto__":{"givenName":"x"}}}`,
    ),
    BASE,
  ],
  [
    'an extension is known by its URN in any case',
    { ...BASE, [ENTERPRISE.toUpperCase()]: { DEPARTMENT: 'Sales' } },
    { ...BASE, schemas: [CORE_USER, ENTERPRISE], [ENTERPRISE]: { department: 'Sales' } },
  ],
  [
    'an extension that is listed without values is not there',
    { ...BASE, schemas: [ENTERPRISE, CORE_USER], [ENTERPRISE]: { department: '' } },
    BASE,
  ],
  [
    'schemas of others are ignored: the misspelt URN of the Entra ID tutorial',
    { ...BASE, schemas: [CORE_USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0User'] },
    BASE,
  ],
  ['a body without schemas is read (authentik)', { userName: 'bjensen' }, BASE],
  [
    '"True" and "false" are booleans (Entra ID, Keycloak)',
    { ...BASE, active: 'False', roles: [{ value: 'a', primary: 'True' }] },
    { ...BASE, active: false, roles: [{ value: 'a', primary: true }] },
  ],
  [
    'emails may be one object (OneLogin)',
    { ...BASE, emails: { value: 'b@x', type: 'work' } },
    { ...BASE, emails: [{ value: 'b@x', type: 'work' }] },
  ],
  [
    'manager may be its id',
    { ...BASE, [ENTERPRISE]: { manager: 'm' } },
    { ...BASE, schemas: [CORE_USER, ENTERPRISE], [ENTERPRISE]: { manager: { value: 'm' } } },
  ],
  [
    'manager may be an array of one',
    { ...BASE, [ENTERPRISE]: { manager: [{ value: 'm' }] } },
    { ...BASE, schemas: [CORE_USER, ENTERPRISE], [ENTERPRISE]: { manager: { value: 'm' } } },
  ],
  ['roles may be bare text', { ...BASE, roles: ['admin'] }, { ...BASE, roles: [{ value: 'admin' }] }],
  [
    'equal elements are kept once',
    { ...BASE, roles: [{ value: 'a', type: 'x' }, { type: 'x', value: 'a' }, { value: 'a' }] },
    { ...BASE, roles: [{ value: 'a', type: 'x' }, { value: 'a' }] },
  ],
  [
    'types that are not canonical are kept',
    { ...BASE, emails: [{ value: 'b@x', type: 'pigeon' }] },
    { ...BASE, emails: [{ value: 'b@x', type: 'pigeon' }] },
  ],
  [
    'base64 may lack its padding',
    { ...BASE, x509Certificates: [{ value: 'AAE' }, { value: 'AAE=' }] },
    { ...BASE, x509Certificates: [{ value: 'AAE' }, { value: 'AAE=' }] },
  ],
];
