import t, { type Test } from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, type Resource, USER } from '../../support/client.ts';

/**
 * `roles` and `entitlements` of a User in every form that clients are known to send. The name of each test says
 * where the form comes from.
 */

const app = await startApp(t);
const client = clientOf(app, await app.scimKey(await app.createTenant()));
let made = 0;

/** A new user with these attributes, as the answer to POST has it. */
const create = async (attributes: object): Promise<Resource> => {
  made += 1;
  const { status, body, text } = await client.ask('POST', '/Users', {
    schemas: [USER],
    userName: `user-${made}@example.com`,
    ...attributes,
  });
  if (status !== 201) throw new Error(text);
  return body;
};
const read = async ({ id }: Resource) => (await client.ask('GET', `/Users/${id}`)).body;

/** What a user has of both, by GET and by the list alike. */
async function grants(t: Test, user: Resource) {
  const { roles, entitlements, userName } = await read(user);
  const { body } = await client.list('/Users', `userName eq "${userName}"`);
  t.match(body.Resources, [{ roles, entitlements }]);
  return { roles, entitlements };
}

const ADMIN = { value: 'admin', display: 'Administrator' };
const AUDITOR = { value: 'auditor', display: 'Auditor' };
const LICENSE = { value: 'license-1', display: 'First License', type: 'License' };
const PROFILE = { value: 'profile-1', display: 'First Profile', type: 'Profile' };
const ENTRA = 'WindowsAzureActiveDirectoryRole';
/** Entra ID: an app role as PATCH carries it, JSON in a string. */
const ASSIGNMENT = '{"id":"06b07648-ecfe-589f-9d2f-6325724a46ee","value":"25","displayName":"Role1234"}';

/** The forms of one value or of a list in POST and PUT, and what is kept. */
const LISTS: readonly (readonly [source: string, sent: unknown, kept: unknown])[] = [
  ['the value alone (Keycloak, mitodl/keycloak-scim)', [{ value: 'admin' }], [{ value: 'admin' }]],
  ['bare strings (SCIM-SDK, SAP Concur)', ['admin', 'auditor'], [{ value: 'admin' }, { value: 'auditor' }]],
  ['value and display (Okta, user entitlements workshop)', [ADMIN, AUDITOR], [ADMIN, AUDITOR]],
  ['value, display and type (Okta, SCIM with entitlements)', [LICENSE, PROFILE], [LICENSE, PROFILE]],
  [
    'primary as text (scimvalidator.microsoft.com)',
    [
      { value: 'admin', display: 'Administrator', type: 'work', primary: 'True' },
      { value: 'auditor', primary: 'False' },
    ],
    [
      { value: 'admin', display: 'Administrator', type: 'work', primary: true },
      { value: 'auditor', primary: false },
    ],
  ],
  [
    'one primary role (Entra ID, SingleAppRoleAssignment)',
    [{ primary: true, type: ENTRA, value: 'Admin' }],
    [{ value: 'Admin', type: ENTRA, primary: true }],
  ],
  [
    'several that are not primary (Entra ID, AppRoleAssignmentsComplex)',
    [
      { primary: false, type: ENTRA, display: 'Admin', value: 'Admin' },
      { primary: false, type: ENTRA, display: 'User', value: 'User' },
    ],
    [
      { value: 'Admin', display: 'Admin', type: ENTRA, primary: false },
      { value: 'User', display: 'User', type: ENTRA, primary: false },
    ],
  ],
  ['JSON in a string (Entra ID, AppRoleAssignments)', [{ value: ASSIGNMENT }], [{ value: ASSIGNMENT }]],
  ['JSON in a bare string', [ASSIGNMENT], [{ value: ASSIGNMENT }]],
  ['one object without a list (OneLogin)', { value: 'admin' }, [{ value: 'admin' }]],
  ['one bare string without a list', 'admin', [{ value: 'admin' }]],
  ['an empty list (Entra ID, POST of every user)', [], undefined],
  ['null (JumpCloud)', null, undefined],
  ['an empty text (OneLogin, empty macro)', '', undefined],
  ['values that are empty (OneLogin, empty macro)', [{ value: '' }, '', null, {}], undefined],
  [
    'the same value under two types',
    [LICENSE, { ...LICENSE, type: 'Seat' }],
    [LICENSE, { ...LICENSE, type: 'Seat' }],
  ],
  ['the same value twice', [ADMIN, ADMIN], [ADMIN]],
];

for (const name of ['roles', 'entitlements'] as const) {
  for (const [source, sent, kept] of LISTS) {
    t.test(`${name} with POST and PUT: ${source}`, async (t) => {
      const created = await create({ [name]: sent });
      t.same(created[name], kept);
      t.same((await grants(t, created))[name], kept);

      const bare = await create({ title: 'Mx', [name]: [{ value: 'former' }] });
      const put = await client.ask('PUT', `/Users/${bare.id}`, {
        schemas: [USER],
        userName: bare.userName,
        [name]: sent,
      });
      t.match(put, { status: 200, body: { [name]: kept } });
      t.same((await grants(t, bare))[name], kept);
    });
  }
}

const other = { value: 'other', type: 'Other' };
/** A user's values, the operations of a PATCH, and the values then; both attributes behave alike. */
const PATCHES: readonly (readonly [
  source: string,
  before: unknown,
  operations: (name: 'roles' | 'entitlements') => readonly object[],
  after: unknown,
])[] = [
  [
    'Entra ID adds the first by roles[primary eq "True"].value, .display and .type',
    undefined,
    (name) => [
      { op: 'Add', path: `${name}[primary eq "True"].value`, value: 'Admin' },
      { op: 'Add', path: `${name}[primary eq "True"].display`, value: 'Administrator' },
      { op: 'Add', path: `${name}[primary eq "True"].type`, value: ENTRA },
    ],
    [{ value: 'Admin', display: 'Administrator', type: ENTRA, primary: true }],
  ],
  [
    'Entra ID replaces the one by roles[primary eq "True"].value',
    [other, { value: 'Admin', type: ENTRA, primary: true }],
    (name) => [{ op: 'Replace', path: `${name}[primary eq "True"].value`, value: 'User' }],
    [other, { value: 'User', type: ENTRA, primary: true }],
  ],
  [
    'Entra ID replaces one that is not there by roles[primary eq "True"].value',
    [other],
    (name) => [{ op: 'Replace', path: `${name}[primary eq "True"].value`, value: 'User' }],
    [other, { value: 'User', primary: true }],
  ],
  [
    'Entra ID with aadOptscim062020 sends the path as a name',
    [{ value: 'Admin', primary: true }],
    (name) => [{ op: 'replace', value: { [`${name}[primary eq "True"].value`]: 'User' } }],
    [{ value: 'User', primary: true }],
  ],
  [
    'Entra ID clears the one with an empty value',
    [other, { value: 'Admin', type: ENTRA, primary: true }],
    (name) => [{ op: 'Replace', path: `${name}[primary eq "True"].value`, value: '' }],
    [other],
  ],
  [
    'Entra ID removes the one by roles[primary eq "True"]',
    [other, { value: 'Admin', primary: true }],
    (name) => [{ op: 'Remove', path: `${name}[primary eq "True"]` }],
    [other],
  ],
  [
    'Entra ID adds an app role as JSON in a string (SingleAppRoleAssignment, PATCH)',
    [other],
    (name) => [{ op: 'Add', path: name, value: [{ value: ASSIGNMENT }] }],
    [other, { value: ASSIGNMENT }],
  ],
  [
    'Entra ID replaces the whole list (AssertiveAppRoleAssignmentsComplex)',
    [other],
    (name) => [
      {
        op: 'replace',
        path: name,
        value: [
          { primary: false, type: ENTRA, display: 'User', value: 'User' },
          { primary: false, type: ENTRA, display: 'Test', value: 'Test' },
        ],
      },
    ],
    [
      { value: 'User', display: 'User', type: ENTRA, primary: false },
      { value: 'Test', display: 'Test', type: ENTRA, primary: false },
    ],
  ],
  [
    'Okta, and RFC 7644 §3.5.2.3: the whole list is replaced by its path',
    [LICENSE],
    (name) => [{ op: 'replace', path: name, value: [PROFILE, other] }],
    [PROFILE, other],
  ],
  [
    'Okta, and RFC 7644 §3.5.2.3: the whole list is replaced without a path',
    [LICENSE],
    (name) => [{ op: 'replace', value: { [name]: [PROFILE] } }],
    [PROFILE],
  ],
  [
    'by the URN of the core schema (zulip#39773)',
    [LICENSE],
    (name) => [{ op: 'replace', path: `${USER}:${name}`, value: [PROFILE] }],
    [PROFILE],
  ],
  [
    'an empty list leaves nothing',
    [LICENSE, PROFILE],
    (name) => [{ op: 'replace', path: name, value: [] }],
    undefined,
  ],
  [
    'bare strings (SCIM-SDK adds, SAP Concur replaces)',
    [LICENSE],
    (name) => [
      { op: 'replace', path: name, value: ['Expense'] },
      { op: 'add', path: name, value: ['Travel', 'Expense'] },
      { op: 'add', path: name, value: 'Invoice' },
    ],
    [{ value: 'Expense' }, { value: 'Travel' }, { value: 'Invoice' }],
  ],
  [
    'adding what is there changes nothing (RFC 7644 §3.5.2.1)',
    [LICENSE, other],
    (name) => [{ op: 'add', path: name, value: [LICENSE, { ...LICENSE, type: 'Seat' }] }],
    [LICENSE, other, { ...LICENSE, type: 'Seat' }],
  ],
  [
    'removal by value path (RFC 7644 §3.5.2.2)',
    [ADMIN, other],
    (name) => [{ op: 'remove', path: `${name}[value eq "admin"]` }],
    [other],
  ],
  [
    'removal of several by one value path (Databricks SDK)',
    [ADMIN, AUDITOR, other],
    (name) => [{ op: 'remove', path: `${name}[value eq "admin" or value eq "auditor"]` }],
    [other],
  ],
  [
    'removal of a value that is not there changes nothing',
    [other],
    (name) => [{ op: 'remove', path: `${name}[value eq "admin"]` }],
    [other],
  ],
  [
    'removal by a list of values (Entra ID, authentik)',
    [ADMIN, AUDITOR, other],
    (name) => [{ op: 'Remove', path: name, value: [{ value: 'admin' }, { value: 'auditor' }] }],
    [other],
  ],
  [
    'removal by a list of bare strings',
    [ADMIN, AUDITOR, other],
    (name) => [{ op: 'remove', path: name, value: ['admin', 'auditor'] }],
    [other],
  ],
  [
    'removal by a list names the type too, and removes that one alone',
    [LICENSE, { ...LICENSE, type: 'Seat' }],
    (name) => [{ op: 'remove', path: name, value: [{ value: LICENSE.value, type: 'Seat' }] }],
    [LICENSE],
  ],
  [
    'removal of an app role by its JSON, in a list and in a value path (Entra ID)',
    [{ value: ASSIGNMENT }, { value: ASSIGNMENT, type: ENTRA }, other],
    (name) => [
      { op: 'Remove', path: `${name}[type eq "${ENTRA}" and value eq ${JSON.stringify(ASSIGNMENT)}]` },
      { op: 'Remove', path: name, value: [{ value: ASSIGNMENT }] },
    ],
    [other],
  ],
  ['removal of all', [ADMIN, other], (name) => [{ op: 'remove', path: name }], undefined],
];

for (const name of ['roles', 'entitlements'] as const) {
  for (const [source, before, operations, after] of PATCHES) {
    t.test(`${name} with PATCH: ${source}`, async (t) => {
      const user = await create({ [name]: before });
      const answer = await client.patch(`/Users/${user.id}`, operations(name));
      t.equal(answer.status, 200, answer.text);
      t.same(answer.body[name], after);
      t.same((await grants(t, user))[name], after);
    });
  }
}

t.test('Okta reads a user, changes roles and entitlements, and sends all of it back with PUT', async (t) => {
  const user = await create({ displayName: 'Somnus', roles: [ADMIN], entitlements: [LICENSE] });
  const answered = await read(user);
  const same = await client.ask('PUT', `/Users/${user.id}`, answered);
  t.same(same.body, answered, 'nothing changed, no new version');
  const changed = { ...answered, roles: [AUDITOR], entitlements: [PROFILE, LICENSE] };
  const { status, body } = await client.ask('PUT', `/Users/${user.id}`, changed);
  t.match(
    { status, body },
    { status: 200, body: { displayName: 'Somnus', roles: [AUDITOR], entitlements: [PROFILE, LICENSE] } },
  );
  t.same(await grants(t, user), { roles: [AUDITOR], entitlements: [PROFILE, LICENSE] });
  const { roles: _roles, entitlements: _entitlements, ...without } = await read(user);
  t.equal((await client.ask('PUT', `/Users/${user.id}`, without)).status, 200);
  t.same(await grants(t, user), { roles: undefined, entitlements: undefined });
});

t.test('both are found by every part of a value, and a value path asks one value', async (t) => {
  const [first, second] = [
    await create({
      roles: [{ value: 'found', primary: true }],
      entitlements: [{ value: 'e1', type: 'Seat' }],
    }),
    await create({
      roles: [
        { value: 'Found', primary: false },
        { value: 'x', display: 'Shown' },
      ],
      entitlements: [
        { value: 'e1', type: 'Plan' },
        { value: 'e2', type: 'Seat' },
      ],
    }),
  ];
  const filters: readonly (readonly [filter: string, found: readonly Resource[]])[] = [
    ['roles eq "found"', [first, second]],
    ['roles.value eq "FOUND"', [first, second]],
    ['roles[value eq "found" and primary eq "True"]', [first]],
    ['roles.display eq "shown"', [second]],
    ['entitlements[value eq "e1" and type eq "seat"]', [first]],
    ['entitlements.value eq "e1" and entitlements.type eq "seat"', [first, second]],
    ['entitlements[value eq "e2"] and not (roles.value eq "none")', [second]],
  ];
  for (const [filter, found] of filters) {
    const { body } = await client.list('/Users', filter);
    t.same(
      body.Resources.map(({ id }) => id),
      found.map(({ id }) => id),
      filter,
    );
  }
});

t.test('strict mode takes the forms of the RFC, and names what it does not take', async (t) => {
  const strict = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
  const user = await strict.user('strict', { roles: [ADMIN], entitlements: [LICENSE, PROFILE] });
  const operations = [
    { op: 'replace', path: 'roles', value: [{ ...AUDITOR, primary: true }] },
    { op: 'add', path: 'roles', value: [ADMIN] },
    { op: 'remove', path: 'entitlements[value eq "license-1"]' },
  ];
  const roles = [{ ...AUDITOR, primary: true }, ADMIN];
  t.match((await strict.patch(`/Users/${user.id}`, operations)).body, { roles, entitlements: [PROFILE] });
  const refused: readonly (readonly [operation: object, tolerance: string])[] = [
    [{ op: 'add', path: 'roles', value: ['admin'] }, 'bareValue'],
    [{ op: 'add', path: 'roles', value: [{ value: 'x', primary: 'True' }] }, 'booleanText'],
    [{ op: 'replace', path: 'roles[primary eq "True"].value', value: 'x' }, 'filterBooleanText'],
    [{ op: 'remove', path: 'roles', value: [{ value: 'admin' }] }, 'removeListed'],
  ];
  for (const [operation, tolerance] of refused) {
    const { status, body } = await strict.patch(`/Users/${user.id}`, [operation]);
    t.match({ status, body }, { status: 400, body: { detail: new RegExp(`"${tolerance}"`) } }, tolerance);
  }
  t.match((await strict.ask('GET', `/Users/${user.id}`)).body, { roles, entitlements: [PROFILE] });
});
