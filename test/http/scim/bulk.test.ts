import t from 'tap';
import { startApp } from '../../support/app.ts';
import { BULK_RESPONSE, bulkOf, createUser, idAt, type Operation, statuses } from '../../support/bulk.ts';
import { clientOf, ENTERPRISE, type ErrorBody, GROUP, PATCH_OP, USER } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';

/** RFC 7644 section 3.7, with its examples; where an example is misprinted, the test says so. */

const app = await startApp(t);
const BASE = 'http://rollcall.test/api/scim/v2';

/** A client of a tenant of its own, and its /Bulk. */
async function newClient(settings = {}) {
  const tenant = await app.createTenant(settings);
  const client = clientOf(app, await app.scimKey(tenant));
  return { ...client, tenant, bulk: bulkOf(client) };
}

const createGroup = (bulkId: string, displayName: string, ...members: string[]): Operation => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { schemas: [GROUP], displayName, members: members.map((value) => ({ type: 'User', value })) },
});
const managedBy = (value: string) => ({ [ENTERPRISE]: { manager: { value } } });
const patchOf = (path: string, ...Operations: object[]): Operation => ({
  method: 'PATCH',
  path,
  data: { schemas: [PATCH_OP], Operations },
});

meets(t, [227], '/ServiceProviderConfig announces /Bulk with its limits', async (t) => {
  const { ask } = await newClient();
  const { body } = await ask<{ bulk: object }>('GET', '/ServiceProviderConfig');
  t.same(body.bulk, { supported: true, maxOperations: 1000, maxPayloadSize: 4194304 });
});

meets(t, [228, 232, 234, 235, 237, 240, 242], 'figures of 3.7.2: Alice, and a group with her', async (t) => {
  const { ask, bulk } = await newClient();
  const answer = await bulk([
    createUser('qwerty', 'Alice'),
    createGroup('ytrewq', 'Tour Guides', 'bulkId:qwerty'),
  ]);
  t.equal(answer.status, 200);
  t.equal(answer.headers['content-type'], 'application/scim+json');
  const [user, group] = answer.body.Operations;
  t.same(answer.body, {
    schemas: [BULK_RESPONSE],
    Operations: [
      {
        location: `${BASE}/Users/${idAt(user)}`,
        method: 'POST',
        bulkId: 'qwerty',
        version: 'W/"1"',
        status: '201',
      },
      {
        location: `${BASE}/Groups/${idAt(group)}`,
        method: 'POST',
        bulkId: 'ytrewq',
        version: 'W/"1"',
        status: '201',
      },
    ],
  });
  const { body } = await ask('GET', `/Groups/${idAt(group)}`);
  t.match(body, {
    displayName: 'Tour Guides',
    members: [{ value: idAt(user), $ref: user?.location ?? '', type: 'User' }],
  });
});

meets(t, [240, 241], 'figure of 3.7.2: a reference in an extension, Bob with Alice as manager', async (t) => {
  const { ask, bulk } = await newClient();
  const bob = { [ENTERPRISE]: { employeeNumber: '11250', manager: { value: 'bulkId:qwerty' } } };
  const answer = await bulk([createUser('qwerty', 'Alice'), createUser('ytrewq', 'Bob', bob)]);
  t.same(statuses(answer), ['201', '201']);
  const [alice, second] = answer.body.Operations;
  const { body } = await ask('GET', `/Users/${idAt(second)}`);
  t.same(body[ENTERPRISE], { employeeNumber: '11250', manager: { value: idAt(alice) } });
});

/** A user to replace, one to change and one to delete, as in the figures of 3.7.3. */
async function figureOfErrors({ user }: Awaited<ReturnType<typeof newClient>>) {
  const [bob, dave, leaver] = [
    await user('Bob', { nickName: 'B' }),
    await user('Davy', { nickName: 'D' }),
    await user('Leaver'),
  ];
  const operations = [
    createUser('qwerty', 'Alice'),
    {
      method: 'PUT',
      path: `/Users/${bob.id}`,
      version: bob.meta.version,
      data: { schemas: [USER], id: bob.id, userName: 'Bob' },
    },
    {
      ...patchOf(
        `/Users/${dave.id}`,
        { op: 'remove', path: 'nickName' },
        { op: 'add', path: 'userName', value: 'Dave' },
      ),
      version: dave.meta.version,
    },
    { method: 'DELETE', path: `/Users/${leaver.id}`, version: leaver.meta.version },
  ] as const;
  return { operations, ids: [bob.id, dave.id, leaver.id] };
}

// The printed request has the schema of a message at Alice and no object around the operations of the PATCH.
meets(t, [230, 231, 232, 233, 234], 'figure of 3.7.3: add, update and remove a user', async (t) => {
  const client = await newClient();
  const { operations, ids } = await figureOfErrors(client);
  const answer = await client.bulk(operations, { failOnErrors: 1 });
  const [alice, ...others] = answer.body.Operations;
  t.match(alice, { method: 'POST', bulkId: 'qwerty', version: 'W/"1"', status: '201' });
  t.same(others, [
    { location: `${BASE}/Users/${ids[0]}`, method: 'PUT', version: 'W/"2"', status: '200' },
    { location: `${BASE}/Users/${ids[1]}`, method: 'PATCH', version: 'W/"2"', status: '200' },
    { location: `${BASE}/Users/${ids[2]}`, method: 'DELETE', status: '204' },
  ]);
  const read = await Promise.all(ids.map((id) => client.ask('GET', `/Users/${id}`)));
  t.match(read, [{ body: { userName: 'Bob' } }, { body: { userName: 'Dave' } }, { status: 404 }]);
  t.notOk(read[0]?.body.nickName ?? read[1]?.body.nickName);
});

meets(
  t,
  [229, 232, 233, 234],
  'figure of 3.7.3: Alice is refused, and nothing after her is done',
  async (t) => {
    const client = await newClient();
    const { operations, ids } = await figureOfErrors(client);
    const misprinted = { ...operations[0], data: { schemas: [`${PATCH_OP}:User`], userName: 'Alice' } };
    const answer = await client.bulk([misprinted, ...operations.slice(1)], { failOnErrors: 1 });
    t.equal(answer.status, 200);
    t.match(answer.body.Operations, [
      {
        method: 'POST',
        bulkId: 'qwerty',
        status: '400',
        response: { scimType: 'invalidSyntax', status: '400' },
      },
    ]);
    t.equal(answer.body.Operations.length, 1);
    t.notOk(answer.body.Operations[0]?.location, 'a failed POST has no location');
    t.equal((await client.ask('GET', `/Users/${ids[2]}`)).status, 200);
  },
);

meets(
  t,
  [231, 232, 234, 235, 236, 242],
  'figure of 3.7.3: all operations failed, each with its error',
  async (t) => {
    const client = await newClient();
    const { operations, ids } = await figureOfErrors(client);
    const [, put, patch] = operations;
    await client.ask('DELETE', `/Users/${ids[2]}`);
    const answer = await client.bulk([
      { ...operations[0], data: {} },
      { ...put, version: 'W/"7"' },
      { ...patch, version: 'W/"7"' },
      operations[3],
    ]);
    t.equal(answer.status, 200);
    t.match(answer.body.Operations, [
      { method: 'POST', bulkId: 'qwerty', status: '400', response: { status: '400' } },
      { method: 'PUT', location: `${BASE}/Users/${ids[0]}`, status: '412', response: { status: '412' } },
      { method: 'PATCH', location: `${BASE}/Users/${ids[1]}`, status: '412', response: { status: '412' } },
      { method: 'DELETE', location: `${BASE}/Users/${ids[2]}`, status: '404', response: { status: '404' } },
    ]);
    t.match((await client.ask('GET', `/Users/${ids[1]}`)).body, { userName: 'Davy', nickName: 'D' });
  },
);

meets(
  t,
  [239],
  'figure of 3.7.1: two groups in each other, refused because groups hold users here',
  async (t) => {
    const { ask, bulk } = await newClient();
    const nested = (bulkId: string, displayName: string, value: string) => ({
      ...createGroup(bulkId, displayName),
      data: { schemas: [GROUP], displayName, members: [{ type: 'Group', value }] },
    });
    const answer = await bulk([
      nested('qwerty', 'Group A', 'bulkId:ytrewq'),
      nested('ytrewq', 'Group B', 'bulkId:qwerty'),
    ]);
    t.same(statuses(answer), ['400', '400']);
    t.match(answer.body.Operations[0]?.response, { scimType: 'invalidValue', detail: /nested groups/ });
    t.match((await ask('GET', '/Groups')).body, { totalResults: 0 });
  },
);

meets(t, [239, 240, 241], 'users who are each their manager are created, all of them', async (t) => {
  const { ask, bulk } = await newClient();
  const answer = await bulk([
    createUser('a', 'ann', managedBy('bulkId:b')),
    createUser('b', 'bob', managedBy('bulkId:c')),
    createUser('c', 'cal', managedBy('bulkId:a')),
    createUser('own', 'her own manager', managedBy('bulkId:own')),
    createGroup('g', 'Circle', 'bulkId:a', 'bulkId:c'),
  ]);
  t.same(statuses(answer), ['201', '201', '201', '201', '201']);
  const ids = answer.body.Operations.map(idAt);
  for (const [index, manager] of [1, 2, 0, 3].entries()) {
    const { body } = await ask('GET', `/Users/${ids[index]}`);
    t.match(body[ENTERPRISE], { manager: { value: ids[manager] } });
  }
  t.equal((await ask('GET', `/Groups/${ids[4]}`)).body.members?.length, 2);
});

meets(
  t,
  [239],
  'a circle through a user and a group is created, also where the user may not write it',
  async (t) => {
    const { ask, bulk } = await newClient();
    const answer = await bulk([
      createUser('u', 'ann', { groups: [{ value: 'bulkId:g' }] }),
      createGroup('g', 'Analysts', 'bulkId:u'),
    ]);
    t.same(statuses(answer), ['201', '201']);
    const [user, group] = answer.body.Operations;
    t.match((await ask('GET', `/Users/${idAt(user)}`)).body, { groups: [{ value: idAt(group) }] });
  },
);

meets(
  t,
  [239, 244],
  'of a circle with a fault nothing is created, and what needs it is refused',
  async (t) => {
    const client = await newClient();
    await client.user('taken');
    const faults: [fault: object, expected: object][] = [
      [{ userName: 'TAKEN' }, { status: '409', response: { scimType: 'uniqueness' } }],
      [{ userName: 7 }, { status: '400', response: { scimType: 'invalidValue' } }],
    ];
    for (const [fault, expected] of faults) {
      const answer = await client.bulk([
        createUser('a', 'ann', managedBy('bulkId:b')),
        createUser('b', 'bob', { ...managedBy('bulkId:a'), ...fault }),
        createGroup('g', 'Circle', 'bulkId:a'),
        patchOf('/Users/bulkId:a', { op: 'add', path: 'title', value: 'T' }),
        createUser('free', `free of it ${JSON.stringify(fault)}`),
      ]);
      t.match(answer.body.Operations, [
        { status: '409', response: { detail: /circle/ } },
        expected,
        { status: '409', response: { detail: /"bulkId:a"/ } },
        { status: '409', response: { detail: /"bulkId:a"/ } },
        { status: '201' },
      ]);
      t.match((await client.list('/Users', 'userName eq "ann"')).body, { totalResults: 0 });
      t.match((await client.ask('GET', '/Groups')).body, { totalResults: 0 });
    }
  },
);

meets(t, [238, 240], 'references forward, in paths, in PATCH paths and in $ref', async (t) => {
  const client = await newClient();
  const staff = await client.group('Staff', [(await client.user('old')).id]);
  const answer = await client.bulk([
    createGroup('g', 'Forward', 'bulkId:a', 'bulkId:b'),
    createUser('a', 'ann'),
    createUser('b', 'bob'),
    patchOf('/Groups/bulkId:g', { op: 'remove', path: 'members[value eq "bulkId:b"]' }),
    patchOf(`/Groups/${staff.id}`, { op: 'add', path: 'members', value: [{ value: 'bulkId:a' }] }),
    {
      method: 'PUT',
      path: '/Users/bulkId:b',
      data: {
        schemas: [USER],
        userName: 'bobby',
        [ENTERPRISE]: { manager: { value: 'bulkId:a', $ref: `${BASE}/Users/bulkId:a` } },
      },
    },
    { method: 'DELETE', path: '/Groups/bulkId:g' },
  ]);
  t.same(statuses(answer), ['201', '201', '201', '204', '204', '200', '204']);
  const [, ann, bob] = answer.body.Operations.map(idAt);
  t.equal(answer.body.Operations[5]?.location, `${BASE}/Users/${bob}`);
  t.match((await client.ask('GET', `/Users/${bob}`)).body, {
    userName: 'bobby',
    [ENTERPRISE]: { manager: { value: ann, $ref: `${BASE}/Users/${ann}` } },
  });
  const { body } = await client.ask('GET', `/Groups/${staff.id}`);
  t.ok(body.members?.some(({ value }) => value === ann));
});

meets(
  t,
  [238],
  'a name that one operation gives up is free for those behind it, and not for those before',
  async (t) => {
    const client = await newClient();
    const [a, b] = [await client.user('a'), await client.user('b')];
    const rename = ({ id }: { id: string }, userName: string) => ({
      method: 'PUT',
      path: `/Users/${id}`,
      data: { schemas: [USER], userName },
    });
    t.same(statuses(await client.bulk([rename(a, 'b'), rename(b, 'c')])), ['409', '200']);
    t.same(statuses(await client.bulk([rename(b, 'd'), rename(a, 'C')])), ['200', '200']);
    const groups = [await client.group('a'), await client.group('b')];
    const relabel = (index: number, value: string) =>
      patchOf(`/Groups/${groups[index]?.id}`, { op: 'replace', path: 'displayName', value });
    t.same(statuses(await client.bulk([relabel(0, 'B'), relabel(1, 'c')])), ['409', '204']);
    t.same(statuses(await client.bulk([relabel(1, 'd'), relabel(0, 'C')])), ['204', '204']);
  },
);

meets(t, [229, 235, 236, 242], 'failOnErrors ends the job exactly at its number of errors', async (t) => {
  const { ask, bulk } = await newClient();
  const names = ['a', 'A', 'b', 'c', 'B', 'd', 'C', 'e'];
  for (const [failOnErrors, done] of [
    [1, 2],
    [2, 5],
    [3, 7],
    [4, 8],
    [undefined, 8],
  ] as const) {
    const answer = await bulk(
      names.map((name, index) => createUser(String(index), `${name} ${failOnErrors}`)),
      { ...(failOnErrors && { failOnErrors }) },
    );
    const expected = ['201', '409', '201', '201', '409', '201', '409', '201'].slice(0, done);
    t.equal(answer.status, 200);
    t.same(statuses(answer), expected, `failOnErrors: ${failOnErrors}`);
    const created = expected.filter((status) => status === '201').length;
    t.match(
      (await ask('GET', `/Users?filter=${encodeURIComponent(`userName ew " ${failOnErrors}"`)}`)).body,
      { totalResults: created },
      'and nothing behind it was done',
    );
    t.notOk('failOnErrors' in answer.body);
  }
});

meets(t, [244], 'a reference to nothing is an error of that operation alone', async (t) => {
  const { bulk } = await newClient();
  const answer = await bulk([
    createGroup('g', 'G', 'bulkId:nobody'),
    { method: 'DELETE', path: '/Users/bulkId:nobody' },
    { method: 'TRACE', path: '/Users/1' },
    createUser('a', 'ann'),
  ]);
  t.match(answer.body.Operations, [
    {
      method: 'POST',
      bulkId: 'g',
      status: '400',
      response: { scimType: 'invalidValue', detail: /"bulkId:nobody"/ },
    },
    { method: 'DELETE', status: '400', location: `${BASE}/Users/bulkId:nobody` },
    { status: '400', response: { scimType: 'invalidSyntax' } },
    { status: '201' },
  ]);
});

meets(t, [235, 243, 244], 'a message over a limit is 413 with the limit, a broken one 400', async (t) => {
  const { ask, bulk } = await newClient();
  const refused = await ask<ErrorBody>('POST', '/Bulk', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: Array.from({ length: 1001 }, (_, index) => createUser(String(index), `u${index}`)),
  });
  t.match(refused, { status: 413, body: { status: '413', detail: /maxOperations \(1000\)/ } });
  const large = createUser('a', 'ann', { displayName: 'x'.repeat(4 * 1024 * 1024) });
  const tooLarge = await bulk([large]);
  t.match(tooLarge, { status: 413, body: { status: '413', detail: /4194304/ } });
  t.match((await ask('GET', '/Users')).body, { totalResults: 0 }, 'and nothing was done');
  const sized = (index: number, size: number) =>
    createUser(String(index), `user ${index}`, { displayName: 'x'.repeat(size) });
  const nearly = 1024 * 1024 - 1000;
  t.same(
    statuses(await bulk([sized(0, nearly), sized(1, nearly), sized(2, nearly), sized(3, nearly)])),
    ['201', '201', '201', '201'],
    'four times the size of a single request',
  );
  const answer = await bulk([sized(4, 1024 * 1024), sized(5, 1)]);
  t.same(statuses(answer), ['413', '201'], 'and no operation may be larger than one');
  for (const body of [{}, [], { schemas: ['urn:x'], Operations: [] }]) {
    t.match(await ask('POST', '/Bulk', body), { status: 400, body: { scimType: 'invalidSyntax' } });
  }
  t.match(await ask('GET', '/Bulk'), { status: 405, headers: { allow: 'POST' } });
});
