import pg from 'pg';
import t from 'tap';
import type { Step } from '../../../src/db/statement.ts';
import { listSteps, planOf, type Turn } from '../../../src/directory/list.ts';
import type { Viewer } from '../../../src/directory/viewer.ts';
import { readListQuery } from '../../../src/scim/query.ts';
import { BASE_TYPES, ENTERPRISE_USER as ENTERPRISE } from '../../../src/scim/resource-types.ts';
import type { TypeName } from '../../../src/scim/types.ts';
import { startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import {
  planNodes as explained,
  type PlanNode,
  rowsFetched,
  rowsRead as touched,
} from '../../support/plans.ts';
import { reading } from '../../support/scim.ts';

/** What lists read at 100,000 users: the plans of the statements that they send. */

const SIZE = 100_000;
const app = await startApp(t);
const { db } = app.context;
const tenant = await app.createTenant();
const client = clientOf(app, await app.scimKey(tenant));
const { id: groupId } = await client.group('Everybody');
const { rows: owners } = await db.pool.query('select directory_id from scim_group where id = $1', [groupId]);
const viewer: Viewer = { tenantId: tenant.id, directoryId: owners[0].directory_id, seesUnmanaged: true };

const START = '2026-01-01T00:00:00Z';
/** The look-up hash of `directory/lookup.ts`, as SQL. */
const hash = (name: string, value: string) =>
  `('x' || encode(substr(sha256(convert_to($1::uuid::text, 'UTF8') || '\\x00' || convert_to('${name}', 'UTF8')
     || '\\x00' || convert_to(${value}, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint`;

/** Without the time limit of requests. */
const loader = new pg.Client(app.connectionString);
await loader.connect();
t.teardown(() => loader.end());

async function load(statement: string, ...values: readonly string[]): Promise<void> {
  await loader.query(statement, [tenant.id, viewer.directoryId, ...values]);
}

/** So many users, as `user-1` and on. */
const loadUsers = ({ tenantId, directoryId }: Viewer, size: number) =>
  loader.query(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, external_id, active, version, created_at,
                          updated_at, body, search, lookup)
   select $1, ('01a20074-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $2, name || '@example.com', 'ext-' || n,
          true, 1, at, at, json_build_object('schemas', '[]'::json, 'userName', name)::text,
          jsonb_build_object('displayName', name, 'title', 'title ' || n % 50,
            'emails', jsonb_build_array(
              jsonb_build_object('value', name || '@example.com', 'type', 'work', 'primary', true),
              jsonb_build_object('value', 'shared-' || n % 100 || '@home.example', 'type', 'home', 'primary', false)),
            $3::text, jsonb_build_object('employeeNumber', n::text, 'manager', jsonb_build_object('value', 'm-' || n / 10))),
          array[${hash('displayName', 'name')}, ${hash('emails.value', `name || '@example.com'`)},
                ${hash('emails.value', `'shared-' || n % 100 || '@home.example'`)},
                ${hash(`${ENTERPRISE}:employeeNumber`, 'n::text')},
                ${hash(`${ENTERPRISE}:manager.value`, `'m-' || n / 10`)}]
   from (select n, 'user-' || n as name, timestamptz '${START}' + n * interval '1 second' as at
         from generate_series(1, ${size}) n) as made`,
    [tenantId, directoryId, ENTERPRISE],
  );

// What PostgreSQL knows of the tables is what is said below.
await loader.query('alter table scim_user set (autovacuum_enabled = false)');
await loadUsers(viewer, SIZE);
await load(
  `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, external_id, version,
                           created_at, updated_at, body, search)
   select $1, ('01a20075-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $2, 'Group ' || n, 'group ' || n,
          'g-' || n, 1, now(), now(), '{"schemas":[],"displayName":"Group"}', '{}'
   from generate_series(1, 5000) n`,
);
await load(
  `insert into group_member
   select $1, ('01a20075-0000-7000-8000-' || lpad(to_hex(n % 5000 + 1), 12, '0'))::uuid,
          ('01a20074-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
   from generate_series(1, ${SIZE}) n where $2::uuid is not null`,
);
await loader.query(`insert into group_member select tenant_id, $1, id from scim_user`, [groupId]);
await db.pool.query('vacuum analyze');

const LARGE = new Set(['scim_user', 'scim_group', 'group_member']);
const planNodes = (step: Step<unknown>) => explained(db.pool, step);
const rowsRead = (nodes: readonly PlanNode[]) => touched(nodes, LARGE);

interface Asked {
  readonly filter?: string;
  readonly sortBy?: string;
  readonly sortOrder?: string;
  readonly count?: number;
  readonly startIndex?: number;
  readonly turn?: Turn;
}

/** The statements of a query, as the routes send them. */
function stepsOf(
  names: readonly TypeName[],
  { turn, startIndex = 1, ...parameters }: Asked,
  seenBy = viewer,
) {
  const query = readListQuery(
    parameters,
    names.map((name) => BASE_TYPES[name]),
    reading(),
  );
  const types = query.types.map((type) => ({ ...type, related: true }));
  const standpoint = {
    viewer: seenBy,
    baseUrl: 'http://rollcall.test/api/scim/v2',
    builtInRoles: ['EDITOR'],
  };
  const page = turn ?? { startIndex };
  const { sortOrder, count } = query;
  const steps = listSteps(db, planOf(standpoint, { types, sortOrder, count, page }));
  return { count: steps.count(), page: steps.page(), neighbour: steps.neighbour() };
}

const USER = '01a20074-0000-7000-8000-000000001388';
const GROUP = '01a20075-0000-7000-8000-000000000001';
const FILTERS: readonly (readonly [type: TypeName, filter: string, matches: number])[] = [
  ['User', 'userName eq "USER-5000@example.com"', 1],
  ['User', 'externalId eq "ext-5000"', 1],
  ['User', `id eq "${USER}"`, 1],
  ['User', 'displayName eq "User-5000"', 1],
  ['User', 'emails.value eq "user-5000@example.com"', 1],
  ['User', 'emails eq "user-5000@example.com"', 1],
  ['User', 'emails[type eq "work"].value eq "user-5000@example.com"', 1],
  ['User', 'emails[type eq "home" and value eq "user-5000@example.com"]', 0],
  ['User', `${ENTERPRISE}:employeeNumber eq "5000"`, 1],
  ['User', `${ENTERPRISE}:manager.value eq "m-500"`, 10],
  ['User', 'manager eq "m-500"', 10],
  // Of 1,000 who have that address the one of that name, found by it.
  ['User', 'emails.value eq "shared-0@home.example" and userName eq "user-5000@example.com"', 1],
  ['User', 'meta.lastModified ge "2026-01-02T03:46:30Z" and meta.lastModified le "2026-01-02T03:46:40Z"', 11],
  ['User', 'meta.lastModified gt "2026-01-02T03:46:30.000Z"', 10],
  ['User', 'userName eq "user-5000@example.com" and active eq true', 1],
  ['User', `groups.value eq "${GROUP}"`, 20],
  ['Group', `members eq "${USER}"`, 2],
  ['Group', `members.value eq "${USER}"`, 2],
  ['Group', `members[value eq "${USER}"]`, 2],
  ['Group', 'displayName eq "GROUP 77"', 1],
  ['Group', 'externalId eq "g-77"', 1],
  ['Group', `id eq "${GROUP}"`, 1],
];
/** How many rows a look-up may touch: its matches, their groups or members, and a few that its index cannot tell. */
const FEW = 150;

t.test('an equality and a narrow range read what they find, and no table', async (t) => {
  for (const [type, filter, matches] of FILTERS) {
    const { count } = stepsOf([type], { filter });
    const { page } = stepsOf([type], { filter: `${filter} and id ne "${groupId}"` });
    const { body } = await client.list(BASE_TYPES[type].endpoint, filter, '&excludedAttributes=members');
    t.equal(body.totalResults, matches, `${filter} finds`);
    for (const [name, step] of Object.entries({ count, page })) {
      const read = rowsRead(await planNodes(step));
      t.ok(read <= FEW, `${filter}: the ${name} reads ${read} rows`);
    }
  }
});

t.test('a page by cursor reads its own rows, however deep it lies', async (t) => {
  const deep = '01a20074-0000-7000-8000-00000001735f';
  const places: readonly (readonly [sort: Omit<Asked, 'turn'>, place: Turn['place']])[] = [
    [{}, [deep]],
    [{ sortBy: 'id', sortOrder: 'descending' }, [deep]],
    [{ sortBy: 'userName' }, ['user-95000@example.com', deep]],
    [{ sortBy: 'userName', sortOrder: 'descending' }, ['user-5@example.com', deep]],
    [{ sortBy: 'meta.lastModified' }, ['2026-01-02T02:00:00.000000Z', deep]],
  ];
  for (const [sort, place] of places) {
    for (const turn of [{ backward: false }, { backward: false, place }, { backward: true, place }]) {
      const { page, neighbour } = stepsOf(['User'], { ...sort, count: 10, turn });
      const read = rowsRead([...(await planNodes(page)), ...(await planNodes(neighbour))]);
      t.ok(read <= FEW, `${JSON.stringify({ ...sort, ...turn })} reads ${read} rows`);
    }
  }
  for (const place of [undefined, ['0', deep], ['1', GROUP]]) {
    const { page, neighbour } = stepsOf(['User', 'Role', 'Entitlement'], {
      count: 10,
      turn: { backward: false, place },
    });
    const read = rowsRead([...(await planNodes(page)), ...(await planNodes(neighbour))]);
    t.ok(read <= FEW, `the root after ${place} reads ${read} rows`);
  }
});

/** What sorts that read many rows hand on: on disk, where it is much. */
const sortedAtLength = (nodes: readonly PlanNode[]) =>
  nodes.filter(
    ({ 'Node Type': type, Plans: [from] = [] }) =>
      type.endsWith('Sort') && (from?.['Actual Rows'] ?? 0) * (from?.['Actual Loops'] ?? 0) > 1_000,
  );

t.test('a deep page passes what lies before it in an index, and sorts no bodies', async (t) => {
  const nodes = await planNodes(stepsOf(['User'], { startIndex: SIZE - 20, count: 10 }).page);
  t.ok(rowsFetched(nodes) <= FEW, `reads ${rowsFetched(nodes)} rows`);
  t.same(sortedAtLength(nodes), []);
  const asked = { filter: 'title eq "title 7"', sortBy: 'emails.value', startIndex: 1_500 };
  const sorts = sortedAtLength(await planNodes(stepsOf(['User'], asked).page));
  t.not(sorts.length, 0, 'of whom a filter leaves many, they are sorted');
  for (const { Output = [] } of sorts) t.notMatch(Output.join(), /\bbody\b/);
});

meets(
  t,
  [124, 255],
  'a page of groups reads half a million members at most, and tells how to ask for less',
  async (t) => {
    await loader.query(
      `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                             updated_at, body, search)
     select tenant_id, gen_random_uuid(), directory_id, 'Whole ' || n, 'whole ' || n, 1, now(), now(), body, '{}'
     from scim_group, generate_series(1, 4) n where id = $1`,
      [groupId],
    );
    // Half of the time that the rows take would be spent on looking them up again.
    await loader.query(
      'alter table group_member drop constraint group_member_user_exists, drop constraint group_member_group_exists',
    );
    await loader.query(
      `insert into group_member select u.tenant_id, g.id, u.id
     from scim_user u join scim_group g on g.display_name like 'Whole %'`,
    );
    const filter = `members eq "${USER}"`;
    const refused = await client.list('/Groups', filter);
    t.match(refused, { status: 400, body: { scimType: 'tooMany' } });
    t.match(refused.text, /more than 500000 members.*excludedAttributes=members.*smaller count/);
    t.ok(rowsRead(await planNodes(stepsOf(['Group'], { filter }).page)) <= 500_001 + FEW);
    const without = await client.list('/Groups', filter, '&excludedAttributes=members');
    t.equal(without.body.Resources.length, 6);
    const fewer = await client.list('/Groups', filter, '&count=2&sortBy=displayName&sortOrder=descending');
    t.same(
      fewer.body.Resources.map(({ members }) => members?.length),
      [SIZE, SIZE],
    );
  },
);

t.test('what identity providers ask all the time is prepared, and no other shape', async (t) => {
  const nameOf = (filter: string) => stepsOf(['User'], { filter }).page.statement.name;
  const asked = ['userName eq "a"', 'emails.value eq "a"', 'emails[type eq "work" and value eq "a"]'];
  for (const filter of asked) t.ok(nameOf(filter), filter);
  const spellings = [
    'emails[value eq "a" and type pr]',
    'emails[value eq "a" and not (display pr)]',
    'emails[value eq "a" and type eq "work" and primary eq true]',
    'emails[(value eq "a" and type pr) or value eq "b"]',
    'emails.value eq "a" and title pr',
  ];
  for (const filter of spellings) t.equal(nameOf(filter), undefined, filter);
});

t.test('a filter made to be slow ends, and says what to do', async (t) => {
  // Of lists, which each of the terms takes apart again: a fast machine compares single values in time.
  const filter = Array.from({ length: 300 }, (_, n) => `emails.value co "${n}x"`).join(' or ');
  const { status, body } = await client.ask<ErrorBody>('POST', '/Users/.search', { filter });
  t.match({ status, body }, { status: 400, body: { scimType: 'tooMany' } });
  t.match(body.detail, /longer than 5 seconds.*userName/);
  t.equal((await client.list('/Users', 'userName eq "user-1@example.com"')).status, 200);
});

t.test(
  'look-ups by hash and deep pages read as little where PostgreSQL knows nothing of the tenant',
  async (t) => {
    const young = await app.createTenant();
    await app.scimKey(young);
    const { rows } = await loader.query('select id from directory where tenant_id = $1', [young.id]);
    const itsViewer = { ...viewer, tenantId: young.id, directoryId: rows[0].id };
    await loadUsers(itsViewer, 20_000);
    await loader.query('vacuum scim_user');
    for (const filter of [
      'emails[type eq "work"].value eq "user-5000@example.com"',
      'emails.value eq "user-5000@example.com" and active eq true',
      'displayName eq "user-5000" or emails.value eq "user-5000@example.com"',
      `(title pr and displayName eq "user-5000") or ${ENTERPRISE}:employeeNumber eq "5000"`,
    ]) {
      const { count, page } = stepsOf(['User'], { filter }, itsViewer);
      const root = stepsOf(['User', 'Entitlement'], { filter }, itsViewer);
      for (const [name, step] of Object.entries({
        count,
        page,
        'root count': root.count,
        'root page': root.page,
      })) {
        const nodes = await planNodes(step);
        t.ok(rowsRead(nodes) <= FEW, `${filter}: the ${name} reads ${rowsRead(nodes)} rows`);
      }
      const [counted] = (await loader.query(count.statement.text, [...count.values])).rows;
      t.equal(Number(counted.total), 1, `${filter} finds one`);
    }
    const { page } = stepsOf(['User'], { startIndex: 19_980, count: 10 }, itsViewer);
    for (const { Output = [] } of sortedAtLength(await planNodes(page))) {
      t.notMatch(Output.join(), /\bbody\b/, 'places are sorted, if anything is');
    }
    await loader.query('analyze scim_user');
    const fetched = rowsFetched(await planNodes(page));
    t.ok(fetched <= FEW, `when it knows that a directory's users are its tenant's, ${fetched} are read`);
  },
);
