import pg from 'pg';
import t from 'tap';
import type { Tenant } from '../../src/tenants/tenants.ts';
import { startApp } from '../support/app.ts';
import { clientOf, GROUP, PATCH_OP, USER } from '../support/client.ts';
import { storeMapping } from '../support/mapping.ts';
import { reportPlans } from '../support/plans.ts';

/**
 * What requests touch in a directory that PostgreSQL has not seen yet: for a minute of a first synchronisation it knows
 * nothing of thousands of users, and expects no row of them.
 */

const [USERS, GROUPS, OF_EACH] = [2_000, 400, 5];
const app = await startApp(t);
const { db } = app.context;
const tables = ['scim_user', 'scim_group', 'group_member', 'mapping_row', 'access_grant', 'team', 'event'];
for (const table of tables) await db.pool.query(`alter table ${table} set (autovacuum_enabled = false)`);
// Another, which it knows well: so it knows that these are not of it.
await fill(await app.createTenant());
await db.pool.query('analyze');
const reports = await reportPlans(app);

const tenant = await app.createTenant();
const client = clientOf(app, await app.scimKey(tenant));
await storeMapping(app, tenant.id, {
  mappings: [{ group_name: 'Group 5', team_name: 'Team 1', role_name: 'EDITOR' }],
});
await fill(tenant);
const [user, group] = [idOf(tenant, '1', 7), idOf(tenant, '2', 5)];
const member = { value: user };

const patch = (operation: object) => ({ schemas: [PATCH_OP], Operations: [operation] });

/** Rows that all nodes of a request's plans hand on or drop, together: fewer than there are groups, or users. */
const MOST = 350;

for (const [what, method, path, body] of [
  ['reading a user', 'GET', `/Users/${user}`],
  ['finding a user by name', 'GET', `/Users?filter=${encodeURIComponent('userName eq "user-9"')}`],
  [
    'finding a user by an address of a type',
    'GET',
    `/Users?filter=${encodeURIComponent('emails[type eq "work"].value eq "user-9@acme.test"')}`,
  ],
  ['creating a user', 'POST', '/Users', { schemas: [USER], userName: 'new' }],
  ['deactivating a user', 'PATCH', `/Users/${user}`, patch({ op: 'replace', path: 'active', value: false })],
  ['changing a user', 'PATCH', `/Users/${user}`, patch({ op: 'add', path: 'title', value: 'Engineer' })],
  ['replacing a user', 'PUT', `/Users/${user}`, { schemas: [USER], userName: 'user-7', active: true }],
  ['reading a group', 'GET', `/Groups/${group}?excludedAttributes=members`],
  ['adding a member', 'PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [member] })],
  [
    'taking a member away',
    'PATCH',
    `/Groups/${group}`,
    patch({ op: 'remove', path: `members[value eq "${user}"]` }),
  ],
  ['creating a group', 'POST', '/Groups', { schemas: [GROUP], displayName: 'New', members: [member] }],
] as const) {
  t.test(`${what} reads a few rows`, async (t) => {
    reports.length = 0;
    const { status } = await client.ask(method, path, body);
    t.ok(status < 300, String(status));
    t.ok(reports.length > 0, 'the plans were told');
    const rows = reports.reduce((sum, report) => sum + report.rows, 0);
    const dearest = reports.filter((report) => report.rows > MOST / 4).map(({ text }) => text.slice(0, 200));
    t.ok(rows < MOST, `${rows} rows`, { dearest });
  });
}

t.test('replacing a membership reads as many rows as it names, and not their square', async (t) => {
  const members = Array.from({ length: 1_500 }, (_, n) => ({ value: idOf(tenant, '1', n) }));
  reports.length = 0;
  const { status } = await client.ask('PUT', `/Groups/${idOf(tenant, '2', 9)}`, {
    schemas: [GROUP],
    displayName: 'Group 9',
    members,
  });
  t.equal(status, 200);
  const rows = reports.reduce((sum, report) => sum + report.rows, 0);
  t.ok(rows < 200 * members.length, `${rows} rows`);
});

function idOf({ id }: Pick<Tenant, 'id'>, kind: string, n: number): string {
  return `${id.slice(0, 13)}-7000-8000-${kind}${n.toString(16).padStart(11, '0')}`;
}

/** Everybody at once, as in a first synchronisation. */
async function fill(tenant: Pick<Tenant, 'id'>): Promise<void> {
  const loader = new pg.Client(app.connectionString);
  await loader.connect();
  const id = (kind: string, n: string) =>
    `('${tenant.id.slice(0, 13)}-7000-8000-${kind}' || lpad(to_hex(${n}), 11, '0'))::uuid`;
  const load = (text: string) => loader.query(text.replaceAll('$1', `'${tenant.id}'::uuid`));
  await load(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at,
                            body, search, lookup)
     select $1, ${id('1', 'n')}, d.id, 'user-' || n, true, 1, now(), now(),
            json_build_object('schemas', json_build_array('${USER}'), 'userName', 'user-' || n)::text, '{}', '{}'
     from generate_series(0, ${USERS - 1}) n, directory d where d.tenant_id = $1`,
  );
  await load(
    `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                             updated_at, body, search)
     select $1, ${id('2', 'n')}, d.id, 'Group ' || n, 'group ' || n, 1, now(), now(),
            json_build_object('schemas', json_build_array('${GROUP}'), 'displayName', 'Group ' || n)::text, '{}'
     from generate_series(0, ${GROUPS - 1}) n, directory d where d.tenant_id = $1`,
  );
  await load(
    `insert into group_member select $1, ${id('2', `(n + k * 7) % ${GROUPS}`)}, ${id('1', 'n')}
     from generate_series(0, ${USERS - 1}) n, generate_series(1, ${OF_EACH}) k`,
  );
  await loader.end();
}
