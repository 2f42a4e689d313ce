import { randomUUID } from 'node:crypto';
import t from 'tap';
import { TOLERANCES, type ToleranceName } from '../../../src/scim/quirks.ts';
import { type AnyBody, type Method, startApp } from '../../support/app.ts';
import { BULK_REQUEST, type BulkResponse } from '../../support/bulk.ts';
import { clientOf, ENTERPRISE, type ErrorBody, GROUP, PATCH_OP, USER } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';

/**
 * Every tolerance by what one real client sends: read and counted for its key in lenient mode, refused by name in
 * strict mode. And what the RFC's own examples send, which strict mode takes.
 */

interface Request {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
}

/** Resources that are there already. */
interface World {
  readonly user: string;
  readonly group: string;
  readonly other: string;
}

type Case = readonly [
  client: string,
  request: (world: World) => Request,
  alsoNeeds?: readonly ToleranceName[],
];

const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const MANAGER = `${ENTERPRISE}:manager`;
const get = (path: string) => (): Request => ({ method: 'GET', path });
const filtered = (filter: string) => get(`/Users?filter=${encodeURIComponent(filter)}`);
const create =
  (attributes: object, schemas: readonly string[] | undefined = [USER]) =>
  (): Request => ({
    method: 'POST',
    path: '/Users',
    body: { ...(schemas && { schemas }), userName: randomUUID(), ...attributes },
  });
const patch =
  (...Operations: object[]) =>
  ({ user }: World): Request => ({
    method: 'PATCH',
    path: `/Users/${user}`,
    body: { schemas: [PATCH_OP], Operations },
  });
const patchGroup =
  (operation: (world: World) => object) =>
  (world: World): Request => ({
    method: 'PATCH',
    path: `/Groups/${world.group}`,
    body: { schemas: [PATCH_OP], Operations: [operation(world)] },
  });

const CASES: Readonly<Record<ToleranceName, Case>> = {
  schemasMissing: ['authentik, old releases', create({ emails: [{ value: 'a@x.example' }] }, [])],
  unknownSchema: [
    'Entra ID',
    () => ({
      method: 'POST',
      path: '/Groups',
      body: {
        schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
        externalId: randomUUID(),
        displayName: randomUUID(),
      },
    }),
  ],
  unknownAttribute: ['the Entra ID Postman collection', create({ nonexistent: 'x' })],
  readOnlyAttribute: [
    'Okta renames a group',
    patchGroup(({ group }) => ({ op: 'replace', value: { id: group, displayName: randomUUID() } })),
    ['pathless'],
  ],
  password: ['Okta', create({ password: 'Kv7J2LEa' })],
  booleanText: ['Entra ID', patch({ op: 'replace', path: 'active', value: 'False' })],
  emptyText: ['Okta', create({ name: { givenName: 'A', middleName: '' } })],
  listWithoutBrackets: ['OneLogin', create({ emails: { value: 'a@x.example', primary: true } })],
  listAroundOne: [
    'Entra ID, tutorial example 5',
    patch({ op: 'add', path: MANAGER, value: [{ $ref: '../Users/m', value: 'm' }] }),
  ],
  bareValue: ['Entra ID', patch({ op: 'add', path: MANAGER, value: 'm' })],
  referenceText: ['the Entra ID SCIM Validator', create({ profileUrl: 'no address' })],
  countryName: ['Entra ID', patch({ op: 'add', path: 'addresses', value: [{ country: 'Germany' }] })],
  operationCase: ['Entra ID', patch({ op: 'Replace', path: 'name.familyName', value: 'x' })],
  pathless: ['Okta deactivates', patch({ op: 'replace', value: { active: false } })],
  pathAsName: [
    'Entra ID with aadOptscim062020',
    patch({ op: 'replace', value: { 'name.givenName': 'K', 'name.familyName': 'U' } }),
    ['pathless'],
  ],
  valuePathCreates: [
    'Entra ID adds a phone number',
    patch({ op: 'add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555 0100' }),
  ],
  removeListed: [
    'authentik',
    patchGroup(({ user }) => ({ op: 'remove', path: 'members', value: [{ value: user }] })),
  ],
  removeWithoutPath: [
    'Salesforce',
    patchGroup(({ user }) => ({ op: 'remove', value: { members: [{ value: user }] } })),
    ['removeListed'],
  ],
  filterBareWord: ['authentik', filtered('userName eq someone')],
  filterBooleanText: ['Entra ID', filtered('roles[primary eq "True"]')],
  filterBackslash: ['a Windows account name', filtered('externalId eq "DOMAIN\\user"')],
  filterAfterBrackets: ['Entra ID', filtered('emails[type eq "work"].value eq "a@x.example"')],
  filterComplex: ['Entra ID', filtered(`id eq "${randomUUID()}" and manager eq "m"`)],
  filterPlus: ['Entra ID', get('/Users?filter=userName+eq+%22someone%22')],
  attributesValuePath: [
    'the Entra ID Postman collection',
    get(`/Users?attributes=${encodeURIComponent('emails[type eq "work"]')}`),
  ],
  parameterCase: ['the Entra ID Postman collection', get('/Users?startindex=0&count=10')],
  endpointSpelling: ['Keycloak', get('//Users')],
  urnDot: ['Entra ID', patch({ op: 'replace', path: `${ENTERPRISE}.department`, value: 'x' })],
  bulkIdMissing: [
    'generated clients',
    () => ({
      method: 'POST',
      path: '/Bulk',
      body: {
        schemas: [BULK_REQUEST],
        Operations: [{ path: '/Users', method: 'POST', data: create({})().body }],
      },
    }),
  ],
};

const app = await startApp(t);

/** A tenant with the settings, and what its requests speak of. */
async function worldOf(settings: object) {
  const tenant = await app.createTenant(settings);
  const client = clientOf(app, await app.scimKey(tenant));
  const emails = [{ type: 'work', value: 'work@x.example' }];
  const user = (await client.user('present', { emails })).id;
  const other = (await client.user('other')).id;
  const group = (await client.group('Present', [user])).id;
  return { tenant, world: { user, other, group } };
}

type Made = Awaited<ReturnType<typeof worldOf>>;

/** Sends it with a key of its own. */
async function sendTo({ tenant, world }: Made, request: (world: World) => Request) {
  const { id, key } = await app.apiKey(tenant, ['scim']);
  const { method, path, body } = request(world);
  const answer = await clientOf(app, key).ask<ErrorBody & Partial<BulkResponse>>(method, path, body);
  const [result] = answer.body?.Operations ?? [];
  if (!result?.response) return { keyId: id, answer };
  return { keyId: id, answer: { ...answer, status: Number(result.status), body: result.response } };
}

interface Tolerance {
  readonly name: string;
  readonly count: number;
}

async function tolerancesOf({ tenant }: Made, keyId: string): Promise<Tolerance[]> {
  await app.flushClients();
  const path = `/tenants/${tenant.id}/tolerances?apiKey=${keyId}`;
  return (await app.admin<{ tolerances: Tolerance[] }>('GET', path)).body.tolerances;
}

const [lenient, strict] = [await worldOf({}), await worldOf({ strictScim: true })];

for (const [name, { scimType, hint }] of Object.entries(TOLERANCES)) {
  const [client, request, alsoNeeds = []] = CASES[name as ToleranceName];

  t.test(`${name} (${client}): tolerated, and counted for the key`, async (t) => {
    const { keyId, answer } = await sendTo(lenient, request);
    t.ok(answer.status < 300, answer.text);
    const counted = (await tolerancesOf(lenient, keyId)).map((each) => [each.name, each.count]);
    t.same(
      counted,
      [name, ...alsoNeeds].sort().map((each) => [each, 1]),
    );
  });

  t.test(`${name} (${client}): refused in strict mode, by name and with what to do`, async (t) => {
    const { keyId, answer } = await sendTo(strict, request);
    t.equal(answer.status, 400, answer.text);
    const named = [name, ...alsoNeeds].filter((each) => answer.body.detail.includes(`"${each}"`));
    t.equal(named.length, 1, answer.body.detail);
    const refusing = named[0] as ToleranceName;
    if (alsoNeeds.length === 0) t.equal(answer.body.scimType, scimType);
    t.equal(answer.body.scimType, TOLERANCES[refusing].scimType);
    t.ok(answer.body.detail.endsWith(TOLERANCES[refusing].hint), hint);
    t.same(await tolerancesOf(strict, keyId), [], 'what was refused was not tolerated');
  });
}

t.test('what hides behind a path-less PATCH is refused by its own name too', async (t) => {
  const rows: [name: ToleranceName, request: (world: World) => Request][] = [
    ['pathAsName', patch({ op: 'replace', path: ENTERPRISE, value: { 'manager.value': 'm' } })],
    ['unknownAttribute', patch({ op: 'replace', path: 'name', value: { nick: 'x' } })],
    [
      'valuePathCreates',
      patchGroup(({ other }) => ({
        op: 'add',
        path: `members[value eq "${other}"]`,
        value: { value: other },
      })),
    ],
    [
      'unknownAttribute',
      () => ({ method: 'POST', path: '/Users/.search', body: { schemas: [SEARCH], filtre: 'x' } }),
    ],
    [
      'attributesValuePath',
      () => ({
        method: 'POST',
        path: '/Users/.search',
        body: { schemas: [SEARCH], attributes: ['emails[type eq "work"]'] },
      }),
    ],
    [
      'attributesValuePath',
      ({ user }) => ({ method: 'GET', path: `/Users/${user}?excludedAttributes=emails%5Btype%20pr%5D` }),
    ],
    ['endpointSpelling', get('/users')],
    ['endpointSpelling', get('/Users/')],
  ];
  for (const [name, request] of rows) {
    t.ok((await sendTo(lenient, request)).answer.status < 300, name);
    t.match((await sendTo(strict, request)).answer, {
      status: 400,
      body: { scimType: TOLERANCES[name].scimType, detail: new RegExp(`"${name}"`) },
    });
  }
});

t.test(
  'strict mode ignores parameters that nobody knows, and reads a plus in a string as a plus',
  async (t) => {
    const client = clientOf(app, await app.scimKey(strict.tenant));
    await client.user('a+b@x.example');
    const found = (path: string) => client.ask<AnyBody>('GET', path);
    t.match(await found('/Users?aadOptscim062020&count=1'), { status: 200 });
    for (const plus of ['+', '%2B']) {
      t.match(await found(`/Users?filter=userName%20eq%20%22a${plus}b@x.example%22`), {
        status: 200,
        body: { totalResults: 1 },
      });
    }
  },
);

const OPERATIONS: readonly (readonly [
  example: string,
  endpoint: 'Users' | 'Groups',
  operations: (world: World) => object[],
])[] = [
  [
    'add a member',
    'Groups',
    ({ other }) => [
      {
        op: 'add',
        path: 'members',
        value: [{ display: 'Babs Jensen', $ref: `https://example.com/v2/Users/${other}`, value: other }],
      },
    ],
  ],
  ['remove a member', 'Groups', ({ other }) => [{ op: 'remove', path: `members[value eq "${other}"]` }]],
  [
    'remove a member who is none',
    'Groups',
    ({ other }) => [{ op: 'remove', path: `members[value eq "${other}"]` }],
  ],
  ['remove all members', 'Groups', () => [{ op: 'remove', path: 'members' }]],
  [
    'remove and add members',
    'Groups',
    ({ user, other }) => [
      { op: 'remove', path: `members[value eq "${user}"]` },
      { op: 'add', path: 'members', value: [{ display: 'James Smith', value: other }] },
    ],
  ],
  [
    'replace all members',
    'Groups',
    ({ user, other }) => [{ op: 'replace', path: 'members', value: [{ value: user }, { value: other }] }],
  ],
  [
    'remove values by a filter',
    'Users',
    () => [{ op: 'remove', path: 'emails[type eq "work" and value ew "example.com"]' }],
  ],
  [
    'add values',
    'Users',
    () => [
      { op: 'add', path: 'emails', value: [{ value: 'babs@jensen.org', type: 'home' }] },
      { op: 'add', path: 'nickname', value: 'Babs' },
      { op: 'add', path: 'addresses', value: [{ type: 'work', locality: 'Hollywood' }] },
    ],
  ],
  [
    'replace an address',
    'Users',
    () => [
      {
        op: 'replace',
        path: 'addresses[type eq "work"]',
        value: { type: 'work', streetAddress: '911 Universal City Plaza', country: 'US', primary: true },
      },
    ],
  ],
  [
    'replace a part of an address',
    'Users',
    () => [{ op: 'replace', path: 'addresses[type eq "work"].streetAddress', value: '1010 Broadway Ave' }],
  ],
];

const FILTERS = [
  'userName Eq "john"',
  'Username eq "john"',
  'userName eq "bjensen"',
  `name.familyName co "O'Malley"`,
  'userName sw "J"',
  `${USER}:userName sw "J"`,
  'title pr',
  'meta.lastModified gt "2011-05-13T04:42:34Z"',
  'title pr and userType eq "Employee"',
  `schemas eq "${ENTERPRISE}"`,
  'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
  'userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")',
  'userType eq "Employee" and (emails.type eq "work")',
  'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]',
  'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
];

meets(t, [19, 107, 179], 'strict mode takes what the examples of RFC 7644 send', async (t) => {
  const { tenant, world } = await worldOf({ strictScim: true });
  const client = clientOf(app, await app.scimKey(tenant));
  const name = { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' };
  const bjensen = { schemas: [USER], userName: 'bjensen', externalId: 'bjensen', name };
  const created = await client.ask('POST', '/Users', bjensen);
  t.equal(created.status, 201, created.text);
  const path = `/Users/${created.body.id}`;
  const emails = [{ value: 'bjensen@example.com' }, { value: 'babs@jensen.org' }];
  const replaced = await client.ask('PUT', path, {
    ...bjensen,
    id: created.body.id,
    name: { ...name, middleName: 'Jane' },
    roles: [],
    emails,
  });
  t.equal(replaced.status, 200, replaced.text);
  t.equal((await client.ask('PUT', path, replaced.body)).status, 200, 'and its own answer');
  for (const [example, endpoint, operations] of OPERATIONS) {
    const id = endpoint === 'Users' ? world.user : world.group;
    const { status, text } = await client.patch(`/${endpoint}/${id}`, operations(world));
    t.ok(status === 200 || status === 204, `${example}: ${text}`);
  }
  for (const filter of FILTERS) t.equal((await client.list('/Users', filter)).status, 200, filter);
  t.equal((await client.ask('GET', `${path}?attributes=userName,emails.value&unknown=1`)).status, 200);
  const search = {
    schemas: [SEARCH],
    attributes: ['displayName'],
    filter: 'displayName sw "s"',
    startIndex: 1,
    count: 10,
  };
  t.equal((await client.ask('POST', '/Users/.search', search)).status, 200);
});
