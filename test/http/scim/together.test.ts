import { randomUUID } from 'node:crypto';
import t from 'tap';
import { startApp } from '../../support/app.ts';
import { writesTogether } from '../../support/together.ts';
import { newWorld, row } from '../../support/world.ts';

/** Requests of one client that meet go to the database together; nobody can tell by what they are answered. */

const app = await startApp(t);
const add = (value: string) => [{ op: 'add', path: 'members', value: [{ value }] }];
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const byNumber = new Intl.Collator(undefined, { numeric: true }).compare;
const statusesOf = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status);

t.test('PATCHes of one group that meet: one that names nobody is refused, and harms no other', async (t) => {
  const { scim, feed } = await newWorld(app);
  const users = await Promise.all(numbers(40).map(async (n) => (await scim.user(`user-${n}`)).id));
  const { id } = await scim.group('Analysts');
  const wrong = (n: number) => n % 10 === 7;
  const answers = await Promise.all(
    users.map((user, n) =>
      scim.patch(`/Groups/${id}`, add(wrong(n) ? randomUUID() : user), { 'x-request-id': `request-${n}` }),
    ),
  );
  t.same(
    statusesOf(answers),
    users.map((_, n) => (wrong(n) ? 400 : 204)),
  );
  const { body } = await scim.ask('GET', `/Groups/${id}`);
  const members = users.filter((_, n) => !wrong(n));
  t.same(body.members?.map(({ value }) => value).sort(), [...members].sort());
  t.equal(body.meta.version, `W/"${members.length + 1}"`, 'each is a version');
  const versions = answers.flatMap(({ status, headers }) => (status === 204 ? [String(headers.etag)] : []));
  t.same(
    versions.toSorted(byNumber),
    members.map((_, n) => `W/"${n + 2}"`),
    'and each is answered with its own',
  );
  const told = (await feed()).filter(({ type }) => type === 'group.members_added');
  t.equal(told.length, members.length, 'each is an event');
  for (const [n, user] of users.entries()) {
    const event = told.find(({ requestId }) => requestId === `request-${n}`);
    t.same(event?.after, wrong(n) ? undefined : { members: [user] });
  }
  t.equal(new Set(told.map(({ changeId }) => changeId)).size, members.length);
});

t.test('what a user gains is told as caused by the request that named the user', async (t) => {
  const { scim, map, feed, holds, drift } = await newWorld(app);
  await map([row('Analysts', 'Incident Response', 'EDITOR')]);
  const users = await Promise.all(numbers(20).map(async (n) => (await scim.user(`user-${n}`)).id));
  const { id } = await scim.group('Analysts');
  const before = (await feed()).length;
  await Promise.all(
    users.map((user, n) => scim.patch(`/Groups/${id}`, add(user), { 'x-request-id': `request-${n}` })),
  );
  const events = (await feed()).slice(before);
  for (const [n, user] of users.entries()) {
    t.same(await holds(user), ['Incident Response EDITOR scim:default']);
    const own = events.filter(({ requestId }) => requestId === `request-${n}`);
    t.same(own.map(({ type }) => type).sort(), ['grant.added', 'group.members_added', 'membership.added']);
    for (const { type, after } of own) t.match(JSON.stringify(after), user, type);
    t.equal(new Set(own.map(({ changeId }) => changeId)).size, 1, 'one change');
  }
  t.equal(await drift(), 0);
});

t.test('what a user gains by several groups at a time is told of the request for each', async (t) => {
  const { scim, map, feed, drift, team } = await newWorld(app);
  for (const n of numbers(8)) await team(`Team ${n}`);
  const names = numbers(8).map((n) => `Group ${n}`);
  await map(names.map((name, n) => row(name, `Team ${n}`, 'EDITOR')));
  const groups = await Promise.all(names.map(async (name) => (await scim.group(name)).id));
  const { id: user } = await scim.user('ada');
  const before = (await feed()).length;
  const answers = await Promise.all(
    groups.map((group, n) =>
      scim.patch(`/Groups/${group}`, add(user).concat(n === 3 ? add(randomUUID()) : []), {
        'x-request-id': `request-${n}`,
      }),
    ),
  );
  t.same(
    statusesOf(answers),
    groups.map((_, n) => (n === 3 ? 400 : 204)),
  );
  const events = (await feed()).slice(before);
  for (const n of numbers(8)) {
    const own = events.filter(({ requestId }) => requestId === `request-${n}`);
    const wanted = n === 3 ? [] : ['grant.added', 'group.members_added', 'membership.added'];
    t.same(own.map(({ type }) => type).sort(), wanted, `request ${n}`);
  }
  t.equal(await drift(), 0);
});

t.test('that the last owner stays is told of the request that named them', async (t) => {
  const { scim, tenant, map, feed, holds } = await newWorld(app);
  await map([row('Hunters', 'Forensics', 'VIEWER')], { tenant_owners_groups: ['Owners'] });
  const [longest, newer] = [(await scim.user('ada')).id, (await scim.user('bob')).id];
  const { id: owners } = await scim.group('Owners', [longest]);
  await scim.patch(`/Groups/${owners}`, add(newer));
  const { id: analysts } = await scim.group('Analysts');
  const leaves = (value: string) => [{ op: 'remove', path: `members[value eq "${value}"]` }];
  const others = [(await scim.user('eve')).id, (await scim.user('fay')).id];
  const changes = [
    ...others.map((user) => [analysts, add(user)] as const),
    ...[newer, longest].map((user) => [owners, leaves(user)] as const),
  ];
  const answers = await writesTogether(
    app.context.db,
    tenant.id,
    changes.map(
      ([group, operations], n) =>
        () =>
          scim.patch(`/Groups/${group}`, operations, { 'x-request-id': `request-${n}` }),
    ),
  );
  t.same(
    statusesOf(answers),
    changes.map(() => 204),
  );
  t.same(await holds(longest), ['owner']);
  const told = (await feed()).filter(({ type }) => type === 'owner.retained');
  t.same(
    told.map(({ requestId, after }) => [requestId, after]),
    [['request-3', { users: [longest] }]],
  );
});

t.test('a PATCH that changes nothing is answered with the version that it found', async (t) => {
  const { scim, tenant } = await newWorld(app);
  const users = await Promise.all(numbers(6).map(async (n) => (await scim.user(`user-${n}`)).id));
  const { id } = await scim.group('Analysts', users.slice(0, 3));
  const answers = await writesTogether(
    app.context.db,
    tenant.id,
    users.map((user) => () => scim.patch(`/Groups/${id}`, add(user))),
  );
  t.same(
    answers.map(({ headers }) => headers.etag),
    ['W/"1"', 'W/"1"', 'W/"1"', 'W/"2"', 'W/"3"', 'W/"4"'],
  );
});

t.test('a member who comes and goes in requests that meet is what the last answered one left', async (t) => {
  const { scim, drift } = await newWorld(app);
  const { id: user } = await scim.user('ada');
  const { id } = await scim.group('Analysts');
  const remove = [{ op: 'remove', path: `members[value eq "${user}"]` }];
  const answers = await Promise.all(
    numbers(21).map((n) => scim.patch(`/Groups/${id}`, n % 2 ? remove : add(user))),
  );
  t.same([...new Set(statusesOf(answers))], [204]);
  t.equal(
    (await scim.ask('GET', `/Groups/${id}`)).body.members?.length,
    1,
    'in the order in which they came',
  );
  t.equal(await drift(), 0);
});

t.test('PATCHes of users that meet: each has its own outcome and its own event', async (t) => {
  const { scim, feed } = await newWorld(app);
  const users = await Promise.all(numbers(30).map(async (n) => (await scim.user(`user-${n}`)).id));
  const title = (value: unknown) => [{ op: 'replace', path: 'title', value }];
  const answers = await Promise.all(
    users.map((user, n) => {
      const path = n === 3 ? randomUUID() : user;
      const headers = { 'x-request-id': `request-${n}`, ...(n === 4 && { 'if-match': 'W/"9"' }) };
      return scim.patch(`/Users/${path}`, title(n === 5 ? 7 : `title ${n}`), headers);
    }),
  );
  const expected = new Map([
    [3, 404],
    [4, 412],
    [5, 400],
  ]);
  t.same(
    statusesOf(answers),
    users.map((_, n) => expected.get(n) ?? 200),
  );
  const told = (await feed()).filter(({ type }) => type === 'user.updated');
  t.equal(told.length, 27);
  for (const [n, answer] of answers.entries()) {
    if (expected.has(n)) continue;
    t.match(answer.body, { id: users[n], title: `title ${n}`, meta: { version: 'W/"2"' } });
    t.match(
      told.find(({ requestId }) => requestId === `request-${n}`),
      { resource: { id: users[n] }, after: { title: `title ${n}` } },
    );
  }
});

t.test('reads that meet find what each asks for, and nothing of another tenant', async (t) => {
  const [world, stranger] = [await newWorld(app), await newWorld(app)];
  const users = await Promise.all(numbers(20).map(async (n) => (await world.scim.user(`user-${n}`)).id));
  const { id: foreign } = await stranger.scim.user('stranger');
  const asked = [...users, foreign, randomUUID(), 'no-id', ...users];
  const answers = await Promise.all(asked.map((id) => world.scim.ask('GET', `/Users/${id}`)));
  t.same(
    statusesOf(answers),
    asked.map((id) => (users.includes(id) ? 200 : 404)),
  );
  for (const [n, { status, body }] of answers.entries()) if (status === 200) t.equal(body.id, asked[n]);
  const named = await Promise.all(
    users.map((id, n) => world.scim.ask('GET', `/Users/${id}?attributes=${n % 2 ? 'userName' : 'groups'}`)),
  );
  t.same(
    named.map(({ body }) => body.userName !== undefined),
    users.map((_, n) => n % 2 === 1),
    'each with the attributes that it asked for',
  );
});

t.test('whom somebody else holds too long fails alone', async (t) => {
  const { scim } = await newWorld(app);
  const users = await Promise.all(numbers(8).map(async (n) => (await scim.user(`user-${n}`)).id));
  const holder = await app.context.db.pool.connect();
  await holder.query('begin');
  await holder.query('select from scim_user where id = $1 for update', [users[5]]);
  const title = [{ op: 'replace', path: 'title', value: 'Analyst' }];
  const answers = await Promise.all(users.map((user) => scim.patch(`/Users/${user}`, title)));
  await holder.query('rollback');
  holder.release();
  t.same(
    statusesOf(answers),
    users.map((_, n) => (n === 5 ? 503 : 200)),
  );
});
