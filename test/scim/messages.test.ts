import t from 'tap';
import {
  errorBody,
  LIST_RESPONSE,
  listResponseText,
  readMessage,
  SEARCH_REQUEST,
} from '../../src/scim/messages.ts';
import { includesAttribute, isDefaultProjection, project, readProjection } from '../../src/scim/project.ts';
import {
  CORE_USER,
  ENTERPRISE_USER as ENTERPRISE,
  GROUP_TYPE,
  USER_TYPE,
} from '../../src/scim/resource-types.ts';
import { attribute } from '../../src/scim/schemas/attribute.ts';
import type { Attribute, JsonObject, ResourceType } from '../../src/scim/types.ts';
import { reading, refusal } from '../support/scim.ts';

t.test('messages', async (t) => {
  t.equal(
    readMessage(
      { Schemas: ['urn:x', SEARCH_REQUEST.toUpperCase()], Filter: 'x' },
      SEARCH_REQUEST,
      reading(),
    ).get('filter'),
    'x',
  );
  t.match(
    refusal(() => readMessage({ schemas: [LIST_RESPONSE] }, SEARCH_REQUEST, reading())),
    /^invalidSyntax: schemas must contain ".*SearchRequest"/,
  );
  t.match(
    refusal(() => readMessage([], SEARCH_REQUEST, reading())),
    /^invalidSyntax/,
  );
  t.strictSame(
    JSON.parse(listResponseText({ totalResults: 9, startIndex: 3, resources: ['{"id":"a"}', '{"id":"b"}'] })),
    {
      schemas: [LIST_RESPONSE],
      totalResults: 9,
      startIndex: 3,
      itemsPerPage: 2,
      Resources: [{ id: 'a' }, { id: 'b' }],
    },
  );
  t.strictSame(
    JSON.parse(listResponseText({ totalResults: 0, startIndex: 1, resources: [] })).Resources,
    [],
    'Resources is there without any',
  );
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  t.strictSame(errorBody(409, 'uniqueness', 'taken'), {
    schemas,
    status: '409',
    scimType: 'uniqueness',
    detail: 'taken',
  });
  t.strictSame(errorBody(401, undefined, 'who?'), { schemas, status: '401', detail: 'who?' });
});

const own = (name: string, returned: Attribute['returned'], subAttributes?: Attribute[]) =>
  attribute({ name, description: name, returned, ...(subAttributes && { type: 'complex', subAttributes }) });

const OWN = 'urn:example:params:scim:schemas:extension:own:1.0:User';
const TYPE: ResourceType = {
  ...USER_TYPE,
  extensions: [
    ...USER_TYPE.extensions,
    {
      required: false,
      schema: {
        id: OWN,
        name: 'Own',
        description: 'Own',
        attributes: [
          own('always', 'always'),
          own('request', 'request'),
          own('never', 'never'),
          own('mixed', 'default', [
            own('always', 'always'),
            own('never', 'never'),
            own('request', 'request'),
            own('plain', 'default'),
          ]),
        ],
      },
    },
  ],
};

const RESOURCE: JsonObject = {
  schemas: [CORE_USER, ENTERPRISE],
  id: '1',
  userName: 'bjensen',
  name: { givenName: 'B', familyName: 'J' },
  emails: [{ value: 'w@x', type: 'work' }, { type: 'home' }],
  groups: [{ value: 'g' }],
  meta: { resourceType: 'User', version: 'W/"1"' },
  [ENTERPRISE]: { department: 'd', manager: { value: 'm', displayName: 'M' } },
  [OWN]: {
    always: 'a',
    request: 'r',
    never: 'n',
    mixed: { always: 'a', never: 'n', request: 'r', plain: 'p' },
  },
};
const { [OWN]: _own, ...STANDARD } = RESOURCE;
const MINIMUM = { schemas: RESOURCE.schemas ?? null, id: '1' };

t.test('§3.9 attributes and excludedAttributes', async (t) => {
  const cases: [
    sentence: string,
    query: { attributes?: string; excludedAttributes?: string },
    expected: JsonObject,
  ][] = [
    ['nothing is asked: what is returned by default', {}, STANDARD],
    ['empty parameters ask for nothing', { attributes: '', excludedAttributes: ' ' }, STANDARD],
    [
      'what is always returned, and what is named',
      { attributes: 'userName' },
      { ...MINIMUM, userName: 'bjensen' },
    ],
    [
      'names in any case, with spaces',
      { attributes: ' USERNAME , Name.FamilyName' },
      { ...MINIMUM, userName: 'bjensen', name: { familyName: 'J' } },
    ],
    [
      'a whole complex attribute',
      { attributes: 'name' },
      { ...MINIMUM, name: { givenName: 'B', familyName: 'J' } },
    ],
    [
      'a sub-attribute of every element',
      { attributes: 'emails.value' },
      { ...MINIMUM, emails: [{ value: 'w@x' }] },
    ],
    [
      'a value path, whose filter is ignored (Entra ID)',
      { attributes: 'emails[type eq "work"]' },
      { ...MINIMUM, emails: RESOURCE.emails ?? null },
    ],
    [
      'a value path with a sub-attribute',
      { attributes: 'emails[type eq "work"].value' },
      { ...MINIMUM, emails: [{ value: 'w@x' }] },
    ],
    [
      'the URN of the core schema',
      { attributes: `${CORE_USER}:userName` },
      { ...MINIMUM, userName: 'bjensen' },
    ],
    [
      'a whole extension',
      { attributes: ENTERPRISE.toLowerCase() },
      { ...MINIMUM, [ENTERPRISE]: RESOURCE[ENTERPRISE] ?? null },
    ],
    [
      'an attribute of an extension',
      { attributes: `${ENTERPRISE}:department` },
      { ...MINIMUM, [ENTERPRISE]: { department: 'd' } },
    ],
    [
      'a sub-attribute of an extension',
      { attributes: `${ENTERPRISE}:manager.value` },
      { ...MINIMUM, [ENTERPRISE]: { manager: { value: 'm' } } },
    ],
    ['unknown names are ignored', { attributes: 'shoeSize,__proto__,constructor' }, MINIMUM],
    [
      'left out: what is named',
      { excludedAttributes: 'emails,groups,meta,name' },
      { ...MINIMUM, userName: 'bjensen', [ENTERPRISE]: RESOURCE[ENTERPRISE] ?? null },
    ],
    [
      'left out: a sub-attribute, and elements without another',
      { excludedAttributes: `emails.type,name.givenName,name.familyName,groups,meta,${ENTERPRISE}` },
      { ...MINIMUM, userName: 'bjensen', emails: [{ value: 'w@x' }] },
    ],
    [
      'what is always returned cannot be left out',
      {
        excludedAttributes: `id,schemas,userName,name,emails,groups,meta,${ENTERPRISE}:department,${ENTERPRISE}:manager`,
      },
      MINIMUM,
    ],
    ['unknown names leave out nothing', { excludedAttributes: 'shoeSize' }, STANDARD],
  ];
  for (const [sentence, parameters, expected] of cases) {
    t.strictSame(project(STANDARD, readProjection(parameters, USER_TYPE)), expected, sentence);
  }
  t.match(
    refusal(() => readProjection({ attributes: 'id', excludedAttributes: 'id' }, USER_TYPE)),
    /^invalidValue/,
  );
});

t.test('RFC 7643 §7 returned', async (t) => {
  const cases: [
    query: { attributes?: string; excludedAttributes?: string },
    expected: JsonObject | undefined,
  ][] = [
    [{}, { always: 'a', mixed: { always: 'a', plain: 'p' } }],
    [{ attributes: 'userName' }, { always: 'a' }],
    [{ attributes: `${OWN}:request,${OWN}:never` }, { always: 'a', request: 'r' }],
    [{ attributes: `${OWN}:mixed.request` }, { always: 'a', mixed: { always: 'a', request: 'r' } }],
    [{ attributes: OWN }, { always: 'a', mixed: { always: 'a', plain: 'p' } }],
    [{ excludedAttributes: OWN }, { always: 'a' }],
    [{ excludedAttributes: `${OWN}:mixed.plain` }, { always: 'a', mixed: { always: 'a' } }],
  ];
  for (const [parameters, expected] of cases) {
    t.strictSame(
      project(RESOURCE, readProjection(parameters, TYPE))[OWN],
      expected,
      JSON.stringify(parameters),
    );
  }
});

t.test('what is not wanted need not be read', async (t) => {
  const includes = (parameters: { attributes?: string; excludedAttributes?: string }) =>
    includesAttribute(readProjection(parameters, GROUP_TYPE), 'members');
  t.ok(includes({}));
  t.ok(includes({ attributes: 'MEMBERS' }));
  t.ok(includes({ attributes: 'members.value' }));
  t.ok(includes({ excludedAttributes: 'members.display' }));
  t.notOk(includes({ attributes: 'displayName' }));
  t.notOk(includes({ excludedAttributes: 'displayName,members' }));
  t.ok(isDefaultProjection(readProjection({}, USER_TYPE)));
  t.notOk(isDefaultProjection(readProjection({ excludedAttributes: 'x' }, USER_TYPE)));
});
