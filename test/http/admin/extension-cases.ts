/** Definitions of schema extensions: what is accepted and what it comes to, what is refused and where. */

export const URN = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User';

/** An attribute with the defaults of RFC 7643 section 2.2. */
export const whole = (name: string, more: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  description: '',
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});

const complex = (subAttributes: readonly object[], more: object = {}) => ({
  name: 'a',
  type: 'complex',
  subAttributes,
  ...more,
});

export const ACCEPTED: readonly (readonly [sentence: string, attribute: object, read: object])[] = [
  ['a name alone is a string', { name: 'a' }, whole('a')],
  ['every character of a name', { name: 'aZ_0-$' }, whole('aZ_0-$')],
  ['a name that the core schema uses too', { name: 'userName' }, whole('userName')],
  ['the names of common attributes', { name: 'id' }, whole('id')],
  [
    'a reference is case exact',
    { name: 'a', type: 'reference' },
    whole('a', { type: 'reference', caseExact: true }),
  ],
  [
    'a binary too',
    { name: 'a', type: 'binary', caseExact: true },
    whole('a', { type: 'binary', caseExact: true }),
  ],
  [
    'a writeOnly attribute is never returned',
    { name: 'a', mutability: 'writeOnly' },
    whole('a', { mutability: 'writeOnly', returned: 'never' }),
  ],
  [
    'one that is read and never returned may be written',
    { name: 'a', returned: 'never' },
    whole('a', { returned: 'never' }),
  ],
  [
    'everything that was answered',
    whole('a', { canonicalValues: ['x'] }),
    whole('a', { canonicalValues: ['x'] }),
  ],
  [
    'what a reference may point to',
    { name: 'a', type: 'reference', referenceTypes: ['User', 'external', 'uri'] },
    { referenceTypes: ['User', 'external', 'uri'] },
  ],
  [
    'a complex attribute with the parts that the RFC names',
    complex(
      [
        { name: 'value', type: 'integer' },
        { name: 'display' },
        { name: 'type', canonicalValues: ['work'] },
        { name: 'primary', type: 'boolean' },
        { name: '$ref', type: 'reference', referenceTypes: ['User'] },
      ],
      { multiValued: true },
    ),
    { type: 'complex', multiValued: true, subAttributes: [{ name: 'value' }, {}, {}, {}, { name: '$ref' }] },
  ],
  ['a part that cannot change, of a single value', complex([{ name: 'b', mutability: 'immutable' }]), {}],
  [
    'a part that is read-only beside one that is not',
    complex([{ name: 'b', mutability: 'readOnly' }, { name: 'c' }], { required: true }),
    {},
  ],
];

export const REFUSED_ATTRIBUTES: readonly (readonly [
  sentence: string,
  attribute: unknown,
  pointer: string,
])[] = [
  ['no name', {}, '/name'],
  ['an empty name', { name: '' }, '/name'],
  ['a name that begins with a digit', { name: '1a' }, '/name'],
  ['a name with a dot', { name: 'a.b' }, '/name'],
  ['a name with a colon', { name: 'a:b' }, '/name'],
  ['a name with a letter beyond ASCII', { name: 'größe' }, '/name'],
  ['a prototype', { name: '__proto__x' }, '/name'],
  ['a name that ends in a line', { name: 'a\n' }, '/name'],
  ['a long name', { name: 'a'.repeat(101) }, '/name'],
  ['$ref outside of a complex value', { name: '$ref', type: 'reference' }, '/name'],
  ['an unknown type', { name: 'a', type: 'text' }, '/type'],
  ['a type in another case', { name: 'a', type: 'datetime' }, '/type'],
  ['an unknown member', { name: 'a', multivalued: true }, '/multivalued'],
  ['text for a boolean', { name: 'a', required: 'true' }, '/required'],
  ['complex without parts', { name: 'a', type: 'complex' }, '/subAttributes'],
  ['complex with no part', complex([]), '/subAttributes'],
  ['parts of something simple', { name: 'a', subAttributes: [{ name: 'b' }] }, '/subAttributes'],
  ['complex in complex', complex([{ name: 'b', type: 'complex' }]), '/subAttributes/0/type'],
  [
    'parts of parts',
    complex([{ name: 'b', subAttributes: [{ name: 'c' }] }]),
    '/subAttributes/0/subAttributes',
  ],
  ['a multi-valued part', complex([{ name: 'b', multiValued: true }]), '/subAttributes/0/multiValued'],
  ['a part twice in different case', complex([{ name: 'b' }, { name: 'B' }]), '/subAttributes/1/name'],
  ['primary that is no boolean', complex([{ name: 'primary' }]), '/subAttributes/0/type'],
  ['$ref that is no reference', complex([{ name: '$ref' }]), '/subAttributes/0/type'],
  ['display that is no text', complex([{ name: 'display', type: 'integer' }]), '/subAttributes/0/type'],
  ['Primary in another case', complex([{ name: 'Primary', type: 'boolean' }]), '/subAttributes/0/name'],
  [
    'an immutable part of several values',
    complex([{ name: 'b', mutability: 'immutable' }], { multiValued: true }),
    '/subAttributes/0/mutability',
  ],
  ['a hidden part', complex([{ name: 'b', returned: 'never' }]), '/subAttributes/0/returned'],
  ['a writeOnly part', complex([{ name: 'b', mutability: 'writeOnly' }]), '/subAttributes/0/mutability'],
  [
    'a required part that is read-only',
    complex([{ name: 'b', required: true, mutability: 'readOnly' }]),
    '/subAttributes/0/required',
  ],
  ['caseExact of a boolean', { name: 'a', type: 'boolean', caseExact: true }, '/caseExact'],
  ['a reference without case', { name: 'a', type: 'reference', caseExact: false }, '/caseExact'],
  [
    'canonical values of a number',
    { name: 'a', type: 'integer', canonicalValues: ['1'] },
    '/canonicalValues',
  ],
  ['a canonical value twice', { name: 'a', canonicalValues: ['x', 'x'] }, '/canonicalValues'],
  [
    'too many canonical values',
    { name: 'a', canonicalValues: Array.from({ length: 101 }, (_, i) => `${i}`) },
    '/canonicalValues',
  ],
  ['reference types of a string', { name: 'a', referenceTypes: ['User'] }, '/referenceTypes'],
  [
    'a reference type that is not there',
    { name: 'a', type: 'reference', referenceTypes: ['Car'] },
    '/referenceTypes/0',
  ],
  ['uniqueness', { name: 'a', uniqueness: 'server' }, '/uniqueness'],
  ['an unknown uniqueness', { name: 'a', uniqueness: 'tenant' }, '/uniqueness'],
  ['writeOnly that is returned', { name: 'a', mutability: 'writeOnly', returned: 'request' }, '/returned'],
  ['readOnly that is never returned', { name: 'a', mutability: 'readOnly', returned: 'never' }, '/returned'],
  ['required that is read-only', { name: 'a', required: true, mutability: 'readOnly' }, '/required'],
  [
    'required with read-only parts',
    complex([{ name: 'b', mutability: 'readOnly' }], { required: true }),
    '/required',
  ],
  ['a long description', { name: 'a', description: 'x'.repeat(1_001) }, '/description'],
  ['too many parts', complex(Array.from({ length: 51 }, (_, i) => ({ name: `a${i}` }))), '/subAttributes'],
];

export const REFUSED_URNS: readonly (readonly [sentence: string, id: string])[] = [
  ['no URN', 'https://example.com/schemas/User'],
  ['an empty one', ''],
  ['a name space without a name', 'urn:example'],
  ['a name space without anything behind it', 'urn:example:'],
  ['a name space of one character', 'urn:x:a'],
  ['a name space of 33 characters', `urn:${'x'.repeat(33)}:a`],
  ['an end that paths go on with', 'urn:example:a:'],
  ['a dot at the end', 'urn:example:a.'],
  ['a space', 'urn:example:a b'],
  ['a comma, which divides names', 'urn:example:a,b'],
  ['a bracket, which filters read', 'urn:example:a(b)'],
  ['percent-encoding', 'urn:example:a%20b'],
  ['a fragment', 'urn:example:a#b'],
  ['a letter beyond ASCII', 'urn:example:größe'],
  ['256 characters', `urn:example:${'x'.repeat(244)}`],
  ['the core schema', 'urn:ietf:params:scim:schemas:core:2.0:User'],
  ['the core schema in another case', 'URN:IETF:params:scim:schemas:CORE:2.0:user'],
  ['the name space of the core schemas', 'urn:ietf:params:scim:schemas:core:2.0:Custom'],
  ['what the core schemas begin with', 'urn:ietf:params:scim:schemas:core:2.0'],
  ['messages', 'urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  ['the enterprise schema', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
  [
    'a name behind the enterprise schema',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
  ],
  ['a name behind it with a dot', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager'],
  ['what the enterprise schema begins with', 'urn:ietf:params:scim:schemas:extension:enterprise'],
  ['what Okta discovers', 'urn:okta:scim:schemas:core:1.0:Role'],
];

export const ACCEPTED_URNS = [
  URN,
  'urn:okta:custom:user:1.0',
  'urn:example:enterprise-2_0~a',
  'URN:Example:Upper',
  `urn:example:${'x'.repeat(243)}`,
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:Users',
  'urn:ietf:params:scim:schemas:corecustom:2.0:User',
];
