import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { declaredStatements } from '../../src/db/statement.ts';
import { openTestDatabase } from '../support/events.ts';

/**
 * What a statement reads of a tenant's tables it reads of one tenant: so it finds the partition, or the node, on which
 * the tenant lies, and no other tenant's rows.
 */

/** The rooms in which SQL stands. */
const ROOMS = ['clients', 'db', 'directory', 'events', 'reconcile', 'tenants'];

const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));
const filesOf = (room: string) =>
  readdirSync(`${SOURCES}${room}`, { encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${room}/${name.slice(0, -'.ts'.length)}`);
const FILES = ROOMS.flatMap(filesOf);

for (const file of FILES) await import(new URL(`../../src/${file}.js`, import.meta.url).href);

const { pool } = await openTestDatabase(t);
const { rows: tables } = await pool.query<{ name: string }>(`
  select table_name as name from information_schema.columns
  where table_schema = 'public' and column_name = 'tenant_id'`);
const OF_TENANTS = new Set(tables.map(({ name }) => name));

/** Statements that read several tenants, and why. */
const OF_ALL_TENANTS: Readonly<Record<string, string>> = {
  seal_due: 'one sealer for all tenants',
  seal_events: 'one sealer for all tenants',
  claim_job: 'whoever takes up a job knows no tenant yet',
  tenant_due_for_resync: 'whose day it is',
  sweep_consumed_assertions: 'the sweep of all tenants',
  forget_answers: 'the sweep of all tenants',
  write_last_use: 'what an instance has counted, of all tenants at once',
  add_tolerance_uses: 'what an instance has counted, of all tenants at once',
  write_refused_requests: 'what an instance has collected, of all tenants at once',
  tenant_by_name: 'a tenant is found by its name',
  discover: 'an address is asked for before its tenant is known',
};

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
  readonly [property: string]: unknown;
}

const CONDITIONS = ['Index Cond', 'Recheck Cond', 'Filter'];

/** The tenants' tables that a plan reads without a condition on the tenant. */
function unbound(plan: Plan): string[] {
  const table = plan['Relation Name'];
  const reads = table !== undefined && plan['Node Type'].endsWith('Scan') && OF_TENANTS.has(table);
  const isBound = CONDITIONS.some((name) => /\btenant_id = /.test(String(plan[name] ?? '')));
  return [...(reads && !isBound ? [table] : []), ...(plan.Plans ?? []).flatMap(unbound)];
}

t.test('every prepared statement reads one tenant, as PostgreSQL plans it', async (t) => {
  const client = await pool.connect();
  await client.query('set plan_cache_mode = force_generic_plan');
  const several: string[] = [];
  for (const [name, text] of declaredStatements) {
    // Reads nothing, and cannot be explained.
    if (text.startsWith('set local')) continue;
    const values = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    const given = values > 0 ? `(${Array(values).fill('null').join()})` : '';
    await client.query(`prepare "${name}" as ${text}`);
    const { rows } = await client.query(`explain (format json) execute "${name}"${given}`);
    const found = unbound(rows[0]['QUERY PLAN'][0].Plan);
    if (found.length > 0) several.push(name);
    t.ok(found.length === 0 || OF_ALL_TENANTS[name], `${name} reads ${found.join()}`);
  }
  client.release();
  t.ok(declaredStatements.size > 100, 'all of them were declared');
  t.same(several.sort(), Object.keys(OF_ALL_TENANTS).sort(), 'and no exception is left over');
});

/** Declarations that name more tables than tenants, and why. */
const NAMING_FEWER: Readonly<Record<string, string>> = {
  'directory/member-filter membersMatching': 'visibleGroups (viewer.ts) says the tenant',
  'reconcile/mapping VERSION': 'a part of prepared statements, which say the tenant',
};

const USES = new RegExp(
  `(?:\\b(?:from|join|update|into|using)\\s+|(?:From|Join|Table|Into)\\(')(?:${[...OF_TENANTS].join('|')})\\b`,
  'gi',
);

/** The declarations of a file that are no prepared statement, without comments. */
function unpreparedOf(file: string): { name: string; text: string }[] {
  const code = readFileSync(`${SOURCES}${file}.ts`, 'utf8').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
  return code
    .split(/\n(?=(?:export|const|function|async)\b)/)
    .filter((text) => !/\bstatement(?:OfFew)?[<(]/.test(text))
    .map((text) => ({ name: `${file} ${/(?:const|function) (\w+)/.exec(text)?.[1]}`, text }));
}

t.test('what is not prepared says the tenant as often as it names tables of tenants', async (t) => {
  const unprepared = FILES.flatMap(unpreparedOf).filter(({ text }) => text.search(USES) >= 0);
  t.ok(unprepared.length > 40);
  const fewer = unprepared.filter(
    ({ text }) => [...text.matchAll(USES)].length > [...text.matchAll(/tenant_id/g)].length,
  );
  t.same(fewer.map(({ name }) => name).sort(), Object.keys(NAMING_FEWER).sort());
});
