import pg from 'pg';
import t, { type Test } from 'tap';
import { advanceJob } from '../src/actions/advance-job.ts';
import { startApp } from './support/app.ts';
import { clientOf } from './support/client.ts';
import { backendsWaiting, firstFault } from './support/events.ts';
import { jobsOf } from './support/jobs.ts';
import { type Kind, type LoadClient, loadUntilCut, type Sent } from './support/load.ts';
import { runs, SEED } from './support/runs.ts';
import { freePort, startService } from './support/service.ts';
import { newWorld, row } from './support/world.ts';

/**
 * `kill -9` of the process while it works: what was acknowledged is there, what was refused is not, and of what nobody
 * was told all or nothing. This process only looks, as another instance on the same database.
 */

t.comment(`ROLLCALL_SEED=${SEED}`);
const app = await startApp(t);
const { db } = app.context;
const administrator = new pg.Client({ connectionString: app.connectionString });
await administrator.connect();
t.teardown(() => administrator.end());

/** The service as a process on the same database, and a way to kill it: its sessions have ended when that resolves. */
async function startDoomed(t: Test) {
  const { rows } = await administrator.query('select clock_timestamp()::text as since');
  const PORT = await freePort();
  const service = startService(t, {
    env: {
      DATABASE_URL: app.connectionString,
      PORT,
      ROLLCALL_OPERATOR_KEY: 'o'.repeat(32),
      ROLLCALL_SECRET_KEY: Buffer.alloc(32).toString('base64'),
      RATE_LIMIT: '1000000',
      RATE_BURST: '1000000',
      ROLLCALL_DAILY_RESYNC: 'off',
    },
  });
  await service.says(/Server listening/);
  const sessions = `select pid from pg_stat_activity where datname = current_database()
                    and application_name = 'rollcall' and backend_start > $1::timestamptz`;
  return {
    origin: `http://127.0.0.1:${PORT}`,
    kill: () => service.child.kill('SIGKILL'),
    async ended() {
      t.equal(await service.exit(), 'SIGKILL');
      while ((await administrator.query(sessions, [rows[0].since])).rowCount !== 0);
    },
  };
}

/** The types of the events that belong to a request, where it is carried out; whoever joins is given a team. */
const TOLD: Readonly<Record<Kind, readonly string[]>> = {
  create: ['user.created'],
  join: ['grant.added', 'group.members_added', 'membership.added'],
  deactivate: ['grant.ended', 'membership.removed', 'user.deactivated'],
  replace: ['grant.added', 'membership.added', 'user.activated'],
  leave: ['grant.ended', 'group.members_removed', 'membership.removed'],
  wrong: [],
};

interface Event {
  readonly type: string;
  readonly request_id: string;
  readonly resource_id: string;
  readonly change_id: string;
  readonly at: Date;
  readonly before: { readonly members?: readonly string[] } | null;
  readonly after: { readonly members?: readonly string[] } | null;
}

/** A tenant with two directories, whose groups give a team each, and a client of each. */
async function loadedTenant(round: number) {
  const world = await newWorld(app);
  const entra = await world.directory('entra');
  const groups = [await world.group('Analysts'), (await entra.group('Hunters')).id] as const;
  await world.map([row('Analysts', 'Incident Response', 'EDITOR'), row('Hunters', 'Forensics', 'VIEWER')]);
  const clients: readonly LoadClient[] = [
    { key: world.scim.key, groupId: groups[0], writers: 18, prefix: `one-${round}` },
    { key: entra.key, groupId: groups[1], writers: 6, prefix: `two-${round}` },
  ];
  return { ...world, groups, clients };
}

type Loaded = Awaited<ReturnType<typeof loadedTenant>>;

/** Each request was carried out as a whole if it was acknowledged, not at all if refused, and else one or the other. */
function checkRequests(t: Test, sent: readonly Sent[], events: readonly Event[]): void {
  for (const { id, kind, status = 0 } of sent) {
    const own = events.filter(({ request_id }) => request_id === id);
    const types = own.map(({ type }) => type).sort();
    const wanted = status < 300 && (status > 0 || types.length > 0) ? TOLD[kind] : [];
    if (String(types) !== String(wanted)) t.same(types, wanted, `${kind}, answered ${status}`);
    if (new Set(own.map(({ change_id }) => change_id)).size > 1) t.fail(`${kind} is more than one change`);
  }
}

/** Users are as their events tell, each of which is a version, and was the one that its request was told. */
async function checkUsers(t: Test, { tenant }: Loaded, sent: readonly Sent[], events: readonly Event[]) {
  const { rows } = await db.pool.query<{ id: string; name: string; version: number; active: boolean }>(
    'select id, user_name_folded as name, version, active from scim_user where tenant_id = $1',
    [tenant.id],
  );
  const wrong: unknown[] = [];
  for (const { id, name, version, active } of rows) {
    const own = events.filter(({ type, resource_id }) => resource_id === id && type.startsWith('user.'));
    const isActive = own.at(-1)?.type !== 'user.deactivated';
    if (own[0]?.type !== 'user.created' || own.length !== version || active !== isActive)
      wrong.push({ name, own });
    for (const [index, { request_id }] of own.entries()) {
      const told = sent.find((each) => each.id === request_id)?.version;
      if (told !== undefined && told !== index + 1) wrong.push({ name, told, version: index + 1 });
    }
  }
  t.same(wrong, []);
  const stored = new Set(rows.map(({ name }) => name));
  const created = sent.filter(({ kind, status }) => kind === 'create' && status === 201);
  t.same(
    created.filter(({ userName }) => !stored.has(userName)),
    [],
    'every acknowledged user is there',
  );
  t.equal(events.filter(({ type }) => type === 'user.created').length, rows.length, 'no event is of nobody');
}

/**
 * A group's members are those of its events, each of which is a version, and the one that its request was told.
 * @returns how many changes went to the database together with another: those have one time.
 */
async function checkGroup(t: Test, groupId: string, sent: readonly Sent[], events: readonly Event[]) {
  const own = events.filter(({ resource_id, type }) => resource_id === groupId && type !== 'group.created');
  const members = new Set<string>();
  for (const { type, before, after } of own) {
    if (type === 'group.members_added') for (const id of after?.members ?? []) members.add(id);
    else for (const id of before?.members ?? []) members.delete(id);
  }
  const { rows } = await db.pool.query(
    `select version, array(select user_id::text from group_member where group_id = g.id order by user_id) as members
     from scim_group g where id = $1`,
    [groupId],
  );
  t.same(rows, [{ version: 1 + own.length, members: [...members].sort() }]);
  const told = own.map(({ request_id }) => sent.find(({ id }) => id === request_id)?.version);
  const wrong = told.filter((version, index) => version !== undefined && version !== index + 2);
  t.same(wrong, [], 'each was told the version that it made');
  return own.length - new Set(own.map(({ at }) => at.getTime())).size;
}

/** Who is an active member holds the team of the group, and nobody else does. */
async function checkAccess(t: Test, { tenant, drift }: Loaded): Promise<void> {
  const { rows } = await db.pool.query(
    `with wanted as (
       select user_id, case g.display_name when 'Analysts' then 'Incident Response' else 'Forensics' end as team,
              not u.active as suspended
       from group_member m join scim_group g on g.id = m.group_id join scim_user u on u.id = m.user_id
       where m.tenant_id = $1 and u.active
     ), held as (
       select a.user_id, t.name as team, a.suspended from access_grant a join team t on t.id = a.target_id
       where a.tenant_id = $1 and not a.suspended
     )
     (table wanted except table held) union all (table held except table wanted)`,
    [tenant.id],
  );
  t.same(rows, [], 'access is what the mapping says');
  t.equal(await drift(), 0);
}

const isAsMeant = (kind: Kind, status: number) =>
  kind === 'wrong' ? status >= 400 && status < 500 : status < 300;

t.test('kill -9 in the middle of a batched load', async (t) => {
  for (let round = 0; round < runs(2, 40) && t.passing(); round += 1) {
    const loaded = await loadedTenant(round);
    const service = await startDoomed(t);
    let left = 100 + ((SEED + round * 7_919) % 300);
    const onAnswer = ({ status = 500 }: Sent) => {
      if (status < 300) left -= 1;
      if (left === 0) service.kill();
    };
    const sent = await loadUntilCut({ origin: service.origin, onAnswer }, loaded.clients);
    await service.ended();
    const unanswered = sent.filter(({ status }) => status === undefined);
    t.not(unanswered.length, 0, 'requests were on their way');
    t.same(
      sent.filter(({ kind, status }) => status !== undefined && !isAsMeant(kind, status)),
      [],
      'what was wrong was refused, and nothing else',
    );

    await administrator.query('update lease set expires_at = clock_timestamp()');
    await app.sealEvents();
    t.equal(await firstFault(db.kysely, loaded.tenant.id), undefined);
    const { rows: events } = await db.pool.query<Event>(
      `select type, request_id, resource_id, change_id, at, before, after from event
       where tenant_id = $1 and request_id <> 'fixture' order by sequence`,
      [loaded.tenant.id],
    );
    checkRequests(t, sent, events);
    const ids = new Set(sent.map(({ id }) => id));
    const loadEvents = events.filter(({ request_id }) => ids.has(request_id));
    await checkUsers(t, loaded, sent, loadEvents);
    let together = 0;
    for (const group of loaded.groups) together += await checkGroup(t, group, sent, loadEvents);
    t.not(together, 0, 'changes of a group went together');
    await checkAccess(t, loaded);
    await goOn(t, loaded, unanswered);
  }
});

/** The next instance finds nothing locked, and nothing in its way: clients repeat what they got no answer to. */
async function goOn(t: Test, { clients }: Loaded, unanswered: readonly Sent[]): Promise<void> {
  for (const { kind, userName } of unanswered) {
    if (kind !== 'create') continue;
    const key = clients.find(({ prefix }) => userName.startsWith(prefix))?.key ?? '';
    const { status } = await clientOf(app, key).ask('POST', '/Users', { userName });
    t.ok(status === 201 || status === 409, `${status}`);
    t.equal((await clientOf(app, key).list('/Users', `userName eq "${userName}"`)).body.totalResults, 1);
  }
  for (const { key, groupId } of clients) {
    const client = clientOf(app, key);
    const { id } = await client.user(`late-${groupId}`);
    const added = await client.patch(`/Groups/${groupId}`, [
      { op: 'add', path: 'members', value: [{ value: id }] },
    ]);
    t.equal(added.status, 204);
  }
}

t.test('a job whose instance is killed in the middle of a chunk is done by the other, once', async (t) => {
  const world = await newWorld(app);
  await world.map([row('Analysts', 'Incident Response', 'EDITOR')]);
  const [ada, bob] = [await world.user('ada'), await world.user('bob')];
  await world.group('Analysts', [ada, bob]);
  const jobs = jobsOf(app, world.tenant.id);
  await administrator.query('delete from access_grant where tenant_id = $1', [world.tenant.id]);
  const id = (await jobs.resync('?fix=true')).body.job;

  await administrator.query('begin');
  t.teardown(() => administrator.query('rollback'));
  await administrator.query('select from scim_user where id = $1 for update', [bob]);
  const service = await startDoomed(t);
  await backendsWaiting(db, 1);
  t.equal(
    await advanceJob(app.context, { kind: 'resync', chunkOf: () => 10 }),
    undefined,
    'while one is at it, the other has nothing to do',
  );
  t.match(await jobs.job(id), { state: 'queued', done: 0 });
  service.kill();
  await administrator.query('rollback');
  await service.ended();

  t.same(await world.holds(ada), [], 'of the chunk nothing was left');
  t.match(await advanceJob(app.context, { kind: 'resync', chunkOf: () => 10 }), { users: 2 });
  t.match(await jobs.job(id), { state: 'done', done: 2, result: { grants: 2, add: 2 } });
  for (const user of [ada, bob]) t.same(await world.holds(user), ['Incident Response EDITOR scim:default']);
  t.equal((await jobs.told('^job.started')).length, 1);
  t.equal(await world.drift(), 0);
});
