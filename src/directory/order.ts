import { type RawBuilder, sql } from 'kysely';
import type { AttributePath } from '../scim/types.ts';
import { elementsOf, type Operand, operandOf, type Target } from './attribute-sql.ts';

/** The order of lists, and the place of a row in it: what a page by cursor continues from (RFC 9865). */

/** A term of `order by`. Without a value: last ascending, first descending (RFC 7644 section 3.4.2.3). */
export interface Term {
  readonly sql: RawBuilder<unknown>;
  readonly type: 'text' | 'boolean' | 'numeric' | 'uuid' | 'timestamptz' | 'integer';
  readonly descending: boolean;
  /** Whether every row has a value. */
  readonly required: boolean;
  /** The value, where all rows have the same. */
  readonly constant?: number;
}

/** The terms of a row in the order of lists, as text; null: it has no value. */
export type Place = readonly (string | null)[];

const TYPES = {
  text: 'text',
  reference: 'text',
  boolean: 'boolean',
  number: 'numeric',
  // Ids order alike as text, and some ids are no UUIDs.
  uuid: 'text',
  instant: 'timestamptz',
} as const;

/** Texts are sorted by so many characters: a cursor carries them, and has to fit into a URL. */
const SORTED_CHARACTERS = 1_000;

/** What resources of the target are sorted by: of a multi-valued attribute the primary value, else the first. */
export function sortTerm(path: AttributePath, target: Target, descending: boolean): Term {
  const { kind, sql: value, column } = sortOperand(path, target);
  const cut = (kind === 'text' || kind === 'reference') && !column;
  const sorted = cut ? sql`left(${value}, ${sql.lit(SORTED_CHARACTERS)})` : value;
  return {
    sql: kind === 'uuid' ? sql`(${value})::text collate "C"` : sorted,
    type: TYPES[kind],
    descending,
    required: column === 'required',
  };
}

function sortOperand(path: AttributePath, target: Target): Operand {
  const operand = operandOf(path, target);
  if (operand) return operand;
  const { from, where = sql`true`, operand: part, order } = elementsOf(path, target);
  const { kind, sql: value } = part(path.subAttribute);
  return { kind, sql: sql`(select ${value} from ${from} where ${where} order by ${order} limit 1)` };
}

/** The same order from its end. */
export function reversed(terms: readonly Term[]): Term[] {
  return terms.map((term) => ({ ...term, descending: !term.descending }));
}

/** `order by`, without the words. */
export function ordering(terms: readonly Term[]): RawBuilder<unknown> {
  return sql.join(
    terms.map(({ sql: value, descending }) =>
      descending ? sql`${value} desc nulls first` : sql`${value} asc nulls last`,
    ),
  );
}

/**
 * The condition that a row stands behind `place`; `inclusive`: or at it. The first term stands in front as a range
 * by itself, which an index serves.
 */
export function behind(
  [term, ...others]: readonly Term[],
  [value, ...values]: Place,
  inclusive: boolean,
): RawBuilder<boolean> {
  if (!term || value === undefined) return inclusive ? sql`true` : sql`false`;
  const rest = behind(others, values, inclusive);
  if (term.constant !== undefined) {
    if (term.constant === Number(value)) return rest;
    return term.constant < Number(value) === term.descending ? sql`true` : sql`false`;
  }
  const bound = sql`${value}::${sql.raw(term.type)}`;
  const past = pastValue(term, value, bound);
  const at = value === null ? sql`${term.sql} is null` : sql`${term.sql} = ${bound}`;
  const exact = sql<boolean>`(${past} or (${at} and ${rest}))`;
  if (value === null || !term.required) return exact;
  return sql`(${term.sql} ${term.descending ? sql`<=` : sql`>=`} ${bound} and ${exact})`;
}

function pastValue(
  { sql: value, descending, required }: Term,
  at: string | null,
  bound: RawBuilder<unknown>,
) {
  if (at === null) return descending ? sql`${value} is not null` : sql`false`;
  if (descending) return sql`${value} < ${bound}`;
  return required ? sql`${value} > ${bound}` : sql`(${value} > ${bound} or ${value} is null)`;
}
