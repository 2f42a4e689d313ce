import pg from 'pg';
import t from 'tap';
import type { Database } from '../../src/db/database.ts';
import type { Step } from '../../src/db/statement.ts';
import { readProfiles, userIdsBy } from '../../src/directory/profiles.ts';
import { accessSteps, membersOfTeam } from '../../src/reconcile/access.ts';
import { groupsOfUsers } from '../../src/reconcile/groups-seen.ts';
import { accessFixtures } from '../support/access.ts';
import { startApp } from '../support/app.ts';
import { genericPlanNodes, planNodes, rowsRead } from '../support/plans.ts';

/** What reading access costs where there is much: 50,000 users in 5,000 groups, of which 500 give teams. */

const USERS = 50_000;
const app = await startApp(t);
const tenant = await app.createTenant();
const { mapping } = accessFixtures(app, tenant);
const loader = new pg.Client(app.connectionString);
await loader.connect();
t.teardown(() => loader.end());
const load = (text: string) => loader.query(text.replaceAll('$1', `'${tenant.id}'::uuid`));

const userId = (n: string) => `('01a20074-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const groupId = (n: string) => `('01a20075-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const teamId = (n: string) => `('01a20076-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const [USER, TEAM] = ['01a20074-0000-7000-8000-000000001388', '01a20076-0000-7000-8000-0000000001f4'];

await mapping({
  mappings: Array.from({ length: 500 }, (_, n) => ({
    group_name: `Group ${n + 1}`,
    team_name: `Team ${n + 1}`,
    role_name: 'EDITOR',
  })),
});
await load(
  `insert into team select $1, ${teamId('n')}, 'Team ' || n, 'team ' || n, 'team', null, 1, now(), now()
   from generate_series(1, 500) n`,
);
await load(
  `insert into scim_user (tenant_id, id, directory_id, user_name_folded, external_id, active, version, created_at,
                          updated_at, body, search, lookup, product_user_id)
   select $1, ${userId('n')}, d.id, 'user-' || n, 'ext-' || n, true, 1, now(), now(),
          json_build_object('userName', 'user-' || n)::text, '{}', '{}', 'p-' || n
   from generate_series(1, ${USERS}) n, directory d where d.tenant_id = $1`,
);
await load(
  `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                           updated_at, body, search)
   select $1, ${groupId('n')}, d.id, 'Group ' || n, 'group ' || n, 1, now(), now(), '{}', '{}'
   from generate_series(1, 5000) n, directory d where d.tenant_id = $1`,
);
await load(
  `insert into group_member select $1, ${groupId('(n + k * 1000) % 5000 + 1')}, ${userId('n')}
   from generate_series(1, ${USERS}) n, generate_series(1, 5) k`,
);
// One team has everybody.
await load(`insert into group_member select $1, ${groupId('500')}, ${userId('n')}
            from generate_series(1, ${USERS}) n where (n % 1000 + 1) <> 500`);
await load(
  `insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, mapping_version, "row",
                             precedence, group_id, group_name, change_id)
   select $1, t.id, m.user_id, 'scim:default', 'EDITOR', false, now(), 1, '/mappings/1', 1, g.id, g.display_name, g.id
   from group_member m join scim_group g on g.tenant_id = $1 and g.id = m.group_id
        join team t on t.tenant_id = $1 and t.name = replace(g.display_name, 'Group', 'Team') where m.tenant_id = $1`,
);
// What others have in the same tables: versions that sign-ins still need, and those sign-ins.
await load(
  `insert into group_mapping_version select $1, n, document, keeps_unmapped, cause, author, created_at
   from group_mapping_version, generate_series(2, 40) n where tenant_id = $1`,
);
await load(
  `insert into mapping_row select $1, n, match, precedence, "row", directory, identity_provider, kind, target, role
   from mapping_row, generate_series(2, 40) n where tenant_id = $1`,
);
await load(
  `insert into jit_sync select $1, id, 'okta', 'enhanced', 1, '{Group 1}', now() from scim_user
   where tenant_id = $1 and id > ${userId('20000')}`,
);
await loader.query('vacuum analyze');

const LARGE = new Set(['scim_user', 'scim_group', 'group_member', 'access_grant', 'mapping_row', 'jit_sync']);

/** The steps that `ask` sends one by one. */
async function stepsSent(ask: (db: Database) => Promise<unknown>): Promise<Step[]> {
  const sent: Step[] = [];
  const { db } = app.context;
  const note = ({ name, text, values = [] }: pg.QueryConfig) => {
    const statement = { text, ...(name !== undefined && { name }) };
    sent.push({ statement, values: values as Step['values'] });
  };
  const connect = async () => {
    const client = await db.pool.connect();
    const query = (config: pg.QueryConfig | string) => {
      if (typeof config !== 'string') note(config);
      return client.query(config);
    };
    const { connection } = client as unknown as { readonly connection: object };
    return { connection, query, release: (isBroken?: boolean) => client.release(isBroken) };
  };
  await ask({ ...db, pool: { connect } as unknown as pg.Pool });
  return sent;
}

async function readsAtMost(steps: readonly Step[], most: number): Promise<string[]> {
  const beyond: string[] = [];
  for (const step of steps) {
    const plans = { its: await planNodes(loader, step) };
    const generic = step.statement.name === undefined ? {} : { any: await genericPlanNodes(loader, step) };
    for (const [plan, nodes] of Object.entries({ ...plans, ...generic })) {
      const read = rowsRead(nodes, LARGE);
      if (read > most) beyond.push(`for ${plan} values ${read} rows by ${step.statement.text}`);
    }
  }
  return beyond;
}

t.test('the access of one user reads their groups and grants, and nothing of others', async (t) => {
  const { rows } = await loader.query('select count(*) from access_grant where user_id = $1', [USER]);
  t.match(rows, [{ count: /^[1-9]$/ }], 'there is something to read');
  const ids = [USER];
  const steps = [readProfiles(tenant.id, ids), ...accessSteps(tenant.id, ids), groupsOfUsers(tenant.id, ids)];
  t.same(await readsAtMost(steps, 60), []);
});

t.test('the access of a hundred users is read by the same four statements', async (t) => {
  const ids = Array.from(
    { length: 100 },
    (_, n) => `01a20074-0000-7000-8000-${(n + 5_000).toString(16).padStart(12, '0')}`,
  );
  const steps = [readProfiles(tenant.id, ids), ...accessSteps(tenant.id, ids), groupsOfUsers(tenant.id, ids)];
  t.same(await readsAtMost(steps, 6_000), []);
});

t.test('a page of members reads so many members, wherever it begins', async (t) => {
  for (const after of ['00000000-0000-0000-0000-000000000000', USER]) {
    const steps = await stepsSent(async (db) => {
      const page = await membersOfTeam(db, tenant.id, TEAM, { after, limit: 20 });
      t.equal(page?.length, 20);
    });
    t.equal(steps.length, 2);
    t.same(await readsAtMost(steps, 1_000), []);
  }
});

t.test('each key of a user finds them by its index', async (t) => {
  for (const [key, value] of [
    ['userName', 'User-5000'],
    ['externalId', 'ext-5000'],
    ['productUserId', 'p-5000'],
  ] as const) {
    const steps = await stepsSent(async (db) => {
      t.same(await userIdsBy(db, tenant.id, { key, value }), [USER]);
    });
    t.same(await readsAtMost(steps, 4), [], key);
  }
});
