import t, { type Test } from 'tap';
import { type AnyBody, startApp } from '../../support/app.ts';
import { groupId, teamOfEach, userId } from '../../support/crowd.ts';
import {
  applyingTenant,
  CHUNK,
  CHUNKS,
  chunks,
  GROUPS,
  jobsOf,
  MAPPING,
  USERS,
  work,
} from '../../support/jobs.ts';

/** What becomes of a large change of the mapping that does not simply run through: it is never said to be active. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const log: string[] = [];
const app = await startApp(t, { now, onLog: (line) => log.push(line) });

t.test('the same document while it is applied is the same version, and still applying', async (t) => {
  const { changed, put, mapping } = await applyingTenant(app);
  await chunks(app, 1);
  const again = await put(MAPPING);
  t.match(again, { status: 202, body: { version: 1, state: 'applying', job: changed.job } });
  const rehearsed = await put(MAPPING, '&dryRun=true');
  t.match(rehearsed, { status: 200, body: { version: 1, state: 'applying', job: changed.job } });
  await work(app);
  t.match(await put(MAPPING), { status: 200, body: { version: 1, state: 'active' } });
  t.match(await mapping(), { version: 1, state: 'active' });
});

t.test('a small change while a large one is applied covers what is left of it', async (t) => {
  const { changed, put, mapping, job, grants } = await applyingTenant(app);
  await chunks(app, 3);
  const small = { ...MAPPING, mappings: teamOfEach(1) };
  const { status, body } = await put(small, `&confirm=${(3 * CHUNK + 1) * (GROUPS - 1)}`);
  t.match({ status, body }, { status: 200, body: { version: 2, state: 'active' } });
  t.equal(body.job, undefined);
  t.equal(await grants(), 1 + USERS, 'the users of the last ranges too');
  t.match(await mapping(), { version: 2, state: 'active' });
  t.equal(await work(app), 1);
  t.match(await job(changed.job), {
    state: 'done',
    done: 3 * CHUNK,
    total: USERS,
    result: { supersededBy: 2 },
  });
  t.match(await mapping(), { version: 2, state: 'active' });
  t.equal(await grants(), 1 + USERS);
});

t.test('renames while it is applied are new versions, which the same job goes on to apply', async (t) => {
  const { path, client, changed, mapping, job, grants } = await applyingTenant(app);
  await chunks(app, 1);
  const { body } = await app.admin<{ teams: { id: string; name: string }[] }>('GET', `${path}/teams`);
  const team = body.teams.find(({ name }) => name === 'Team 1');
  t.equal((await app.admin('PATCH', `${path}/teams/${team?.id}`, { name: 'Team One' })).status, 200);
  t.match(await mapping(), { version: 2, state: 'applying', job: changed.job });
  const renamed = [{ op: 'replace', path: 'displayName', value: 'Group Two' }];
  t.equal((await client.patch(`/Groups/${groupId(2)}`, renamed)).status, 204);
  t.match(await mapping(), { version: 3, state: 'applying', job: changed.job });
  t.equal(await work(app), CHUNKS - 1);
  t.match(await job(changed.job), { state: 'done', done: USERS, result: { supersededBy: undefined } });
  t.match(await mapping(), { version: 3, state: 'active' });
  t.equal(await grants(), 1 + USERS * GROUPS);
});

t.test('a large change while a large one is applied takes its place', async (t) => {
  const { changed, put, mapping, job, grants } = await applyingTenant(app);
  await chunks(app, 1);
  const second = await put({ ...MAPPING, mappings: teamOfEach(GROUPS, 'VIEWER') });
  t.match(second, { status: 202, body: { version: 2, state: 'applying' } });
  t.not(second.body.job, changed.job);
  t.equal(await work(app), 1 + CHUNKS);
  t.match(await job(changed.job), { state: 'done', done: CHUNK, result: { supersededBy: 2 } });
  t.match(await job(second.body.job), { state: 'done', result: { change: (CHUNK + 1) * GROUPS } });
  t.match(await mapping(), { version: 2, state: 'active' });
  t.equal(await grants(`role = 'VIEWER'`), USERS * GROUPS);
});

t.test('mappings and resyncs take turns, and nobody waits for a tenant that somebody holds', async (t) => {
  const applying = await applyingTenant(app);
  const other = await app.createTenant();
  const resync = jobsOf(app, other.id);
  const { body } = await resync.resync();
  await chunks(app, 1);
  t.match(await applying.job(applying.changed.job), { done: CHUNK });
  t.equal((await resync.job(body.job)).state, 'queued');
  await chunks(app, 1, 'resync');
  t.equal((await resync.job(body.job)).state, 'done');

  const next = (await resync.resync()).body.job;
  const administrator = await app.context.db.pool.connect();
  t.teardown(() => administrator.release());
  await administrator.query('begin');
  await administrator.query('select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))', [
    applying.tenant.id,
  ]);
  t.equal(await work(app), 1, 'the others are done');
  t.equal((await resync.job(next)).state, 'done');
  t.match(await applying.job(applying.changed.job), { done: CHUNK });
  await administrator.query('rollback');
  t.equal(await work(app), CHUNKS - 1);
});

t.test('who leaves a group that only the version before named loses what that one gave', async (t) => {
  const { client, put, grants, cancel } = await applyingTenant(app);
  await work(app);
  // Of Group 1 to 3 no row is left; the others change, for everybody.
  const document = { ...MAPPING, mappings: teamOfEach(GROUPS, 'VIEWER').slice(3) };
  const { body } = await put(document);
  const second = await put(document, `&confirm=${(body as unknown as AnyBody).confirm}`);
  t.match(second, { status: 202, body: { version: 2, state: 'applying' } });
  const ofTeams = (...names: string[]) => grants(`group_name in ('${names.join(`', '`)}')`);
  const leaves = (n: number) => [{ op: 'remove', path: `members[value eq "${userId(n)}"]` }];
  const own = (n: number) => grants(`user_id = '${userId(n)}' and group_name = 'Group 1'`);
  t.equal((await client.patch(`/Groups/${groupId(1)}`, leaves(7))).status, 204, 'while the job is queued');
  t.equal(await own(7), 0);
  await cancel(second.body.job);
  t.equal((await client.patch(`/Groups/${groupId(1)}`, leaves(8))).status, 204, 'after it was cancelled');
  t.equal(await own(8), 0);
  t.equal(await ofTeams('Group 2', 'Group 3'), 2 * (USERS - 2), 'the others hold what they held');
  const left = [{ value: userId(1) }];
  await client.ask('PUT', `/Groups/${groupId(2)}`, { displayName: 'Group 2', members: left });
  t.equal(await ofTeams('Group 2'), 1, 'by PUT');
  t.equal((await client.ask('DELETE', `/Groups/${groupId(3)}`)).status, 204);
  t.equal(await ofTeams('Group 3'), 0, 'by DELETE');
});

/** The job is at its end, and its mapping is not. */
async function remainsApplying(
  t: Test,
  { mapping, changed, grants }: Awaited<ReturnType<typeof applyingTenant>>,
): Promise<void> {
  t.equal(await work(app), 0);
  t.match(await mapping(), { version: 1, state: 'applying', job: changed.job });
  t.equal(await grants(), 1 + (CHUNK + 1) * GROUPS, 'a chunk, and who became an owner');
}

t.test('cancelled, it stays applying; the same document then goes on', async (t) => {
  const applying = await applyingTenant(app);
  const { changed, cancel, put, mapping, job, grants, told } = applying;
  await chunks(app, 1);
  t.match(await cancel(changed.job), { status: 200, body: { state: 'cancelled', done: CHUNK } });
  t.match(await cancel(changed.job), { status: 200, body: { state: 'cancelled' } }, 'twice');
  t.equal((await told('^job.cancelled')).length, 1);
  await remainsApplying(t, applying);
  const again = await put(MAPPING);
  t.match(again, { status: 200, body: { version: 2, state: 'active' } }, 'what is left is small');
  t.equal(await grants(), 1 + USERS * GROUPS);
  t.match(await mapping(), { version: 2, state: 'active' });
  t.match(await job(changed.job), { state: 'cancelled', result: { grants: CHUNK * GROUPS } });
});

t.test('cancelled, it stays applying until a resync with fix has run through', async (t) => {
  const applying = await applyingTenant(app);
  const { changed, cancel, resync, mapping, grants } = applying;
  await chunks(app, 1);
  await cancel(changed.job);
  await remainsApplying(t, applying);
  await resync();
  t.equal(await work(app), CHUNKS);
  t.match(await mapping(), { state: 'applying' }, 'a report repairs nothing');
  t.equal((await resync('?fix=true')).status, 202);
  await chunks(app, CHUNKS - 1);
  t.match(await mapping(), { state: 'applying' });
  t.equal(await work(app), 1);
  t.match(await mapping(), { version: 1, state: 'active' });
  t.equal(await grants(), 1 + USERS * GROUPS);
});

t.test('a resync waits for the mapping: what is not applied yet is no drift', async (t) => {
  const { resync, changed, job } = await applyingTenant(app);
  const { body } = await resync();
  await chunks(app, CHUNKS);
  t.match(await job(changed.job), { state: 'done' });
  t.match(await job(body.job), { state: 'queued' });
  await work(app);
  t.match(await job(body.job), { state: 'done', result: { grants: 0 } });
});

t.test('a chunk that fails is tried again later, beside other jobs, and at last given up', async (t) => {
  const failing = await applyingTenant(app);
  const { tenant, changed, mapping, job, cancel, told } = failing;
  const { pool } = app.context.db;
  await pool.query(
    `create function refuse() returns trigger language plpgsql as $$ begin
       raise exception 'no place for %', new.user_id; end $$;
     create trigger refuse before insert on access_grant for each row when (new.tenant_id = '${tenant.id}')
     execute function refuse()`,
  );
  t.equal(await work(app), 1);
  t.match(await job(changed.job), { state: 'queued', done: 0 }, 'as it was');
  const other = await applyingTenant(app);
  t.equal(await work(app), CHUNKS, 'the other job');
  t.match(await other.mapping(), { state: 'active' });
  for (let failures = 1; failures < 8; failures += 1) {
    t.equal(await work(app), 0, 'not at once');
    clock.now += 5_000 * 2 ** failures;
    t.equal(await work(app), 1);
  }
  const failed = await job(changed.job);
  t.match(failed, { state: 'failed', result: { failure: /code P0001/ } });
  t.notMatch(JSON.stringify(failed.result), /no place/);
  t.equal(log.filter((line) => line.includes(changed.job) && line.includes('chunk')).length, 8);
  t.match((await told('^job')).at(-1), { type: 'job.failed', actor: { kind: 'job' } });
  t.match(await mapping(), { state: 'applying' });
  await pool.query('drop trigger refuse on access_grant');
  t.equal(await work(app), 0);
  t.match(await cancel(changed.job), { status: 409, body: { reason: 'job_ended' } });
});

t.test('a tenant can be deleted while its mapping is applied', async (t) => {
  const { path } = await applyingTenant(app);
  await chunks(app, 1);
  const [{ status }] = await Promise.all([app.admin('DELETE', path), work(app)]);
  t.equal(status, 204);
  t.equal(await work(app), 0);
});
