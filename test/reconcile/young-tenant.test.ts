import pg from 'pg';
import t from 'tap';
import { noteUsers } from '../../src/db/noted.ts';
import type { Step } from '../../src/db/statement.ts';
import { REFRESH_STATISTICS } from '../../src/db/statistics.ts';
import type { Send } from '../../src/db/transaction.ts';
import { planTenant } from '../../src/reconcile/plan.ts';
import { ALL_USERS } from '../../src/reconcile/plan-sql.ts';
import { compareRange, reconcileRangeLocked } from '../../src/reconcile/range.ts';
import { reconcileLocked } from '../../src/reconcile/reconcile.ts';
import type { Tenant } from '../../src/tenants/tenants.ts';
import { startApp } from '../support/app.ts';
import { storeMapping } from '../support/mapping.ts';
import { planNodes, workOf } from '../support/plans.ts';

/**
 * Tenants that have grown since PostgreSQL last looked: it expects no row of them anywhere, and joins that are right
 * for no rows compare each member with each row of the mapping.
 */

const [USERS, GROUPS, OF_EACH] = [1_200, 400, 5];
const app = await startApp(t);
const client = new pg.Client({ connectionString: app.connectionString });
await client.connect();
t.teardown(() => client.end());
for (const table of ['scim_user', 'scim_group', 'group_member', 'mapping_row', 'access_grant', 'team'])
  await client.query(`alter table ${table} set (autovacuum_enabled = false)`);

const run = async ({ statement, values }: Step<unknown>) =>
  (await client.query(statement.text, [...values])).rows;

const map = ({ id }: Tenant, role_name: string) =>
  storeMapping(app, id, {
    mappings: Array.from({ length: GROUPS }, (_, n) => ({
      group_name: `Group ${n}`,
      team_name: `Team ${n % 20}`,
      role_name,
    })),
  });

/** A tenant with all its users, groups and members at once, whom nobody has reconciled. */
async function grownTenant(): Promise<Tenant> {
  const tenant = await app.createTenant();
  const load = (text: string) => client.query(text.replaceAll('$1', `'${tenant.id}'::uuid`));
  const id = (kind: string, n: string) =>
    `('${tenant.id.slice(0, 13)}-7000-8000-${kind}' || lpad(to_hex(${n}), 11, '0'))::uuid`;
  await map(tenant, 'EDITOR');
  await load(`insert into team select $1, ${id('3', 'n')}, 'Team ' || n, 'team ' || n, 'team', null, 1, now(), now()
              from generate_series(0, 19) n`);
  await load(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at,
                            body, search, lookup)
     select $1, ${id('1', 'n')}, d.id, 'user-' || n, true, 1, now(), now(), '{}', '{}', '{}'
     from generate_series(0, ${USERS - 1}) n, directory d where d.tenant_id = $1`,
  );
  await load(
    `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                             updated_at, body, search)
     select $1, ${id('2', 'n')}, d.id, 'Group ' || n, 'group ' || n, 1, now(), now(), '{}', '{}'
     from generate_series(0, ${GROUPS - 1}) n, directory d where d.tenant_id = $1`,
  );
  await load(
    `insert into group_member select $1, ${id('2', `(n + k * 7) % ${GROUPS}`)}, ${id('1', 'n')}
     from generate_series(0, ${USERS - 1}) n, generate_series(1, ${OF_EACH}) k`,
  );
  return tenant;
}

/** What a step costs for each member of a group. */
const perMember = async (step: Step<unknown>) => workOf(await planNodes(client, step)) / (USERS * OF_EACH);
const MOST = GROUPS / 2;

const young = await grownTenant();

t.test('planning for everybody compares no member with every row', async (t) => {
  t.ok((await perMember(compareRange(young.id, ALL_USERS, 0))) < MOST);
});

t.test('giving everybody what they should hold neither', async (t) => {
  const { rows } = await client.query<{ id: string }>('select id from scim_user where tenant_id = $1', [
    young.id,
  ]);
  await client.query('begin');
  await run(noteUsers(rows.map(({ id }) => id)));
  const told = { changeId: young.id, requestId: 'young' };
  const all = reconcileLocked(young.id, { at: new Date(), actor: '{}' }, told, { users: USERS });
  t.ok((await perMember(all)) < MOST);
  await client.query('commit');
  const { rows: held } = await client.query('select count(*)::integer as grants from access_grant');
  t.ok(held[0].grants >= USERS, 'and they hold it');
});

t.test('nor a change of all that they hold, where it is known and does not fit into memory', async (t) => {
  await client.query('analyze');
  await client.query(`set work_mem = '64kB'`);
  await map(young, 'VIEWER');
  t.ok((await perMember(compareRange(young.id, ALL_USERS, 0))) < MOST);
  await client.query('begin');
  const told = { at: new Date(), actor: '{}', changeId: young.id, requestId: 'young' };
  t.ok((await perMember(reconcileRangeLocked(young.id, ALL_USERS, told, 0))) < MOST, 'nor by a job');
  const { rows } = await client.query(
    `select count(*)::integer as grants from access_grant where role = 'VIEWER'`,
  );
  t.ok(rows[0].grants >= USERS, 'and they hold what it changes');
  await client.query('commit');
  await client.query('reset work_mem');
});

t.test('nor planning for a tenant that came just now, once PostgreSQL has looked', async (t) => {
  const late = await grownTenant();
  let steps = 0;
  const send: Send = async (sent) => {
    const answers = [];
    for (const step of sent) {
      answers.push(await run(step));
      steps += 1;
      t.ok((await perMember(step)) < MOST, step.statement.text.slice(0, 200));
    }
    return answers as never;
  };
  await run(REFRESH_STATISTICS);
  const { plan } = await planTenant(send, late.id, 0);
  t.ok(plan.add >= USERS, 'and it is planned for');
  t.ok(steps >= 2);
});
