import pg from 'pg';
import type { Step } from '../../src/db/statement.ts';

/** A node of a plan as it ran, as PostgreSQL explains it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The nodes of the plan of a step, as it ran with its values. */
export async function planNodes(
  pool: pg.Pool | pg.Client,
  { statement, values }: Step<unknown>,
): Promise<PlanNode[]> {
  const { rows } = await pool.query(`explain (analyze, format json) ${statement.text}`, [...values]);
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
