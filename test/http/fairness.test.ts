import pg from 'pg';
import type { Test } from 'tap';
import t from 'tap';
import { ADMINISTRATION_POOL_SIZE } from '../../src/db/database.ts';
import { type KeyIds, makeKey, readKey } from '../../src/tenants/key-format.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { clientOf } from '../support/client.ts';

/** What one tenant asks for in excess is at its own cost: another is answered meanwhile. */

const NOW = new Date('2026-03-04T05:06:07.000Z');

/** Holds what a statement locks, on a connection of its own. */
async function holding(t: Test, { connectionString }: TestApp, text: string, values: readonly string[]) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  t.teardown(() => client.end());
  await client.query('begin');
  await client.query(text, [...values]);
  const waiting = 'select from pg_locks where not granted';
  return {
    /** Resolves when two wait for locks: one tenant alone has no more of administration's connections. */
    async twoWait(): Promise<void> {
      while ((await client.query(waiting)).rows.length < 2);
    },
    letGo: () => client.query('rollback'),
  };
}

/** Requests on their way, and how many of them have been answered. */
function onTheirWay(requests: readonly Promise<{ readonly status: number }>[]) {
  const way = { answered: 0, all: Promise.all(requests) };
  for (const request of requests) {
    void request.then(() => {
      way.answered += 1;
    });
  }
  return way;
}

t.test('requests of a tenant that wait for a lock leave connections to another', async (t) => {
  const app = await startApp(t, { now: () => NOW });
  const [busy, other] = [await app.createTenant(), await app.createTenant()];
  const [a, b] = [clientOf(app, await app.scimKey(busy)), clientOf(app, await app.scimKey(other))];
  const [{ id: held }, { id: read }] = [await a.user('held'), await b.user('read')];
  const { id: group } = await a.group('Analysts');
  const lock = 'select from scim_user where id = $1 for update';
  const { twoWait, letGo } = await holding(t, app, lock, [held]);

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
  const way = onTheirWay(flood);
  await twoWait();

  const before = way.answered;
  t.equal((await b.ask('GET', `/Users/${read}`)).status, 200);
  t.equal((await b.ask('POST', '/Users', { ...user, userName: 'created' })).status, 201);
  t.equal((await b.list('/Users', 'userName eq "read"')).status, 200);
  t.equal(way.answered, before, 'while all of the others wait');
  await letGo();
  await way.all;
});

t.test(
  "changes of one tenant's administration that wait for it leave connections to another's",
  async (t) => {
    const app = await startApp(t);
    const [busy, other] = [await app.createTenant(), await app.createTenant()];
    const lock = 'select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))';
    const { twoWait, letGo } = await holding(t, app, lock, [busy.id]);

    const mapping = { mappings: [{ group_name: 'Analysts', team_name: 'Analysts', role_name: 'VIEWER' }] };
    const put = () => app.admin('PUT', `/tenants/${busy.id}/group-mapping`, mapping);
    const way = onTheirWay(Array.from({ length: 2 * ADMINISTRATION_POOL_SIZE }, put));
    await twoWait();

    t.equal((await app.admin('POST', `/tenants/${other.id}/teams`, { name: 'Analysts' })).status, 201);
    t.equal(way.answered, 0, 'while all of the others wait');
    await letGo();
    for (const { status } of await way.all) t.equal(status, 200);
  },
);

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

t.test('a tenant has one list at a time that may look at all there is', async (t) => {
  const app = await startApp(t, { now: () => NOW });
  const client = clientOf(app, await app.scimKey(await app.createTenant()));
  await client.user('read');
  const holder = new pg.Client({ connectionString: app.connectionString });
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query('begin');
  await holder.query('lock table scim_user in access exclusive mode');
  const text = `select from pg_locks where not granted and relation = 'scim_user'::regclass
                and database = (select oid from pg_database where datname = current_database())`;
  const waiting = async () => (await holder.query(text)).rows.length;
  const broad = Array.from({ length: 4 }, () => client.list('/Users', 'title co "a"'));
  const manyTerms = Array.from({ length: 11 }, (_, n) => `title eq "${n}"`).join(' or ');
  broad.push(client.list('/Users', manyTerms));
  while ((await waiting()) < 1);
  const narrow = client.list('/Users', 'userName eq "read"');
  while ((await waiting()) < 2);
  t.equal(await waiting(), 2, 'one of these, and who asks for a name goes past them');
  await holder.query('rollback');
  t.equal((await narrow).status, 200);
  for (const { status } of await Promise.all(broad)) t.equal(status, 200);
});
