import { sql } from 'kysely';
import t from 'tap';
import { runBoundedSnapshot } from '../../src/db/bounded.ts';
import { type Step, statement, step } from '../../src/db/statement.ts';
import { conversation, pipeline, runAlone, snapshot, transaction } from '../../src/db/transaction.ts';
import { AppError } from '../../src/errors.ts';
import { openTestDatabase } from '../support/events.ts';

/** One wait, and still a transaction: whole, or not at all. */

const database = await openTestDatabase(t);
const { pool } = database;
await pool.query(`
  create table entry (id int primary key, version int not null default 1);
  create table checked (id int primary key references entry (id) deferrable initially deferred)`);

const insert = statement<{ id: number }>('test_insert', 'insert into entry (id) values ($1) returning id');
const bump = statement<unknown>('test_bump', 'update entry set version = version + 1 where id = $1');
const insertChecked = statement<unknown>('test_insert_checked', 'insert into checked (id) values ($1)');
const wait = statement<unknown>('test_wait', 'select pg_sleep($1)');
const cut = statement<unknown>('test_cut', 'select pg_terminate_backend(pg_backend_pid())');
const level = statement<{ level: string }>(
  'test_level',
  `select current_setting('transaction_isolation') as level`,
);

const count = async () => (await pool.query('select count(*) as count from entry')).rows[0].count as number;

t.beforeEach(async () => {
  await pool.query('delete from entry');
});

t.test('a pipeline answers the rows of each step, and commits', async (t) => {
  const [first, second] = await pipeline(database, [step(insert, [1]), step(insert, [2])]);
  t.same([first, second], [[{ id: 1 }], [{ id: 2 }]]);
  t.equal(await count(), 2);
});

t.test('a step that fails undoes those before it and behind it, and its error is thrown', async (t) => {
  await t.rejects(pipeline(database, [step(insert, [1]), step(insert, [1]), step(insert, [2])]), {
    code: '23505',
  });
  t.equal(await count(), 0);
});

t.test('a commit that fails is no success', async (t) => {
  await t.rejects(pipeline(database, [step(insert, [1]), step(insertChecked, [7])]), { code: '23503' });
  t.equal(await count(), 0);
});

t.test('a connection that is cut between two steps leaves nothing', async (t) => {
  await t.rejects(pipeline(database, [step(insert, [1]), step(cut, []), step(insert, [2])]));
  t.equal(await count(), 0);
  t.equal((await pipeline(database, [step(insert, [3])]))[0][0]?.id, 3, 'and the pool goes on');
});

t.test('whoever loses a deadlock runs again', async (t) => {
  await pipeline(database, [step(insert, [1]), step(insert, [2])]);
  const both = (first: number, second: number): Step[] => [
    step(bump, [first]),
    step(wait, [0.2]),
    step(bump, [second]),
  ];
  await Promise.all([pipeline(database, both(1, 2)), pipeline(database, both(2, 1))]);
  const { rows } = await pool.query('select version from entry order by id');
  t.same(rows, [{ version: 3 }, { version: 3 }]);
});

t.test('the isolation level does not depend on the server', async (t) => {
  const { rows } = await pool.query('select current_database() as name');
  await pool.query(`alter database ${rows[0].name} set default_transaction_isolation = 'serializable'`);
  const other = await openTestDatabase(t);
  t.same((await pipeline(other, [step(level, [])]))[0], [{ level: 'read committed' }]);
  await pool.query(`alter database ${rows[0].name} reset default_transaction_isolation`);
});

t.test('a conversation holds what it locked, and is undone by what its work throws', async (t) => {
  await pipeline(database, [step(insert, [1])]);
  const refused = conversation(database, 'anybody', async (send) => {
    await send([step(bump, [1]), step(insert, [2])]);
    throw new Error('refused');
  });
  await t.rejects(refused, /refused/);
  t.equal(await count(), 1);
  await conversation(database, 'anybody', async (send) => {
    await send([step(bump, [1])]);
    const [seen] = await runAlone(
      database,
      step(statement<{ version: number }>('test_read', 'select version from entry'), []),
    );
    t.equal(seen?.version, 1, 'nobody else sees it yet');
  });
  t.same((await pool.query('select version from entry')).rows, [{ version: 2 }]);
});

t.test('the reads of a snapshot see one moment, and those of a pipeline each its own', async (t) => {
  const counted = step(statement<{ n: number }>('test_count', 'select count(*) as n from entry'), []);
  const held = step(statement<unknown>('test_held', 'select pg_advisory_xact_lock(7)'), []);
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted`;
  for (const [read, seen] of [
    [pipeline, [0, 1]],
    [snapshot, [0, 0]],
  ] as const) {
    await pool.query('delete from entry');
    const writer = await pool.connect();
    await writer.query('select pg_advisory_lock(7)');
    const answer = read(database, [counted, held, counted]);
    while ((await writer.query(waiting)).rows.length === 0);
    await writer.query('insert into entry (id) values (1)');
    await writer.query('select pg_advisory_unlock(7)');
    const [[before], , [after]] = await answer;
    t.same([before?.n, after?.n], seen);
    writer.release();
  }
  await t.rejects(snapshot(database, [step(insert, [1])]), { code: '25006' }, 'and write nothing');
});

t.test(
  'reads that are bounded end after 5 seconds, each by itself, with the refusal of who asked',
  async (t) => {
    const refusal = (cause: unknown) => new AppError('invalid_request', 'took too long', { cause });
    t.same(await runBoundedSnapshot(database, [step(level, [])], refusal), [[{ level: 'repeatable read' }]]);
    const slow = runBoundedSnapshot(database, [step(level, []), step(wait, [60])], refusal);
    await t.rejects(slow, { message: 'took too long', cause: { code: '57014' } });
  },
);

t.test('administration has its own limits, whatever its session has', async (t) => {
  const one = await openTestDatabase(t, 1);
  for (const limit of ['statement_timeout', 'lock_timeout']) {
    await sql`set ${sql.raw(limit)} = '1ms'`.execute(one.kysely);
  }
  const { rows } = await transaction(one, 'operator', (trx) =>
    sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`.execute(
      trx,
    ),
  );
  t.same(rows, [{ statement: '10min', lock: '15s' }]);
});

t.test('what is prepared is planned once, and the rest for its values, however it is sent', async (t) => {
  const text = `select current_setting('plan_cache_mode') as mode`;
  const named = step(statement<{ mode: string }>('test_mode', text), []);
  const varying = step<{ mode: string }>({ text }, []);
  const steps = [varying, named, named, varying, varying] as const;
  const wanted = ['custom', 'generic', 'generic', 'custom', 'custom'].map((kind) => `force_${kind}_plan`);
  const modes = (rows: readonly { readonly mode: string }[][]) => rows.map(([row]) => row?.mode);
  t.same(modes(await pipeline(database, steps)), wanted);
  t.same(modes(await snapshot(database, steps)), wanted);
  const twice = await conversation(database, 'a', async (send) => [await send(steps), await send(steps)]);
  t.same(twice.map(modes), [wanted, wanted]);
  t.same(modes([await runAlone(database, named), await runAlone(database, varying)]), [wanted[1], wanted[0]]);
});

t.test('nothing is compiled just in time, for requests and for administration', async (t) => {
  const compiled = `select current_setting('jit') as jit`;
  t.same((await pool.query(compiled)).rows, [{ jit: 'off' }]);
  t.same((await sql.raw(compiled).execute(database.kysely)).rows, [{ jit: 'off' }]);
});
