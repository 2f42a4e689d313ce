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

/** RFC 7643 sections 2.2 to 2.5 and 7: characteristics of attributes, types of values, values without a value. */

const app = await startApp(t);
const client = await newClient(app);

interface AttributeBody {
  readonly name: string;
  readonly type: string;
  readonly subAttributes?: readonly AttributeBody[];
  readonly [characteristic: string]: unknown;
}

/** Every attribute and part of the schemas that resources use, by its path. */
async function attributes(): Promise<Map<string, AttributeBody>> {
  const found = new Map<string, AttributeBody>();
  const add = (list: readonly AttributeBody[], prefix: string) => {
    for (const attribute of list) {
      found.set(prefix + attribute.name, attribute);
      add(attribute.subAttributes ?? [], `${prefix}${attribute.name}.`);
    }
  };
  for (const urn of [USER, ENTERPRISE, GROUP]) {
    const { body } = await client.ask<Resource & { attributes: AttributeBody[] }>('GET', `/Schemas/${urn}`);
    add(body.attributes, urn === GROUP ? 'Group.' : '');
  }
  return found;
}

const post = (body: object, to = client) => to.ask('POST', '/Users', { schemas: [USER], ...body });
const refusal = (scimType: string, detail = /\S/) => ({
  status: 400,
  body: { status: '400', scimType, detail },
});
const total = async (filter: string) => (await client.list('/Users', filter)).body.totalResults;

await meets(
  t,
  [55, 70],
  'what no definition says otherwise is a readWrite string, and types are those of the RFC',
  async (t) => {
    const known = await attributes();
    const plain = { type: 'string', multiValued: false, required: false, caseExact: false };
    for (const name of ['title', 'nickName', 'name.familyName', 'department', 'emails.type'])
      t.match(
        known.get(name),
        { ...plain, mutability: 'readWrite', returned: 'default', uniqueness: 'none' },
        name,
      );
    const TYPES = /^(?:string|boolean|decimal|integer|dateTime|reference|binary|complex)$/;
    for (const [name, { type }] of known) t.match(type, TYPES, name);
  },
);

await meets(
  t,
  [56, 107],
  'readOnly is ignored in POST and PUT, and refused as the path of a PATCH',
  async (t) => {
    const group = await client.group('Read-only');
    const groups = [{ value: group.id }];
    const created = await post({
      userName: 'readonly',
      groups,
      [ENTERPRISE]: { manager: { displayName: 'Boss' } },
    });
    t.equal(created.status, 201);
    t.notOk('groups' in created.body || ENTERPRISE in created.body);
    const replacement = { schemas: [USER], userName: 'readonly', groups, meta: { version: 'x' } };
    const replaced = await client.ask('PUT', `/Users/${created.body.id}`, replacement);
    t.match(replaced, { status: 200 });
    t.notOk('groups' in replaced.body);
    for (const path of ['groups', 'id', 'meta.created', `${ENTERPRISE}:manager.displayName`])
      t.match(
        await client.patch(`/Users/${created.body.id}`, [{ op: 'replace', path, value: 'x' }]),
        refusal('mutability'),
        path,
      );
    t.same((await client.ask('GET', `/Users/${created.body.id}`)).body, replaced.body);
  },
);

await meets(
  t,
  [57],
  'what is readWrite is written by POST, PUT and PATCH, and read every time',
  async (t) => {
    const { body } = await post({ userName: 'written', title: 'One' });
    const path = `/Users/${body.id}`;
    const titles = [
      body,
      (await client.ask('PUT', path, { schemas: [USER], userName: 'written', title: 'Two' })).body,
      (await client.patch(path, [{ op: 'replace', path: 'title', value: 'Three' }])).body,
      (await client.ask('GET', path)).body,
      (await client.patch(path, [{ op: 'remove', path: 'title' }])).body,
    ].map(({ title }) => title);
    t.same(titles, ['One', 'Two', 'Three', 'Three', undefined]);
  },
);

await meets(
  t,
  [58, 83, 102],
  'parts of a member are immutable: what a member is does not change',
  async (t) => {
    const known = await attributes();
    for (const part of ['value', '$ref', 'type'])
      t.match(known.get(`Group.members.${part}`), { mutability: 'immutable' }, part);
    for (const path of ['Group.members.display', 'groups.display'])
      t.match(known.get(path), { mutability: 'readOnly' }, path);
    const [one, other] = [await client.user('immutable'), await client.user('other')];
    const group = await client.group('Immutable', [one.id]);
    for (const [part, value] of [
      ['value', other.id],
      ['type', 'Group'],
      ['display', 'Somebody'],
    ] as const) {
      const path = `members[value eq "${one.id}"].${part}`;
      const answer = await client.patch(`/Groups/${group.id}`, [{ op: 'replace', path, value }]);
      t.match(answer, refusal('mutability'), part);
    }
    t.match((await client.ask('GET', `/Groups/${group.id}`)).body, { members: [{ value: one.id }] });
  },
);

await meets(
  t,
  [59, 61, 90],
  'a password is in no answer, and nothing that was stored holds it',
  async (t) => {
    const password = 'correct horse battery staple';
    const { status, text, body } = await post({ userName: 'secretive', password });
    t.equal(status, 201);
    const path = `/Users/${body.id}`;
    const answers = [
      text,
      (await client.ask('GET', path)).text,
      (await client.ask('GET', `${path}?attributes=password`)).text,
      (
        await client.ask('PUT', `${path}?attributes=password`, {
          schemas: [USER],
          userName: 'secretive',
          password,
        })
      ).text,
      (await client.patch(path, [{ op: 'replace', path: 'password', value: password }])).text,
      (await client.ask('GET', '/Users?attributes=userName,password')).text,
    ];
    for (const answer of answers) t.notMatch(answer, /password|horse/);
    t.match((await attributes()).get('password'), { mutability: 'writeOnly', returned: 'never' });
    const kept = await app.context.db.pool.query(
      `select row_to_json(u)::text as line from scim_user u union all select row_to_json(e)::text from event e`,
    );
    t.notMatch(kept.rows.map(({ line }) => line).join(), /horse/);
  },
);

await meets(
  t,
  [60, 62],
  'always is in every answer; default in those whose attributes do not name others',
  async (t) => {
    const { body } = await post({ userName: 'projected', title: 'T', nickName: 'N' });
    const names = async (query: string) =>
      Object.keys((await client.ask('GET', `/Users/${body.id}${query}`)).body).sort();
    const whole = ['active', 'id', 'meta', 'nickName', 'schemas', 'title', 'userName'];
    t.same(await names(''), whole);
    t.same(await names('?attributes=title'), ['id', 'schemas', 'title']);
    t.same(await names('?attributes=nothing'), ['id', 'schemas']);
    t.same(
      await names('?excludedAttributes=title,id,schemas'),
      whole.filter((name) => name !== 'title'),
    );
  },
);

await meets(t, [64, 65, 146], 'filters and answers keep case where caseExact says so', async (t) => {
  const { body } = await post({ userName: 'CaseExact', externalId: 'AbC', title: 'Boss' });
  t.match(body, { userName: 'CaseExact', externalId: 'AbC', title: 'Boss' });
  const cases: readonly (readonly [filter: string, found: number])[] = [
    ['userName eq "caseexact"', 1],
    ['userName sw "CASE" and userName co "eex" and userName ew "Act"', 1],
    ['title eq "BOSS" and userName eq "CaseExact"', 1],
    ['externalId eq "AbC"', 1],
    ['externalId eq "abc"', 0],
    ['externalId sw "a"', 0],
    ['externalId co "bC"', 1],
    [`id eq "${body.id}"`, 1],
    ['userName eq "CaseExact" and meta.resourceType eq "user"', 0],
    ['userName eq "CaseExact" and meta.resourceType eq "User"', 1],
  ];
  for (const [filter, found] of cases) t.equal(await total(filter), found, filter);
});

await meets(
  t,
  [66, 67],
  'a userName is unique in its tenant, for all its directories, and free in others',
  async (t) => {
    t.match((await attributes()).get('userName'), { uniqueness: 'server' });
    const tenant = await app.createTenant();
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'entra' });
    const one = clientOf(app, await app.scimKey(tenant));
    const other = clientOf(app, await app.scimKey(tenant, 'entra'));
    await one.user('unique');
    const { id } = await other.user('else');
    const conflicts = [
      await post({ userName: 'UNIQUE' }, one),
      await post({ userName: 'unique' }, other),
      await other.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'unique' }),
      await other.patch(`/Users/${id}`, [{ op: 'replace', path: 'userName', value: 'unique' }]),
    ];
    for (const conflict of conflicts)
      t.match(conflict, { status: 409, body: { status: '409', scimType: 'uniqueness' } });
    t.match(await post({ userName: 'unique' }, await newClient(app)), { status: 201 });
  },
);

await meets(
  t,
  [68, 69],
  'canonical values are suggestions, and references say what they lead to',
  async (t) => {
    const known = await attributes();
    t.match(known.get('emails.type'), { canonicalValues: ['work', 'home', 'other'] });
    const emails = [{ value: 'a@x.example', type: 'school' }];
    t.match(await post({ userName: 'schooled', emails }), { status: 201, body: { emails } });
    const VALID = ['User', 'Group', 'external', 'uri'];
    for (const [name, { type, referenceTypes }] of known) {
      if (type !== 'reference') t.equal(referenceTypes, undefined, name);
      else t.ok(Array.isArray(referenceTypes) && referenceTypes.every((each) => VALID.includes(each)), name);
    }
  },
);

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
    t.match((await attributes()).get('x509Certificates.value'), { type: 'binary', caseExact: true });
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

await meets(t, [74], 'a DateTime has date, time and a form that can be compared', async (t) => {
  const { id } = await client.user('dated');
  const found = (filter: string) => client.list('/Users', `id eq "${id}" and ${filter}`);
  for (const value of ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34.123456+14:00', '2011-05-13T04:42:34'])
    t.match(await found(`meta.created gt "${value}"`), { status: 200, body: { totalResults: 1 } }, value);
  for (const value of [
    '2011-05-13',
    '04:42:34Z',
    '2011-13-01T00:00:00Z',
    '2011-02-30T00:00:00Z',
    '13 May 2011',
  ])
    t.match(await found(`meta.created gt "${value}"`), refusal('invalidFilter', /dateTime/), value);
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
