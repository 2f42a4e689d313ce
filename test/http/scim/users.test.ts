import t from 'tap';
import { startApp } from '../../support/app.ts';
import { type Client, clientOf, ENTERPRISE, type List, SCIM, USER } from '../../support/client.ts';

const app = await startApp(t);

async function newClient(settings = {}): Promise<Client> {
  return clientOf(app, await app.scimKey(await app.createTenant(settings)));
}

t.test(
  '§3.3 a created user is answered with its location, version and meta, and read back the same',
  async (t) => {
    const client = await newClient();
    const created = await client.ask('POST', '/Users', {
      schemas: [USER],
      userName: 'Bjensen',
      password: 'x',
    });
    t.equal(created.status, 201);
    t.equal(created.headers['content-type'], 'application/scim+json', 'a bare media type');
    t.equal(created.headers.location, created.body.meta.location);
    t.equal(created.headers.etag, created.body.meta.version);
    t.match(created.body, {
      userName: 'Bjensen',
      active: true,
      meta: { resourceType: 'User', version: 'W/"1"' },
    });
    t.notOk('password' in created.body);
    const read = await client.ask('GET', `/Users/${created.body.id}`);
    t.equal(read.status, 200);
    t.equal(read.headers['content-location'], created.body.meta.location);
    t.same(read.body, created.body);
  },
);

t.test('§3.5.1 PUT clears what it leaves out, but does not let a leaver back in', async (t) => {
  const client = await newClient();
  const { id } = await client.user('ann', {
    nickName: 'A',
    active: false,
    [ENTERPRISE]: { department: 'D' },
  });
  const replaced = await client.ask('PUT', `/Users/${id}`, {
    schemas: [USER],
    userName: 'ann2',
    id: 'other',
  });
  t.equal(replaced.status, 200);
  t.match(replaced.body, { id, userName: 'ann2', active: false, meta: { version: 'W/"2"' } });
  t.notOk('nickName' in replaced.body || ENTERPRISE in replaced.body);
  t.same(replaced.body.schemas, [USER]);
});

t.test('a write without effect makes no version and no event', async (t) => {
  const client = await newClient();
  const user = await client.user('eve', { title: 'T' });
  const { id, meta } = user;
  const patched = await client.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'T' }]);
  t.same(patched.body, user);
  const put = await client.ask('PUT', `/Users/${id}`, user);
  t.equal(put.body.meta.version, meta.version);
  const events = await app.context.db.kysely
    .selectFrom('event')
    .select('type')
    .where('resource_id', '=', id)
    .execute();
  t.same(events, [{ type: 'user.created' }]);
});

t.test('`active` can be removed: then it has no value, and the user no access', async (t) => {
  const client = await newClient();
  const { id } = await client.user('gina');
  const removed = await client.patch(`/Users/${id}`, [{ op: 'remove', path: 'active' }]);
  t.equal(removed.status, 200);
  t.notOk('active' in removed.body);
  t.notOk('active' in (await client.ask('GET', `/Users/${id}`)).body);
  for (const filter of ['active eq true', 'active eq false', 'active pr']) {
    t.equal((await client.list('/Users', `userName eq "gina" and ${filter}`)).body.totalResults, 0, filter);
  }
  t.equal((await client.list('/Users', 'userName eq "gina" and not (active pr)')).body.totalResults, 1);
  const put = await client.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'gina' });
  t.notOk('active' in put.body, 'a PUT that does not speak of it lets nobody in');
  const events = await app.context.db.kysely
    .selectFrom('event')
    .select(['type', 'before', 'after'])
    .where('resource_id', '=', id)
    .orderBy('position')
    .execute();
  t.match(events.slice(1), [{ type: 'user.deactivated', before: { active: true }, after: {} }]);
});

t.test('every change writes one event with what differs, before and after', async (t) => {
  const client = await newClient();
  const { id } = await client.user('dora', { title: 'T' });
  await client.patch(`/Users/${id}`, [{ op: 'replace', value: { title: 'U', active: 'False' } }]);
  await client.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: true }]);
  await client.ask('DELETE', `/Users/${id}`);
  const events = await app.context.db.kysely
    .selectFrom('event')
    .select(['type', 'before', 'after', 'actor', 'resource_type'])
    .where('resource_id', '=', id)
    .orderBy('position')
    .execute();
  t.match(events, [
    { type: 'user.created', before: null, after: { userName: 'dora', title: 'T', active: true } },
    { type: 'user.deactivated', before: { title: 'T', active: true }, after: { title: 'U', active: false } },
    { type: 'user.activated', before: { active: false }, after: { active: true } },
    { type: 'user.deleted', before: { userName: 'dora', title: 'U', active: true }, after: null },
  ]);
  t.ok(events.every((event) => event.actor.kind === 'api_key' && event.actor.directory === 'default'));
});

t.test('§3.14 If-Match guards PUT, PATCH and DELETE; If-None-Match is answered with 304', async (t) => {
  const client = await newClient();
  const { id } = await client.user('max');
  const stale = { 'if-match': 'W/"7"' };
  const operations = [{ op: 'replace', path: 'title', value: 'x' }];
  t.equal((await client.patch(`/Users/${id}`, operations, stale)).status, 412);
  t.equal((await client.ask('PUT', `/Users/${id}`, { userName: 'max2' }, stale)).status, 412);
  t.equal((await client.ask('DELETE', `/Users/${id}`, undefined, stale)).status, 412);
  t.equal((await client.patch(`/Users/${id}`, operations, { 'if-match': 'W/"1"' })).headers.etag, 'W/"2"');
  const current = { 'if-none-match': 'W/"2"' };
  const unchanged = await client.ask('GET', `/Users/${id}`, undefined, current);
  t.equal(unchanged.status, 304);
  t.equal(unchanged.text, '');
  t.equal(unchanged.headers.etag, 'W/"2"');
  t.match(unchanged.headers['content-location'], new RegExp(`/Users/${id}$`));
  t.equal((await client.ask('DELETE', `/Users/${id}`, undefined, { 'if-match': '*' })).status, 204);
});

t.test(
  'the entity tag of a user follows the groups that it shows, which lie outside its version',
  async (t) => {
    const client = await newClient();
    const { id } = await client.user('tag');
    const path = `/Users/${id}`;
    const get = (query: string, tag: unknown) =>
      client.ask('GET', `${path}${query}`, undefined, { 'if-none-match': String(tag) });
    const { id: groupId } = await client.group('Tagged', [id]);
    const inGroup = await client.ask('GET', path);
    t.match(inGroup.headers.etag, /^W\/"1\.[\w-]{11}"$/);
    t.equal(inGroup.body.meta.version, inGroup.headers.etag);
    const byVersion = `meta.version eq ${JSON.stringify(inGroup.body.meta.version)} and id eq "${id}"`;
    t.equal((await client.list('/Users', byVersion)).body.totalResults, 1, 'what is shown is found');
    t.equal((await get('', inGroup.headers.etag)).status, 304);
    t.equal((await get('', 'W/"1"')).status, 200, 'a client that knows no group yet');
    t.equal((await get('?excludedAttributes=groups', 'W/"1"')).status, 304);
    await client.patch(`/Groups/${groupId}`, [{ op: 'replace', path: 'displayName', value: 'Renamed' }]);
    t.equal((await get('', inGroup.headers.etag)).status, 200, 'its name is shown too');
    await client.ask('DELETE', `/Groups/${groupId}`);
    t.equal((await get('', inGroup.headers.etag)).status, 200);
    t.equal((await get('', 'W/"1"')).status, 304);
    const operations = [{ op: 'replace', path: 'title', value: 'x' }];
    const written = await client.patch(path, operations, { 'if-match': String(inGroup.headers.etag) });
    t.equal(written.status, 200, 'If-Match asks for the version alone');
  },
);

t.test('a userName is unique without case or width, on every way to it', async (t) => {
  const client = await newClient();
  await client.user('Straße@x.example');
  const other = await client.user('other');
  for (const taken of ['STRAßE@X.EXAMPLE', 'straße@ｘ.example']) {
    const conflicts = [
      await client.ask('POST', '/Users', { schemas: [USER], userName: taken }),
      await client.ask('PUT', `/Users/${other.id}`, { schemas: [USER], userName: taken }),
      await client.patch(`/Users/${other.id}`, [{ op: 'replace', value: { userName: taken } }]),
    ];
    for (const { status, body } of conflicts)
      t.match({ status, body }, { status: 409, body: { scimType: 'uniqueness' } });
  }
});

t.test('§3.6 a deleted user is gone for every operation, and the name is free again', async (t) => {
  const client = await newClient();
  const { id } = await client.user('gone');
  t.equal((await client.ask('DELETE', `/Users/${id}`)).status, 204);
  const after = [
    await client.ask('GET', `/Users/${id}`),
    await client.ask('DELETE', `/Users/${id}`),
    await client.ask('PUT', `/Users/${id}`, { userName: 'gone' }),
    await client.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'x' }]),
  ];
  t.same(
    after.map(({ status }) => status),
    [404, 404, 404, 404],
  );
  t.not((await client.user('gone')).id, id);
});

t.test('§3.4.2 filters find by every kind of attribute', async (t) => {
  const client = await newClient();
  const ann = await client.user('Ann@x.example', {
    externalId: 'E1',
    displayName: 'Ann Übel',
    name: { familyName: 'Übel', givenName: 'Ann' },
    emails: [
      { type: 'work', value: 'ann@work.example', primary: true },
      { type: 'home', value: 'bob@work.example' },
    ],
    [ENTERPRISE]: { employeeNumber: '007', manager: { value: 'boss' } },
  });
  await client.user('bob@x.example', {
    externalId: 'e1',
    emails: [{ type: 'work', value: 'bob@work.example' }],
    active: false,
    title: 'Boss',
  });
  const group = await client.group('Staff', [ann.id]);
  const cases: readonly [filter: string, found: readonly string[]][] = [
    ['userName eq "ann@X.example"', ['ann']],
    ['userName sw "a" or userName ew "X.EXAMPLE"', ['ann', 'bob']],
    ['externalId eq "E1"', ['ann']],
    [`id eq "${ann.id}"`, ['ann']],
    ['id eq "no-uuid"', []],
    ['id ne "no-uuid"', ['ann', 'bob']],
    [`id sw "${ann.id.slice(0, 9)}" and userName co "ann"`, ['ann']],
    ['displayName eq "ANN ÜBEL"', ['ann']],
    ['name.familyName co "übe"', ['ann']],
    ['emails.value eq "bob@work.example"', ['ann', 'bob']],
    ['emails[type eq "work"].value eq "bob@work.example"', ['bob']],
    ['emails[type eq "WORK" and value sw "ann"]', ['ann']],
    ['emails[type eq "work" and not (value sw "ann")]', ['bob']],
    ['emails[primary eq true]', ['ann']],
    ['emails[primary eq false]', ['ann', 'bob']],
    ['emails co "ann@"', ['ann']],
    ['active eq true', ['ann']],
    ['active eq "False"', ['bob']],
    ['title pr', ['bob']],
    ['not (title pr)', ['ann']],
    ['title ne "boss"', ['ann']],
    ['title eq null', ['ann']],
    ['emails pr and displayName pr', ['ann']],
    ['name pr', ['ann']],
    [`${ENTERPRISE}:employeeNumber eq "007"`, ['ann']],
    ['manager eq "boss"', ['ann']],
    [`${ENTERPRISE}:manager.value eq "BOSS"`, []],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ann"', ['ann']],
    [`schemas eq "${ENTERPRISE}"`, ['ann']],
    [`groups.value eq "${group.id}"`, ['ann']],
    ['groups[display eq "STAFF"]', ['ann']],
    ['not (groups pr)', ['bob']],
    ['meta.created gt "2020-01-01T00:00:00+01:00"', ['ann', 'bob']],
    ['meta.lastModified lt "2020-01-01T00:00:00Z"', []],
    ['meta.resourceType eq "User"', ['ann', 'bob']],
    [`meta.location eq "${ann.meta.location}"`, ['ann']],
    ['meta.version eq "W/\\"1\\""', ['ann', 'bob']],
    ['userName gt "b"', ['bob']],
    ['userName eq "100%_\\\\"', []],
  ];
  for (const [filter, found] of cases) {
    const { status, body } = await client.list('/Users', filter);
    const names =
      status === 200 ? body.Resources.map((each) => String(each.userName).toLowerCase().slice(0, 3)) : status;
    t.same(names, found, filter);
    t.equal(body.totalResults, found.length);
  }
});

t.test('§3.4.2.3 sorting puts users without a value last, or first when descending', async (t) => {
  const client = await newClient();
  await client.user('c', { emails: [{ value: 'a@x' }, { value: 'z@x', primary: true }], title: 'b' });
  await client.user('a', { emails: [{ value: 'k@x' }], title: 'A' });
  await client.user('b');
  const order = async (query: string) =>
    (await client.ask<List>('GET', `/Users?${query}`)).body.Resources.map((user) => user.userName);
  t.same(await order('sortBy=userName'), ['a', 'b', 'c']);
  t.same(await order('sortBy=title'), ['a', 'c', 'b']);
  t.same(await order('sortBy=title&sortOrder=descending'), ['b', 'c', 'a']);
  t.same(await order('sortBy=emails'), ['a', 'c', 'b'], 'by the primary e-mail');
  t.same(await order('sortBy=meta.created&sortOrder=descending'), ['b', 'a', 'c']);
});

t.test('§3.4.2.4 pages are stable, 1-based and honest about their size', async (t) => {
  const client = await newClient();
  for (let index = 1; index <= 11; index += 1) await client.user(`user-${String(index).padStart(2, '0')}`);
  const page = async (query: string) => {
    const { totalResults, startIndex, itemsPerPage, Resources } = (
      await client.ask<List>('GET', `/Users?${query}`)
    ).body;
    return [
      totalResults,
      startIndex,
      itemsPerPage,
      Resources.map((user) => Number(String(user.userName).slice(5))),
    ];
  };
  t.same(await page('count=5'), [11, 1, 5, [1, 2, 3, 4, 5]]);
  t.same(await page('startIndex=6&count=5'), [11, 6, 5, [6, 7, 8, 9, 10]]);
  t.same(await page('startIndex=11&count=5'), [11, 11, 1, [11]]);
  t.same(await page('startIndex=12&count=5'), [11, 12, 0, []]);
  t.same(await page('startIndex=0&count=-3'), [11, 1, 0, []]);
  t.same(await page('startindex=-5&count=2'), [11, 1, 2, [1, 2]]);
  t.same(await page('count=5000'), [11, 1, 11, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]);
});

t.test('§3.9 attributes and excludedAttributes narrow every answer', async (t) => {
  const client = await newClient();
  const { id } = await client.user('pia', { title: 'T', name: { givenName: 'P', familyName: 'A' } });
  const only = await client.ask('GET', `/Users/${id}?attributes=name.givenName`);
  t.same(only.body, { schemas: [USER], id, name: { givenName: 'P' } });
  const except = await client.ask('GET', `/Users/${id}?excludedAttributes=name,meta,id`);
  t.same(except.body, { schemas: [USER], id, userName: 'pia', title: 'T', active: true });
  const posted = await client.ask('POST', '/Users?attributes=userName', { schemas: [USER], userName: 'pim' });
  t.same(Object.keys(posted.body), ['schemas', 'id', 'userName']);
  const both = await client.ask('GET', `/Users/${id}?attributes=title&excludedAttributes=title`);
  t.equal(both.status, 400);
});

t.test('§3.4.3 POST /Users/.search answers like the query', async (t) => {
  const client = await newClient();
  await client.user('sam', { title: 'T' });
  const search = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    filter: 'title eq "t"',
    count: 1,
  };
  const { status, body } = await client.ask<List>('POST', '/Users/.search', {
    ...search,
    attributes: ['userName'],
  });
  t.equal(status, 200);
  t.match(body, { totalResults: 1, Resources: [{ userName: 'sam' }] });
  t.notOk('title' in (body.Resources[0] ?? {}));
});

t.test('a key sees its own directory; unmanaged users are adopted by the first write', async (t) => {
  const tenant = await app.createTenant();
  for (const name of ['okta', 'entra'])
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name });
  const okta = clientOf(app, await app.scimKey(tenant, 'okta'));
  const entra = clientOf(app, await app.scimKey(tenant, 'entra'));
  const emails = [{ value: 'kim@x.example' }];
  const { id } = await okta.user('kim', { emails, title: 'T' });

  t.equal((await entra.ask('GET', `/Users/${id}`)).status, 404, 'another directory sees nothing');
  t.equal((await entra.list('/Users', 'userName eq "kim"')).body.totalResults, 0);
  t.equal((await entra.ask('POST', '/Users', { userName: 'KIM' })).status, 409, 'but the name is taken');

  t.equal((await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`)).status, 204);
  t.equal(
    (await entra.list('/Users', 'userName eq "kim"')).body.totalResults,
    1,
    'unmanaged: everybody sees it',
  );
  const adopted = await entra.ask('PUT', `/Users/${id}`, {
    userName: 'stolen',
    emails: [{ value: 'stolen@x.example' }],
    title: 'U',
  });
  t.match(adopted.body, { id, userName: 'kim', emails, title: 'U' }, 'adoption keeps userName and e-mail');
  const renamed = await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'userName', value: 'kim2' }]);
  t.equal(renamed.body.userName, 'kim2', 'afterwards it is a user like any other');
  const others = clientOf(app, await app.scimKey(tenant));
  t.equal(
    (await others.ask('GET', `/Users/${id}`)).status,
    404,
    'and no longer seen by the other directories',
  );
});

t.test('adding an unmanaged user to a group adopts it; adoptUnmanaged off hides it', async (t) => {
  const tenant = await app.createTenant();
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
  const { id } = await clientOf(app, await app.scimKey(tenant, 'okta')).user('lee');
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);

  const key = await app.scimKey(tenant);
  await app.admin('PATCH', `/tenants/${tenant.id}`, { settings: { adoptUnmanaged: false } });
  const client = clientOf(app, await app.scimKey(tenant));
  t.equal((await client.ask('GET', `/Users/${id}`)).status, 404);
  await app.admin('PATCH', `/tenants/${tenant.id}`, { settings: { adoptUnmanaged: true } });

  const adopting = clientOf(app, key);
  await adopting.group('Staff', [id]);
  const { rows } = await app.context.db.pool.query('select directory_id from scim_user where id = $1', [id]);
  t.ok(rows[0].directory_id, 'the group write made it managed');
  const events = await app.context.db.pool.query(
    'select type from event where resource_id = $1 order by position',
    [id],
  );
  t.equal(events.rows.at(-1).type, 'user.adopted');
});

t.test(
  'tenant settings: SCIM may not write where sign-in provisions; userName may have to be an address',
  async (t) => {
    const reading = await newClient({ provisioning: 'jit' });
    t.match((await reading.ask('POST', '/Users', { userName: 'x' })).status, 403);
    t.equal((await reading.ask('GET', '/Users')).status, 200);
    const strict = await newClient({ userNameMustBeEmail: true });
    t.match(await strict.ask('POST', '/Users', { userName: 'x' }), {
      status: 400,
      body: { scimType: 'invalidValue' },
    });
    t.equal((await strict.ask('POST', '/Users', { userName: 'x@y.example' })).status, 201);
  },
);

t.test('strictScim refuses what is otherwise tolerated, and names the tolerance', async (t) => {
  const strict = await newClient({ strictScim: true });
  const refused = await strict.ask('POST', '/Users', { schemas: [USER], userName: 'x', shoeSize: 44 });
  t.equal(refused.status, 400);
  t.match(refused.body.detail, /unknownAttribute/);
});

t.test('paths are matched as clients spell them', async (t) => {
  const client = await newClient();
  await client.user('sue');
  for (const path of [
    '/users',
    '/Users/',
    '//Users',
    '/USERS?filter=userName+eq+%22sue%22&aadOptscim062020',
  ]) {
    t.match(await client.ask<List>('GET', path), { status: 200, body: { totalResults: 1 } }, path);
  }
  const key = await app.scimKey(await app.createTenant());
  t.equal(
    (await app.send('GET', '/api/%73cim/v2/Users', {})).status,
    401,
    'an encoded path meets the same door',
  );
  t.equal((await app.send('GET', `${SCIM}/Users`, { key })).status, 200);
});
