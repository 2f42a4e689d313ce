import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { MIGRATIONS } from '../../src/db/migrate.ts';
import { promotedNames } from '../../src/directory/attribute-sql.ts';
import { resolveAttributePath } from '../../src/scim/attribute-path.ts';
import { GROUP_TYPE, USER_TYPE } from '../../src/scim/resource-types.ts';
import { openTestDatabase } from '../support/events.ts';

/** What keeps tenants apart, and the schema ready to be distributed by tenant, read from the migrated database. */

const { pool } = await openTestDatabase(t);

/** Tables of the service itself. */
const WITHOUT_TENANT = ['lease', 'schema_migration', 'service_key'];

t.test('every table of a tenant leads its primary key with tenant_id', async (t) => {
  const { rows } = await pool.query<{ table: string; first: string }>(`
    select c.relname as table, a.attname as first
    from pg_index i
    join pg_class c on c.oid = i.indrelid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
    where i.indisprimary and c.relnamespace = 'public'::regnamespace
    order by 1`);
  t.same(
    rows.filter(({ first }) => first !== 'tenant_id').map(({ table }) => table),
    WITHOUT_TENANT,
  );
  const { rows: tables } = await pool.query(`select tablename from pg_tables where schemaname = 'public'`);
  t.equal(rows.length, tables.length, 'and every table has a primary key');
});

/** Indexes of tenants' tables that lead with something else, and why. */
const ACROSS_TENANTS: Readonly<Record<string, string>> = {
  tenant_name_key: "a tenant's name is unique among tenants",
  scim_user_by_lookup: 'GIN of hashes, into which the tenant went',
  event_unsealed: 'the sealer takes what waits of all tenants, the oldest first',
  job_unfinished: 'whoever takes up a job knows no tenant yet',
  consumed_assertion_by_expiry: 'the sweep of all tenants',
  consumed_assertion_answered: 'the sweep of all tenants',
  domain_by_name: 'whose domain an address has is asked before the tenant is known',
};

t.test('every index of a tenant table leads with tenant_id', async (t) => {
  const { rows } = await pool.query<{ index: string }>(
    `select indexrelid::regclass::text as index
     from pg_index i
     join pg_class c on c.oid = i.indrelid
     left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
     where c.relnamespace = 'public'::regnamespace and c.relname <> all ($1)
       and a.attname is distinct from 'tenant_id'`,
    [WITHOUT_TENANT],
  );
  t.same(rows.map(({ index }) => index).sort(), Object.keys(ACROSS_TENANTS).sort());
});

t.test('every foreign key leads with tenant_id on both sides', async (t) => {
  const { rows: foreign } = await pool.query<{ name: string; definition: string }>(`
    select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint where contype = 'f'`);
  t.ok(foreign.length > 20);
  for (const { name, definition } of foreign) {
    t.match(definition, /FOREIGN KEY \(tenant_id[,)].*REFERENCES \w+\(tenant_id[,)]/, name);
  }
});

t.test('PostgreSQL lets every table of a tenant be partitioned by tenant_id, with its keys', async (t) => {
  const { rows } = await pool.query<{ table: string }>(`
    select table_name as table from information_schema.columns
    where table_schema = 'public' and column_name = 'tenant_id' and table_name <> 'tenant'`);
  t.ok(rows.length > 20);
  for (const { table } of rows) {
    await t.resolves(
      pool.query(`create table ${table}_apart (like ${table} including all) partition by hash (tenant_id)`),
      table,
    );
    await pool.query(`drop table ${table}_apart`);
  }
});

t.test('every foreign key can be followed back by an index', async (t) => {
  const { rows } = await pool.query(`
    select conname from pg_constraint f
    where contype = 'f' and not exists (
      select from pg_index i where i.indrelid = f.conrelid
        and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)`);
  t.same(rows, []);
});

t.test('db/tables.ts names the tables and columns that the migrations make', async (t) => {
  const source = readFileSync(fileURLToPath(new URL('../../../src/db/tables.ts', import.meta.url)), 'utf8');
  const interfaces = new Map(
    [...source.matchAll(/interface (\w+)(?: extends (\w+))? \{(.*?)\n\}/gs)].map(
      ([, name = '', parent, body = '']) => [
        name,
        { parent, columns: [...body.matchAll(/^ {2}(\w+):/gm)].map(([, column = '']) => column) },
      ],
    ),
  );
  const columnsOf = (name: string): string[] => {
    const found = interfaces.get(name);
    return [...(found?.columns ?? []), ...(found?.parent ? columnsOf(found.parent) : [])].sort();
  };
  const tables = [...source.matchAll(/^ {2}(\w+): (\w+Table);/gm)].map(([, table = '', name = '']) => [
    table,
    columnsOf(name),
  ]);
  const { rows } = await pool.query<{ table: string; columns: string[] }>(`
    select table_name as table, array_agg(column_name::text order by column_name collate "C") as columns
    from information_schema.columns
    where table_schema = 'public' and table_name <> 'schema_migration' group by table_name`);
  t.same(Object.fromEntries(tables), Object.fromEntries(rows.map(({ table, columns }) => [table, columns])));
});

t.test('what is promoted to a column is an attribute of the schema', async (t) => {
  for (const type of [USER_TYPE, GROUP_TYPE]) {
    for (const name of promotedNames(type)) t.ok(resolveAttributePath(type, name), `${type.name} ${name}`);
  }
});

t.test('migrations are numbered without gaps and say why', async (t) => {
  const folder = fileURLToPath(MIGRATIONS);
  readdirSync(folder)
    .sort()
    .forEach((name, index) => {
      t.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}_[a-z_]+\\.sql$`));
      t.match(readFileSync(`${folder}${name}`, 'utf8'), /^-- /, `${name} begins with its reason`);
    });
});
