import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { runs } from '../../support/runs.ts';

/** Clients write in parallel: Entra ID sends single-member PATCHes of one group side by side. */

const app = await startApp(t);
const newClient = async () => clientOf(app, await app.scimKey(await app.createTenant()));
const add = (value: string) => [{ op: 'add', path: 'members', value: [{ value }] }];
const remove = (value: string) => [{ op: 'remove', path: `members[value eq "${value}"]` }];

t.test('200 parallel single-member PATCHes of one group leave 200 members', async (t) => {
  const client = await newClient();
  const users = await Promise.all(Array.from({ length: 200 }, (_, index) => client.user(`user-${index}`)));
  for (let round = 0; round < runs(3, 50); round += 1) {
    const { id } = await client.group(`Round ${round}`);
    const answers = await Promise.all(users.map((user) => client.patch(`/Groups/${id}`, add(user.id))));
    t.same(new Set(answers.map(({ status }) => status)), new Set([204]));
    const { body } = await client.ask('GET', `/Groups/${id}`);
    t.equal(body.members?.length, 200);
    t.equal(body.meta.version, 'W/"201"', 'each of them a version');
  }
});

t.test(
  'parallel membership updates that carry a name along, the same or a new one, lose no member',
  async (t) => {
    const client = await newClient();
    const users = await Promise.all(Array.from({ length: 60 }, (_, index) => client.user(`u-${index}`)));
    for (const name of [() => 'Staff', (index: number) => `Staff ${index}`]) {
      const { id } = await client.group('Staff');
      const answers = await Promise.all(
        users.map((user, index) =>
          client.patch(`/Groups/${id}`, [
            { op: 'replace', value: { id, displayName: name(index) } },
            ...add(user.id),
          ]),
        ),
      );
      t.same(new Set(answers.map(({ status }) => status)), new Set([204]));
      t.equal((await client.ask('GET', `/Groups/${id}`)).body.members?.length, 60);
      await client.ask('DELETE', `/Groups/${id}`);
    }
  },
);

t.test('of parallel POSTs with one userName exactly one is 201, the others 409', async (t) => {
  const client = await newClient();
  for (let round = 0; round < runs(20, 500); round += 1) {
    const names = [`Name-${round}`, `NAME-${round}`, `name-${round}`];
    const answers = await Promise.all(names.map((userName) => client.ask('POST', '/Users', { userName })));
    t.same(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  }
});

t.test('no write is lost and no deadlock reaches a client when everything meets', async (t) => {
  const client = await newClient();
  for (let round = 0; round < runs(15, 200); round += 1) {
    const users = await Promise.all(
      Array.from({ length: 6 }, (_, index) => client.user(`r${round}-${index}`)),
    );
    const groups = await Promise.all(['a', 'b', 'c'].map((name) => client.group(`${round}-${name}`)));
    const ids = users.map((user) => user.id);
    const writes = groups.flatMap(({ id }) => [
      ...ids.map((userId) => client.patch(`/Groups/${id}`, add(userId))),
      client.patch(`/Groups/${id}`, [
        { op: 'replace', value: { displayName: `${round}-${id}` } },
        ...add(ids[0] ?? ''),
      ]),
      client.patch(`/Groups/${id}`, remove(ids[1] ?? '')),
    ]);
    const deletion = client.ask('DELETE', `/Users/${ids[5]}`);
    const title = client.patch(`/Users/${ids[2]}`, [{ op: 'add', path: 'title', value: 'T' }]);
    const active = client.patch(`/Users/${ids[2]}`, [{ op: 'replace', path: 'active', value: false }]);
    const answers = await Promise.all([...writes, deletion, title, active]);
    // 400: the deleted user is no longer one that can be added.
    t.ok(
      answers.every(({ status }) => status < 300 || status === 400),
      'only success, or the deleted user named',
    );
    t.match((await client.ask('GET', `/Users/${ids[2]}`)).body, { title: 'T', active: false });
    for (const { id } of groups) {
      const members =
        (await client.ask('GET', `/Groups/${id}`)).body.members?.map((member) => member.value) ?? [];
      t.ok(
        [0, 2, 3, 4].every((index) => members.includes(ids[index] ?? '')),
        'every added member is there',
      );
      t.notOk(members.includes(ids[5] ?? ''), 'and the deleted one is not');
    }
  }
});

t.test('If-Match lets exactly one of several writers through', async (t) => {
  const client = await newClient();
  const { id } = await client.user('one');
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      client.patch(`/Users/${id}`, [{ op: 'add', path: 'title', value: `T${index}` }], {
        'if-match': 'W/"1"',
      }),
    ),
  );
  t.same(answers.map(({ status }) => status).sort(), [200, ...Array(9).fill(412)]);
});
