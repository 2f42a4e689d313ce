import pg from 'pg';
import t from 'tap';
import { startApp } from '../support/app.ts';
import { GROUP, type List, USER } from '../support/client.ts';
import { type Sent, sentBy, TELL, touchedBy } from '../support/costs.ts';

import { ADA, newSignInWorld } from '../support/sign-in.ts';
import { readsTogether, writesTogether } from '../support/together.ts';
import { row } from '../support/world.ts';

/**
 * What the requests cost that are asked most: how often each waits for the database, how many statements it sends
 * (`begin` and `commit` count), and how many rows are read and written for it. The same in a small tenant and in one of
 * 100,000 users, in a group of ten and in one of 10,000. The key is one that was asked for less than 0.9 seconds ago.
 * The counters of rows are PostgreSQL's own, which say at once what was done from 15 on: on 14 this file fails.
 */

const LARGE = 100_000;
const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const app = await startApp(t, { now: () => new Date(clock.now) });
/** Without the time limits of requests. */
const loader = new pg.Client(app.connectionString);
await loader.connect();
t.teardown(() => loader.end());

/** A tenant of so many users. A tenth of them are in one group, which gives a team, and each in one of its own. */
async function tenantOf(users: number) {
  const world = await newSignInWorld(app, { jit: 'enhanced' });
  const { tenant } = world;
  await world.map(
    [
      row('Everybody', 'Incident Response', 'VIEWER'),
      row('Analysts', 'Incident Response', 'EDITOR'),
      row('Hunters', 'Forensics', 'VIEWER'),
    ],
    { tenant_owners_groups: ['IT Admins'] },
  );
  const everybody = await world.group('Everybody');
  const load = (text: string) => loader.query(text.replaceAll('$1', `'${tenant.id}'::uuid`));
  const id = (kind: string, n: string) =>
    `('01a20074-0000-7000-${kind}' || lpad(to_hex(${n}), 12, '0'))::uuid`;
  const members = `generate_series(1, ${users / 10}) n`;
  await load(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, external_id, active, version, created_at, updated_at,
                            body, search, lookup)
     select $1, ${id('8000-', 'n')}, d.id, 'user-' || n, 'ext-' || n, true, 1, now(), now(),
            json_build_object('userName', 'user-' || n)::text, '{}', array[${users} + n::bigint * 7919, n::bigint * 104729]
     from generate_series(1, ${users}) n, directory d where d.tenant_id = $1`,
  );
  await load(
    `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at, updated_at,
                             body, search)
     select $1, ${id('9000-', 'n')}, d.id, 'Group ' || n, 'group ' || n, 1, now(), now(), '{}', '{}'
     from ${members}, directory d where d.tenant_id = $1`,
  );
  await load(
    `insert into group_member select $1, '${everybody}', ${id('8000-', 'n')} from ${members}
     union all select $1, ${id('9000-', 'n')}, ${id('8000-', 'n')} from ${members}`,
  );
  await load(
    `insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, mapping_version, "row",
                               precedence, group_id, group_name, change_id)
     select $1, t.id, ${id('8000-', 'n')}, 'scim:default', 'VIEWER', false, now(), 1, '/mappings/0', 0, '${everybody}', 'Everybody', t.id
     from ${members} join team t on t.tenant_id = $1 and t.name = 'Incident Response'`,
  );
  return { ...world, everybody };
}

type Sized = Awaited<ReturnType<typeof sized>>;

/** A tenant, and in it whom the requests are about. */
async function sized(users: number) {
  const world = await tenantOf(users);
  const { scim, user, join, post, tenant, everybody } = world;
  const ada = await user('ada@acme.test', { emails: [{ value: 'ada@acme.test', type: 'work' }] });
  const member = await user('member');
  const eve = await user('eve');
  await join(everybody, eve);
  // No row of the mapping names it.
  const unmapped = await world.group('Unmapped');
  await join(unmapped, eve);
  await post({ ...ADA, sub: 'known', email: 'known@acme.test' });
  const product = (await app.apiKey(tenant, ['read'])).key;
  const { body: page } = await scim.ask<List & { nextCursor: string }>('GET', '/Users?cursor&count=5');
  return { ...world, ada, member, eve, unmapped, product, cursor: page.nextCursor };
}

/** How a request is made for the n-th time. */
type Ask = (world: Sized, n: number) => Promise<{ readonly status: number; readonly text: string }>;
const replace = (path: string, value: unknown) => [{ op: 'replace', path, value }];
const PARTS = 'attributes=userName';
const WITHOUT_MEMBERS = 'excludedAttributes=members';
const unmappedOf = (...members: readonly string[]) => ({
  schemas: [GROUP],
  displayName: 'Unmapped',
  members: members.map((value) => ({ value })),
});

interface Cost {
  readonly waits: number;
  /** `begin`, `commit`, and what says how to plan among them. */
  readonly statements: number;
  readonly written: number;
  /** Rows of large tables, their indexes' entries among them. */
  readonly readAtMost: number;
}

/** Versions of rows that PostgreSQL has not removed yet are read as well: how many there are depends on what runs beside. */
const FEW = 100;

const cost = (waits: number, statements: number, written: number, readAtMost = FEW): Cost => ({
  waits,
  statements,
  written,
  readAtMost,
});
/** A list says how many there are (`totalResults`), so all are counted. */
const ALL = Number.POSITIVE_INFINITY;

const CASES: readonly (readonly [what: string, cost: Cost, ask: Ask])[] = [
  ['GET of a user', cost(1, 1, 0), ({ scim, ada }) => scim.ask('GET', `/Users/${ada}`)],
  ['GET of a user by name', cost(1, 1, 0), ({ scim, ada }) => scim.ask('GET', `/Users/${ada}?${PARTS}`)],
  [
    'GET of a group without members',
    cost(1, 1, 0),
    ({ scim, everybody }) => scim.ask('GET', `/Groups/${everybody}?${WITHOUT_MEMBERS}`),
  ],
  ['userName eq', cost(1, 6, 0), ({ scim }) => scim.list('/Users', 'userName eq "ada@acme.test"')],
  ['userName eq, nobody', cost(1, 6, 0), ({ scim }) => scim.list('/Users', 'userName eq "nobody"')],
  ['externalId eq', cost(1, 6, 0), ({ scim }) => scim.list('/Users', 'externalId eq "ext-7"')],
  ['emails.value eq', cost(1, 6, 0), ({ scim }) => scim.list('/Users', 'emails.value eq "ada@acme.test"')],
  [
    'emails of a type eq',
    cost(1, 6, 0),
    ({ scim }) => scim.list('/Users', 'emails[type eq "work"].value eq "ada@acme.test"'),
  ],
  [
    'displayName eq of groups',
    cost(1, 6, 0),
    ({ scim }) => scim.list('/Groups', 'displayName eq "Everybody"', `&${WITHOUT_MEMBERS}`),
  ],
  [
    'members.value eq',
    cost(1, 8, 0),
    ({ scim, ada }) => scim.list('/Groups', `members.value eq "${ada}"`, `&${WITHOUT_MEMBERS}`),
  ],
  ['the first page', cost(1, 8, 0, ALL), ({ scim }) => scim.ask('GET', '/Users?startIndex=1&count=5')],
  [
    'the next page by cursor',
    cost(1, 8, 0, ALL),
    ({ scim, cursor }) => scim.ask('GET', `/Users?count=5&cursor=${cursor}`),
  ],
  [
    'POST of a user',
    cost(1, 1, 2),
    ({ scim }, n) => scim.ask('POST', '/Users', { schemas: [USER], userName: `new-${n}` }),
  ],
  [
    'POST of a user who exists',
    cost(1, 1, 0),
    ({ scim }) => scim.ask('POST', '/Users', { schemas: [USER], userName: 'ada@acme.test' }),
  ],
  [
    'PUT of a user, as it is',
    cost(1, 1, 0),
    ({ scim, member }) => scim.ask('PUT', `/Users/${member}`, { schemas: [USER], userName: 'member' }),
  ],
  [
    'PUT of a user',
    cost(2, 8, 2),
    ({ scim, eve }, n) =>
      scim.ask('PUT', `/Users/${eve}`, { schemas: [USER], userName: 'eve', title: `put ${n}` }),
  ],
  [
    'PATCH of a title',
    cost(2, 8, 2),
    ({ scim, eve }, n) => scim.patch(`/Users/${eve}`, replace('title', `patched ${n}`)),
  ],
  ['PATCH of active, as it is', cost(1, 1, 0), ({ activate, ada }) => activate(ada, true)],
  [
    'PATCH of active of who is in a team',
    cost(2, 10, 6),
    ({ activate, eve }, n) => activate(eve, n % 2 === 1),
  ],
  [
    'PATCH of a group, one member more or less',
    cost(1, 9, 7),
    ({ join, leave, everybody, member }, n) => (n % 2 ? leave : join)(everybody, member),
  ],
  [
    'PATCH of a group, a member who is one',
    cost(1, 9, 0),
    ({ join, everybody, ada }) => join(everybody, ada),
  ],
  [
    'PATCH of a group, one member more or less and its name',
    cost(2, 10, 7),
    ({ scim, everybody, member }, n) =>
      scim.patch(`/Groups/${everybody}`, [
        { op: 'replace', value: { displayName: 'Everybody' } },
        { op: n % 2 ? 'remove' : 'add', path: 'members', value: [{ value: member }] },
      ]),
  ],
  [
    'PUT of a group, as it is',
    cost(4, 8, 0),
    ({ scim, unmapped, eve }) => scim.ask('PUT', `/Groups/${unmapped}?${WITHOUT_MEMBERS}`, unmappedOf(eve)),
  ],
  [
    'PUT of a group that the mapping does not name, one member more or less',
    cost(4, 8, 3),
    ({ scim, unmapped, eve, member }, n) =>
      scim.ask(
        'PUT',
        `/Groups/${unmapped}?${WITHOUT_MEMBERS}`,
        n % 2 ? unmappedOf(eve) : unmappedOf(eve, member),
      ),
  ],
  [
    'a sign-in that changes nothing',
    cost(3, 22, 3),
    ({ post }) => post({ ...ADA, sub: 'known', email: 'known@acme.test' }),
  ],
  [
    'a sign-in that changes a team',
    cost(10, 46, 11),
    ({ post }, n) =>
      post({ ...ADA, sub: 'moves', email: 'moves@acme.test', groups: [n % 2 ? 'Hunters' : 'Analysts'] }),
  ],
  [
    'what a user may do',
    cost(1, 5, 0),
    ({ tenant, product, ada }) =>
      app.send('GET', `/api/v1/tenants/${tenant.id}/users/${ada}/access`, { key: product }),
  ],
];

/** The tables that grow with users and groups. */
const GROWING = new Set([
  'scim_user',
  'scim_group',
  'group_member',
  'access_grant',
  'access_grant_history',
  'event',
]);
/** PostgreSQL may change the plan of a statement that has run five times. */
const WARM = 6;

const worlds = { large: await sized(LARGE), small: await sized(100) };
await loader.query('vacuum analyze');
await loader.query(TELL);

async function costOf(work: () => Promise<unknown>) {
  let sent: Sent = { waits: 0, statements: [] };
  const touched = await touchedBy(app, async () => {
    sent = await sentBy(work);
  });
  const growing = touched.filter(({ table }) => GROWING.has(table));
  return {
    ...sent,
    written: touched.reduce((sum, table) => sum + table.written, 0),
    read: growing.reduce((sum, table) => sum + table.read, 0),
    scanned: growing.filter(({ sequentialScans }) => sequentialScans > 0),
  };
}

for (const [size, world] of Object.entries(worlds)) {
  t.test(`what requests cost, in a ${size} tenant`, async (t) => {
    for (const [what, { readAtMost, ...wanted }, ask] of CASES) {
      for (let n = 0; n < WARM; n += 1) {
        const { status, text } = await ask(world, n);
        t.ok(status < 300 || status === 409, `${what}: ${status} ${text}`);
      }
      // Two, because what one does the next may undo.
      const costs = [await costOf(() => ask(world, WARM)), await costOf(() => ask(world, WARM + 1))];
      for (const { waits, statements, read, scanned } of costs) {
        const sent = { waits, statements: statements.length };
        t.same(
          sent,
          { waits: wanted.waits, statements: wanted.statements },
          `${what}: ${statements.join(', ')}`,
        );
        // Where a tenant has few users, reading all of them may be the shortest way.
        t.ok(size === 'small' || read <= readAtMost, `${what} reads ${read} rows`);
        // Who counts all of them may read the table, where it is not vacuumed yet.
        t.same(readAtMost === ALL ? [] : scanned, [], `${what} reads no large table from end to end`);
      }
      t.equal(Math.max(...costs.map(({ written }) => written)), wanted.written, `${what} writes`);
    }
  });
}

t.test('a key is looked up once in 0.9 seconds, by one statement', async (t) => {
  clock.now += 900;
  const { scim, ada } = worlds.large;
  t.match(await sentBy(() => scim.ask('GET', `/Users/${ada}`)), { waits: 2, statements: { length: 2 } });
  t.match(await sentBy(() => scim.ask('GET', `/Users/${ada}`)), { waits: 1, statements: { length: 1 } });
});

t.test('32 requests of one client that meet send what a few send', async (t) => {
  const { scim, user, activate, join, tenant, everybody } = worlds.large;
  const users: string[] = [];
  for (let n = 0; n < 32; n += 1) users.push(await user(`crowd-${n}`));
  const { db } = app.context;
  type Asks = readonly (() => Promise<{ readonly status: number }>)[];
  const writes = (asks: Asks) => writesTogether(db, tenant.id, asks);
  const asks = (ask: (id: string, n: number) => Promise<{ readonly status: number }>) =>
    users.map((id, n) => () => ask(id, n));
  const kinds: readonly (readonly [
    statement: string,
    meet: () => Promise<readonly { readonly status: number }[]>,
    sent?: number,
  ])[] = [
    [
      'read_users',
      () =>
        readsTogether(
          db,
          asks((id) => scim.ask('GET', `/Users/${id}?${PARTS}`)),
        ),
    ],
    [
      'insert_users',
      () => writes(asks((_, n) => scim.ask('POST', '/Users', { schemas: [USER], userName: `met-${n}` }))),
    ],
    [
      'update_users',
      () =>
        writes(
          asks((id, n) =>
            scim.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: `crowd-${n}`, title: 'T' }),
          ),
        ),
      2 + 3,
    ],
    // Changes of users go together by ten: each reads what may be a megabyte.
    ['update_users', () => writes(asks((id) => activate(id, false))), 2 + 3],
    ['change_members', () => writes(asks((id) => join(everybody, id)))],
  ];
  for (const [statement, meet, sent = 2 + 1] of kinds) {
    const { statements } = await sentBy(async () => {
      for (const { status } of await meet()) t.ok(status < 300, `${status}`);
    });
    t.equal(
      statements.filter((name) => name === statement).length,
      sent,
      `${statement}: two alone, and the others together`,
    );
  }
});
