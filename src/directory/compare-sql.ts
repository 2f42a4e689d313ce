import { type RawBuilder, sql } from 'kysely';
import type { CompareOperator } from '../scim/types.ts';
import type { Operand } from './attribute-sql.ts';
import { isUuid } from './uuid.ts';

type Value = string | number | boolean;

const ORDER = { gt: sql`>`, ge: sql`>=`, lt: sql`<`, le: sql`<=` } as const;

/**
 * One comparison of RFC 7644 section 3.4.2.2, table 3, as a condition that is never null. Text is compared as it
 * is stored (folded, or exact) in code point order. Each keeps the form `column = value`, which indexes serve.
 */
export function compare(operand: Operand, operator: CompareOperator, value: Value): RawBuilder<boolean> {
  const { expression, bound } = comparable(operand, operator, value);
  switch (operator) {
    case 'eq':
      return bound === undefined ? sql`false` : certain(sql`${expression} = ${bound}`);
    case 'ne':
      return bound === undefined ? sql`true` : sql`${expression} is distinct from ${bound}`;
    case 'co':
      return certain(sql`strpos(${expression}, ${bound}) > 0`);
    case 'sw':
      return certain(sql`starts_with(${expression}, ${bound})`);
    case 'ew':
      return certain(sql`right(${expression}, length(${bound})) = ${bound}`);
    default:
      return certain(sql`${expression} ${ORDER[operator]} ${bound}`);
  }
  function certain(condition: RawBuilder<unknown>): RawBuilder<boolean> {
    return operand.column === 'required'
      ? sql`(${condition})`
      : sql`(${condition} and ${expression} is not null)`;
  }
}

/** Both sides in one type; `bound` is undefined for text that cannot be an id. */
function comparable({ kind, sql: expression }: Operand, operator: CompareOperator, value: Value) {
  switch (kind) {
    case 'uuid': {
      if (operator !== 'eq' && operator !== 'ne')
        return { expression: sql`${expression}::text collate "C"`, bound: sql`${value}::text` };
      const isId = typeof value === 'string' && isUuid(value);
      return { expression, bound: isId ? sql`${value}::uuid` : undefined };
    }
    case 'instant':
      return { expression, bound: sql`${value}::timestamptz` };
    case 'number':
      return { expression, bound: sql`${value}::numeric` };
    case 'boolean':
      return { expression, bound: sql`${value}::boolean` };
    case 'reference': {
      const isEquality = operator === 'eq' || operator === 'ne';
      return {
        // What `foldReference` (scim/fold.ts) made of the value.
        expression: isEquality
          ? sql`regexp_replace(${expression}, '(/v[0-9]+)?(/(Users|Groups)/[^/]+)$', '/v2\\2')`
          : expression,
        bound: sql`${value}::text`,
      };
    }
    case 'text':
      return { expression, bound: sql`${value}::text` };
  }
}
