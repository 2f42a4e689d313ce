import { randomBytes } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { FeedEvent, FeedPage } from '../../src/events/feed.ts';
import { seal } from '../../src/events/seal.ts';
import { type Answer, startApp } from '../support/app.ts';
import { clientOf, type Resource, USER } from '../support/client.ts';
import { countUnsealed, firstFault } from '../support/events.ts';
import { runs } from '../support/runs.ts';
import { newWorld, row } from '../support/world.ts';

/**
 * Two instances on one database behave as one, while each carries out its requests in batches of its own. (That a key
 * ends at both within a second is in access.test.ts, that an assertion counts once in jit/replay.test.ts and
 * jit/races.test.ts, how jobs are shared in admin/large-mapping.test.ts and killed.test.ts.)
 */

const secretKey = randomBytes(32);
const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const options = { secretKey, now: () => new Date(clock.now) };
const app = await startApp(t, options);
const other = await startApp(t, { ...options, connectionString: app.connectionString });
const { db } = app.context;
const COUNT = 30;
const ROUNDS = runs(3, 60);
const numbers = Array.from({ length: COUNT }, (_, n) => n);
const statusesOf = (answers: readonly Answer<unknown>[]) =>
  [...new Set(answers.map(({ status }) => status))].sort();

/** A tenant, users of it, and the same client at both instances. */
async function start() {
  const world = await newWorld(app);
  await world.map([row('Analysts', 'Incident Response', 'EDITOR')]);
  const clients = [world.scim, clientOf(other, world.scim.key)] as const;
  const users = await Promise.all(numbers.map((n) => world.user(`user-${n}`)));
  return { ...world, clients, users, analysts: await world.group('Analysts') };
}

/** Whoever was acknowledged is told of once, and nobody else. */
async function requireTold(
  t: Test,
  feed: () => Promise<FeedEvent[]>,
  type: string,
  wanted: readonly string[],
) {
  const told = (await feed()).filter((event) => event.type === type).map(({ requestId }) => requestId);
  t.same(told.sort(), [...wanted].sort(), type);
}

t.test('both change the same users: no change is lost, each is a version and an event', async (t) => {
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    const { clients, users, feed } = await start();
    const names = ['title', 'nickName'] as const;
    const patches = users.flatMap((user) =>
      clients.map((client, n) => {
        const Operations = [{ op: 'add', path: names[n], value: `by ${n}` }];
        return client.patch(`/Users/${user}`, Operations, { 'x-request-id': `${n}-${user}` });
      }),
    );
    t.same(statusesOf(await Promise.all(patches)), [200]);
    for (const user of users) {
      const { body } = await clients[0].ask('GET', `/Users/${user}`);
      t.match(body, { title: 'by 0', nickName: 'by 1', meta: { version: 'W/"3"' } });
    }
    await requireTold(
      t,
      feed,
      'user.updated',
      users.flatMap((user) => [`0-${user}`, `1-${user}`]),
    );
  }
});

t.test(
  'both change the members of one group: each change is a version and an event, and gives its team',
  async (t) => {
    for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
      const { clients, users, analysts, feed, drift } = await start();
      const patch = (op: 'add' | 'remove') => (user: string, n: number) => {
        const operation = { op, path: 'members', value: [{ value: user }] };
        return clients[n % 2 === 0 ? 0 : 1].patch(`/Groups/${analysts}`, [operation], {
          'x-request-id': `${op}-${user}`,
        });
      };
      t.same(statusesOf(await Promise.all(users.map(patch('add')))), [204]);
      const half = users.slice(0, COUNT / 2);
      // Some go, and everybody else is added once more at the other instance, which changes nothing.
      const again = users.slice(COUNT / 2).map((user, n) => patch('add')(user, n + 1));
      t.same(statusesOf(await Promise.all([...half.map(patch('remove')), ...again])), [204]);
      const { body } = await clients[1].ask('GET', `/Groups/${analysts}`);
      t.same(body.members?.map(({ value }) => value).sort(), users.slice(COUNT / 2).sort());
      t.equal(body.meta.version, `W/"${1 + COUNT + COUNT / 2}"`);
      await requireTold(
        t,
        feed,
        'group.members_added',
        users.map((user) => `add-${user}`),
      );
      await requireTold(
        t,
        feed,
        'group.members_removed',
        half.map((user) => `remove-${user}`),
      );
      const { rows } = await db.pool.query(
        'select user_id as id from access_grant where not suspended and origin = $1 and user_id = any ($2)',
        ['scim:default', users],
      );
      t.same(rows.map(({ id }) => id).sort(), users.slice(COUNT / 2).sort());
      t.equal(await drift(), 0);
    }
  },
);

t.test('both create users of the same names: each name once, and its event with it', async (t) => {
  for (let round = 0; round < ROUNDS && t.passing(); round += 1) {
    const { clients, feed } = await start();
    const posts = numbers.flatMap((n) =>
      clients.map(async (client, at) => {
        const body = { schemas: [USER], userName: at === 0 ? `NEW-${n}` : `new-${n}` };
        const { status } = await client.ask<Resource>('POST', '/Users', body, {
          'x-request-id': `new-${n}-at-${at}`,
        });
        return { status, request: `new-${n}-at-${at}` };
      }),
    );
    const answers = await Promise.all(posts);
    const created = answers.filter(({ status }) => status === 201).map(({ request }) => request);
    t.equal(created.length, COUNT);
    t.equal(answers.filter(({ status }) => status === 409).length, COUNT);
    t.equal(new Set(created.map((request) => request.split('-at-')[0])).size, COUNT);
    const told = (await feed()).filter(({ requestId }) => requestId?.startsWith('new-'));
    t.same(told.map(({ requestId }) => requestId).sort(), created.sort());
  }
});

t.test(
  'a new definition of the schema reaches both: until then the other writes nothing by the old one',
  async (t) => {
    const { tenant, clients, users } = await start();
    const [, there] = clients;
    const id = 'urn:example:params:scim:schemas:extension:badge:2.0:User';
    const path = `/tenants/${tenant.id}/schema-extensions`;
    const define = (method: 'POST' | 'PUT', ...names: readonly string[]) => {
      const definition = { name: 'Badge', attributes: names.map((name) => ({ name })) };
      return method === 'POST'
        ? app.admin(method, path, { id, ...definition })
        : app.admin(method, `${path}/${id}`, definition);
    };
    const create = (userName: string) =>
      there.ask('POST', '/Users', { schemas: [USER, id], userName, [id]: { number: '7', color: 'red' } });
    t.equal((await define('POST', 'number')).status, 201);
    clock.now += 900;
    t.equal((await there.ask('GET', `/Users/${users[0]}`)).status, 200);
    t.equal((await define('PUT', 'number', 'color')).status, 200);
    t.equal((await create('too-early')).status, 503);
    clock.now += 900;
    t.match(await create('in-time'), { status: 201, body: { [id]: { number: '7', color: 'red' } } });
    t.equal((await there.list('/Users', 'userName eq "too-early"')).body.totalResults, 0);
  },
);

t.test(
  'with a sealer at each, the events of a tenant have one order, and whoever follows it misses none',
  async (t) => {
    const { clients, users, analysts, tenant } = await start();
    const administrator = new pg.Client({ connectionString: app.connectionString });
    await administrator.connect();
    t.teardown(() => administrator.end());
    let isWriting = true;
    const sealing = [app, other].map(async ({ context }, n) => {
      const holder = `00000000-0000-4000-8000-00000000000${n}`;
      while (isWriting || (await countUnsealed(context.db)) > 0) {
        await seal(context.db, holder);
        // The lease goes from one to the other all the time, as if each had been away.
        await administrator.query('update lease set expires_at = clock_timestamp()');
      }
    });
    /** Reads page after page, now from one instance and now from the other. */
    const following = (async () => {
      const read: FeedEvent[] = [];
      let after = '0';
      for (let turn = 0; ; turn += 1) {
        const { admin } = turn % 2 === 0 ? app : other;
        const isLast = !isWriting && (await countUnsealed(db)) === 0;
        const { body } = await admin<FeedPage>('GET', `/tenants/${tenant.id}/events?limit=50&after=${after}`);
        read.push(...body.events);
        after = body.cursor;
        if (isLast && body.events.length === 0) return read;
      }
    })();
    const writes = users.flatMap((user, n) => [
      clients[0].patch(`/Groups/${analysts}`, [{ op: 'add', path: 'members', value: [{ value: user }] }]),
      clients[1].patch(`/Users/${user}`, [{ op: 'replace', path: 'active', value: n % 2 === 0 }]),
      clients[n % 2 === 0 ? 0 : 1].user(`late-${n}`),
    ]);
    await Promise.all(writes);
    isWriting = false;
    await Promise.all(sealing);
    const read = await following;
    t.same(
      read.map(({ sequence }) => sequence),
      read.map((_, index) => index + 1),
    );
    const { rows } = await db.pool.query('select count(*) as events from event where tenant_id = $1', [
      tenant.id,
    ]);
    t.equal(read.length, rows[0].events);
    t.equal(await firstFault(db.kysely, tenant.id), undefined);
  },
);
