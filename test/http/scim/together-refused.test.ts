import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { MOST_CHANGES } from '../../../src/actions/batches.ts';
import { type Answer, startApp } from '../../support/app.ts';
import { type Resource, USER } from '../../support/client.ts';
import { sentBy } from '../../support/costs.ts';
import { writesTogether } from '../../support/together.ts';
import { newWorld, row, type World } from '../../support/world.ts';

/**
 * Requests that go to the database together, of which one cannot be carried out: whatever the reason, it harms no
 * other. Where nobody knows what became of them, all are told so, and nothing is half done.
 */

const app = await startApp(t);
const { db } = app.context;
const COUNT = 32;

/**
 * PostgreSQL refuses, by a trigger, each user whose `externalId` is a SQLSTATE, with that one: what no door can find, or
 * what comes over anybody at any time.
 */
const REFUSED: Readonly<Record<string, number>> = {
  // character_not_in_repertoire, program_limit_exceeded: a value that PostgreSQL cannot take.
  '22021': 400,
  '54000': 400,
  // serialization_failure, deadlock_detected: again and again.
  '40001': 503,
  '40P01': 503,
  // lock_not_available, query_canceled: it takes too long.
  '55P03': 503,
  '57014': 503,
  // internal_error: a fault that nobody foresaw.
  XX000: 500,
};
const CODES = Object.keys(REFUSED);

/** Which of the requests is refused, and how; the first two go alone. */
const codeOf = (n: number) => (n >= 2 && n % 4 === 0 ? CODES[n / 4 - 1] : undefined);
const statusOf = (n: number, done: number) => REFUSED[codeOf(n) ?? ''] ?? done;

await db.pool.query(
  `create function refuse_state() returns trigger language plpgsql as $$
   declare state text = case tg_table_name when 'scim_user' then to_jsonb(new) ->> 'external_id'
     else (select external_id from scim_user u where u.id::text = to_jsonb(new) ->> 'user_id') end;
   begin
     if state ~ '^[0-9A-Z]{5}$' then raise exception 'refused' using errcode = state; end if;
     return new;
   end $$`,
);

/** Lets PostgreSQL refuse from now on, until the test ends. */
async function refusing(t: Test, table: string): Promise<void> {
  await db.pool.query(
    `create trigger refuse before insert or update on ${table} for each row execute function refuse_state()`,
  );
  t.teardown(() => db.pool.query(`drop trigger refuse on ${table}`));
}

interface Kind {
  /** The table of which PostgreSQL refuses rows, and the statement that writes them. */
  readonly table: 'scim_user' | 'group_member';
  readonly statement: string;
  /** What one that is carried out answers, and what is told of it. */
  readonly status: number;
  readonly type: string;
  ask(stage: Stage, n: number): Promise<Answer<Resource>>;
}

const headersOf = (n: number) => ({ 'x-request-id': `request-${n}` });

const KINDS: Readonly<Record<string, Kind>> = {
  'POST of users': {
    table: 'scim_user',
    statement: 'insert_users',
    status: 201,
    type: 'user.created',
    ask: ({ scim }, n) =>
      scim.ask(
        'POST',
        '/Users',
        { schemas: [USER], userName: `new-${n}`, externalId: codeOf(n) },
        headersOf(n),
      ),
  },
  'PUT of users': {
    table: 'scim_user',
    statement: 'update_users',
    status: 200,
    type: 'user.updated',
    ask: ({ scim, users }, n) =>
      scim.ask(
        'PUT',
        `/Users/${users[n]}`,
        { schemas: [USER], userName: `user-${n}`, externalId: codeOf(n), title: 'Analyst' },
        headersOf(n),
      ),
  },
  'PATCH of users': {
    table: 'scim_user',
    statement: 'update_users',
    status: 200,
    type: 'user.deactivated',
    ask: ({ scim, users }, n) =>
      scim.patch(`/Users/${users[n]}`, [{ op: 'replace', path: 'active', value: false }], headersOf(n)),
  },
  'PATCH of members': {
    table: 'group_member',
    statement: 'change_members',
    status: 204,
    type: 'group.members_added',
    ask: ({ scim, users, groupId }, n) =>
      scim.patch(
        `/Groups/${groupId}`,
        [{ op: 'add', path: 'members', value: [{ value: users[n] }] }],
        headersOf(n),
      ),
  },
};

type Stage = World & { readonly users: readonly string[]; readonly groupId: string };

/** A tenant with a user for each request, of whom some are to be refused, all of them in a group that gives a team. */
async function stage(): Promise<Stage> {
  const world = await newWorld(app);
  await world.map([row('Staff', 'Forensics', 'VIEWER'), row('Analysts', 'Incident Response', 'EDITOR')]);
  const users: string[] = [];
  for (let n = 0; n < COUNT; n += 1) users.push(await world.user(`user-${n}`, { externalId: codeOf(n) }));
  await world.group('Staff', users);
  return { ...world, users, groupId: await world.group('Analysts') };
}

const asksOf = ({ ask }: Kind, world: Stage) => Array.from({ length: COUNT }, (_, n) => () => ask(world, n));

/** Which requests are told of, by a type of events; and that what users hold follows from what is stored. */
async function toldOf(t: Test, world: Stage, type: string): Promise<(string | null)[]> {
  t.equal(await world.drift(), 0);
  const told = (await world.feed()).filter(
    (event) => event.type === type && event.requestId?.startsWith('request-'),
  );
  return told.map(({ requestId }) => requestId).sort();
}

const names = (wanted: (n: number) => boolean) =>
  Array.from({ length: COUNT }, (_, n) => n)
    .filter(wanted)
    .map((n) => `request-${n}`)
    .sort();

for (const [what, kind] of Object.entries(KINDS)) {
  t.test(`${what} that go together: whom PostgreSQL refuses, it refuses alone`, async (t) => {
    const world = await stage();
    await refusing(t, kind.table);
    let answers: Answer<Resource>[] = [];
    const { statements } = await sentBy(async () => {
      answers = await writesTogether(db, world.tenant.id, asksOf(kind, world));
    });
    t.same(
      answers.map(({ status }) => status),
      answers.map((_, n) => statusOf(n, kind.status)),
    );
    for (const [n, { status, headers }] of answers.entries()) {
      if (status === 503) t.ok(headers['retry-after'], `request ${n} is to be repeated`);
    }
    t.ok(
      statements.filter((name) => name === kind.statement).length > COUNT,
      'together, and then one by one',
    );
    t.same(
      await toldOf(t, world, kind.type),
      names((n) => codeOf(n) === undefined),
    );
  });

  t.test(
    `${what} whose connection breaks: all are 503, nothing was done, and all can be repeated`,
    async (t) => {
      const world = await stage();
      // Two alone, and the others together: changes of users by ten.
      const batches = 2 + (kind.statement === 'update_users' ? Math.ceil((COUNT - 2) / MOST_CHANGES) : 1);
      const ended: number[] = [];
      const end = async (sessions: readonly number[]) => {
        ended.push(...sessions);
        await db.pool.query('select pg_terminate_backend(pid) from unnest($1::integer[]) as pid', [sessions]);
      };
      const answers = await writesTogether(db, world.tenant.id, asksOf(kind, world), async (sessions) => {
        await end(sessions);
        while (ended.length < batches) await end(await waitingBeside(ended));
      });
      t.same(
        answers.map(({ status }) => status),
        answers.map(() => 503),
      );
      for (const { headers } of answers) t.ok(headers['retry-after']);
      t.same(await toldOf(t, world, kind.type), []);
      t.equal(ended.length, batches);
      const again = await Promise.all(asksOf(kind, world).map((ask) => ask()));
      t.same(
        again.map(({ status }) => status),
        again.map(() => kind.status),
      );
      t.same(
        await toldOf(t, world, kind.type),
        names(() => true),
      );
    },
  );
}

/** The sessions that wait for a lock, when there are others than these. */
async function waitingBeside(known: readonly number[]): Promise<number[]> {
  for (;;) {
    const { rows } = await db.pool.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and not pid = any ($1)`,
      [known],
    );
    if (rows.length > 0) return rows.map(({ pid }) => pid);
  }
}

t.test(
  'POSTs that go together: names that are taken, or asked for twice, cost only whom they are refused',
  async (t) => {
    const world = await newWorld(app);
    await world.user('taken');
    const wanted: readonly (readonly [userName: string, status: number])[] = [
      ...['a', 'b', 'c'].map((name) => [name, 201] as const),
      ['TAKEN', 409],
      ['twice', 201],
      ['Twice', 409],
      // Longer than PostgreSQL can index, and of nothing that it could compress.
      [Array.from({ length: 400 }, () => randomUUID()).join(''), 400],
      ['a', 409],
      ...['d', 'e', 'twice'].map((name) => [name, name === 'twice' ? 409 : 201] as const),
    ];
    const asks = wanted.map(
      ([userName]) =>
        () =>
          world.scim.ask('POST', '/Users', { schemas: [USER], userName }),
    );
    const answers = await writesTogether(db, world.tenant.id, asks);
    t.same(
      answers.map(({ status }) => status),
      wanted.map(([, status]) => status),
    );
    const stored = (await world.scim.list('/Users', 'userName pr')).body.Resources.map(
      ({ userName }) => userName,
    );
    t.same(
      stored.sort(),
      ['taken', ...wanted.flatMap(([name, status]) => (status === 201 ? [name] : []))].sort(),
    );
  },
);

t.test(
  'PUTs that go together: each has its own 404, 409, 412 and 200, and names are given in their order',
  async (t) => {
    const { scim, tenant, user, feed } = await newWorld(app);
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) ids.push(await user(`user-${n}`));
    const wanted: readonly (readonly [
      id: string | undefined,
      userName: string,
      status: number,
      version?: string,
    ])[] = [
      [ids[0], 'user-0', 200],
      [ids[1], 'user-1', 200],
      [ids[2], 'renamed', 200],
      // Given up by the one before, wanted by two, had by another.
      [ids[3], 'user-2', 200],
      [ids[4], 'Renamed', 409],
      [ids[5], 'user-9', 409],
      [randomUUID(), 'nobody', 404],
      [ids[6], 'user-6', 412, 'W/"7"'],
      [ids[7], 'user-7', 200, 'W/"1"'],
    ];
    const asks = wanted.map(
      ([id, userName, , version], n) =>
        () =>
          scim.ask(
            'PUT',
            `/Users/${id}`,
            { schemas: [USER], userName, title: 'T' },
            {
              ...headersOf(n),
              ...(version !== undefined && { 'if-match': version }),
            },
          ),
    );
    const answers = await writesTogether(db, tenant.id, asks);
    t.same(
      answers.map(({ status }) => status),
      wanted.map(([, , status]) => status),
    );
    const told = (await feed())
      .filter(({ type }) => type === 'user.updated')
      .map(({ requestId }) => requestId);
    t.same(told.sort(), wanted.flatMap(([, , status], n) => (status === 200 ? [`request-${n}`] : [])).sort());
  },
);

t.test('a deadlock costs nobody anything', async (t) => {
  const { scim, user, feed } = await newWorld(app);
  const ids: string[] = [];
  for (let n = 0; n < 8; n += 1) ids.push(await user(`user-${n}`));
  const holder = await db.pool.connect();
  const lock = (id: string | undefined) =>
    holder.query('select from scim_user where id = $1 for update', [id]);
  await holder.query('begin');
  await lock(ids[7]);
  const answers = Promise.all(
    ids.map((id) => scim.patch(`/Users/${id}`, [{ op: 'add', path: 'title', value: 'T' }])),
  );
  await waitingBeside([]);
  // Against the order of ids, which everybody of ours keeps; whom PostgreSQL breaks off is its own affair.
  await lock(ids[2]).catch(() => {});
  await holder.query('rollback');
  holder.release();
  t.same(
    (await answers).map(({ status }) => status),
    ids.map(() => 200),
  );
  t.equal((await feed()).filter(({ type }) => type === 'user.updated').length, ids.length);
});
