import t from 'tap';
import { startApp } from '../../support/app.ts';
import { type Client, clientOf, GROUP, type List } from '../../support/client.ts';

const app = await startApp(t);

async function newClient(): Promise<Client> {
  return clientOf(app, await app.scimKey(await app.createTenant()));
}

async function crowd(client: Client, size: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < size; index += 1) ids.push((await client.user(`user-${index}`)).id);
  return ids;
}

const memberIds = async (client: Client, groupId: string) =>
  ((await client.ask('GET', `/Groups/${groupId}`)).body.members ?? []).map((member) => member.value);

t.test('§3.5.2 member operations of one request count in their order', async (t) => {
  const client = await newClient();
  const [a = '', b = '', c = ''] = await crowd(client, 3);
  const by = (id: string) => `members[value eq "${id}"]`;
  const value = (...ids: string[]) => ids.map((id) => ({ value: id }));
  const cases: readonly [string, string[], object[], string[]][] = [
    ['add', [a], [{ op: 'add', path: 'members', value: value(b, c) }], [a, b, c]],
    ['add one twice', [a], [{ op: 'Add', path: 'members', value: value(a, a) }], [a]],
    ['add a bare id', [], [{ op: 'add', path: 'members', value: [a] }], [a]],
    ['remove by filter', [a, b], [{ op: 'remove', path: by(a) }], [b]],
    ['remove by list', [a, b, c], [{ op: 'Remove', path: 'members', value: value(a, c) }], [b]],
    ['remove an empty list', [a, b], [{ op: 'remove', path: 'members', value: [] }], [a, b]],
    ['remove all', [a, b], [{ op: 'remove', path: 'members' }], []],
    [
      'remove who is not there',
      [a],
      [
        { op: 'remove', path: by(b) },
        { op: 'remove', path: by('nobody') },
      ],
      [a],
    ],
    [
      'add, then remove',
      [a],
      [
        { op: 'add', path: 'members', value: value(b) },
        { op: 'remove', path: by(b) },
      ],
      [a],
    ],
    [
      'remove, then add',
      [a],
      [
        { op: 'remove', path: by(a) },
        { op: 'add', path: 'members', value: value(a) },
      ],
      [a],
    ],
    [
      'replace, then add',
      [a],
      [
        { op: 'replace', path: 'members', value: value(b) },
        { op: 'add', path: 'members', value: value(c) },
      ],
      [b, c],
    ],
    ['without a path', [a], [{ op: 'add', value: { members: value(b) } }], [a, b]],
    ['remove by type', [a, b], [{ op: 'remove', path: 'members[type eq "user"]' }], []],
    [
      'remove by another filter, of what this request added as well',
      [a, b],
      [
        { op: 'add', path: 'members', value: value(c) },
        { op: 'remove', path: `members[not (value eq "${b}")]` },
      ],
      [b],
    ],
    [
      'remove by another filter, then add',
      [a, b],
      [
        { op: 'remove', path: 'members[value pr]' },
        { op: 'add', path: 'members', value: value(c) },
      ],
      [c],
    ],
  ];
  for (const [name, before, operations, after] of cases) {
    const group = await client.group(name, before);
    const { status, headers } = await client.patch(`/Groups/${group.id}`, operations);
    t.equal(status, 204, name);
    t.same(await memberIds(client, group.id), after, name);
    const changed = before.join() !== after.join();
    t.equal(headers.etag, `W/"${changed ? 2 : 1}"`, 'a new version only for a net effect');
  }
});

t.test('a member that is no user of the directory refuses the whole request, and is named', async (t) => {
  const client = await newClient();
  const stranger = await (await newClient()).user('stranger');
  const [a = ''] = await crowd(client, 1);
  const { id } = await client.group('Staff', [a]);
  for (const unknown of [stranger.id, 'no-uuid', '0190a000-0000-7000-8000-000000000000']) {
    const answers = [
      await client.patch(`/Groups/${id}`, [
        { op: 'replace', path: 'displayName', value: 'Changed' },
        { op: 'replace', path: 'members', value: [{ value: unknown }] },
      ]),
      await client.ask('PUT', `/Groups/${id}`, { displayName: 'Changed', members: [{ value: unknown }] }),
      await client.ask('POST', '/Groups', {
        displayName: 'New',
        members: [{ value: a }, { value: unknown }],
      }),
    ];
    for (const { status, body } of answers) {
      t.equal(status, 400);
      t.match(body, { scimType: 'invalidValue', detail: new RegExp(unknown) });
    }
  }
  t.match((await client.ask('GET', `/Groups/${id}`)).body, {
    displayName: 'Staff',
    meta: { version: 'W/"1"' },
  });
  t.equal((await client.list('/Groups', 'displayName eq "New"')).body.totalResults, 0);
  const nested = await client.patch(`/Groups/${id}`, [
    { op: 'add', path: 'members', value: [{ value: id, type: 'Group' }] },
  ]);
  t.match(nested, { status: 400, body: { scimType: 'invalidValue' } });
});

t.test('attributes and members change together, in one version and one change', async (t) => {
  const client = await newClient();
  const [a = '', b = ''] = await crowd(client, 2);
  const { id } = await client.group('Old', [a]);
  const operations = [
    { op: 'replace', value: { id, displayName: 'New' } },
    { op: 'add', path: 'members', value: [{ value: b }] },
    { op: 'remove', path: `members[value eq "${a}"]` },
  ];
  const { status, body } = await client.ask('PATCH', `/Groups/${id}?attributes=displayName,members`, {
    Operations: operations,
  });
  t.equal(status, 200);
  t.match(body, { id, displayName: 'New', members: [{ value: b, type: 'User' }] });
  const events = await app.context.db.kysely
    .selectFrom('event')
    .select(['type', 'before', 'after', 'change_id'])
    .where('resource_id', '=', id)
    .orderBy('position')
    .offset(2)
    .execute();
  t.match(events, [
    { type: 'group.updated', before: { displayName: 'Old' }, after: { displayName: 'New' } },
    { type: 'group.members_added', before: null, after: { members: [b] } },
    { type: 'group.members_removed', before: { members: [a] }, after: null },
  ]);
  t.equal(new Set(events.map((event) => event.change_id)).size, 1);
});

t.test('displayName is unique in its directory without case, on every way to it', async (t) => {
  const client = await newClient();
  await client.group('Staff');
  const { id } = await client.group('Other');
  const conflicts = [
    await client.ask('POST', '/Groups', { schemas: [GROUP], displayName: 'STAFF' }),
    await client.ask('PUT', `/Groups/${id}`, { displayName: 'staff' }),
    await client.patch(`/Groups/${id}`, [{ op: 'replace', path: 'displayName', value: 'sTaff' }]),
  ];
  for (const { status, body } of conflicts)
    t.match({ status, body }, { status: 409, body: { scimType: 'uniqueness' } });
  t.equal(
    (await client.patch(`/Groups/${id}`, [{ op: 'replace', path: 'displayName', value: 'OTHER' }])).status,
    204,
  );
});

t.test('deleting a user ends the memberships and gives the groups a new version', async (t) => {
  const client = await newClient();
  const [a = '', b = ''] = await crowd(client, 2);
  const first = await client.group('First', [a, b]);
  const second = await client.group('Second', [b]);
  await client.ask('DELETE', `/Users/${a}`);
  const group = await client.ask('GET', `/Groups/${first.id}`, undefined, { 'if-none-match': 'W/"1"' });
  t.match(group, { status: 200, body: { members: [{ value: b }], meta: { version: 'W/"2"' } } });
  const untouched = await client.ask('GET', `/Groups/${second.id}`, undefined, { 'if-none-match': 'W/"1"' });
  t.equal(untouched.status, 304);
});

t.test('§3.5.1 PUT replaces the members: who is not named leaves', async (t) => {
  const client = await newClient();
  const [a = '', b = '', c = ''] = await crowd(client, 3);
  const { id } = await client.group('Staff', [a, b]);
  const put = async (members?: string[]) =>
    (
      await client.ask('PUT', `/Groups/${id}`, {
        displayName: 'Staff',
        members: members?.map((value) => ({ value })),
      })
    ).body;
  t.match(await put([b, c]), { members: [{ value: b }, { value: c }], meta: { version: 'W/"2"' } });
  t.match(await put([c, b]), { meta: { version: 'W/"2"' } }, 'the same members: no new version');
  t.notOk('members' in (await put()), 'none named: nobody is left');
});

t.test('groups are found by what they have and by whom they hold', async (t) => {
  const client = await newClient();
  const [a = '', b = ''] = await crowd(client, 2);
  const staff = await client.group('Staff', [a]);
  await client.group('Board', [a, b]);
  const cases: readonly [string, string[]][] = [
    ['displayName eq "STAFF"', ['Staff']],
    [`members eq "${b}"`, ['Board']],
    [`members.value eq "${a}"`, ['Board', 'Staff']],
    [`members[value eq "${b}" and type eq "User"]`, ['Board']],
    [`id eq "${staff.id}" and members eq "${a}"`, ['Staff']],
    [`not (members eq "${b}")`, ['Staff']],
    ['members pr', ['Board', 'Staff']],
    ['displayName co "o" and externalId pr', []],
  ];
  for (const [filter, found] of cases) {
    const { body } = await client.list('/Groups', filter, '&sortBy=displayName');
    t.same(
      body.Resources.map((group) => group.displayName),
      found,
      filter,
    );
  }
  const { body } = await client.ask<List>('GET', '/Groups?excludedAttributes=members');
  t.ok(body.Resources.every((group) => !('members' in group)));
});
