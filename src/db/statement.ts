import type pg from 'pg';

/**
 * A statement of the hot path: SQL that is written once, read aloud in review, and prepared by name on each
 * connection. Names and texts form a bounded set, so that plans never pile up on the server.
 */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** Never set: carries the type of a row. */
  readonly row?: Row;
}

/** A statement with its values, ready to be sent. */
export interface Step<Row = unknown> {
  readonly statement: Statement<Row>;
  readonly values: readonly unknown[];
}

const names = new Set<string>();

/** Declares a statement; `name` is unique in the process. */
export function statement<Row>(name: string, text: string): Statement<Row> {
  if (names.has(name)) throw new Error(`two statements are called ${name}`);
  names.add(name);
  return { name, text };
}

/** Binds values to a statement. */
export function step<Row>(statement: Statement<Row>, values: readonly unknown[]): Step<Row> {
  return { statement, values };
}

/** Sends one step and waits for its rows; `connection` is a pool or a client of one. */
export async function run<Row>(
  connection: pg.Pool | pg.PoolClient,
  { statement, values }: Step<Row>,
): Promise<Row[]> {
  const result = await connection.query({ name: statement.name, text: statement.text, values: [...values] });
  return result.rows as Row[];
}
