import type { CompiledQuery } from 'kysely';
import type pg from 'pg';

/**
 * A statement of the hot path: SQL that is written once, read aloud in review, and prepared by name on each
 * connection. Names and texts form a bounded set, so that plans never pile up on the server.
 */
export interface Statement<Row> {
  /** Absent: not prepared, because the text varies, or the best plan does with the values. */
  readonly name?: string;
  readonly text: string;
  /** Never set: carries the type of a row. */
  readonly row?: Row;
}

/**
 * What a parameter may be. A closed set, because a value that the driver cannot bind fails here and not at the
 * server: the rest of a pipeline would still be carried out, `commit` included.
 */
export type Parameter = Scalar | readonly Scalar[];
type Scalar = string | number | boolean | Date | null;

/** A statement with its values, ready to be sent. */
export interface Step<Row = unknown> {
  readonly statement: Statement<Row>;
  readonly values: readonly Parameter[];
  /** In whose name it is sent, where that is not its first value. */
  readonly sender?: string;
}

const declared = new Map<string, string>();

/** The texts of all statements that are declared so far, by name. */
export const declaredStatements: ReadonlyMap<string, string> = declared;

/** Declares a statement; `name` is unique in the process. */
export function statement<Row>(name: string, text: string): Statement<Row> {
  if (declared.has(name)) throw new Error(`two statements are called ${name}`);
  declared.set(name, text);
  return { name, text };
}

const namesOfFew = new Map<string, string>();

/**
 * Declares a statement that is for few rows whatever its values, so that administration prepares it as well: what may
 * be for a whole tenant it plans anew each time (`sendBy`).
 */
export function statementOfFew<Row>(name: string, text: string): Statement<Row> {
  namesOfFew.set(text, name);
  return statement(name, text);
}

/** The name by which administration prepares a text; undefined: it does not. */
export function nameOfFew(text: string): string | undefined {
  return namesOfFew.get(text);
}

/** Binds values to a statement. */
export function step<Row>(statement: Statement<Row>, values: readonly Parameter[]): Step<Row> {
  return { statement, values };
}

/** So many texts that vary are prepared, those that come first: what clients ask all the time is soon among them. */
const MOST_SHAPES = 64;
const namesOfShapes = new Map<string, string>();

function nameOfShape(text: string): string | undefined {
  if (!namesOfShapes.has(text) && namesOfShapes.size < MOST_SHAPES) {
    namesOfShapes.set(text, `shape_${namesOfShapes.size + 1}`);
  }
  return namesOfShapes.get(text);
}

/**
 * A statement whose text varies (a filter), compiled by Kysely, and sent in the name of this tenant. One that is `narrow`,
 * for few rows whatever its values, is prepared where its text is asked often.
 */
export function compiled<Row>(
  { sql: text, parameters }: CompiledQuery,
  sender: string,
  { narrow = false } = {},
): Step<Row> {
  const name = narrow ? nameOfShape(text) : undefined;
  const statement = { text, ...(name !== undefined && { name }) };
  return { statement, values: parameters as readonly Parameter[], sender };
}

/**
 * In whose name steps that go together are sent (`turns.ts`): their tenant's, which is the first value of whatever
 * concerns one. Elsewhere it is what is looked for, or empty where the service asks for itself.
 */
export function senderOf(steps: readonly Step<unknown>[]): string {
  for (const { sender, values } of steps) {
    const name = sender ?? values[0];
    if (typeof name === 'string') return name;
  }
  return '';
}

/** The row of a statement that always answers one. */
export function onlyRow<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a statement that always answers a row answered none');
  return row;
}

/** Sends one step on this connection, and waits for its rows. */
export async function run<Row>(client: pg.PoolClient, { statement, values }: Step<Row>): Promise<Row[]> {
  const { name, text } = statement;
  const result = await client.query({ ...(name !== undefined && { name }), text, values: [...values] });
  return result.rows as Row[];
}
