import { Effort } from './effort.ts';
import { foldReference, refersToResources } from './fold.ts';
import { isObject, ownValue } from './json.ts';
import type { AttributePath, FilterNode, JsonObject, JsonValue } from './types.ts';

type Comparison = FilterNode & { readonly kind: 'compare' };

/**
 * Whether an element of a multi-valued attribute satisfies a filter of `parseElementFilter`, by the rules that
 * filters on stored resources have: text is compared folded, dateTimes as instants, an absent part differs from
 * every value, and an absent `primary` is false. Throws invalidValue when the request's `effort` is at its end.
 */
export function matchesElement(element: JsonValue, filter: FilterNode, effort = new Effort()): boolean {
  effort.spend(1);
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((part) => matchesElement(element, part, effort));
    case 'or':
      return filter.filters.some((part) => matchesElement(element, part, effort));
    case 'not':
      return !matchesElement(element, filter.filter, effort);
    case 'present':
      return isPresent(partOf(element, filter.path));
    case 'compare':
      return compare(partOf(element, filter.path), filter, effort);
    case 'constant':
      return filter.value;
    case 'element':
      return false; // parseElementFilter never gives one: brackets do not nest
  }
}

/**
 * What an element has to have to satisfy the `eq` terms of a filter: a PATCH whose value path matches nothing
 * creates the element from it. Terms under `or` and `not` assert nothing.
 */
export function seedFromFilter(filter: FilterNode): JsonObject {
  if (filter.kind === 'and') return Object.assign({}, ...filter.filters.map(seedFromFilter));
  const name = filter.kind === 'compare' && filter.operator === 'eq' && filter.path.subAttribute?.name;
  if (!name || filter.value === null) return {};
  return { [name]: typeof filter.value === 'string' ? filter.literal : filter.value };
}

/** The tested part of an element; the element itself when the attribute has no sub-attributes. */
function partOf(element: JsonValue, { subAttribute }: AttributePath): JsonValue | undefined {
  if (subAttribute === undefined) return element;
  const part = isObject(element) ? ownValue(element, subAttribute.name) : undefined;
  return part === undefined && subAttribute.name === 'primary' ? false : part;
}

function isPresent(part: JsonValue | undefined): boolean {
  if (part === undefined || part === null || part === '') return false;
  return typeof part !== 'object' || Object.keys(part).length > 0;
}

function compare(part: JsonValue | undefined, filter: Comparison, effort: Effort): boolean {
  const { operator, value, path } = filter;
  if (operator === 'ne') return !compare(part, { ...filter, operator: 'eq' }, effort);
  if (value === null) return !isPresent(part);
  if (part === undefined || !isPresent(part)) return false;
  const attribute = path.subAttribute ?? path.attribute;
  const folded = effort.fold(attribute, part);
  if (operator === 'eq') {
    const isUri = typeof folded === 'string' && refersToResources(attribute);
    return (isUri ? foldReference(folded) : folded) === value;
  }
  if (typeof folded === 'string' && typeof value === 'string') return compareText(folded, operator, value);
  return typeof folded === 'number' && typeof value === 'number' && isOrdered(folded - value, operator);
}

function compareText(text: string, operator: Comparison['operator'], value: string): boolean {
  if (operator === 'co') return text.includes(value);
  if (operator === 'sw') return text.startsWith(value);
  if (operator === 'ew') return text.endsWith(value);
  // Code point order, as PostgreSQL's collation "C" has it; JavaScript's < compares UTF-16 units.
  return isOrdered(Buffer.compare(Buffer.from(text), Buffer.from(value)), operator);
}

function isOrdered(difference: number, operator: Comparison['operator']): boolean {
  if (operator === 'gt') return difference > 0;
  if (operator === 'ge') return difference >= 0;
  if (operator === 'lt') return difference < 0;
  return operator === 'le' && difference <= 0;
}
