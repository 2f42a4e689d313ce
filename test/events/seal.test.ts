import { type ControlledTransaction, sql } from 'kysely';
import t from 'tap';
import type { Database } from '../../src/db/database.ts';
import type { Tables } from '../../src/db/tables.ts';
import { readFeed } from '../../src/events/feed.ts';
import { EVENTS_PER_TURN, releaseSealing, seal } from '../../src/events/seal.ts';
import {
  backendsWaiting,
  commitEvents,
  firstFault,
  labelOf,
  openTestDatabase,
  writeEvent,
} from '../support/events.ts';

const TENANT = '0190c5a0-0000-7000-8000-000000000001';
const FIRST = '00000000-0000-4000-8000-00000000000a';
const SECOND = '00000000-0000-4000-8000-00000000000b';

async function sealedLabels(database: Database): Promise<string[]> {
  const { events } = await readFeed(database, { tenantId: TENANT, limit: 1_000 });
  return events.map(labelOf);
}

/** Lets the next sealer go no further than its lease and its reading, until the transaction ends. */
async function blockSealing(database: Database): Promise<ControlledTransaction<Tables>> {
  const blocker = await database.kysely.startTransaction().execute();
  await blocker.selectFrom('event').select('position').forUpdate().execute();
  return blocker;
}

t.test('events are sealed in the order of their insertion, without a gap', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a', 'b', 'c']);
  t.same(await sealedLabels(database), [], 'readers see sealed events only');
  t.equal(await seal(database, FIRST), 3);
  const { events } = await readFeed(database, { tenantId: TENANT, limit: 10 });
  t.same(
    events.map((event) => [event.sequence, labelOf(event)]),
    [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ],
  );
  t.equal(await firstFault(database.kysely, TENANT), undefined);
});

t.test('a turn seals a bounded number, the oldest, and the next goes on where it ended', async (t) => {
  const database = await openTestDatabase(t);
  await sql`
    insert into event (tenant_id, at, actor, type, resource_type, change_id)
    select ${TENANT}, now(), '{}', 'user.created', 'User', gen_random_uuid()
    from generate_series(1, ${sql.lit(EVENTS_PER_TURN + 1)})`.execute(database.kysely);
  t.equal(await seal(database, FIRST), EVENTS_PER_TURN);
  const { rows } = await sql<{ position: number }>`select position from event where sequence is null`.execute(
    database.kysely,
  );
  t.same(rows, [{ position: EVENTS_PER_TURN + 1 }], 'the youngest waits');
  t.equal(await seal(database, FIRST), 1);
  t.equal(await firstFault(database.kysely, TENANT), undefined);
});

t.test('what a transaction writes because of another event stays behind that event', async (t) => {
  const database = await openTestDatabase(t, 6);
  // The second writer is the older transaction, and a third, still open, stands between the two.
  const second = await database.kysely.startTransaction().execute();
  await sql`select pg_current_xact_id()`.execute(second);
  const open = await database.kysely.startTransaction().execute();
  await writeEvent(open, TENANT, 'late');
  const first = await database.kysely.startTransaction().execute();
  await writeEvent(first, TENANT, 'cause');
  await first.commit().execute();
  await writeEvent(second, TENANT, 'effect');
  await second.commit().execute();

  t.equal(await seal(database, FIRST), 2, 'the open transaction holds nobody up');
  await open.commit().execute();
  t.equal(await seal(database, FIRST), 1);
  t.same(await sealedLabels(database), ['cause', 'effect', 'late']);
});

t.test('of two sealers in one moment, one seals and the other does nothing', async (t) => {
  const database = await openTestDatabase(t, 6);
  await commitEvents(database, TENANT, ['a', 'b']);
  const blocker = await blockSealing(database);
  const one = seal(database, FIRST);
  await backendsWaiting(database, 1);
  const other = seal(database, SECOND);
  await backendsWaiting(database, 2);
  await commitEvents(database, TENANT, ['c']);
  await blocker.rollback().execute();
  t.same(await Promise.all([one, other]), [2, 0], 'also when more has come in the meantime');
  t.equal(await seal(database, FIRST), 1);
  t.equal(await firstFault(database.kysely, TENANT), undefined);
});

t.test('a sealer that is killed in the middle of a turn leaves nothing half done to the next', async (t) => {
  const database = await openTestDatabase(t, 6);
  await commitEvents(database, TENANT, ['a', 'b']);
  const blocker = await blockSealing(database);
  const killed = seal(database, FIRST).catch((error: Error) => error);
  const [pid] = await backendsWaiting(database, 1);
  const next = seal(database, SECOND);
  await backendsWaiting(database, 2);
  await database.pool.query('select pg_terminate_backend($1)', [pid]);
  t.type(await killed, Error);
  await blocker.rollback().execute();
  t.equal(await next, 2, 'the next takes over at once: the lease went with the transaction');
  t.same(await sealedLabels(database), ['a', 'b']);
  t.equal(await firstFault(database.kysely, TENANT), undefined);
});

t.test(
  'the lease of a dead sealer holds until it expires, that of one that released it no longer',
  async (t) => {
    const database = await openTestDatabase(t);
    await commitEvents(database, TENANT, ['a']);
    t.equal(await seal(database, FIRST), 1);
    await commitEvents(database, TENANT, ['b']);
    t.equal(await seal(database, SECOND), 0, 'the first holds the lease');
    await sql`update lease set expires_at = clock_timestamp()`.execute(database.kysely);
    t.equal(await seal(database, SECOND), 1, 'it expired');

    await commitEvents(database, TENANT, ['c']);
    t.equal(await seal(database, FIRST), 0, 'the first was only away, and finds the second at work');
    await releaseSealing(database, FIRST);
    t.equal(await seal(database, FIRST), 0, 'a release by somebody else releases nothing');
    await releaseSealing(database, SECOND);
    t.equal(await seal(database, FIRST), 1, 'it was released');
    t.same(await sealedLabels(database), ['a', 'b', 'c']);
    t.equal(await firstFault(database.kysely, TENANT), undefined);
  },
);

t.test('an idle sealer writes nothing', async (t) => {
  const database = await openTestDatabase(t, 1);
  await commitEvents(database, TENANT, ['a']);
  await database.pool.query('set default_transaction_read_only = on');
  await t.rejects(seal(database, FIRST), { code: '25006' }, 'with work at hand it would have to write');
  await database.pool.query('set default_transaction_read_only = off');
  await seal(database, FIRST);
  await database.pool.query('set default_transaction_read_only = on');
  t.equal(await seal(database, FIRST), 0);
});
