import { type RawBuilder, sql } from 'kysely';
import type { AttributePath, FilterNode, ResourceType } from '../scim/types.ts';
import {
  type Elements,
  elementsOf,
  type Operand,
  objectOf,
  operandOf,
  type Target,
} from './attribute-sql.ts';
import { compare } from './compare-sql.ts';
import { hasLookup, lookupHash } from './lookup.ts';

type Condition = RawBuilder<boolean>;
type Comparison = Extract<FilterNode, { kind: 'compare' }>;

const NULL = sql`null::jsonb`;

/**
 * A filter as a SQL condition on `target`, with every value bound. Conditions are two-valued (true or false,
 * never null), so that `not` means what RFC 7644 section 3.4.2.2 says: an attribute without a value is unequal
 * to everything.
 */
export function filterCondition(filter: FilterNode, target: Target): Condition {
  switch (filter.kind) {
    case 'constant':
      return filter.value ? sql`true` : sql`false`;
    case 'and':
    case 'or':
      return joined(
        filter.kind,
        filter.filters.map((each) => filterCondition(each, target)),
      );
    case 'not':
      return sql`not (${filterCondition(filter.filter, target)})`;
    case 'present':
      return presence(filter.path, target);
    case 'compare':
      return comparison(filter, target);
    case 'element':
      return elementCondition(filter.path, filter.filter, target);
  }
}

function joined(connective: 'and' | 'or', conditions: readonly Condition[]): Condition {
  return sql`(${sql.join(conditions, connective === 'and' ? sql` and ` : sql` or `)})`;
}

function presence(path: AttributePath, target: Target): Condition {
  if (!path.attribute.multiValued) {
    const isWhole = path.attribute.type === 'complex' && !path.subAttribute;
    // Every resource has one, and its parts lie in columns.
    if (isWhole && path.attribute.name === 'meta' && !path.extension) return sql`true`;
    if (isWhole) return sql`${objectOf(path, target) ?? NULL} is not null`;
    return sql`${single(path, target).sql} is not null`;
  }
  const elements = elementsOf(path, target);
  if (!path.subAttribute) return exists(elements);
  return exists(elements, sql`${elements.operand(path.subAttribute).sql} is not null`);
}

function comparison(filter: Comparison, target: Target): Condition {
  const { path, operator, value } = filter;
  // Unassigned, null and "no value" are one state (RFC 7643 section 2.5).
  if (value === null)
    return operator === 'eq' ? sql`not (${presence(path, target)})` : presence(path, target);
  if (!path.attribute.multiValued) {
    return narrowed(filter, target, compare(single(path, target), operator, value));
  }
  const elements = elementsOf(path, target);
  const some = exists(elements, compare(elements.operand(path.subAttribute), operator, value));
  // Any value that differs makes `ne` true, and so does having none.
  return operator === 'ne' ? sql`(${some} or not ${exists(elements)})` : narrowed(filter, target, some);
}

/** `attribute[…]`: one element for which the whole of the inner filter holds. */
function elementCondition(path: AttributePath, filter: FilterNode, target: Target): Condition {
  const { condition, ...rows } = elementFilterCondition(path, filter, target);
  return impliedEqualities(filter).reduce(
    (narrow, each) => narrowed(each, target, narrow),
    exists(rows, condition),
  );
}

/** The elements of `path` as rows, and the condition that `filter` sets on one of them. */
export function elementFilterCondition(path: AttributePath, filter: FilterNode, target: Target) {
  if (!path.attribute.multiValued) {
    // One element, whose parts may be promoted: those of `meta` lie in columns.
    const operand: Elements['operand'] = (subAttribute) =>
      single(subAttribute ? { ...path, subAttribute } : path, target);
    return {
      from: sql`(select) as e`,
      where: presence(path, target),
      condition: inside(filter, operand),
    };
  }
  const { from, where = sql<boolean>`true`, operand } = elementsOf(path, target);
  return { from, where, condition: inside(filter, operand) };
}

/** An inner filter, on the element of which `operand` reads the parts. */
function inside(filter: FilterNode, operand: Elements['operand']): Condition {
  const part = (path: AttributePath) => operand(path.subAttribute);
  switch (filter.kind) {
    case 'and':
    case 'or':
      return joined(
        filter.kind,
        filter.filters.map((each) => inside(each, operand)),
      );
    case 'not':
      return sql`not (${inside(filter.filter, operand)})`;
    case 'present':
      return sql`${part(filter.path).sql} is not null`;
    case 'compare':
      if (filter.value !== null) return compare(part(filter.path), filter.operator, filter.value);
      return filter.operator === 'eq'
        ? sql`${part(filter.path).sql} is null`
        : sql`${part(filter.path).sql} is not null`;
    case 'constant':
      return filter.value ? sql`true` : sql`false`;
    case 'element':
      // RFC 7644 has no value path inside a value path; the parser refuses it.
      return sql`false`;
  }
}

/** The comparisons that every match of `filter` must fulfil. */
function impliedEqualities(filter: FilterNode): Comparison[] {
  if (filter.kind === 'and') return filter.filters.flatMap(impliedEqualities);
  return filter.kind === 'compare' ? [filter] : [];
}

/** Adds the indexed look-up (`directory/lookup.ts`) to an equality of a user's attribute. */
function narrowed({ path, operator, value }: Comparison, target: Target, condition: Condition): Condition {
  if (operator !== 'eq' || target.type.name !== 'User') return condition;
  const hash = lookupHash(target.tenantId, path, value);
  return hash === undefined ? condition : sql`(u.lookup @> array[${hash}]::bigint[] and ${condition})`;
}

/** Whether the indexed look-up finds all resources of a type that match. */
export function isFoundByHash(filter: FilterNode, type: ResourceType): boolean {
  const isFound = (each: FilterNode) => isFoundByHash(each, type);
  switch (filter.kind) {
    case 'and':
      return filter.filters.some(isFound);
    case 'or':
      return filter.filters.every(isFound);
    case 'compare':
      return filter.operator === 'eq' && type.name === 'User' && hasLookup(filter.path, filter.value);
    case 'element':
      return impliedEqualities(filter.filter).some(isFound);
    case 'not':
    case 'present':
    case 'constant':
      return false;
  }
}

function single(path: AttributePath, target: Target): Operand {
  const operand = operandOf(path, target);
  if (!operand) throw new Error(`${path.attribute.name} has several values`);
  return operand;
}

function exists(
  { from, where = sql`true` }: Pick<Elements, 'from' | 'where'>,
  condition?: Condition,
): Condition {
  return sql`exists (select from ${from} where ${where}${condition ? sql` and ${condition}` : sql``})`;
}
