import t from 'tap';
import { NIL } from 'uuid';
import { advanceJob } from '../../../src/actions/advance-job.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { groupId, userId } from '../../support/crowd.ts';
import { applyingTenant, CHUNK, CHUNKS, chunks, GROUPS, USERS, work } from '../../support/jobs.ts';

/** A change of the mapping that writes more than 20,000 grants is applied in chunks, by a job. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const app = await startApp(t, { now });

t.test('it is 202, owners change at once, and it is active when all is applied', async (t) => {
  const { changed, status, mapping, job, grants, told } = await applyingTenant(app);
  t.match({ status, ...changed }, { status: 202, version: 1, state: 'applying' });
  t.equal(await grants(`target_id = '${NIL}'`), 1);
  t.equal(await grants(`user_id <> '${userId(USERS)}'`), 0, 'nobody but who becomes an owner');
  t.match(await mapping(), { version: 1, state: 'applying', job: changed.job });
  t.match(await job(changed.job), {
    state: 'queued',
    done: 0,
    total: USERS,
    startedAt: null,
    etaSeconds: null,
  });
  await chunks(app, 1);
  clock.now += 1_000;
  const running = { state: 'running', done: CHUNK, total: USERS, rate: CHUNK, etaSeconds: 8, endedAt: null };
  t.match(await job(changed.job), running);
  t.equal(await grants(`user_id <= '${userId(CHUNK)}'`), CHUNK * GROUPS);
  t.match(await mapping(), { state: 'applying' });
  t.equal(await work(app), CHUNKS - 1);
  t.match(await mapping(), { version: 1, state: 'active', job: undefined });
  t.match(await job(changed.job), { state: 'done', done: USERS, total: USERS, etaSeconds: null });
  t.match((await job(changed.job)).result, { grants: (USERS - 1) * GROUPS, change: 0, remove: 0 });
  t.equal(await grants(), 1 + USERS * GROUPS);
  const events = await told('^job|^grant.added');
  t.match(events.at(-1), { type: 'job.done', actor: { kind: 'job', id: changed.job } });
  const given = events.filter(
    ({ type, actor }) => type === 'grant.added' && (actor as AnyBody).kind === 'job',
  );
  t.ok(given.length > 0);
  for (const { actor, change_id } of given) {
    t.match(actor, { kind: 'job', id: changed.job, askedBy: { kind: 'operator' } });
    t.equal(change_id, changed.job);
  }
});

t.test('a write in between is served, and follows the new version at once', async (t) => {
  const { client, mapping, grants } = await applyingTenant(app);
  await chunks(app, 1);
  const own = `user_id = '${userId(USERS - 1)}'`;
  t.equal(await grants(own), 0, 'its range is not done');
  const patched = await client.patch(`/Groups/${groupId(1)}`, [
    { op: 'remove', path: `members[value eq "${userId(USERS - 1)}"]` },
  ]);
  t.equal(patched.status, 204);
  t.equal(await grants(own), GROUPS - 1);
  t.match(await mapping(), { state: 'applying' });
  await work(app);
  t.match(await mapping(), { state: 'active' });
  t.equal(await grants(own), GROUPS - 1);
});

t.test('between chunks a job holds no lock; in a chunk writers pass beside it', async (t) => {
  const { tenant, client, changed, job } = await applyingTenant(app);
  const { pool } = app.context.db;
  const holder = await pool.connect();
  t.teardown(() => holder.release());
  await holder.query('begin');
  await holder.query('select from scim_user where tenant_id = $1 and id = $2 for update', [
    tenant.id,
    userId(1),
  ]);
  const chunk = advanceJob(app.context, { kind: 'mapping', chunkOf: () => CHUNK });
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await pool.query(waiting)).rowCount === 0);
  const patch = client.patch(`/Users/${userId(USERS)}`, [
    { op: 'replace', path: 'displayName', value: 'Beside' },
  ]);
  t.equal((await patch).status, 200, 'a PATCH beside the chunk that waits');
  await holder.query('rollback');
  await chunk;
  t.match(await job(changed.job), { state: 'running', done: CHUNK });
  const locks = `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database
                                                                          where datname = current_database())`;
  t.equal((await pool.query(locks)).rowCount, 0);
  await work(app);
});

t.test('a chunk with an owner waits for whoever decides on owners, and no other does', async (t) => {
  const { tenant, grants } = await applyingTenant(app);
  const { pool } = app.context.db;
  const decider = await pool.connect();
  t.teardown(() => decider.release());
  await decider.query('begin');
  await decider.query('select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 1))', [tenant.id]);
  await chunks(app, CHUNKS - 1);
  const before = (CHUNKS - 1) * CHUNK;
  t.equal(await grants(`user_id <= '${userId(before)}'`), before * GROUPS);
  const last = work(app);
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted`;
  while ((await pool.query(waiting)).rowCount === 0);
  await decider.query('rollback');
  t.equal(await last, 1);
  t.equal(await grants(`role = 'EDITOR'`), USERS * GROUPS);
});

t.test('users in many groups make smaller chunks', async (t) => {
  const { changed, job, grants } = await applyingTenant(app);
  const { users } = (await advanceJob(app.context, { kind: 'mapping', chunkOf: () => 16_000 })) ?? {};
  t.equal(users, 20_000 / GROUPS);
  t.match(await job(changed.job), { state: 'running', done: users });
  t.equal(await work(app), 1);
  t.match(await job(changed.job), { state: 'done', done: USERS });
  t.equal(await grants(), 1 + USERS * GROUPS);
});

t.test('another process goes on where one died', async (t) => {
  const { changed, mapping, job, grants } = await applyingTenant(app);
  await chunks(app, 2);
  const { connectionString } = app;
  const next = await startApp(t, { connectionString, now });
  t.equal(await work(next), CHUNKS - 2);
  t.match(await job(changed.job), { id: changed.job, state: 'done', done: USERS });
  t.match(await mapping(), { state: 'active' });
  t.equal(await grants(), 1 + USERS * GROUPS);
});

t.test('of two processes each does other chunks', async (t) => {
  const { changed, job, grants, told } = await applyingTenant(app);
  const other = await startApp(t, { connectionString: app.connectionString, now });
  const done = await Promise.all([work(app), work(other), work(app)]);
  t.equal(done.reduce((sum, each) => sum + each) + (await work(app)), CHUNKS);
  t.match(await job(changed.job), { state: 'done', done: USERS });
  t.equal(await grants(), 1 + USERS * GROUPS);
  const added = (await told('^grant.added')).map(({ after }) => (after as AnyBody).users);
  t.equal(added.flat().length, 1 + USERS * GROUPS, 'each grant is told once');
  t.equal((await told('^job.started')).length, 1);
});
