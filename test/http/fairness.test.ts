import pg from 'pg';
import t from 'tap';
import { type KeyIds, makeKey, readKey } from '../../src/tenants/key-format.ts';
import { startApp } from '../support/app.ts';
import { clientOf } from '../support/client.ts';

/** What one tenant asks for in excess is at its own cost: another is answered meanwhile. */

const NOW = new Date('2026-03-04T05:06:07.000Z');

t.test('requests of a tenant that wait for a lock leave connections to another', async (t) => {
  const app = await startApp(t, { now: () => NOW });
  const [busy, other] = [await app.createTenant(), await app.createTenant()];
  const [a, b] = [clientOf(app, await app.scimKey(busy)), clientOf(app, await app.scimKey(other))];
  const [{ id: held }, { id: read }] = [await a.user('held'), await b.user('read')];
  const { id: group } = await a.group('Analysts');
  const holder = new pg.Client({ connectionString: app.connectionString });
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query('begin');
  await holder.query('select from scim_user where id = $1 for update', [held]);

  let answered = 0;
  const change = { op: 'replace', path: 'title', value: 'Analyst' };
  const add = { op: 'add', path: 'members', value: [{ value: held }] };
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'held' };
  const flood = Array.from({ length: 10 }, () => [
    a.ask('DELETE', `/Users/${held}`),
    a.patch(`/Users/${held}`, [change]),
    a.patch(`/Groups/${group}`, [add]),
    a.ask('PUT', `/Users/${held}`, user),
    a.list('/Users', 'title co "a"'),
  ]).flat();
  const all = Promise.all(
    flood.map(async (request) => {
      await request;
      answered += 1;
    }),
  );
  const waiting = 'select from pg_locks where not granted';
  while ((await holder.query(waiting)).rows.length < 2);

  const before = answered;
  t.equal((await b.ask('GET', `/Users/${read}`)).status, 200);
  t.equal((await b.ask('POST', '/Users', { ...user, userName: 'created' })).status, 201);
  t.equal((await b.list('/Users', 'userName eq "read"')).status, 200);
  t.equal(answered, before, 'while all of the others wait');
  await holder.query('rollback');
  await all;
});

t.test('a key that has held does not wait for look-ups of keys that nobody has seen', async (t) => {
  let now = NOW;
  const app = await startApp(t, { now: () => now });
  const client = clientOf(app, await app.scimKey(await app.createTenant()));
  const { id } = await client.user('read');
  const { turns } = app.context.db;
  // As many as the unknown may have under way; the last of them waits.
  let waiting: Promise<void> | undefined;
  while (waiting === undefined) waiting = turns.take('credentials');
  now = new Date(NOW.getTime() + 1_000);
  // Ids are no secret: one that bears them asks first.
  const madeUp = makeKey(readKey(client.key) as KeyIds).key;
  const refused = app.send('GET', `/api/scim/v2/Users/${id}`, { key: madeUp });
  t.equal((await client.ask('GET', `/Users/${id}`)).status, 200, 'what was remembered of it is too old');
  turns.giveBack('credentials');
  await waiting;
  turns.giveBack('credentials');
  t.equal((await refused).status, 401);
});
