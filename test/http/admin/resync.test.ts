import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { NIL } from 'uuid';
import { queueDailyResync } from '../../../src/actions/queue-daily-resync.ts';
import { startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { jobsOf, work } from '../../support/jobs.ts';

/** Drift: what was changed behind the service's back, in the database, is found, reported, and mended when told. */

const DAY = 86_400_000;
const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const app = await startApp(t, { now });
const { pool } = app.context.db;

const MAPPING = {
  tenant_owners_groups: ['IT Admins'],
  mappings: [
    { group_name: 'Analysts', team_name: 'Fraud', role_name: 'EDITOR' },
    { group_name: 'IT Admins', team_name: 'Platform', role_name: 'TEAM_ADMIN' },
  ],
};

/** A tenant in which everything is as it should be. */
async function soundTenant() {
  const tenant = await app.createTenant();
  const client = clientOf(app, await app.scimKey(tenant));
  const jobs = jobsOf(app, tenant.id);
  const ids: string[] = [];
  for (const name of ['Amy', 'Bob', 'Cleo', 'Dan', 'Eve']) ids.push((await client.user(name)).id);
  const [amy = '', bob = '', cleo = '', dan = '', eve = ''] = ids;
  await client.group('Analysts', [amy, bob, cleo]);
  await client.group('IT Admins', [dan]);
  await jobs.put(MAPPING);
  const { body } = await app.admin<{ teams: { id: string; name: string }[] }>('GET', `${jobs.path}/teams`);
  const [fraud = '', platform = ''] = body.teams.map(({ id }) => id);
  const guests = (await app.admin<{ id: string }>('POST', `${jobs.path}/teams`, { name: 'Guests' })).body.id;
  await app.admin('PUT', `${jobs.path}/teams/${guests}/members/${eve}`, { role: 'VIEWER' });
  const sql = (text: string, ...values: string[]) => pool.query(text, [tenant.id, ...values]);
  const held = async () =>
    (
      await sql(
        `select target_id, user_id, origin, role, suspended from access_grant where tenant_id = $1 order by 1, 2, 3`,
      )
    ).rows;
  return { tenant, client, ...jobs, amy, bob, cleo, dan, eve, fraud, platform, sql, held };
}

type Sound = Awaited<ReturnType<typeof soundTenant>>;

/** Runs a resync to its end. */
async function resynced(t: Test, { resync, job }: Pick<Sound, 'resync' | 'job'>, query = '') {
  const { status, body } = await resync(query);
  t.equal(status, 202);
  await work(app);
  return job(body.job);
}

const grant = `insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, change_id)
               values ($1, $2, $3, $4, $5, $6::boolean, now(), $1)`;

/** Each kind of drift, and what a resync says of it. */
const DRIFTS: readonly (readonly [what: string, drift: (world: Sound) => Promise<unknown>, found: object])[] =
  [
    [
      'a grant that was deleted',
      ({ sql, amy }) => sql(`delete from access_grant where tenant_id = $1 and user_id = $2`, amy),
      { grants: 1, orphans: 0, add: 1, change: 0, remove: 0 },
    ],
    [
      'a role that was changed',
      ({ sql, bob }) =>
        sql(`update access_grant set role = 'TEAM_ADMIN' where tenant_id = $1 and user_id = $2`, bob),
      { grants: 1, change: 1, changes: [{ change: 'change', was: 'TEAM_ADMIN', role: 'EDITOR' }] },
    ],
    [
      'a managed grant that no group gives',
      ({ sql, platform, cleo }) => sql(grant, platform, cleo, 'scim:default', 'EDITOR', 'false'),
      { grants: 1, add: 0, remove: 1, changes: [{ change: 'remove', team: 'Platform' }] },
    ],
    [
      'an ownership that no group gives',
      ({ sql, eve }) =>
        sql(`${grant.replace('$5', 'nullif($5, $5)')}`, NIL, eve, 'scim:default', '', 'false'),
      { grants: 1, add: 0, remove: 0, owners: { gained: [], lost: [/./] } },
    ],
    [
      'a manual grant that is suspended, of an active user',
      ({ sql, eve }) =>
        sql(`update access_grant set suspended = true where tenant_id = $1 and user_id = $2`, eve),
      { grants: 1, add: 1 },
    ],
    [
      'a grant of a user who is gone',
      ({ sql, fraud }) => sql(grant, fraud, randomUUID(), 'manual', 'EDITOR', 'false'),
      { grants: 1, orphans: 1, remove: 1 },
    ],
    [
      'a grant of a user whose id is the last there is',
      ({ sql, fraud }) =>
        sql(grant, fraud, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'manual', 'EDITOR', 'false'),
      { grants: 1, orphans: 1, remove: 1 },
    ],
    [
      'a grant of a team that is gone',
      ({ sql, amy }) => sql(grant, randomUUID(), amy, 'manual', 'EDITOR', 'false'),
      { grants: 1, orphans: 1, remove: 1, changes: [{ team: null }] },
    ],
    [
      'what only retention holds beside another owner',
      ({ sql, eve }) => sql(`${grant.replace('$5', 'nullif($5, $5)')}`, NIL, eve, 'retention', '', 'false'),
      { grants: 1, owners: { gained: [], lost: [/./] } },
    ],
  ];

for (const [what, drift, found] of DRIFTS) {
  t.test(`${what} is reported, then mended, then gone`, async (t) => {
    const world = await soundTenant();
    const { resync, told, held } = world;
    const before = await held();
    t.match((await resynced(t, world)).result, { grants: 0, orphans: 0 }, 'all is well');
    t.equal((await told('^drift')).length, 0);
    await drift(world);
    const drifted = await held();
    t.notSame(drifted, before);
    t.match((await resynced(t, world)).result, found);
    t.same(await held(), drifted, 'a report writes nothing');
    t.match(await told('^drift'), [{ type: 'drift.found', after: { grants: 1, fixed: false } }]);
    const { body } = await app.admin<{ plan: { add: number } }>('POST', `${world.path}/resync?dryRun=true`);
    const guarded = await resync('?fix=true');
    const confirm =
      guarded.status === 409 ? `&confirm=${(guarded.body as { confirm?: number }).confirm}` : '';
    if (guarded.status === 202) await work(app);
    else await resynced(t, world, `?fix=true${confirm}`);
    t.same(await held(), before, JSON.stringify(body));
    t.match((await told('^drift')).at(-1), {
      actor: { kind: 'job', askedBy: { kind: 'operator' } },
      after: { grants: 1, fixed: true },
    });
    const events = (await told('^(grant|membership|owner)')).length;
    const again = await resynced(t, world, '?fix=true');
    t.match(again, { state: 'done', done: 5, total: 5, result: { grants: 0, orphans: 0 } });
    t.equal((await told('^(grant|membership|owner)')).length, events, 'and writes nothing');
    t.equal((await told('^drift')).length, 2);
  });
}

t.test('the flag of a deactivated user that was cleared is set again', async (t) => {
  const world = await soundTenant();
  const { client, eve, sql, held } = world;
  await client.patch(`/Users/${eve}`, [{ op: 'replace', path: 'active', value: false }]);
  const before = await held();
  await sql(`update access_grant set suspended = false where tenant_id = $1 and user_id = $2`, eve);
  t.match((await resynced(t, world, '?fix=true')).result, { grants: 1, remove: 1 });
  t.same(await held(), before);
});

t.test('a dry run says what a fix would do, and queues nothing', async (t) => {
  const world = await soundTenant();
  await world.sql(`delete from access_grant where tenant_id = $1 and user_id = $2`, world.amy);
  const held = await world.held();
  t.match(await world.resync('?dryRun=true&fix=true'), {
    status: 200,
    body: { plan: { add: 1, remove: 0, changes: [{ change: 'add', userName: 'Amy', team: 'Fraud' }] } },
  });
  t.same(await world.held(), held);
  t.match(await app.admin('GET', `${world.path}/jobs`), { status: 200, body: { jobs: [] } });
});

t.test('a fix that takes away much is made when the number is confirmed, and reported anyway', async (t) => {
  const world = await soundTenant();
  const teams = Array.from({ length: 11 }, (_, n) => `Team ${n}`);
  for (const name of teams) {
    const { body } = await app.admin<{ id: string }>('POST', `${world.path}/teams`, { name });
    await world.sql(grant, body.id, world.amy, 'scim:default', 'EDITOR', 'false');
  }
  const refused = { status: 409, body: { reason: 'confirm_required', confirm: 11 } };
  t.match(await world.resync('?fix=true'), refused);
  t.match(await world.resync('?fix=true&confirm=10'), refused);
  t.match(await world.resync(`?fix=true&confirm=11&expectDigest=${'0'.repeat(32)}`), {
    status: 409,
    body: { reason: 'plan_changed' },
  });
  t.match((await resynced(t, world)).result, { remove: 11 });
  t.match((await resynced(t, world, '?fix=true&confirm=11')).result, { remove: 11 });
  t.match((await resynced(t, world)).result, { grants: 0 });
});

t.test('a tenant has one unfinished resync, which the refusal of a second names', async (t) => {
  const world = await soundTenant();
  const [first, second] = await Promise.all([world.resync(), world.resync()]);
  const [queued, refused] = first.status === 202 ? [first, second] : [second, first];
  t.match(refused, { status: 409, body: { reason: 'resync_running', job: queued.body.job } });
  t.match(await world.cancel(queued.body.job), {
    status: 200,
    body: { state: 'cancelled', startedAt: null },
  });
  t.equal((await world.resync()).status, 202);
  t.match(
    (await world.told('^job')).map(({ type }) => type),
    ['job.queued', 'job.cancelled', 'job.queued'],
  );
  await work(app);
});

t.test('jobs are listed, the latest first, page by page', async (t) => {
  const world = await soundTenant();
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) ids.unshift((await resynced(t, world)).id);
  const list = async (query: string) =>
    (
      await app.admin<{ jobs: { id: string; result?: object }[]; next?: string }>(
        'GET',
        `${world.path}/jobs${query}`,
      )
    ).body;
  const { jobs, next } = await list('?limit=2');
  const { jobs: rest, next: end } = await list(`?limit=2&after=${next}`);
  t.same(
    [...jobs, ...rest].map(({ id }) => id),
    ids,
  );
  t.equal(end, undefined);
  t.equal(jobs[0]?.result, undefined);
});

t.test('every day a tenant with something to resync has a resync, by one of two instances', async (t) => {
  const other = await startApp(t, { connectionString: app.connectionString, now });
  clock.now += DAY - 1;
  await app.createTenant();
  while (await queueDailyResync(app.context, 'report'));
  await work(app);
  const world = await soundTenant();
  const jobs = async () => {
    const { body } = await app.admin<{ jobs: object[] }>('GET', `${world.path}/jobs`);
    return body.jobs;
  };
  t.equal(await queueDailyResync(app.context, 'report'), false, 'not on its first day');
  clock.now += DAY + 1;
  for (let day = 1; day <= 2; day += 1) {
    const each = async ({ context }: Pick<typeof app, 'context'>) => {
      while (await queueDailyResync(context, 'report'));
    };
    await Promise.all([each(app), each(other)]);
    t.equal((await jobs()).length, day);
    t.match((await jobs())[0], { kind: 'resync', state: 'queued', createdBy: { name: 'daily resync' } });
    await work(app);
    t.equal(await queueDailyResync(app.context, 'report'), false, 'once');
    clock.now += DAY + 1;
  }
  clock.now += 28 * DAY;
  while (await queueDailyResync(app.context, 'report'));
  t.equal((await jobs()).length, 2, 'what ended 30 days ago is forgotten');
  await work(app);
});

t.test('a daily fix mends, and only reports what somebody would have to confirm', async (t) => {
  const [little, much] = [await soundTenant(), await soundTenant()];
  await little.sql(`delete from access_grant where tenant_id = $1 and user_id = $2`, little.amy);
  await much.sql(`${grant.replace('$5', 'nullif($5, $5)')}`, NIL, much.eve, 'scim:default', '', 'false');
  const drifted = await much.held();
  clock.now += DAY + 1;
  while (await queueDailyResync(app.context, 'fix'));
  await work(app);
  t.match((await little.told('^drift')).at(-1), { after: { grants: 1, fixed: true } });
  t.match((await much.told('^drift')).at(-1), { after: { grants: 1, fixed: false } });
  t.same(await much.held(), drifted);
});
