import t from 'tap';
import { startApp } from '../../support/app.ts';
import { type Client, clientOf } from '../../support/client.ts';
import { runs } from '../../support/runs.ts';

/** Two writers meet in the one place where each could undo what the other relies on. */

const app = await startApp(t);
const { pool } = app.context.db;
const ROUNDS = runs(60, 1_000);
const add = (value: string) => [{ op: 'add', path: 'members', value: [{ value }] }];
const newClient = async () => clientOf(app, await app.scimKey(await app.createTenant()));

/** Members of a group as its events tell them, folded from nothing. */
async function membersByEvents(groupId: string): Promise<string[]> {
  const { rows } = await pool.query(
    `select type, before, after from event where resource_id = $1 and type like 'group.members%' order by position`,
    [groupId],
  );
  const members = new Set<string>();
  for (const { type, before, after } of rows) {
    if (type === 'group.members_added') for (const id of after.members) members.add(id);
    else for (const id of before.members) members.delete(id);
  }
  return [...members].sort();
}

/** Users that no directory manages, and a client of each of two directories that see them. */
async function unmanaged(count: number): Promise<{ ids: string[]; clients: Client[] }> {
  const tenant = await app.createTenant();
  for (const name of ['left', 'right', 'gone'])
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name });
  const gone = clientOf(app, await app.scimKey(tenant, 'gone'));
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push((await gone.user(`user-${index}`)).id);
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/gone?users=release`);
  const keys = await Promise.all(['left', 'right'].map((name) => app.scimKey(tenant, name)));
  return { ids, clients: keys.map((key) => clientOf(app, key)) };
}

t.test(
  'of two directories that add one unmanaged user to a group, one adopts it and the other is refused',
  async (t) => {
    const { ids, clients } = await unmanaged(ROUNDS);
    const groups = await Promise.all(clients.map((client) => client.group('Staff')));
    for (const id of ids) {
      const answers = await Promise.all(
        clients.map((client, index) => client.patch(`/Groups/${groups[index]?.id}`, add(id))),
      );
      t.same(answers.map(({ status }) => status).sort(), [204, 400]);
    }
    const { rows } = await pool.query(
      `select count(*) as strangers from group_member m
     join scim_user u using (tenant_id) join scim_group g using (tenant_id)
     where u.id = m.user_id and g.id = m.group_id and u.directory_id is distinct from g.directory_id`,
    );
    t.equal(rows[0].strangers, 0, 'no group holds a user of another directory');
  },
);

t.test('a rename beside the adoption of the user is either refused by it or comes after it', async (t) => {
  const { ids, clients } = await unmanaged(ROUNDS);
  const [client] = clients as [Client];
  const { id: groupId } = await client.group('Staff');
  for (const [index, id] of ids.entries()) {
    const rename = [{ op: 'replace', path: 'userName', value: `renamed-${index}` }];
    await Promise.all([client.patch(`/Groups/${groupId}`, add(id)), client.patch(`/Users/${id}`, rename)]);
    const { rows } = await pool.query(
      `select type, after ->> 'userName' as name from event where resource_id = $1 order by position`,
      [id],
    );
    const adopted = rows.findIndex(({ type }) => type === 'user.adopted');
    const renamed = rows.findIndex(({ type, name }) => type === 'user.updated' && name !== null);
    const { body } = await client.ask('GET', `/Users/${id}`);
    // The write that adopts keeps the name; one that finds the user adopted changes it.
    t.equal(body.userName, renamed > adopted ? `renamed-${index}` : `user-${index}`);
  }
});

t.test('a user who is deleted beside being added is in no group, and the events say so', async (t) => {
  const client = await newClient();
  const { id: groupId } = await client.group('Staff');
  for (let round = 0; round < ROUNDS; round += 1) {
    const { id } = await client.user(`user-${round}`);
    const [added, deleted] = await Promise.all([
      client.patch(`/Groups/${groupId}`, add(id)),
      client.ask('DELETE', `/Users/${id}`),
    ]);
    t.ok(
      [204, 400].includes(added.status),
      `added or refused: ${added.status} ${JSON.stringify(added.body)}`,
    );
    t.equal(deleted.status, 204);
    const { body } = await client.ask('GET', `/Groups/${groupId}`);
    t.same(body.members ?? [], []);
    t.same(await membersByEvents(groupId), []);
  }
});

t.test('a list of writers of one user all get their turn', async (t) => {
  const client = await newClient();
  const { id } = await client.user('busy');
  const titles = Array.from({ length: 200 }, (_, index) => `title ${index}`);
  const answers = await Promise.all(
    titles.map((value) => client.patch(`/Users/${id}`, [{ op: 'add', path: 'title', value }])),
  );
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]));
  t.equal((await client.ask('GET', `/Users/${id}`)).body.meta.version, 'W/"201"');
});

t.test('users pushed while their directory is deleted are refused, and the deletion is not', async (t) => {
  const tenant = await app.createTenant();
  for (let round = 0; round < 10; round += 1) {
    const path = `/tenants/${tenant.id}/directories`;
    await app.admin('POST', path, { name: `d${round}` });
    const client = clientOf(app, await app.scimKey(tenant, `d${round}`));
    const pushes = Array.from({ length: 12 }, (_, index) =>
      client.ask('POST', '/Users', { userName: `${round}-${index}` }),
    );
    const [deleted, ...pushed] = await Promise.all([
      app.admin('DELETE', `${path}/d${round}?users=release`),
      ...pushes,
    ]);
    t.equal(deleted.status, 204);
    t.ok(pushed.every(({ status }) => status === 201 || status === 401));
  }
});
