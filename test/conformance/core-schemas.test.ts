import t from 'tap';
import { startApp } from '../support/app.ts';
import { ENTERPRISE, GROUP, newClient, type Resource, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** RFC 7643 sections 4 and 6: what Users, enterprise users and Groups are. */

const app = await startApp(t);
const client = await newClient(app);

const post = (body: object, to = client) => to.ask('POST', '/Users', { schemas: [USER], ...body });
const refusal = (scimType: string, detail = /\S/) => ({
  status: 400,
  body: { status: '400', scimType, detail },
});

/** Every attribute of RFC 7643 section 8.2 that a client can set, in the order of our schema. */
const FULL_USER = {
  externalId: '701984',
  userName: 'bjensen@example.com',
  name: {
    formatted: 'Ms. Barbara J Jensen, III',
    familyName: 'Jensen',
    givenName: 'Barbara',
    middleName: 'Jane',
    honorificPrefix: 'Ms.',
    honorificSuffix: 'III',
  },
  displayName: 'Babs Jensen',
  nickName: 'Babs',
  profileUrl: 'https://login.example.com/bjensen',
  title: 'Tour Guide',
  userType: 'Employee',
  preferredLanguage: 'en-US',
  locale: 'en-US',
  timezone: 'America/Los_Angeles',
  active: true,
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.example', type: 'home' },
  ],
  phoneNumbers: [
    { value: '555-555-5555', type: 'work' },
    { value: '555-555-4444', type: 'mobile' },
  ],
  ims: [{ value: 'someaimhandle', type: 'aim' }],
  photos: [{ value: 'https://photos.example.com/profilephoto/F', type: 'photo' }],
  addresses: [
    {
      formatted: '100 Universal City Plaza\nHollywood, CA 91608',
      streetAddress: '100 Universal City Plaza',
      locality: 'Hollywood',
      region: 'CA',
      postalCode: '91608',
      country: 'US',
      type: 'work',
      primary: true,
    },
  ],
  entitlements: [{ value: 'parking' }],
  roles: [{ value: 'Guide', primary: true }],
  x509Certificates: [{ value: 'MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQA=' }],
};

const EXTENSION = {
  employeeNumber: '701984',
  costCenter: '4130',
  organization: 'Universal Studios',
  division: 'Theme Park',
  department: 'Tour Operations',
  manager: { value: '26118915', $ref: '../Users/26118915' },
};

await meets(
  t,
  [104],
  'a full enterprise user comes back as it was sent, but for what is read-only',
  async (t) => {
    const { manager } = EXTENSION;
    const created = await client.ask('POST', '/Users', {
      schemas: [USER, ENTERPRISE],
      ...FULL_USER,
      id: '2819c223',
      password: 't1meMa$heen',
      groups: [{ value: 'e9e30dba', display: 'Tour Guides' }],
      meta: { resourceType: 'User', version: 'W/"a330bc54f0671c9"' },
      [ENTERPRISE]: { ...EXTENSION, manager: { ...manager, displayName: 'John Smith' } },
    });
    t.equal(created.status, 201);
    const { id, meta, ...kept } = created.body;
    t.same(kept, { schemas: [USER, ENTERPRISE], ...FULL_USER, [ENTERPRISE]: EXTENSION });
    t.same((await client.ask('GET', `/Users/${id}`)).body, created.body);
    const replaced = await client.ask('PUT', `/Users/${id}`, created.body);
    t.match(replaced, { status: 200, body: { meta } }, 'and our own answer, sent back, changes nothing');
    for (const [name, value] of Object.entries(EXTENSION)) {
      const path = `${ENTERPRISE}:${name}${name === 'manager' ? '.value' : ''}`;
      const asked = typeof value === 'string' ? value : value.value;
      const { body } = await client.list('/Users', `${path} eq "${asked}"`);
      t.equal(body.totalResults, 1, name);
    }
    const boss = await client.patch(`/Users/${id}`, [
      { op: 'replace', path: `${ENTERPRISE}:manager.displayName`, value: 'X' },
    ]);
    t.match(boss, refusal('mutability'));
  },
);

await meets(t, [106], 'the enterprise extension may be missing, and be removed', async (t) => {
  const { body } = await client.ask<Resource & { schemaExtensions: unknown }>('GET', '/ResourceTypes/User');
  t.match(body.schemaExtensions, [{ schema: ENTERPRISE, required: false }]);
  const user = await client.user('bare');
  t.notOk(ENTERPRISE in user);
  const added = await client.patch(`/Users/${user.id}`, [
    { op: 'add', path: ENTERPRISE, value: { division: 'D' } },
  ]);
  t.match(added.body, { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { division: 'D' } });
  const { body: removed } = await client.patch(`/Users/${user.id}`, [{ op: 'remove', path: ENTERPRISE }]);
  t.same(removed.schemas, [USER]);
  t.notOk(ENTERPRISE in removed);
});

await meets(t, [89], 'userName is required, not empty, and unique in any case', async (t) => {
  for (const userName of [undefined, null, '', 7, ['x']])
    t.match(await post({ userName }), refusal('invalidValue', /userName/), String(userName));
  const { id } = await client.user('Straße');
  for (const userName of ['straße', 'STRAßE', 'Straße'])
    t.match(await post({ userName }), { status: 409, body: { scimType: 'uniqueness' } }, userName);
  t.match(await client.list('/Users', 'userName eq "STRAßE"'), { body: { Resources: [{ id }] } });
  for (const body of [{ schemas: [USER] }, { schemas: [USER], userName: null }])
    t.match(await client.ask('PUT', `/Users/${id}`, body), refusal('invalidValue', /userName/));
  for (const operation of [{ op: 'remove' }, { op: 'replace', value: null }])
    t.equal((await client.patch(`/Users/${id}`, [{ ...operation, path: 'userName' }])).status, 400);
  t.match((await client.ask('GET', `/Users/${id}`)).body, { userName: 'Straße' });
});

await meets(t, [94], 'a locale is taken with an underscore or a hyphen', async (t) => {
  for (const [index, locale] of ['en_US', 'en-US', 'de'].entries())
    t.match(await post({ userName: `locale-${index}`, locale }), { status: 201, body: { locale } });
});

await meets(t, [97], 'a country is two letters; strict mode refuses every other', async (t) => {
  const strict = await newClient(app, { strictScim: true });
  const inCountry = (country: string) => ({ userName: `of ${country}`, addresses: [{ country }] });
  for (const to of [client, strict])
    t.match(await post(inCountry('SE'), to), { status: 201, body: inCountry('SE') });
  for (const country of ['USA', 'Sweden', '46', 'S']) {
    t.match(
      await post(inCountry(country), strict),
      refusal('invalidValue', /addresses\[0\]\.country/),
      country,
    );
    t.match(
      await post(inCountry(country)),
      { status: 201, body: inCountry(country) },
      'kept as sent otherwise',
    );
  }
  const { id } = await strict.user('moving', { addresses: [{ type: 'work', country: 'SE' }] });
  const path = 'addresses[type eq "work"].country';
  const patch = (value: string) => strict.patch(`/Users/${id}`, [{ op: 'replace', path, value }]);
  t.match(await patch('Norway'), refusal('invalidValue'));
  t.match(await patch('NO'), { status: 200, body: { addresses: [{ country: 'NO' }] } });
});

await meets(
  t,
  [98, 99],
  'groups of a user follow the groups, and cannot be written on the user',
  async (t) => {
    const user = await client.user('grouped');
    const group = await client.group('Guides', [user.id]);
    const groups = async () => (await client.ask('GET', `/Users/${user.id}`)).body.groups ?? [];
    const { location } = group.meta;
    t.same(await groups(), [{ value: group.id, $ref: location, display: 'Guides', type: 'direct' }]);
    const written = { schemas: [USER], userName: 'grouped', groups: [] };
    t.match(await client.ask('PUT', `/Users/${user.id}`, written), {
      status: 200,
      body: { groups: [{ value: group.id }] },
    });
    for (const operation of [{ op: 'remove' }, { op: 'add', value: [{ value: group.id }] }])
      t.match(
        await client.patch(`/Users/${user.id}`, [{ ...operation, path: 'groups' }]),
        refusal('mutability'),
      );
    t.match(await groups(), [{ value: group.id }]);
    await client.patch(`/Groups/${group.id}`, [{ op: 'replace', path: 'displayName', value: 'Renamed' }]);
    t.match(await groups(), [{ display: 'Renamed' }]);
    await client.patch(`/Groups/${group.id}`, [{ op: 'remove', path: `members[value eq "${user.id}"]` }]);
    t.same(await groups(), []);
  },
);

await meets(t, [101], 'a group has a displayName', async (t) => {
  const { body } = await client.ask<Resource & { attributes: { name: string }[] }>(
    'GET',
    `/Schemas/${GROUP}`,
  );
  t.match(
    body.attributes.find(({ name }) => name === 'displayName'),
    { required: true },
  );
  for (const displayName of [undefined, null, '', 1])
    t.match(
      await client.ask('POST', '/Groups', { schemas: [GROUP], displayName }),
      refusal('invalidValue', /displayName/),
      String(displayName),
    );
  const { id } = await client.group('Named');
  t.match(
    await client.ask('PUT', `/Groups/${id}`, { schemas: [GROUP] }),
    refusal('invalidValue', /displayName/),
  );
  t.equal((await client.patch(`/Groups/${id}`, [{ op: 'remove', path: 'displayName' }])).status, 400);
});

await meets(
  t,
  [102, 103],
  'members are users by their ids, come and go, and a nested group is refused',
  async (t) => {
    const [one, other] = [await client.user('member-1'), await client.user('member-2')];
    const group = await client.group('Members', [one.id]);
    const path = `/Groups/${group.id}`;
    const members = async () => (await client.ask('GET', path)).body.members ?? [];
    const shown = ({ id, meta }: Resource) => ({ value: id, $ref: meta.location, type: 'User' });
    t.same(await members(), [shown(one)]);
    await client.patch(path, [{ op: 'add', path: 'members', value: [{ value: other.id, type: 'User' }] }]);
    t.same(await members(), [shown(one), shown(other)]);
    await client.patch(path, [{ op: 'remove', path: `members[value eq "${one.id}"]` }]);
    t.same(await members(), [shown(other)]);
    const refused = [
      { value: group.id, type: 'Group' },
      { value: group.id },
      { display: 'nobody' },
      { value: '' },
    ];
    for (const member of refused)
      t.match(
        await client.patch(path, [{ op: 'add', path: 'members', value: [member] }]),
        refusal('invalidValue'),
        JSON.stringify(member),
      );
    t.same(await members(), [shown(other)]);
  },
);
