import t from 'tap';
import { forgetAnswers, sweepConsumed } from '../../src/directory/consumed-assertions.ts';
import { openTestDatabase } from '../support/events.ts';

/** On tables that an operator has partitioned by tenant, rows of two partitions may lie at the same place. */

t.test('the sweeps reach what is old in each partition, and nothing else', async (t) => {
  const database = await openTestDatabase(t);
  const { pool } = database;
  await pool.query(`
    alter table consumed_assertion rename to whole;
    create table consumed_assertion (like whole including all) partition by hash (tenant_id);
    create table even partition of consumed_assertion for values with (modulus 2, remainder 0);
    create table odd partition of consumed_assertion for values with (modulus 2, remainder 1)`);
  const now = new Date('2026-03-04T05:06:07Z');
  await pool.query(
    `insert into consumed_assertion (tenant_id, identity_provider_id, assertion_hash, consumed_at, expires_at, status, answer)
     select gen_random_uuid(), gen_random_uuid(), '', at, at, 200, '{}'
     from generate_series(1, 200) as n, lateral (select $1::timestamptz + (case when n % 3 = 0 then -1 else 1 end) * interval '1 day') as a (at)`,
    [now],
  );
  t.equal(await forgetAnswers(database, now), 66);
  t.equal(await sweepConsumed(database, now), 66);
  const { rows } = await pool.query(
    'select count(*) as kept, count(*) filter (where expires_at > $1 and answer is not null) as valid from consumed_assertion',
    [now],
  );
  t.same(rows, [{ kept: 134, valid: 134 }]);
});
