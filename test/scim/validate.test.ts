import t from 'tap';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { applyPatch, readPatch } from '../../src/scim/patch.ts';
import { TOLERANCES } from '../../src/scim/quirks.ts';
import {
  CORE_GROUP,
  CORE_USER,
  ENTERPRISE_USER as ENTERPRISE,
  GROUP_TYPE,
  USER_TYPE,
} from '../../src/scim/resource-types.ts';
import { attribute as define } from '../../src/scim/schemas/attribute.ts';
import type { Attribute, JsonObject, Resource, ResourceType } from '../../src/scim/types.ts';
import { readResource, requireImmutableKept } from '../../src/scim/validate.ts';
import { readAttributeValue } from '../../src/scim/value.ts';
import { reading, refusal } from '../support/scim.ts';
import { BASE, CANONICAL_CASES } from './validate-cases.ts';

const readUser = (body: unknown, strict = false) => readResource(body, USER_TYPE, reading(strict));

/** An attribute of a tenant's own schema. */
const attribute = (name: string, more: Partial<Attribute> = {}) =>
  define({ name, description: name, ...more });

const OWN = 'urn:example:params:scim:schemas:extension:badges:1.0:User';
const TYPE_WITH_OWN: ResourceType = {
  ...USER_TYPE,
  extensions: [
    ...USER_TYPE.extensions,
    {
      required: false,
      schema: {
        id: OWN,
        name: 'Badges',
        description: 'Badges',
        attributes: [
          attribute('number', { type: 'integer', required: true }),
          attribute('hiredAt', { mutability: 'immutable' }),
          attribute('badge', {
            type: 'complex',
            mutability: 'immutable',
            subAttributes: [
              attribute('color', { required: true }),
              attribute('marks', { multiValued: true }),
            ],
          }),
          attribute('constructor'),
          attribute('tags', { multiValued: true }),
        ],
      },
    },
  ],
};

t.test('what a client sends comes back in canonical form', async (t) => {
  for (const [sentence, body, expected] of CANONICAL_CASES) t.strictSame(readUser(body), expected, sentence);
});

t.test('attributes come in the order of the schema, schemas first, extensions last', async (t) => {
  const body = {
    [ENTERPRISE]: { manager: 'm', department: 'd' },
    emails: [{ type: 'work', value: 'b@x' }],
    ...BASE,
  };
  t.equal(
    JSON.stringify(readUser(body)),
    JSON.stringify({
      schemas: [CORE_USER, ENTERPRISE],
      userName: 'bjensen',
      emails: [{ value: 'b@x', type: 'work' }],
      [ENTERPRISE]: { department: 'd', manager: { value: 'm' } },
    }),
  );
});

t.test('a resource read again is the same resource', async (t) => {
  const body = {
    ...BASE,
    emails: [{ value: 'b@x', primary: true }],
    [ENTERPRISE]: { manager: { value: 'm', $ref: '../Users/m' } },
  };
  t.strictSame(readUser(readUser(body)), readUser(body));
});

t.test('what does not hold is refused by name', async (t) => {
  const cases: [sentence: string, body: unknown, expected: RegExp][] = [
    ['a body that is no object', [BASE], /^invalidSyntax: The body must be a JSON object/],
    ['null', null, /^invalidSyntax/],
    ['nothing', undefined, /^invalidSyntax/],
    [
      'an attribute twice in different case',
      { ...BASE, username: 'x' },
      /^invalidSyntax: "username" occurs twice/,
    ],
    [
      'a sub-attribute twice',
      { ...BASE, emails: [{ value: 'a', Value: 'b' }] },
      /^invalidSyntax: "Value" occurs twice in emails\[0\]/,
    ],
    [
      'an extension twice',
      { ...BASE, [ENTERPRISE]: {}, [ENTERPRISE.toLowerCase()]: {} },
      /^invalidSyntax: .* occurs twice/,
    ],
    ['schemas that is a string', { ...BASE, schemas: CORE_USER }, /^invalidSyntax: schemas must be an array/],
    ['schemas of something else', { ...BASE, schemas: [1] }, /^invalidSyntax: schemas must be an array/],
    [
      'a Group at /Users',
      { schemas: [CORE_GROUP], displayName: 'x' },
      /^invalidSyntax: schemas must contain "urn:ietf:params:scim:schemas:core:2.0:User" at \/Users/,
    ],
    ['no userName', { schemas: [CORE_USER] }, /^invalidValue: userName is required/],
    ['an empty userName', { ...BASE, userName: '' }, /^invalidValue: userName is required/],
    ['a userName of null', { ...BASE, userName: null }, /^invalidValue: userName is required/],
    ['a number for a string', { ...BASE, userName: 5 }, /^invalidValue: userName must be a string/],
    ['an object for a string', { ...BASE, title: {} }, /^invalidValue: title must be a string/],
    ['an array for a string', { ...BASE, title: ['a'] }, /^invalidValue: title must be a string/],
    ['text that is no boolean', { ...BASE, active: 'yes' }, /^invalidValue: active must be true or false/],
    ['a number for a boolean', { ...BASE, active: 0 }, /^invalidValue: active must be true or false/],
    ['text for a complex value', { ...BASE, name: 'Barbara' }, /^invalidValue: name must be an object/],
    [
      'text for a complex element without a value',
      { ...BASE, addresses: ['Main St'] },
      /^invalidValue: addresses\[0\] must be an object/,
    ],
    [
      'two managers',
      { ...BASE, [ENTERPRISE]: { manager: ['a', 'b'] } },
      /^invalidValue: .*:User:manager must be an object/,
    ],
    [
      'a wrong type in an element',
      { ...BASE, emails: [{ value: 'a' }, { value: 1 }] },
      /^invalidValue: emails\[1\].value must be a string/,
    ],
    [
      'an extension that is no object',
      { ...BASE, [ENTERPRISE]: 'x' },
      /^invalidValue: .*:User must be an object/,
    ],
    [
      'two primaries (RFC 7643 §2.4)',
      {
        ...BASE,
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
      /^invalidValue: emails has 2 primary values/,
    ],
    [
      'a certificate that is no base64',
      { ...BASE, x509Certificates: [{ value: '-----BEGIN' }] },
      /^invalidValue: x509Certificates\[0\].value must be binary data in base64/,
    ],
    [
      'a base64 text of impossible length',
      { ...BASE, x509Certificates: [{ value: 'AAAAA' }] },
      /^invalidValue/,
    ],
    ['a wrong padding', { ...BASE, x509Certificates: [{ value: 'AAA==' }] }, /^invalidValue/],
    ['NUL in text', { ...BASE, title: 'a\0b' }, /^invalidValue: title contains a character/],
    ['half a surrogate pair', { ...BASE, title: '\ud800' }, /^invalidValue: title contains a character/],
    [
      'more values than are kept',
      { ...BASE, roles: Array.from({ length: 1001 }, (_, n) => ({ value: `${n}` })) },
      /^invalidValue: roles has more than 1000 values/,
    ],
  ];
  for (const [sentence, body, expected] of cases)
    t.match(
      refusal(() => readUser(body)),
      expected,
      sentence,
    );
});

t.test('groups', async (t) => {
  const readGroup = (body: unknown) => readResource(body, GROUP_TYPE, reading());
  const group = { schemas: [CORE_GROUP], displayName: 'Sales' };
  const adscim = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group';
  t.strictSame(
    readGroup({ ...group, schemas: [CORE_GROUP, adscim] }),
    group,
    'the schema of Entra ID is ignored',
  );
  t.strictSame(readGroup({ ...group, members: [] }), group, 'no members');
  t.strictSame(
    readGroup({ ...group, members: [{ value: 'a', $ref: null, type: 'User', operation: 'x' }, 'b'] }).members,
    [{ value: 'a', type: 'User' }, { value: 'b' }],
  );
  t.match(
    refusal(() => readGroup({ schemas: [CORE_GROUP] })),
    /^invalidValue: displayName is required/,
  );
  for (const member of [{}, { display: 'x' }, { value: null }, { value: '' }]) {
    const act = () => readGroup({ ...group, members: [{ value: 'a' }, member] });
    t.match(refusal(act), /^invalidValue: members\[1\].value is missing/, JSON.stringify(member));
  }
});

t.test('what an index holds is limited in bytes, as it is sent and as it is compared', async (t) => {
  const refused = /^invalidValue: (userName|externalId|displayName) .*2000 bytes.*shorter/;
  for (const [name, type, body] of [
    ['userName', USER_TYPE, BASE],
    ['externalId', USER_TYPE, BASE],
    ['displayName', GROUP_TYPE, { schemas: [CORE_GROUP], displayName: 'x' }],
    ['externalId', GROUP_TYPE, { schemas: [CORE_GROUP], displayName: 'x' }],
  ] as const) {
    const read = (text: string) => readResource({ ...body, [name]: text }, type, reading());
    t.equal(read('x'.repeat(2_000))[name], 'x'.repeat(2_000), `${type.name} ${name} of 2,000 bytes`);
    for (const text of ['x'.repeat(2_001), 'é'.repeat(1_001), '\ufdfa'.repeat(200)]) {
      t.match(
        refusal(() => read(text)),
        refused,
        `${type.name} ${name} of ${text.length} characters`,
      );
    }
    const operations = [{ op: 'replace', path: name, value: 'x'.repeat(2_001) }];
    const patch = readPatch({ schemas: [PATCH_OP], Operations: operations }, type, reading());
    t.match(
      refusal(() => applyPatch(read('x'), patch, type)),
      refused,
      `${type.name} ${name} by PATCH`,
    );
  }
  t.ok(
    readUser({ ...BASE, displayName: 'x'.repeat(6_000) }).displayName,
    'the name of a user is in no index',
  );
});

t.test('values are checked by the type of their attribute', async (t) => {
  const read = (value: unknown, more: Partial<Attribute>) =>
    readAttributeValue(value, attribute('a', more), 'a', reading());
  const kept: [value: string | number, type: Attribute['type']][] = [
    [5, 'integer'],
    [-0.5, 'decimal'],
    ['2008-01-23T04:56:22Z', 'dateTime'],
    ['2008-01-23T04:56:22.123-07:00', 'dateTime'],
    ['../Users/1', 'reference'],
  ];
  for (const [value, type] of kept) t.equal(read(value, { type }), value, `${value} is a ${type}`);
  const refused: [value: unknown, type: Attribute['type']][] = [
    [1.5, 'integer'],
    ['5', 'integer'],
    [2 ** 53, 'integer'],
    [Number.POSITIVE_INFINITY, 'decimal'],
    ['1.5', 'decimal'],
    ['yesterday', 'dateTime'],
    ['2008-01-23', 'dateTime'],
    [5, 'dateTime'],
    [5, 'reference'],
    [true, 'string'],
  ];
  for (const [value, type] of refused)
    t.match(
      refusal(() => read(value, { type })),
      /^invalidValue: a must be/,
      `${value} is no ${type}`,
    );
  t.strictSame(read(['a', 'b', 'a'], { multiValued: true }), ['a', 'b', 'a'], 'text in a list');
  t.match(
    refusal(() => read(['a', 5], { multiValued: true })),
    /^invalidValue: a\[1\] must be a string/,
  );
});

t.test('the schema of a tenant', async (t) => {
  const read = (own: JsonObject) => readResource({ ...BASE, [OWN]: own }, TYPE_WITH_OWN, reading());
  t.strictSame(read({ number: 1, constructor: 'x', tags: ['a', 'a'] })[OWN], {
    number: 1,
    constructor: 'x',
    tags: ['a'],
  });
  t.strictSame(read({}), BASE, 'it may be left out');
  t.match(
    refusal(() => read({ constructor: 'x' })),
    /^invalidValue: .*:User:number is required/,
    'a required attribute of it',
  );
  const required = {
    ...TYPE_WITH_OWN,
    extensions: TYPE_WITH_OWN.extensions.map((one) => ({ ...one, required: true })),
  };
  t.match(
    refusal(() => readResource(BASE, required, reading())),
    /^invalidValue: urn:.* is required/,
    'it may not be left out where it is required',
  );
  t.match(
    refusal(() => read({ number: 1, badge: { marks: ['a'] } })),
    /^invalidValue: .*:badge.color is required/,
    'a required sub-attribute',
  );
  const badge = { color: 'red', marks: ['a', 'b'] };
  const before = read({ number: 1, hiredAt: 'x' });
  const changes: [changed: JsonObject, holds: boolean][] = [
    [{ marks: ['a', 'b'], color: 'red' }, true],
    [{ color: 'red', marks: ['a', 'c'] }, false],
    [{ color: 'red', marks: ['a'] }, false],
    [{ color: 'red' }, false],
  ];
  for (const [changed, holds] of changes) {
    const act = () =>
      requireImmutableKept(read({ number: 1, badge }), read({ number: 1, badge: changed }), TYPE_WITH_OWN);
    t.equal(refusal(act) === undefined, holds, JSON.stringify(changed));
  }
  t.equal(
    refusal(() => requireImmutableKept(before, read({ number: 2, hiredAt: 'x' }), TYPE_WITH_OWN)),
    undefined,
  );
  t.equal(
    refusal(() => requireImmutableKept(read({ number: 1 }), before, TYPE_WITH_OWN)),
    undefined,
    'an immutable value may be set once',
  );
  t.match(
    refusal(() => requireImmutableKept(before, read({ number: 1, hiredAt: 'y' }), TYPE_WITH_OWN)),
    /^mutability: .*hiredAt is immutable/,
  );
  t.match(
    refusal(() => requireImmutableKept(before, BASE, TYPE_WITH_OWN)),
    /^mutability/,
    'removing it changes it',
  );
});

t.test('§3.5.1 what is read-only is ignored in a whole resource, also in strict mode', async (t) => {
  const ours = {
    ...BASE,
    id: '2819c223',
    groups: [{ value: 'g', display: 'G' }],
    meta: { resourceType: 'User', version: 'W/"1"' },
    [ENTERPRISE]: { manager: { value: 'm', displayName: 'M' } },
  };
  const read = { ...BASE, schemas: [CORE_USER, ENTERPRISE], [ENTERPRISE]: { manager: { value: 'm' } } };
  t.strictSame(readUser(ours, true), read);
  const lenient = reading();
  t.strictSame(readResource(ours, USER_TYPE, lenient), read);
  t.strictSame([...lenient.tolerances], [], 'the RFC asks for it: it is no tolerance');
});

t.test('§3.5.1 a group may be replaced with other members, or without them', async (t) => {
  const group = { schemas: [CORE_GROUP], displayName: 'Sales', externalId: 'e' };
  const members = [{ value: 'a', type: 'User', display: 'A' }];
  for (const [before, after] of [
    [{ ...group, members }, group],
    [group, { ...group, members }],
    [
      { ...group, members },
      { ...group, members: [{ value: 'b' }] },
    ],
    [group, { schemas: [CORE_GROUP], displayName: 'Marketing' }],
  ] as const) {
    t.equal(
      refusal(() => requireImmutableKept(before as Resource, after as Resource, GROUP_TYPE)),
      undefined,
    );
  }
});

t.test('each tolerance is noted, and refused in strict mode with its name', async (t) => {
  const cases: [name: string, body: JsonObject][] = [
    ['schemasMissing', { userName: 'bjensen' }],
    ['unknownSchema', { ...BASE, schemas: [CORE_USER, 'urn:x'] }],
    ['unknownSchema', { ...BASE, schemas: [CORE_USER, CORE_USER] }],
    ['unknownAttribute', { ...BASE, shoeSize: 43 }],
    ['password', { ...BASE, password: 'x' }],
    ['booleanText', { ...BASE, active: 'True' }],
    ['emptyText', { ...BASE, title: '' }],
    ['listWithoutBrackets', { ...BASE, emails: { value: 'a' } }],
    ['listAroundOne', { ...BASE, name: [{ givenName: 'B' }] }],
    ['listAroundOne', { ...BASE, title: [] }],
    ['bareValue', { ...BASE, roles: ['a'] }],
    ['referenceText', { ...BASE, profileUrl: 'no URI' }],
    ['countryName', { ...BASE, addresses: [{ country: 'USA' }] }],
  ];
  for (const [name, body] of cases) {
    const lenient = reading();
    readResource(body, USER_TYPE, lenient);
    t.strictSame([...lenient.tolerances], [name], name);
    t.match(
      refusal(() => readUser(body, true)),
      new RegExp(`^\\w+: Strict mode does not tolerate "${name}".*: \\w`),
      name,
    );
    t.ok(Object.hasOwn(TOLERANCES, name), `${name} is listed`);
  }
  t.strictSame(
    readUser({ ...BASE, groups: [], title: null, password: null, roles: [] }, true),
    BASE,
    'no value is no tolerance',
  );
});
