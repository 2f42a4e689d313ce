import t, { type Test } from 'tap';
import { startApp } from '../support/app.ts';
import { ENTERPRISE, type ErrorBody, GROUP, newClient, type Resource, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** RFC 7644 section 3.4.2.2: filters, asked of four users. */

const app = await startApp(t);
const client = await newClient(app);

const ann = await client.user('Ann', {
  externalId: 'E1',
  title: 'Tour Guide',
  userType: 'Employee',
  name: { familyName: "O'Malley", givenName: 'Ann' },
  emails: [
    { type: 'work', value: 'ann@example.com', primary: true },
    { type: 'home', value: 'ann@example.org' },
  ],
  ims: [{ type: 'xmpp', value: 'ann@foo.com' }],
  x509Certificates: [{ value: 'TUlJQg==' }],
  [ENTERPRISE]: { employeeNumber: '0042', department: 'Tours', manager: { value: 'Boss' } },
});
await client.user('bob', {
  title: 'Guide',
  userType: 'Intern',
  emails: [
    { type: 'work', value: 'bob@example.org' },
    { type: 'home', value: 'bob@example.com' },
  ],
  active: false,
  [ENTERPRISE]: { employeeNumber: '7' },
});
await client.user('cyd', { userType: 'Employee', name: { formatted: 'Cyd' }, externalId: 'e1' });
await client.user('dan');
const everybody = ['Ann', 'bob', 'cyd', 'dan'];

type Cases = readonly (readonly [filter: string, found: readonly string[]])[];

/** Each filter finds these users and no other. */
async function find(t: Test, cases: Cases): Promise<void> {
  for (const [filter, found] of cases) {
    const { status, body } = await client.list('/Users', filter);
    t.same([status, body.Resources?.map(({ userName }) => userName)], [200, found], filter);
    t.equal(body.totalResults, found.length, filter);
  }
}

/** Each filter is 400 invalidFilter, with words that say more. */
async function refuse(t: Test, filters: readonly string[], to = client): Promise<void> {
  for (const filter of filters) {
    const answer = await to.ask<ErrorBody>('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    t.match(
      answer,
      { status: 400, body: { status: '400', scimType: 'invalidFilter', detail: /\w+ \w+/ } },
      filter,
    );
  }
}

await meets(t, [127], 'the service says that it filters, and how much it returns', async (t) => {
  const { body } = await client.ask<Resource & { filter: unknown }>('GET', '/ServiceProviderConfig');
  t.match(body.filter, { supported: true, maxResults: Number });
});

await meets(
  t,
  [128, 131],
  'eq finds what is the same, ne what is not, and nothing else is returned',
  async (t) => {
    await find(t, [
      ['userName eq "bob"', ['bob']],
      ['userName ne "bob"', ['Ann', 'cyd', 'dan']],
      ['title eq "Guide"', ['bob']],
      ['title ne "Guide"', ['Ann', 'cyd', 'dan']],
      ['title eq null', ['cyd', 'dan']],
      ['title ne null', ['Ann', 'bob']],
      ['active eq false', ['bob']],
      ['active ne false', ['Ann', 'cyd', 'dan']],
      ['name.givenName eq ""', []],
      ['userName eq "nobody"', []],
    ]);
  },
);

await meets(t, [129], 'attributes, operators and connectives are read in any case', async (t) => {
  await find(t, [
    ['USERNAME Eq "bob"', ['bob']],
    ['Title PR And Not(UserType eQ "intern")', ['Ann']],
    ['userName EQ "dan" OR UserName sW "c"', ['cyd', 'dan']],
    ['EMAILS[TYPE EQ "work" AND VALUE CO "bob"]', ['bob']],
  ]);
});

await meets(t, [130, 145], 'what is no filter is refused with words', async (t) => {
  const none = [
    '',
    ' ',
    'title',
    'title eq',
    'eq "x"',
    'title pr and',
    'not title pr',
    '()',
    'title pr title pr',
  ];
  const open = ['(title pr', 'title pr)', 'emails[type eq "work"', 'title eq "x', "title eq 'x'"];
  await refuse(t, [
    ...none,
    ...open,
    'title like "x"',
    'title == "x"',
    'title regex "x"',
    'shoeSize eq 44',
    'name.x pr',
  ]);
});

await meets(
  t,
  [132],
  'co, sw and ew find a part, the beginning and the end, the whole among them',
  async (t) => {
    await find(t, [
      ['title co "uide"', ['Ann', 'bob']],
      ['title sw "Tour"', ['Ann']],
      ['title sw "Guide"', ['bob']],
      ['title ew "Guide"', ['Ann', 'bob']],
      ['title co "Tour Guide" and title sw "Tour Guide" and title ew "Tour Guide"', ['Ann']],
      ['title co "%"', []],
      ['title co "_uide"', []],
      ['name.familyName co "O\'Malley"', ['Ann']],
      ['externalId sw "E"', ['Ann']],
    ]);
  },
);

await meets(t, [133], 'pr finds a value, or a complex attribute with a part that has one', async (t) => {
  await find(t, [
    ['title pr', ['Ann', 'bob']],
    ['not (title pr)', ['cyd', 'dan']],
    ['name pr', ['Ann', 'cyd']],
    ['name.givenName pr', ['Ann']],
    ['emails pr', ['Ann', 'bob']],
    ['emails.value pr', ['Ann', 'bob']],
    ['photos pr', []],
    ['groups pr', []],
    [`${ENTERPRISE}:manager pr`, ['Ann']],
    ['id pr and meta pr and userName pr', everybody],
  ]);
});

await meets(t, [134], 'order is by characters for text, and by instants for DateTimes', async (t) => {
  await find(t, [
    ['userName gt "b"', ['bob', 'cyd', 'dan']],
    ['userName ge "BOB"', ['bob', 'cyd', 'dan']],
    ['userName gt "bob"', ['cyd', 'dan']],
    ['userName lt "bob"', ['Ann']],
    ['userName le "bob"', ['Ann', 'bob']],
    [`${ENTERPRISE}:employeeNumber lt "1"`, ['Ann']],
    ['title gt ""', ['Ann', 'bob']],
  ]);
  const created = Date.parse((ann.meta as Resource['meta'] & { created: string }).created);
  const at = (hours: number, offset: string) =>
    `${new Date(created + hours * 3_600_000).toISOString().slice(0, -1)}${offset}`;
  const only = (filter: string, found: boolean) =>
    [`userName eq "Ann" and ${filter}`, found ? ['Ann'] : []] as const;
  await find(t, [
    only(`meta.created eq "${at(0, 'Z')}"`, true),
    only(`meta.created eq "${at(2, '+02:00')}"`, true),
    only(`meta.created eq "${at(2, 'Z')}"`, false),
    only(`meta.created ge "${at(-5, '-05:00')}" and meta.created le "${at(-5, '-05:00')}"`, true),
    only(`meta.created gt "${at(0, '+00:00')}"`, false),
    only(`meta.created lt "${at(0, '-00:30')}"`, true),
    only(`meta.lastModified gt "${at(1, '+02:00')}"`, true),
  ]);
});

await meets(t, [135, 149], 'what a type cannot be compared by is refused', async (t) => {
  const order = ['gt', 'ge', 'lt', 'le'];
  await refuse(t, [
    ...order.flatMap((operator) => [
      `active ${operator} true`,
      `x509Certificates.value ${operator} "TUlJQg=="`,
    ]),
    ...['co', 'sw', 'ew'].flatMap((operator) => [
      `active ${operator} true`,
      `meta.created ${operator} "2020-01-01T00:00:00Z"`,
    ]),
    ...['gt', 'co', 'sw'].map((operator) => `title ${operator} null`),
    'active eq "perhaps"',
    'active eq 1',
    'meta.created gt "yesterday"',
    'name eq "Ann"',
    'addresses co "x"',
    'userName[value eq "x"]',
  ]);
  await find(t, [['x509Certificates.value eq "TUlJQg=="', ['Ann']]]);
});

await meets(
  t,
  [136, 137, 140],
  'and, or and not combine; parentheses, not, and, or bind in this order',
  async (t) => {
    await find(t, [
      ['title pr and userType eq "Employee"', ['Ann']],
      ['title pr or userType eq "Employee"', ['Ann', 'bob', 'cyd']],
      ['not (title pr)', ['cyd', 'dan']],
      ['not (not (title pr))', ['Ann', 'bob']],
      ['userName eq "dan" or title pr and userType eq "Intern"', ['bob', 'dan']],
      ['(userName eq "dan" or title pr) and userType eq "Intern"', ['bob']],
      ['title pr and userType eq "Intern" or userName eq "dan"', ['bob', 'dan']],
      ['not (title pr) and userType eq "Employee"', ['cyd']],
      ['not (title pr and userType eq "Employee")', ['bob', 'cyd', 'dan']],
      ['not (title pr) or userType eq "Intern"', ['bob', 'cyd', 'dan']],
      ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', ['dan']],
      ['((userName eq "dan"))', ['dan']],
    ]);
  },
);

await meets(
  t,
  [138],
  'all terms in brackets hold for one value; terms beside each other need not',
  async (t) => {
    await find(t, [
      ['emails[type eq "work" and value co "@example.com"]', ['Ann']],
      ['emails.type eq "work" and emails.value co "@example.com"', ['Ann', 'bob']],
      ['emails[type eq "work" and not (value co "@example.com")]', ['bob']],
      ['not (emails[type eq "work" and value co "@example.com"])', ['bob', 'cyd', 'dan']],
      ['emails[(type eq "home" or primary eq true) and value ew ".com"]', ['Ann', 'bob']],
      [
        'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
        ['Ann'],
      ],
      ['userType eq "Employee" and emails[primary eq true]', ['Ann']],
      ['emails[type eq "other"]', []],
      ['name[givenName eq "Ann"]', ['Ann']],
    ]);
    await refuse(t, [
      'emails[shoeSize eq 44]',
      'emails[]',
      'title[value eq "x"]',
      'emails[type[value eq "x"]]',
    ]);
  },
);

await meets(t, [139], 'the grammar holds; in strict mode values are JSON', async (t) => {
  await find(t, [
    ['active eq true and title ne null and userName eq "\\u0041nn"', ['Ann']],
    ['externalId eq "E1" and userName ne "a\\"b\\\\c"', ['Ann']],
    ['userName eq "( and ) or [ not"', []],
    ['userName  eq  "bob"', ['bob']],
  ]);
  const tolerated = [
    'userName eq bob',
    'userType eq "Intern" and active eq "False"',
    'userType eq Intern',
    'active ne True',
  ];
  const strict = await newClient(app, { strictScim: true });
  for (const filter of tolerated)
    t.same(
      (await client.list('/Users', filter)).body.Resources.map(({ userName }) => userName),
      ['bob'],
      filter,
    );
  await refuse(t, [...tolerated, 'userName eq "DOMAIN\\user"'], strict);
  t.equal(
    (await strict.list('/Users', 'userName eq "bob" and active eq true and title eq null')).status,
    200,
  );
});

await meets(
  t,
  [141, 142],
  'one value is enough; without a part its value is meant; parts are named with a dot',
  async (t) => {
    await find(t, [
      ['emails.value eq "ann@example.org"', ['Ann']],
      ['emails eq "ann@example.org"', ['Ann']],
      ['emails co "example.com"', ['Ann', 'bob']],
      ['emails.type eq "home"', ['Ann', 'bob']],
      ['emails.primary eq true', ['Ann']],
      ['name.givenName eq "ann" and name.familyName sw "o"', ['Ann']],
      ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', ['Ann']],
    ]);
    await refuse(t, ['givenName eq "Ann"', 'name.givenName.x eq "Ann"']);
  },
);

await meets(
  t,
  [147, 148],
  'filters ask for schemas, and for attributes by the URN of their schema',
  async (t) => {
    await find(t, [
      [`schemas eq "${ENTERPRISE}"`, ['Ann', 'bob']],
      [`schemas eq "${USER}"`, everybody],
      [`not (schemas eq "${ENTERPRISE}")`, ['cyd', 'dan']],
      [`${USER}:userName sw "A"`, ['Ann']],
      [`${USER}:name.givenName eq "Ann"`, ['Ann']],
      [`${USER}:emails[type eq "work"]`, ['Ann', 'bob']],
      [`${ENTERPRISE}:employeeNumber eq "0042"`, ['Ann']],
      [`${ENTERPRISE}:manager.value eq "Boss"`, ['Ann']],
      [`${ENTERPRISE.toUpperCase()}:DEPARTMENT eq "tours"`, ['Ann']],
    ]);
    await refuse(t, [
      'urn:x:User:userName eq "x"',
      `${USER}:employeeNumber eq "7"`,
      `${ENTERPRISE}:userName eq "x"`,
    ]);
    await client.group('Filtered', [ann.id]);
    const { body } = await client.list(
      '/Groups',
      `${GROUP}:displayName eq "filtered" and schemas eq "${GROUP}"`,
    );
    t.equal(body.totalResults, 1);
  },
);

await meets(t, [150], 'what is secret is not asked for in a URL: 403 sensitive', async (t) => {
  for (const filter of ['password eq "t1meMa$heen"', 'userName eq "Ann" and password pr'])
    t.match(await client.list('/Users', filter), {
      status: 403,
      body: { status: '403', scimType: 'sensitive' },
    });
  const search = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    filter: 'emails eq "ann@example.com"',
  };
  t.match(await client.ask('POST', '/Users/.search', search), { status: 200, body: { totalResults: 1 } });
});
