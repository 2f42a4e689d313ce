import { type RawBuilder, sql } from 'kysely';
import type { CompareOperator } from '../scim/types.ts';
import type { Operand } from './attribute-sql.ts';
import { isUuid } from './uuid.ts';

type Value = string | number | boolean;

const ORDER = { gt: sql`>`, ge: sql`>=`, lt: sql`<`, le: sql`<=` } as const;

/**
 * One comparison of RFC 7644 section 3.4.2.2, table 3, as a condition that is never null. Text is compared as it
 * is stored (folded, or exact) in code point order. `eq` keeps the form `column = value`, which indexes serve.
 */
export function compare(operand: Operand, operator: CompareOperator, value: Value): RawBuilder<boolean> {
  const { expression, bound } = comparable(operand, operator, value);
  switch (operator) {
    case 'eq':
      return bound === undefined ? sql`false` : sql`(${expression} = ${bound} and ${expression} is not null)`;
    case 'ne':
      return bound === undefined ? sql`true` : sql`${expression} is distinct from ${bound}`;
    case 'co':
      return sql`coalesce(strpos(${expression}, ${bound}) > 0, false)`;
    case 'sw':
      return sql`coalesce(starts_with(${expression}, ${bound}), false)`;
    case 'ew':
      return sql`coalesce(right(${expression}, length(${bound})) = ${bound}, false)`;
    default:
      return sql`coalesce(${expression} ${ORDER[operator]} ${bound}, false)`;
  }
}

/** Both sides in one type; `bound` is undefined for text that cannot be an id. */
function comparable({ kind, sql: expression }: Operand, operator: CompareOperator, value: Value) {
  switch (kind) {
    case 'uuid': {
      if (operator !== 'eq' && operator !== 'ne')
        return { expression: sql`${expression}::text`, bound: sql`${value}::text` };
      const isId = typeof value === 'string' && isUuid(value);
      return { expression, bound: isId ? sql`${value}::uuid` : undefined };
    }
    case 'instant':
      return { expression, bound: sql`${value}::timestamptz` };
    case 'number':
      return { expression, bound: sql`${value}::numeric` };
    case 'boolean':
      return { expression, bound: sql`${value}::boolean` };
    case 'text':
      return { expression, bound: sql`${value}::text` };
  }
}
