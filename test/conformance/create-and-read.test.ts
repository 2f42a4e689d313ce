import t from 'tap';
import { startApp } from '../support/app.ts';
import { ENTERPRISE, type ErrorBody, GROUP, type List, newClient, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** RFC 7644 sections 3.3 and 3.4: POST, GET and what a list says. */

const app = await startApp(t);
const client = await newClient(app);
const TYPES = [
  { type: 'User', endpoint: '/Users', schema: USER, name: 'userName' },
  { type: 'Group', endpoint: '/Groups', schema: GROUP, name: 'displayName' },
] as const;

await meets(t, [110, 111, 112, 114], 'POST is 201 with the new resource, and where it is', async (t) => {
  for (const { type, endpoint, schema, name } of TYPES) {
    const { status, headers, body } = await client.ask('POST', endpoint, {
      schemas: [schema],
      [name]: 'created',
      externalId: 'x',
      meta: { resourceType: 'Nothing' },
    });
    t.equal(status, 201);
    t.match(body, { schemas: [schema], [name]: 'created', externalId: 'x', meta: { resourceType: type } });
    t.equal(headers.location, body.meta.location);
    t.ok(body.meta.location.endsWith(`${endpoint}/${body.id}`));
    const { pathname } = new URL(body.meta.location);
    t.same((await app.send('GET', pathname, { key: client.key })).body, body);
  }
});

await meets(t, [107], 'POST ignores what is read-only, in strict mode too', async (t) => {
  for (const to of [client, await newClient(app, { strictScim: true })]) {
    const created = await to.ask('POST', '/Users', {
      schemas: [USER],
      userName: 'ignoring',
      id: 'x',
      groups: [{ value: 'x' }],
      meta: { location: 'x' },
      [ENTERPRISE]: { manager: { displayName: 'x' } },
    });
    t.equal(created.status, 201);
    t.not(created.body.id, 'x');
    t.notOk('groups' in created.body || ENTERPRISE in created.body);
  }
});

await meets(t, [108, 143], 'a user is active unless it is said otherwise, and filters know it', async (t) => {
  const silent = await client.user('silent');
  t.equal(silent.active, true);
  const found = async (filter: string) =>
    (await client.list('/Users', `userName eq "silent" and ${filter}`)).body.totalResults;
  t.equal(await found('active eq true'), 1);
  t.equal(await found('active pr'), 1);
  t.equal(await found('active eq false'), 0);
  t.equal((await client.user('leaver', { active: false })).active, false);
  t.match((await client.list('/Users', 'userName eq "leaver" and active eq false')).body, {
    totalResults: 1,
  });
});

await meets(t, [109], 'null and [] in a POST leave an attribute without a value', async (t) => {
  const none = { title: null, emails: [], name: null, externalId: null };
  const { status, body } = await client.ask('POST', '/Users', {
    schemas: [USER],
    userName: 'nulls',
    ...none,
  });
  t.equal(status, 201);
  for (const name of Object.keys(none)) t.notOk(name in body, name);
});

await meets(t, [113], 'what another resource has is 409 uniqueness, and nothing is created', async (t) => {
  for (const { endpoint, schema, name } of TYPES) {
    const body = { schemas: [schema], [name]: 'Conflicting' };
    t.equal((await client.ask('POST', endpoint, body)).status, 201);
    for (const value of ['Conflicting', 'CONFLICTING']) {
      const answer = await client.ask<ErrorBody>('POST', endpoint, { ...body, [name]: value });
      t.match(answer, { status: 409, body: { status: '409', scimType: 'uniqueness', detail: /\S/ } }, name);
    }
    t.match(await client.list(endpoint, `${name} eq "conflicting"`), { body: { totalResults: 1 } });
  }
});

await meets(t, [115], 'a missing value is invalidValue, a body of another form invalidSyntax', async (t) => {
  const refused: readonly (readonly [body: unknown, scimType: string])[] = [
    [{ schemas: [USER] }, 'invalidValue'],
    [{ schemas: [USER], userName: null }, 'invalidValue'],
    [{ schemas: [USER], userName: 'x', emails: [{ type: 7, value: 'x' }] }, 'invalidValue'],
    [{ schemas: [USER], userName: 'x', name: 'Barbara' }, 'invalidValue'],
    [{ schemas: [GROUP], userName: 'x' }, 'invalidSyntax'],
    [{ schemas: 'x', userName: 'x' }, 'invalidSyntax'],
    ['{"schemas":', 'invalidSyntax'],
    ['[]', 'invalidSyntax'],
    ['"text"', 'invalidSyntax'],
    ['', 'invalidSyntax'],
    ['{"userName":"x","userName":"y"}', 'invalidSyntax'],
  ];
  for (const [body, scimType] of refused) {
    const answer = await client.ask<ErrorBody>('POST', '/Users', body, {
      'content-type': 'application/scim+json',
    });
    t.match(answer, { status: 400, body: { scimType, detail: /\S/ } }, JSON.stringify(body));
  }
});

await meets(t, [116], 'attributes and excludedAttributes hold for POST, PUT and PATCH', async (t) => {
  const user = { schemas: [USER], userName: 'narrow', title: 'T' };
  const { body, headers } = await client.ask('POST', '/Users?attributes=title', user);
  t.same(body, { schemas: [USER], id: body.id, title: 'T' });
  t.match(headers, { location: RegExp(body.id), etag: 'W/"1"' }, 'with all its headers');
  const path = `/Users/${body.id}`;
  const replaced = await client.ask('PUT', `${path}?excludedAttributes=meta,active`, user);
  t.same(replaced.body, { ...user, id: body.id });
  const Operations = [{ op: 'replace', path: 'title', value: 'U' }];
  const patched = await client.patch(`${path}?attributes=title`, Operations);
  t.same(patched.body, { schemas: [USER], id: body.id, title: 'U' });
  const group = await client.ask('POST', '/Groups?excludedAttributes=meta', {
    schemas: [GROUP],
    displayName: 'N',
  });
  t.same(group.body, { schemas: [GROUP], id: group.body.id, displayName: 'N' });
});

await meets(t, [117, 118], 'GET of an id is the whole resource; of any other it is 404', async (t) => {
  for (const { endpoint, schema, name } of TYPES) {
    const body = { schemas: [schema], [name]: 'known', externalId: 'e' };
    const { body: created } = await client.ask('POST', endpoint, body);
    t.same(await client.ask('GET', `${endpoint}/${created.id}`).then((read) => [read.status, read.body]), [
      200,
      created,
    ]);
    for (const id of ['0190a000-0000-7000-8000-000000000000', 'known', 'e', `${created.id}0`, '*'])
      t.match(
        await client.ask('GET', `${endpoint}/${id}`),
        { status: 404, body: { status: '404', detail: /\S/ } },
        id,
      );
  }
  const { id } = await client.user('typed');
  t.equal((await client.ask('GET', `/Groups/${id}`)).status, 404, 'a user is no group');
});

await meets(
  t,
  [120, 121, 122],
  'a list says how many there are and which part it is; nothing is no error',
  async (t) => {
    const crowd = await newClient(app);
    const empty = await crowd.ask<List>('GET', '/Users');
    const LIST = ['urn:ietf:params:scim:api:messages:2.0:ListResponse'];
    t.match(empty, { status: 200, body: { schemas: LIST, totalResults: 0 } });
    for (let index = 0; index < 5; index += 1) await crowd.user(`user-${index}`);
    const whole = await crowd.ask<List>('GET', '/Users');
    t.match(whole.body, { schemas: LIST, totalResults: 5, Resources: { length: 5 } });
    const page = await crowd.ask<List>('GET', '/Users?startIndex=2&count=3');
    t.match(page.body, { totalResults: 5, startIndex: 2, itemsPerPage: 3, Resources: { length: 3 } });
    t.same(page.body.Resources, whole.body.Resources.slice(1, 4));
    for (const endpoint of ['/Users', '/Groups']) {
      const none = await crowd.list(endpoint, 'externalId eq "nobody"');
      t.match(none, { status: 200, body: { schemas: LIST, totalResults: 0 } });
      t.equal(none.body.Resources?.length ?? 0, 0);
    }
  },
);
