import t, { type Test } from 'tap';
import { NIL } from 'uuid';
import { advanceJob } from '../../../src/actions/advance-job.ts';
import { type AnyBody, startApp, type TestApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { crowd, groupId, teamOfEach, userId } from '../../support/crowd.ts';

/** A change of the mapping that writes more than 20,000 grants is applied in chunks, by a job. */

const USERS = 4_100;
const GROUPS = 5;
const MAPPING = { tenant_owners_groups: ['Owners'], mappings: teamOfEach(GROUPS) };

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const log: string[] = [];
const app = await startApp(t, { now, onLog: (line) => log.push(line) });

interface JobBody {
  readonly id: string;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly rate: number | null;
  readonly etaSeconds: number | null;
  readonly result: AnyBody;
}

interface Changed {
  readonly version: number;
  readonly state: string;
  readonly job: string;
}

/** A tenant whose mapping was just put, and is to be applied by a job. */
async function applyingTenant() {
  const tenant = await app.createTenant();
  await crowd(app, tenant, USERS, GROUPS);
  const path = `/tenants/${tenant.id}`;
  const client = clientOf(app, await app.scimKey(tenant));
  await client.group('Owners', [userId(USERS)]);
  const put = <Body = Changed>(document: object, query = '') =>
    app.admin<Body>('PUT', `${path}/group-mapping?createTeams=true${query}`, document);
  const { status, body } = await put(MAPPING);
  return {
    tenant,
    path,
    client,
    put,
    changed: { status, ...body },
    mapping: async () => (await app.admin<Changed>('GET', `${path}/group-mapping`)).body,
    job: async (id = body.job) => (await app.admin<JobBody>('GET', `${path}/jobs/${id}`)).body,
    cancel: (id = body.job) => app.admin('POST', `${path}/jobs/${id}/cancel`),
    grants: async (where = 'true') => grantsOf(tenant.id, where),
  };
}

async function grantsOf(tenantId: string, where: string): Promise<number> {
  const { rows } = await app.context.db.pool.query<{ count: number }>(
    `select count(*) from access_grant where tenant_id = $1 and ${where}`,
    [tenantId],
  );
  return rows[0]?.count ?? 0;
}

/** The worker's turns until there is nothing to do; how many chunks that were. */
async function work({ context }: TestApp = app): Promise<number> {
  let chunks = 0;
  while (await advanceJob(context)) chunks += 1;
  return chunks;
}

async function chunks(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await advanceJob(app.context);
}

/** The events of a tenant of these types, in their order. */
async function told(tenantId: string, type: string): Promise<AnyBody[]> {
  await app.sealEvents();
  const { rows } = await app.context.db.pool.query<AnyBody>(
    `select type, actor, after, reason, change_id from event where tenant_id = $1 and type ~ $2 order by sequence`,
    [tenantId, type],
  );
  return rows;
}

t.test('it is 202, owners change at once, and it is active when all is applied', async (t) => {
  const { tenant, changed, mapping, job, grants } = await applyingTenant();
  t.match(changed, { status: 202, version: 1, state: 'applying' });
  t.equal(await grants(), 1, 'the owner');
  t.equal(await grants(`target_id = '${NIL}' and user_id = '${userId(USERS)}'`), 1);
  t.match(await mapping(), { version: 1, state: 'applying', job: changed.job });
  t.match(await job(), { state: 'queued', done: 0, total: USERS, startedAt: null, etaSeconds: null });
  await chunks(1);
  clock.now += 1_000;
  const running = { state: 'running', done: 1_000, total: USERS, rate: 1_000, etaSeconds: 4, endedAt: null };
  t.match(await job(), running);
  t.equal(await grants(), 1 + 1_000 * GROUPS);
  t.match(await mapping(), { state: 'applying' });
  t.equal(await work(), 4);
  t.match(await mapping(), { version: 1, state: 'active', job: undefined });
  t.match(await job(), { state: 'done', done: USERS, total: USERS, etaSeconds: null });
  t.match((await job()).result, { grants: USERS * GROUPS, add: USERS * GROUPS, change: 0, remove: 0 });
  t.equal(await grants(), 1 + USERS * GROUPS);
  const events = await told(tenant.id, '^job|^grant.added');
  t.match(events.at(-1), { type: 'job.done', actor: { kind: 'job', id: changed.job } });
  const given = events.find(({ type, reason }) => {
    return type === 'grant.added' && (reason as AnyBody).row === '/mappings/0';
  });
  t.match(given, { actor: { kind: 'job', id: changed.job, askedBy: { kind: 'operator' } } });
  t.equal(given?.change_id, changed.job);
});

t.test('a write in between is served, and follows the new version at once', async (t) => {
  const { client, mapping, grants } = await applyingTenant();
  await chunks(1);
  const own = `user_id = '${userId(USERS - 1)}'`;
  t.equal(await grants(own), 0, 'its range is not done');
  const patched = await client.patch(`/Groups/${groupId(1)}`, [
    { op: 'remove', path: `members[value eq "${userId(USERS - 1)}"]` },
  ]);
  t.equal(patched.status, 204);
  t.equal(await grants(own), GROUPS - 1);
  t.match(await mapping(), { state: 'applying' });
  await work();
  t.match(await mapping(), { state: 'active' });
  t.equal(await grants(own), GROUPS - 1);
});

t.test('between chunks a job holds no lock; in a chunk writers pass beside it', async (t) => {
  const { tenant, client, job } = await applyingTenant();
  const { pool } = app.context.db;
  const holder = await pool.connect();
  t.teardown(() => holder.release());
  await holder.query('begin');
  await holder.query('select from scim_user where tenant_id = $1 and id = $2 for update', [
    tenant.id,
    userId(1),
  ]);
  const chunk = advanceJob(app.context);
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await pool.query(waiting)).rowCount === 0);
  const patch = client.patch(`/Users/${userId(USERS)}`, [
    { op: 'replace', path: 'displayName', value: 'Beside' },
  ]);
  t.equal((await patch).status, 200, 'a PATCH beside the chunk that waits');
  await holder.query('rollback');
  await chunk;
  t.match(await job(), { state: 'running', done: 1_000 });
  const locks = `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database
                                                                          where datname = current_database())`;
  t.equal((await pool.query(locks)).rowCount, 0);
  await work();
});

t.test('another process goes on where one died', async (t) => {
  const { changed, mapping, job, grants } = await applyingTenant();
  await chunks(2);
  const { connectionString } = app;
  const next = await startApp(t, { connectionString, now });
  t.equal(await work(next), 3);
  t.match(await job(), { id: changed.job, state: 'done', done: USERS });
  t.match(await mapping(), { state: 'active' });
  t.equal(await grants(), 1 + USERS * GROUPS);
});

t.test('of two processes each does other chunks', async (t) => {
  const { tenant, job, grants } = await applyingTenant();
  const other = await startApp(t, { connectionString: app.connectionString, now });
  const done = await Promise.all([work(), work(other), work()]);
  t.equal(done.reduce((sum, each) => sum + each) + (await work()), 5);
  t.match(await job(), { state: 'done', done: USERS });
  t.equal(await grants(), 1 + USERS * GROUPS);
  const added = (await told(tenant.id, '^grant.added')).map(({ after }) => (after as AnyBody).users);
  t.equal(added.flat().length, 1 + USERS * GROUPS, 'each grant is told once');
  t.equal((await told(tenant.id, '^job.started')).length, 1);
});

t.test('the same document while it is applied is the same version, and still applying', async (t) => {
  const { changed, put, mapping } = await applyingTenant();
  await chunks(1);
  const again = await put(MAPPING);
  t.match(again, { status: 202, body: { version: 1, state: 'applying', job: changed.job } });
  const rehearsed = await put(MAPPING, '&dryRun=true');
  t.match(rehearsed, { status: 200, body: { version: 1, state: 'applying', job: changed.job } });
  await work();
  t.match(await put(MAPPING), { status: 200, body: { version: 1, state: 'active' } });
  t.match(await mapping(), { version: 1, state: 'active' });
});

t.test('a small change while a large one is applied covers what is left of it', async (t) => {
  const { put, mapping, job, grants } = await applyingTenant();
  await chunks(3);
  const small = { ...MAPPING, mappings: teamOfEach(1) };
  const changed = await put(small, '&confirm=12000');
  t.match(changed, { status: 200, body: { version: 2, state: 'active' } });
  t.equal(changed.body.job, undefined);
  t.equal(await grants(), 1 + USERS, 'the users of the last ranges too');
  t.match(await mapping(), { version: 2, state: 'active' });
  t.equal(await work(), 1);
  t.match(await job(), { state: 'done', done: 3_000, total: USERS, result: { supersededBy: 2 } });
  t.match(await mapping(), { version: 2, state: 'active' });
  t.equal(await grants(), 1 + USERS);
});

t.test('a large change while a large one is applied takes its place', async (t) => {
  const { changed, put, mapping, job, grants } = await applyingTenant();
  await chunks(1);
  const second = await put({ ...MAPPING, mappings: teamOfEach(GROUPS, 'VIEWER') });
  t.match(second, { status: 202, body: { version: 2, state: 'applying' } });
  t.not(second.body.job, changed.job);
  t.equal(await work(), 1 + 5);
  t.match(await job(), { state: 'done', done: 1_000, result: { supersededBy: 2 } });
  t.match(await job(second.body.job), { state: 'done', result: { add: 3_100 * GROUPS, change: 5_000 } });
  t.match(await mapping(), { version: 2, state: 'active' });
  t.equal(await grants(`role = 'VIEWER'`), USERS * GROUPS);
});

/** The job is at its end, and its mapping is not. */
async function remainsApplying(
  t: Test,
  { mapping, changed, grants }: Awaited<ReturnType<typeof applyingTenant>>,
): Promise<void> {
  t.equal(await work(), 0);
  t.match(await mapping(), { version: 1, state: 'applying', job: changed.job });
  t.equal(await grants(), 1 + 1_000 * GROUPS);
}

t.test('cancelled, it stays applying; the same document then goes on', async (t) => {
  const applying = await applyingTenant();
  const { tenant, cancel, put, mapping, job, grants } = applying;
  await chunks(1);
  t.match(await cancel(), { status: 200, body: { state: 'cancelled', done: 1_000 } });
  t.match(await cancel(), { status: 200, body: { state: 'cancelled' } }, 'twice');
  t.equal((await told(tenant.id, '^job.cancelled')).length, 1);
  await remainsApplying(t, applying);
  const again = await put(MAPPING);
  t.match(again, { status: 200, body: { version: 2, state: 'active' } }, 'what is left is small');
  t.equal(await grants(), 1 + USERS * GROUPS);
  t.match(await mapping(), { version: 2, state: 'active' });
  t.match(await job(), { state: 'cancelled', result: { grants: 5_000 } });
});

t.test('cancelled, it stays applying until a resync with fix has run through', async (t) => {
  const applying = await applyingTenant();
  const { path, cancel, mapping, grants } = applying;
  await chunks(1);
  await cancel();
  await remainsApplying(t, applying);
  await app.admin('POST', `${path}/resync`);
  t.equal(await work(), 5);
  t.match(await mapping(), { state: 'applying' }, 'a report repairs nothing');
  const { status } = await app.admin('POST', `${path}/resync?fix=true`);
  t.equal(status, 202);
  await chunks(4);
  t.match(await mapping(), { state: 'applying' });
  t.equal(await work(), 1);
  t.match(await mapping(), { version: 1, state: 'active' });
  t.equal(await grants(), 1 + USERS * GROUPS);
});

t.test('a resync waits for the mapping: what is not applied yet is no drift', async (t) => {
  const { path, changed, job } = await applyingTenant();
  const { body } = await app.admin<{ job: string }>('POST', `${path}/resync`);
  await chunks(5);
  t.match(await job(changed.job), { state: 'done' });
  t.match(await job(body.job), { state: 'queued' });
  await work();
  t.match(await job(body.job), { state: 'done', result: { grants: 0 } });
});

t.test('a chunk that fails is tried again later, beside other jobs, and at last given up', async (t) => {
  const failing = await applyingTenant();
  const { tenant, changed, mapping, job } = failing;
  const { pool } = app.context.db;
  await pool.query(
    `create function refuse() returns trigger language plpgsql as $$ begin
       raise exception 'no place for %', new.user_id; end $$;
     create trigger refuse before insert on access_grant for each row when (new.tenant_id = '${tenant.id}')
     execute function refuse()`,
  );
  t.equal(await work(), 1);
  t.match(await job(), { state: 'queued', done: 0 }, 'as it was');
  const other = await applyingTenant();
  t.equal(await work(), 5, 'the other job');
  t.match(await other.mapping(), { state: 'active' });
  for (let failures = 1; failures < 8; failures += 1) {
    t.equal(await work(), 0, 'not at once');
    clock.now += 5_000 * 2 ** failures;
    t.equal(await work(), 1);
  }
  const failed = await job();
  t.match(failed, { state: 'failed', result: { failure: /code P0001/ } });
  t.notMatch(JSON.stringify(failed.result), /no place/);
  t.equal(log.filter((line) => line.includes(changed.job) && line.includes('chunk')).length, 8);
  t.match((await told(tenant.id, '^job')).at(-1), { type: 'job.failed', actor: { kind: 'job' } });
  t.match(await mapping(), { state: 'applying' });
  await pool.query('drop trigger refuse on access_grant');
  t.equal(await work(), 0);
  t.match(await app.admin('POST', `${failing.path}/jobs/${changed.job}/cancel`), {
    status: 409,
    body: { reason: 'job_ended' },
  });
});

t.test('a tenant can be deleted while its mapping is applied', async (t) => {
  const { path } = await applyingTenant();
  await chunks(1);
  const [{ status }] = await Promise.all([app.admin('DELETE', path), work()]);
  t.equal(status, 204);
  t.equal(await work(), 0);
});
