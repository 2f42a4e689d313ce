import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import t from 'tap';
import { seal } from '../../src/events/seal.ts';
import { commitEvents, firstFault, openTestDatabase, sha256 } from '../support/events.ts';

const TENANT = '0190c5a0-0000-7000-8000-000000000001';
const LENGTH = 4;

/** What can be done to the row with one sequence. */
const tampering: Record<string, (sequence: number) => RawBuilder<unknown>> = {
  'an edit of id': (at) => sql`update event set id = gen_random_uuid() where sequence = ${at}`,
  'an edit of type': (at) => sql`update event set type = 'user.deleted' where sequence = ${at}`,
  'an edit of at': (at) => sql`update event set at = at + interval '1 microsecond' where sequence = ${at}`,
  'an edit of actor': (at) => sql`update event set actor = '{"kind": "operator"}' where sequence = ${at}`,
  'an edit of resource_type': (at) => sql`update event set resource_type = 'Group' where sequence = ${at}`,
  'an edit of resource_id': (at) =>
    sql`update event set resource_id = gen_random_uuid() where sequence = ${at}`,
  'an edit of reason': (at) => sql`update event set reason = '{"row": 1}' where sequence = ${at}`,
  'an edit of before': (at) => sql`update event set before = '{}' where sequence = ${at}`,
  'an edit of after': (at) => sql`update event set after = '{"label": "x"}' where sequence = ${at}`,
  'an erasure with another digest': (at) =>
    sql`update event set before = null, after = null, payload_digest = sha256('') where sequence = ${at}`,
  'an edit of change_id': (at) => sql`update event set change_id = gen_random_uuid() where sequence = ${at}`,
  'an edit of request_id': (at) => sql`update event set request_id = null where sequence = ${at}`,
  'an edit of hash': (at) => sql`update event set hash = sha256(hash) where sequence = ${at}`,
  'a deletion': (at) => sql`delete from event where sequence = ${at}`,
  'a deletion that closes the gap': (at) => sql`
    with gone as (delete from event where sequence = ${at})
    update event set sequence = sequence - 1 where sequence > ${at}`,
  'an insertion': (at) => sql`
    with moved as (update event set sequence = sequence + 1 where sequence > ${at})
    insert into event (tenant_id, at, actor, type, resource_type, change_id, sequence, hash)
    select tenant_id, at, actor, type, resource_type, change_id, ${at} + 1, sha256(hash)
    from event where sequence = ${at}`,
};

t.test('the chain holds, and finds any one row that is edited, deleted, inserted or moved', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a', 'b']);
  await seal(database, randomUUID());
  await commitEvents(database, TENANT, ['c', 'd']);
  await commitEvents(database, randomUUID(), ['of another tenant']);
  await sql`update lease set expires_at = clock_timestamp()`.execute(database.kysely);
  await seal(database, randomUUID());
  t.equal(await firstFault(database.kysely, TENANT), undefined, 'untouched, it holds');

  const faultAfter = async (statement: RawBuilder<unknown>) => {
    const trx = await database.kysely.startTransaction().execute();
    // Moving several rows by one passes through equal sequences.
    await sql`drop index event_sequence_key`.execute(trx);
    await statement.execute(trx);
    const fault = await firstFault(trx, TENANT);
    await trx.rollback().execute();
    return fault;
  };
  for (const [name, statement] of Object.entries(tampering)) {
    for (let sequence = 1; sequence <= LENGTH; sequence += 1) {
      const fault = await faultAfter(statement(sequence));
      t.equal(
        fault,
        name === 'an insertion' ? sequence + 1 : sequence,
        `${name} at ${sequence} is found there`,
      );
    }
  }
  for (let sequence = 1; sequence < LENGTH; sequence += 1) {
    const swap = sql`
      update event set sequence = ${sql.lit(2 * sequence + 1)} - sequence
      where sequence between ${sequence} and ${sequence + 1}`;
    t.equal(await faultAfter(swap), sequence, `a swap of ${sequence} and the next is found there`);
  }
});

t.test('erasing a payload and keeping its digest leaves the chain verifiable', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a', 'b', 'c']);
  await seal(database, randomUUID());
  const trx = await database.kysely.startTransaction().execute();
  await sql`update event set before = null, after = null where sequence = 2`.execute(trx);
  t.equal(await firstFault(trx, TENANT), 2, 'without the digest it is tampering');
  await trx.rollback().execute();

  const { rows } = await sql<{ payload: string }>`
    select json_build_array(reason, before, after)::text as payload from event where sequence = 2`.execute(
    database.kysely,
  );
  const digest = sha256(String(rows[0]?.payload));
  await sql`
    update event set reason = null, before = null, after = null, payload_digest = ${digest}
    where sequence = 2`.execute(database.kysely);
  t.equal(await firstFault(database.kysely, TENANT), undefined);
  await commitEvents(database, TENANT, ['d']);
  await seal(database, randomUUID());
  t.equal(await firstFault(database.kysely, TENANT), undefined, 'and it goes on');
});

t.test('an event that is erased before it is sealed is sealed as what it was', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a', 'b']);
  await sql`
    update event set payload_digest = event_payload_digest(event), reason = null, before = null, after = null
    where after ->> 'label' = 'a'`.execute(database.kysely);
  await seal(database, randomUUID());
  t.equal(await firstFault(database.kysely, TENANT), undefined);
});

t.test('an erased event holds no payload, or its digest would vouch for anything', async (t) => {
  const database = await openTestDatabase(t);
  await commitEvents(database, TENANT, ['a']);
  await t.rejects(
    sql`update event set payload_digest = event_payload_digest(event)`.execute(database.kysely),
    { message: /event_is_erased_whole/ },
  );
});
