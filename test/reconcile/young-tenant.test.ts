import pg from 'pg';
import t from 'tap';
import { noteUsers } from '../../src/db/noted.ts';
import type { Step } from '../../src/db/statement.ts';
import { ALL_USERS, planOf, planTenant } from '../../src/reconcile/plan.ts';
import { reconcileLocked } from '../../src/reconcile/reconcile.ts';
import { startApp } from '../support/app.ts';
import { storeMapping } from '../support/mapping.ts';
import { type PlanNode, planNodes } from '../support/plans.ts';

/**
 * A tenant that has grown since PostgreSQL last looked: it expects no row of it anywhere, and joins that are right for
 * no rows compare each member with each row of the mapping.
 */

const [USERS, GROUPS, OF_EACH] = [1_200, 400, 5];
const app = await startApp(t);
const tenant = await app.createTenant();
const client = new pg.Client({ connectionString: app.connectionString });
await client.connect();
t.teardown(() => client.end());
const load = (text: string) => client.query(text.replaceAll('$1', `'${tenant.id}'::uuid`));
for (const table of ['scim_user', 'scim_group', 'group_member', 'mapping_row', 'access_grant', 'team'])
  await client.query(`alter table ${table} set (autovacuum_enabled = false)`);

const id = (kind: number, n: string) =>
  `('01a2007${kind}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const map = (role_name: string) =>
  storeMapping(app, tenant.id, {
    mappings: Array.from({ length: GROUPS }, (_, n) => ({
      group_name: `Group ${n}`,
      team_name: `Team ${n % 20}`,
      role_name,
    })),
  });
await map('EDITOR');
await load(`insert into team select $1, ${id(6, 'n')}, 'Team ' || n, 'team ' || n, 'team', null, 1, now(), now()
            from generate_series(0, 19) n`);
await load(
  `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at, body,
                          search, lookup)
   select $1, ${id(4, 'n')}, d.id, 'user-' || n, true, 1, now(), now(), '{}', '{}', '{}'
   from generate_series(0, ${USERS - 1}) n, directory d where d.tenant_id = $1`,
);
await load(
  `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                           updated_at, body, search)
   select $1, ${id(5, 'n')}, d.id, 'Group ' || n, 'group ' || n, 1, now(), now(), '{}', '{}'
   from generate_series(0, ${GROUPS - 1}) n, directory d where d.tenant_id = $1`,
);
await load(
  `insert into group_member select $1, ${id(5, `(n + k * 7) % ${GROUPS}`)}, ${id(4, 'n')}
   from generate_series(0, ${USERS - 1}) n, generate_series(1, ${OF_EACH}) k`,
);

/** Rows that a plan handed on, or compared and dropped. */
const work = (nodes: readonly PlanNode[]) =>
  nodes.reduce((sum, node) => {
    const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0);
    return sum + (node['Actual Rows'] + dropped) * node['Actual Loops'];
  }, 0);

/** What a step costs for each member of a group. */
const perMember = async (step: Step<unknown>) => work(await planNodes(client, step)) / (USERS * OF_EACH);

t.test('planning for everybody compares no member with every row', async (t) => {
  const sent: Step<unknown>[] = [];
  await planTenant(
    async (steps) => {
      const answers = [];
      for (const { statement, values } of steps) {
        sent.push({ statement, values });
        answers.push((await client.query(statement.text, [...values])).rows);
      }
      return answers as never;
    },
    tenant.id,
    0,
  );
  for (const step of [...sent, planOf(tenant.id, ALL_USERS, 0)])
    t.ok((await perMember(step)) < GROUPS / 2, step.statement.text);
});

t.test('giving everybody what they should hold neither', async (t) => {
  const { rows } = await client.query<{ id: string }>('select id from scim_user where tenant_id = $1', [
    tenant.id,
  ]);
  const note = noteUsers(rows.map((row) => row.id));
  await client.query('begin');
  await client.query(note.statement.text, [...note.values]);
  const told = { changeId: tenant.id, requestId: 'young' };
  const all = reconcileLocked(tenant.id, { at: new Date(), actor: '{}' }, told, { users: USERS });
  t.ok((await perMember(all)) < GROUPS / 2);
  const { rows: held } = await client.query('select count(*)::integer as grants from access_grant');
  t.ok(held[0].grants >= USERS, 'and they hold it');
  await client.query('commit');
});

t.test('nor a change of all that they hold, where it is known and does not fit into memory', async (t) => {
  await client.query('analyze');
  await client.query(`set work_mem = '64kB'`);
  await map('VIEWER');
  t.ok((await perMember(planOf(tenant.id, ALL_USERS, 0))) < GROUPS / 2);
});
