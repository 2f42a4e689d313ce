import t from 'tap';
import { startApp } from '../support/app.ts';
import { backendsWaiting } from '../support/events.ts';
import { newWorld, row, type World } from '../support/world.ts';

/** A change that is planned, reviewed, and then made. */

const app = await startApp(t);
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');

/** A tenant with so many members of "Analysts", all of them editors of "Incident Response". */
async function manned(count: number): Promise<World & { readonly users: string[] }> {
  const world = await newWorld(app);
  const users: string[] = [];
  for (let index = 0; index < count; index += 1) users.push(await world.user(`user-${index}`));
  await world.map([ANALYSTS]);
  await world.group('Analysts', users);
  return { ...world, users };
}

t.test(
  'a dry run is the real transaction up to its plan, rolled back; the apply writes exactly such a plan',
  async (t) => {
    const world = await manned(3);
    const document = {
      mappings: [row('Analysts', 'Incident Response', 'VIEWER'), row('Analysts', 'Legal', 'EDITOR')],
    };
    const before = await world.feed();
    const { body: dry } = await world.put(document, '?dryRun=true&createTeams=true');
    t.same(await world.feed(), before, 'nothing is told');
    t.equal((await world.document()).version, 1);
    t.notMatch((await world.ask('GET', '/teams')).text, /Legal/, 'no team is left behind');
    t.match(dry, { version: 2, plan: { add: 3, change: 3, remove: 0 } });
    const { body: real } = await world.put(document, '?createTeams=true');
    const changes = (plan: typeof real.plan) => plan.changes.map(({ teamId: _, ...change }) => change);
    t.same(changes(real.plan), changes(dry.plan));
    t.match(real.plan, { add: 3, change: 3, remove: 0 });
    for (const user of world.users) {
      t.same(await world.holds(user), ['Incident Response VIEWER scim:default', 'Legal EDITOR scim:default']);
    }
    t.equal(await world.drift(), 0);
  },
);

t.test(
  'a plan tells counts, owners and permissions gained and lost, and each change with its row',
  async (t) => {
    const world = await newWorld(app);
    const [ada, bob] = [await world.user('ada'), await world.user('bob')];
    for (const [name, members] of [
      ['Analysts', [ada]],
      ['IT Admins', [bob]],
    ] as const)
      await world.group(name, members);
    const entry = (group_name: string) => ({ group_name, permissions: ['BILLING'] });
    await world.map([ANALYSTS], {
      tenant_owners_groups: ['IT Admins'],
      tenant_permission: [entry('IT Admins')],
    });
    const { body } = await world.put(
      {
        tenant_owners_groups: ['Analysts'],
        tenant_permission: [entry('Analysts')],
        mappings: [row('IT Admins', 'Incident Response', 'VIEWER')],
      },
      '?dryRun=true',
    );
    t.match(body.plan, {
      digest: /^[0-9a-f]{32}$/,
      add: 1,
      change: 0,
      remove: 1,
      atNextSignIn: 0,
      owners: { gained: [ada], lost: [bob] },
      permissions: {
        gained: [{ permission: 'BILLING', user: ada }],
        lost: [{ permission: 'BILLING', user: bob }],
      },
    });
    const found = [...body.plan.changes].sort((left, right) => left.change.localeCompare(right.change));
    t.match(found, [
      {
        change: 'add',
        user: bob,
        userName: 'bob',
        team: 'Incident Response',
        role: 'VIEWER',
        was: null,
        row: '/mappings/0',
      },
      {
        change: 'remove',
        user: ada,
        userName: 'ada',
        team: 'Incident Response',
        role: null,
        was: 'EDITOR',
        row: '/mappings/0',
      },
    ]);
  },
);

t.test('the first 1,000 changes are told, and all are counted', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  const teams = Array.from({ length: 1_001 }, (_, index) => `Team ${index}`);
  await world.group('Analysts', [ada]);
  const mappings = teams.map((name) => row('Analysts', name, 'VIEWER'));
  const { body } = await world.put({ mappings }, '?dryRun=true&createTeams=true');
  t.equal(body.plan.add, 1_001);
  t.equal(body.plan.changes.length, 1_000);
});

t.test(
  'the real run may name the digest it reviewed: 409 plan_changed where the plan is another by now',
  async (t) => {
    const world = await manned(2);
    const document = { mappings: [row('Analysts', 'Incident Response', 'VIEWER')] };
    const { body: dry } = await world.put(document, '?dryRun=true');
    const late = await world.user('late');
    await world.group('Analysts too', [late]);
    t.equal((await world.put(document, `?dryRun=true&expectDigest=${dry.plan.digest}`)).status, 200);
    const analysts = (await world.scim.list('/Groups', 'displayName eq "Analysts"')).body.Resources[0]?.id;
    await world.join(String(analysts), late);
    t.match(await world.put(document, `?expectDigest=${dry.plan.digest}`), {
      status: 409,
      body: { reason: 'plan_changed' },
    });
    t.equal((await world.document()).version, 1);
    const { body: again } = await world.put(document, '?dryRun=true');
    t.equal((await world.put(document, `?expectDigest=${again.plan.digest}`)).status, 200);
  },
);

t.test(
  'a mapping change that removes more than ten memberships is 409 until it carries that number',
  async (t) => {
    const world = await manned(11);
    const gone = { mappings: [row('Analysts', 'Forensics', 'VIEWER')] };
    const refused = { status: 409, body: { reason: 'confirm_required', confirm: 11 } };
    t.match(await world.put(gone), refused);
    t.match(await world.put(gone, '?confirm=10'), refused);
    t.match(await world.put(gone, '?dryRun=true'), { status: 200, body: { plan: { add: 11, remove: 11 } } });
    t.same(await world.holds(world.users[0] as string), ['Incident Response EDITOR scim:default']);
    t.match(await world.put(gone, '?confirm=11'), { status: 200, body: { plan: { remove: 11 } } });
    t.same(await world.holds(world.users[0] as string), ['Forensics VIEWER scim:default']);
  },
);

t.test('ten memberships may go without, and of many the tenth part', async (t) => {
  const few = await manned(10);
  t.match(await few.put({ mappings: [row('Analysts', 'Forensics', 'VIEWER')] }), { status: 200 });
  for (const [leavers, status] of [
    [13, 200],
    [14, 409],
  ] as const) {
    const world = await manned(120);
    await world.group('Leavers', world.users.slice(0, leavers));
    await world.map([ANALYSTS, row('Leavers', 'Forensics', 'VIEWER')]);
    const answer = await world.put({ mappings: [ANALYSTS] });
    t.equal(answer.status, status, `${leavers} of ${120 + leavers}`);
  }
});

t.test('single SCIM calls are never held back', async (t) => {
  const world = await manned(30);
  const analysts = (await world.scim.list('/Groups', 'displayName eq "Analysts"')).body.Resources[0]?.id;
  t.equal((await world.scim.ask('PUT', `/Groups/${analysts}`, { displayName: 'Analysts' })).status, 200);
  t.same(await world.holds(world.users[0] as string), []);
});

t.test('a writer that a mapping change waits for is part of its plan', async (t) => {
  const world = await manned(1);
  const { pool } = app.context.db;
  const [client, user] = [await pool.connect(), await world.user('late')];
  const analysts = (await world.scim.list('/Groups', 'displayName eq "Analysts"')).body.Resources[0]?.id;
  await client.query('begin');
  await client.query('select from scim_user where id = $1 for update', [user]);
  const joining = world.join(String(analysts), user);
  await backendsWaiting(app.context.db, 1);
  const changing = world.put({ mappings: [row('Analysts', 'Incident Response', 'VIEWER')] });
  await backendsWaiting(app.context.db, 2);
  await client.query('rollback');
  client.release();
  t.equal((await joining).status, 204);
  t.match(await changing, { status: 200, body: { plan: { change: 2 } } });
  t.same(await world.holds(user), ['Incident Response VIEWER scim:default']);
});
