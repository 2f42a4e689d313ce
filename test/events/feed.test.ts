import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import t from 'tap';
import type { Database } from '../../src/db/database.ts';
import { type FeedEvent, type FeedQuery, readFeed } from '../../src/events/feed.ts';
import { seal } from '../../src/events/seal.ts';
import {
  commitEvents,
  countUnsealed,
  firstFault,
  labelOf,
  openTestDatabase,
  writeEvent,
} from '../support/events.ts';

const TENANT = '0190c5a0-0000-7000-8000-000000000001';
const SEALER = '00000000-0000-4000-8000-00000000000a';

/** Follows the cursor until `isOver` says that nothing more will come, and the feed has ended. */
async function follow(database: Database, query: FeedQuery, isOver: () => boolean): Promise<FeedEvent[]> {
  const events: FeedEvent[] = [];
  let after = '0';
  for (;;) {
    const over = isOver();
    const page = await readFeed(database, { ...query, after });
    events.push(...page.events);
    if (over && page.events.length === 0 && page.cursor === after) return events;
    after = page.cursor;
  }
}

t.test(
  'a reader that follows the cursor sees each event once and in order, whoever commits late',
  async (t) => {
    const database = await openTestDatabase(t, 30);
    const tenants: readonly string[] = Array.from({ length: 3 }, () => randomUUID());
    const committed = new Map(tenants.map((tenant) => [tenant, new Set<string>()]));
    let writing = true;
    let sealing = true;

    async function write(writer: number): Promise<void> {
      let late: (() => Promise<void>) | undefined;
      for (let turn = 0; turn < 50; turn += 1) {
        const tenantId = tenants[(writer + turn) % tenants.length] as string;
        const label = `${writer}/${turn}`;
        const trx = await database.kysely.startTransaction().execute();
        await writeEvent(trx, tenantId, label, turn % 3 === 0 ? 'user.updated' : 'user.created');
        const commit = async () => {
          await trx.commit().execute();
          committed.get(tenantId)?.add(label);
        };
        if (turn % 7 === 3) await trx.rollback().execute();
        else if (turn % 10 === 0) {
          await late?.();
          late = commit;
        } else await commit();
      }
      await late?.();
    }

    async function sealOn(): Promise<void> {
      const holder = randomUUID();
      while (writing || (await countUnsealed(database)) > 0) {
        await seal(database, holder);
        // Lets the other take over now and then.
        if (Math.random() < 0.2)
          await sql`update lease set expires_at = clock_timestamp()`.execute(database.kysely);
      }
    }

    const over = () => !sealing;
    const readers = tenants.map((tenantId) => follow(database, { tenantId, limit: 7 }, over));
    const type = 'user.updated';
    const filtering = tenants.map((tenantId) => follow(database, { tenantId, limit: 3, type }, over));
    const sealers = [sealOn(), sealOn()];
    await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
    writing = false;
    await Promise.all(sealers);
    sealing = false;

    for (const [index, tenantId] of tenants.entries()) {
      const events = (await readers[index]) ?? [];
      t.same(
        events.map((event) => event.sequence),
        events.map((_, at) => at + 1),
        'the sequence has no gap and repeats nothing',
      );
      t.same(events.map(labelOf).sort(), [...(committed.get(tenantId) ?? [])].sort(), 'none is missing');
      t.same(
        await filtering[index],
        events.filter((event) => event.type === type),
        'nor for a reader that filters',
      );
      t.equal(await firstFault(database.kysely, tenantId), undefined);
    }
  },
);

t.test('an event of the feed says what happened, to what, by whom and in which request', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a']);
  await sql`update event set reason = '{"row": 2}', before = '{"label": "z"}'`.execute(database.kysely);
  await seal(database, SEALER);
  const { events, cursor } = await readFeed(database, { tenantId: TENANT, limit: 10 });
  t.match(events, [
    {
      id: /^[0-9a-f-]{36}$/,
      sequence: 1,
      type: 'user.created',
      at: '2026-01-02T03:04:05.678Z',
      actor: { kind: 'system', name: 'test' },
      resource: { type: 'User', id: /^[0-9a-f-]{36}$/ },
      reason: { row: 2 },
      before: { label: 'z' },
      after: { label: 'a' },
      changeId: /^[0-9a-f-]{36}$/,
      requestId: 'request-1',
    },
  ]);
  t.equal(cursor, '1');
});

t.test('a filter finds its events, and the cursor leaves the others behind', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a', 'b', 'c', 'd', 'e']);
  await sql`update event set type = 'user.deleted' where after->>'label' in ('b', 'd')`.execute(
    database.kysely,
  );
  await commitEvents(database, randomUUID(), ['of another tenant']);
  await seal(database, SEALER);
  const all = await readFeed(database, { tenantId: TENANT, limit: 10 });
  const resource = String(all.events[2]?.resource.id);
  const change = String(all.events[3]?.changeId);

  const pages: [string, Partial<FeedQuery>, string[], string][] = [
    ['everything', {}, ['a', 'b', 'c', 'd', 'e'], '5'],
    ['a full page ends at its last event', { limit: 2 }, ['a', 'b'], '2'],
    ['the next page', { limit: 2, after: '2' }, ['c', 'd'], '4'],
    ['behind the last event', { after: '5' }, [], '5'],
    ['a full page of a type', { limit: 1, type: 'user.deleted' }, ['b'], '2'],
    ['a page of a type that is not full passes over the rest', { type: 'user.deleted' }, ['b', 'd'], '5'],
    ['a type that never was', { type: 'team.created' }, [], '5'],
    ['a resource', { resource }, ['c'], '5'],
    ['a change', { change }, ['d'], '5'],
    ['a resource in upper case', { resource: resource.toUpperCase() }, ['c'], '5'],
    ['a resource and another type', { resource, type: 'user.deleted' }, [], '5'],
    ['a tenant without events', { tenantId: randomUUID() }, [], '0'],
  ];
  for (const [name, query, labels, cursor] of pages) {
    const page = await readFeed(database, { tenantId: TENANT, limit: 10, ...query });
    t.same([page.events.map(labelOf), page.cursor], [labels, cursor], name);
  }
});

t.test('a query that does not hold is refused, and names its parameter', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a']);
  await seal(database, SEALER);
  for (const after of ['', 'x', '-1', '1.0', ' 1', '1e1', '0x1', '9'.repeat(400), '2', "1' or '1'='1"]) {
    await t.rejects(
      readFeed(database, { tenantId: TENANT, limit: 10, after }),
      { code: 'invalid_request', pointer: 'after' },
      `after=${after.slice(0, 20)}`,
    );
  }
  for (const resource of ['', 'x', `${TENANT}0`, "' or true --"]) {
    await t.rejects(
      readFeed(database, { tenantId: TENANT, limit: 10, resource }),
      { code: 'invalid_request', pointer: 'resource' },
      `resource=${resource}`,
    );
  }
});
