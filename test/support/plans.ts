import pg from 'pg';
import type { Step } from '../../src/db/statement.ts';
import type { TestApp } from './app.ts';

/** A node of a plan as it ran, as PostgreSQL explains it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  /** The expressions that a node hands on. */
  readonly Output?: readonly string[];
  readonly Plans?: readonly PlanNode[];
}

/** The nodes of the plan of a step, as it ran with its values. */
export async function planNodes(
  pool: pg.Pool | pg.Client,
  { statement, values }: Step<unknown>,
): Promise<PlanNode[]> {
  const { rows } = await pool.query(`explain (analyze, verbose, format json) ${statement.text}`, [...values]);
  return flattened(rows[0]['QUERY PLAN'][0].Plan);
}

/** The same by the plan for any values, to which a prepared statement may change after it ran five times. */
export async function genericPlanNodes(
  client: pg.Client,
  { statement, values }: Step<unknown>,
): Promise<PlanNode[]> {
  const literals = values.map((value) =>
    value === null ? 'null' : pg.escapeLiteral(Array.isArray(value) ? `{${value.join()}}` : String(value)),
  );
  await client.query('set plan_cache_mode = force_generic_plan');
  await client.query(`prepare explained as ${statement.text}`);
  const { rows } = await client.query(
    `explain (analyze, format json) execute explained${literals.length > 0 ? `(${literals.join()})` : ''}`,
  );
  await client.query('deallocate explained');
  return flattened(rows[0]['QUERY PLAN'][0].Plan);
}

const flattened = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flattened)];

/** A statement as it ran, and the rows that its plan handed on, or compared and dropped. */
export interface Report {
  readonly text: string;
  readonly rows: number;
}

/** Lets PostgreSQL tell how it carries out each statement of the app's requests from now on, to the list. */
export async function reportPlans({ context: { db }, connectionString }: TestApp): Promise<Report[]> {
  const reports: Report[] = [];
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    'auto_explain.log_level': 'notice',
  };
  db.pool.on('connect', (client) => {
    client.on('notice', ({ message = '' }) => {
      const [, json] = /plan:\s*(\{.*\})\s*$/s.exec(message) ?? [];
      if (json === undefined) return;
      const { 'Query Text': text, Plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
      reports.push({ text, rows: workOf(flattened(Plan)) });
    });
  });
  const client = new pg.Client(connectionString);
  await client.connect();
  const { rows } = await client.query('select current_database() as name');
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`alter database ${rows[0].name} set ${name} = '${value}'`);
  }
  await client.end();
  // What was set holds for connections that begin now.
  while (db.pool.idleCount > 0) (await db.pool.connect()).release(true);
  return reports;
}

/** Rows that a plan handed on, or compared and dropped. */
export const workOf = (nodes: readonly PlanNode[]) =>
  nodes.reduce((sum, node) => {
    const dropped =
      (node['Rows Removed by Filter'] ?? 0) +
      (node['Rows Removed by Join Filter'] ?? 0) +
      (node['Rows Removed by Index Recheck'] ?? 0);
    return sum + (node['Actual Rows'] + dropped) * node['Actual Loops'];
  }, 0);

/** Rows that a plan reads in tables, and not in an index alone as far as `vacuum` has been there. */
export function rowsFetched(nodes: readonly PlanNode[]): number {
  return nodes.reduce((sum, node) => {
    if (node['Relation Name'] === undefined || node['Node Type'] === 'Index Only Scan') return sum;
    return sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  }, 0);
}

/** Rows that a plan touched in these tables; a sequential scan counts as all. */
export function rowsRead(nodes: readonly PlanNode[], tables: ReadonlySet<string>): number {
  return nodes.reduce((sum, node) => {
    const isIndex = node['Node Type'].startsWith('Bitmap Index');
    if (!isIndex && !tables.has(node['Relation Name'] ?? '')) return sum;
    if (node['Node Type'] === 'Seq Scan') return Number.POSITIVE_INFINITY;
    const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    return sum + (node['Actual Rows'] + removed) * node['Actual Loops'];
  }, 0);
}
