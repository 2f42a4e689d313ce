import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, ENTERPRISE, newClient, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';
import { discoveredAttributes } from '../support/schemas.ts';

/** RFC 7643 sections 2.2 and 7: the characteristics of attributes. */

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
  [55, 70],
  'what no definition says otherwise is a readWrite string, and types are those of the RFC',
  async (t) => {
    const known = await discoveredAttributes(client);
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
    const known = await discoveredAttributes(client);
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
    t.match((await discoveredAttributes(client)).get('password'), {
      mutability: 'writeOnly',
      returned: 'never',
    });
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
    t.match((await discoveredAttributes(client)).get('userName'), { uniqueness: 'server' });
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
    const known = await discoveredAttributes(client);
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
