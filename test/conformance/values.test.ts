import t from 'tap';
import { startApp } from '../support/app.ts';
import {
  clientOf,
  ENTERPRISE,
  type ErrorBody,
  GROUP,
  newClient,
  type Resource,
  USER,
} from '../support/client.ts';
import { meets } from '../support/conformance.ts';
import { discoveredAttributes } from '../support/schemas.ts';

/** RFC 7643 sections 2.3 to 2.5: types of values, several values, and no value. */

const app = await startApp(t);
const client = await newClient(app);

const post = (body: object, to = client) => to.ask('POST', '/Users', { schemas: [USER], ...body });
const refusal = (scimType: string, detail = /\S/) => ({
  status: 400,
  body: { status: '400', scimType, detail },
});
const total = async (filter: string) => (await client.list('/Users', filter)).body.totalResults;

await meets(
  t,
  [71],
  'booleans are true and false; other texts are refused, strictly "True" too',
  async (t) => {
    for (const active of [true, false])
      t.match((await post({ userName: `b${active}`, active })).body, { active });
    for (const active of ['yes', '1', 1, 0, {}, ['true']])
      t.match(await post({ userName: 'bad', active }), refusal('invalidValue', /active/), String(active));
    t.match((await post({ userName: 'entra', active: 'False' })).body, { active: false }, 'and never a text');
    const strict = await newClient(app, { strictScim: true });
    for (const active of ['True', 'false'])
      t.match(await post({ userName: 'strict', active }, strict), refusal('invalidValue', /active/));
    const { id } = await strict.user('strictly');
    const patch = [{ op: 'replace', path: 'active', value: 'False' }];
    t.match(await strict.patch(`/Users/${id}`, patch), refusal('invalidValue'));
  },
);

await meets(
  t,
  [75, 100],
  'a certificate is one text in base64, kept with its case; other text is refused',
  async (t) => {
    t.match((await discoveredAttributes(client)).get('x509Certificates.value'), {
      type: 'binary',
      caseExact: true,
    });
    const padded = 'MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQA=';
    for (const [index, value] of [padded, padded.slice(0, -1)].entries()) {
      const x509Certificates = [{ value }];
      const { status, body } = await post({ userName: `certified-${index}`, x509Certificates });
      t.match({ status, body }, { status: 201, body: { x509Certificates } });
      t.equal(await total(`x509Certificates.value eq "${value}"`), 1);
      t.equal(await total(`x509Certificates.value eq "${value.toLowerCase()}"`), 0);
    }
    for (const value of ['-----BEGIN CERTIFICATE-----', 'no base64!', 'MIID-_', 'MIIDQ', 7, [padded, padded]])
      t.match(
        await post({ userName: 'refused', x509Certificates: [{ value }] }),
        refusal('invalidValue', /x509Certificates/),
        String(value),
      );
  },
);

const DATE_TIMES = ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34.123456+14:00', '2011-05-13T04:42:34'];
const NO_DATE_TIMES = [
  '2011-05-13',
  '04:42:34Z',
  '2011-13-01T00:00:00Z',
  '2011-02-30T00:00:00Z',
  '13 May 2011',
];

await meets(t, [74], 'a DateTime has date, time and a form that can be compared', async (t) => {
  const { id } = await client.user('dated');
  const found = (filter: string) => client.list('/Users', `id eq "${id}" and ${filter}`);
  for (const value of DATE_TIMES)
    t.match(await found(`meta.created gt "${value}"`), { status: 200, body: { totalResults: 1 } }, value);
  for (const value of NO_DATE_TIMES)
    t.match(await found(`meta.created gt "${value}"`), refusal('invalidFilter', /dateTime/), value);
});

await meets(t, [74], 'a DateTime that is stored is one, in an attribute of one’s own', async (t) => {
  const urn = 'urn:example:dated:User';
  const tenant = await app.createTenant();
  await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, {
    id: urn,
    name: 'Dated',
    attributes: [{ name: 'since', type: 'dateTime' }],
  });
  const dated = clientOf(app, await app.scimKey(tenant));
  const { id } = await dated.user('dated');
  const patch = (since: unknown) =>
    dated.patch(`/Users/${id}`, [{ op: 'replace', path: `${urn}:since`, value: since }]);
  for (const [index, since] of DATE_TIMES.entries()) {
    const stored = { [urn]: { since } };
    t.match(await post({ userName: `dated-${index}`, ...stored }, dated), { status: 201, body: stored });
    t.match(await patch(since), { status: 200, body: stored });
  }
  const { body: before } = await dated.ask('GET', `/Users/${id}`);
  for (const since of [...NO_DATE_TIMES, 1305261754, true]) {
    const refused = refusal('invalidValue', /since/);
    t.match(await post({ userName: 'refused', [urn]: { since } }, dated), refused, String(since));
    t.match(await patch(since), refused, String(since));
  }
  t.same((await dated.ask('GET', `/Users/${id}`)).body, before);
});

await meets(t, [76], 'references are URIs; in strict mode text that is none is refused', async (t) => {
  const strict = await newClient(app, { strictScim: true });
  const URIS = [
    'https://x.example/~a?b=c#d',
    '/relative',
    'photo.png',
    'urn:x:y',
    'https://x.example/%C3%A9',
  ];
  for (const [index, profileUrl] of URIS.entries())
    t.match(await post({ userName: `uri-${index}`, profileUrl }, strict), {
      status: 201,
      body: { profileUrl },
    });
  for (const value of ['not a uri', 'https://x.example/{id}', 'a\\b', 'https://x.example/%zz', '<x>']) {
    t.match(
      await post({ userName: 'none', profileUrl: value }, strict),
      refusal('invalidValue', /profileUrl/),
      value,
    );
    const { status, body } = await post({ userName: `none ${value}`, profileUrl: value });
    t.match(
      { status, body },
      { status: 201, body: { profileUrl: value } },
      'which is kept as sent otherwise',
    );
  }
  t.match(await post({ userName: 'number', profileUrl: 1 }), refusal('invalidValue', /profileUrl/));
  t.equal(await total('profileUrl eq "https://x.example/{id}"'), 1);
  t.equal(await total('profileUrl eq "https://x.example/{ID}"'), 0, 'compared with case');
});

await meets(t, [77, 98, 102], 'every reference that we give leads to what it names', async (t) => {
  const user = await client.user('referred');
  const group = await client.group('Referring', [user.id]);
  const { body: found } = await client.ask('GET', `/Users/${user.id}`);
  const [membership] = (found.groups ?? []) as unknown as { value: string; $ref: string; type: string }[];
  const [member] = (group.members ?? []) as unknown as { value: string; $ref: string; type: string }[];
  t.match(membership, { value: group.id, type: 'direct', display: 'Referring' });
  t.match(member, { value: user.id, type: 'User' });
  const references = [
    [membership?.$ref, group.id],
    [member?.$ref, user.id],
    [user.meta.location, user.id],
    [group.meta.location, group.id],
  ] as const;
  for (const [reference, id] of references) {
    const { pathname } = new URL(String(reference));
    t.match(await app.send('GET', pathname, { key: client.key }), { status: 200, body: { id } });
  }
  for (const { body } of [
    await client.ask<{ Resources: Resource[] }>('GET', '/Schemas'),
    await client.ask<{ Resources: Resource[] }>('GET', '/ResourceTypes'),
  ])
    for (const { meta } of body.Resources)
      t.equal((await app.send('GET', new URL(meta.location).pathname)).status, 200, meta.location);
  await client.ask('DELETE', `/Users/${user.id}`);
  const { pathname } = new URL(user.meta.location);
  t.equal((await app.send<ErrorBody>('GET', pathname, { key: client.key })).status, 404);
});

await meets(
  t,
  [78, 99],
  'members are users that exist, and a deleted one is no member any more',
  async (t) => {
    const user = await client.user('integral');
    const members = [{ value: '0190a000-0000-7000-8000-000000000000' }];
    const dangling = await client.ask('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Dangling',
      members,
    });
    t.match(dangling, refusal('invalidValue', /0190a000/));
    const group = await client.group('Integral', [user.id]);
    await client.ask('DELETE', `/Users/${user.id}`);
    t.notOk('members' in (await client.ask('GET', `/Groups/${group.id}`)).body);
  },
);

await meets(t, [79], 'the order of names in an object means nothing', async (t) => {
  const orders = [
    '{"schemas":["$"],"userName":"u0","name":{"givenName":"A","familyName":"B"}}',
    '{"name":{"familyName":"B","givenName":"A"},"userName":"u1","schemas":["$"]}',
  ];
  const kept: unknown[] = [];
  for (const order of orders) {
    const { status, body } = await client.ask('POST', '/Users', order.replace('$', USER));
    t.equal(status, 201);
    kept.push(body.name);
  }
  t.same(kept[0], kept[1]);
  const { id } = await client.user('ordered');
  const patch = `{"Operations":[{"value":"T","path":"title","op":"add"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`;
  t.match(await client.ask('PATCH', `/Users/${id}`, patch), { status: 200, body: { title: 'T' } });
});

await meets(
  t,
  [81, 82],
  'values have type, primary, display and value; one at most is primary',
  async (t) => {
    const values = [
      { value: 'a@x.example', type: 'work', primary: true, display: 'A' },
      { value: 'b@x.example', type: 'home' },
    ];
    const { body } = await post({ userName: 'plural', emails: values });
    t.same(body.emails, values);
    t.equal(
      await total('userName eq "plural" and emails[value sw "b" and primary eq false]'),
      1,
      'absent is false',
    );
    t.equal(await total('userName eq "plural" and emails[value sw "b" and primary eq true]'), 0);
    const both = values.map((value) => ({ ...value, primary: true }));
    t.match(await post({ userName: 'twice', emails: both }), refusal('invalidValue', /primary/));
    t.match(
      await client.ask('PUT', `/Users/${body.id}`, { schemas: [USER], userName: 'plural', emails: both }),
      refusal('invalidValue', /primary/),
    );
    const path = 'emails[type eq "home"].primary';
    const { body: patched } = await client.patch(`/Users/${body.id}`, [{ op: 'add', path, value: true }]);
    const primaries = (patched.emails as typeof values).filter(({ primary }) => primary);
    t.match(primaries, [{ type: 'home' }], 'the last one stays');
    t.equal(primaries.length, 1);
    t.match(await post({ userName: 'bare', emails: [7] }), refusal('invalidValue', /emails/));
  },
);

await meets(t, [84], 'references are the same with a version, without one, and with another', async (t) => {
  const boss = await client.user('boss');
  const group = await client.group('Versions', [boss.id]);
  const forms = (location: string) => [
    location,
    location.replace('/v2/', '/'),
    location.replace('/v2/', '/v1/'),
  ];
  for (const [index, $ref] of forms(boss.meta.location).entries()) {
    const filter = (asked: string) => `members.$ref eq "${asked}"`;
    t.match(await client.list('/Groups', filter($ref)), { body: { totalResults: 1 } }, $ref);
    const { id } = await client.user(`managed-${index}`, {
      [ENTERPRISE]: { manager: { value: boss.id, $ref } },
    });
    for (const asked of forms(boss.meta.location))
      t.equal(
        await total(`id eq "${id}" and ${ENTERPRISE}:manager.$ref eq "${asked}"`),
        1,
        `${$ref} as ${asked}`,
      );
    t.match(
      (await client.ask('GET', `/Users/${id}`)).body,
      { [ENTERPRISE]: { manager: { $ref } } },
      'kept as sent',
    );
  }
  for (const $ref of forms(group.meta.location)) t.equal(await total(`groups.$ref eq "${$ref}"`), 1, $ref);
  t.equal(await total(`groups.$ref eq "${group.meta.location.replace('/v2/', '/v2/v2/')}"`), 0);
  t.equal(await total(`groups.$ref eq "${group.meta.location.replace('/Groups/', '/Users/')}"`), 0);
});

await meets(t, [86], 'no type and value stand twice in one attribute', async (t) => {
  const emails = [
    { value: 'a@x.example', type: 'work' },
    { value: 'a@x.example', type: 'work', display: 'A' },
    { value: 'a@x.example', type: 'home' },
    { value: 'a@x.example', type: 'work', primary: true },
  ];
  const once = [
    { value: 'a@x.example', type: 'work', primary: true, display: 'A' },
    { value: 'a@x.example', type: 'home' },
  ];
  const { body } = await post({ userName: 'duplicated', emails });
  t.same(body.emails, once);
  const path = `/Users/${body.id}`;
  t.same(
    (await client.ask('PUT', path, { schemas: [USER], userName: 'duplicated', emails })).body.emails,
    once,
  );
  t.same((await client.patch(path, [{ op: 'add', path: 'emails', value: emails }])).body.emails, once);
  const addresses = [{ locality: 'Paris' }, { locality: 'Rome' }];
  t.same(
    (await post({ userName: 'unvalued', addresses })).body.addresses,
    addresses,
    'without a value none is lost',
  );
});

await meets(t, [87, 88], 'null, an empty array and absence are one state, and are left out', async (t) => {
  const none = { title: null, emails: [], name: { givenName: null }, [ENTERPRISE]: { department: null } };
  const { body } = await post({ userName: 'unassigned', ...none });
  t.same(Object.keys(body).sort(), ['active', 'id', 'meta', 'schemas', 'userName']);
  const some = { title: 'T', emails: [{ value: 'a@x.example' }], name: { givenName: 'G' } };
  const path = `/Users/${body.id}`;
  const put = (values: object) =>
    client.ask('PUT', path, { schemas: [USER], userName: 'unassigned', ...values });
  for (const clear of [
    () => put(none),
    () => put({}),
    () => client.patch(path, [{ op: 'replace', value: none }]),
  ]) {
    t.match((await put(some)).body, some);
    const { body: cleared } = await clear();
    for (const name of Object.keys(some)) t.notOk(name in cleared, name);
  }
  for (const filter of ['title pr', 'emails pr', 'name pr', 'not (title eq null)'])
    t.equal(await total(`userName eq "unassigned" and ${filter}`), 0, filter);
});

await meets(t, [72, 73, 134], 'numbers are read by their type, and compared as numbers', async (t) => {
  const URN = 'urn:x-test:numbers:1.0:User';
  const tenant = await app.createTenant();
  const attributes = [
    { name: 'level', type: 'integer' },
    { name: 'score', type: 'decimal' },
  ];
  const extension = { id: URN, name: 'Numbers', attributes };
  t.match(await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, extension), { status: 201 });
  const numbered = clientOf(app, await app.scimKey(tenant));
  const create = (userName: string, numbers: object) =>
    numbered.ask('POST', '/Users', { schemas: [USER, URN], userName, [URN]: numbers });
  for (const [index, numbers] of [
    { level: -3, score: 0.5 },
    { level: 0, score: 10 },
    { level: 12, score: -1.25 },
  ].entries())
    t.match(await create(`n${index}`, numbers), { status: 201, body: { [URN]: numbers } });
  for (const level of [1.5, '1', true, 1e300])
    t.match(await create('x', { level }), refusal('invalidValue', /level/));
  for (const score of ['1.5', true, [1]])
    t.match(await create('x', { score }), refusal('invalidValue', /score/));
  const cases: readonly (readonly [filter: string, found: readonly string[]])[] = [
    ['level gt 2', ['n2']],
    ['level le 0', ['n0', 'n1']],
    ['score gt 0.05', ['n0', 'n1']],
    ['score lt 1', ['n0', 'n2']],
    ['score eq 10.0', ['n1']],
  ];
  for (const [filter, found] of cases) {
    const { body } = await numbered.list('/Users', `${URN}:${filter}`);
    t.same(
      body.Resources.map(({ userName }) => userName),
      found,
      filter,
    );
  }
  for (const filter of ['level gt 1.', 'level eq "1"', 'score gt 01', 'score eq NaN', 'level co 1'])
    t.match(await numbered.list('/Users', `${URN}:${filter}`), refusal('invalidFilter'), filter);
});
