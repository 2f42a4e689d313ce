import { compareKeys, keyOf, type Scalar } from './compare.ts';
import type { Definition, Located } from './schema.ts';

/**
 * Filters and sorts on the JSON of resources as GET answers them, written from RFC 7644 sections 3.4.2.2 and
 * 3.4.2.3. Nothing here is shared with the service, which turns the same text into SQL.
 */

export type Json = null | Scalar | Json[] | { [name: string]: Json };
export type JsonResource = { readonly [name: string]: unknown };

/** `attribute` or `attribute.sub`. */
export interface Path extends Located {
  readonly sub?: Definition;
}

export type Order = 'gt' | 'ge' | 'lt' | 'le';
export type Operator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | Order;

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | { readonly kind: 'present'; readonly path: Path }
  | {
      readonly kind: 'compare';
      readonly path: Path;
      readonly operator: Operator;
      readonly value: Scalar | null;
    }
  /** `attribute[part]`: the paths in it lead to sub-attributes of one element. */
  | { readonly kind: 'element'; readonly path: Path; readonly part: Filter };

export interface Sort {
  readonly by: Path;
  readonly order: 'ascending' | 'descending' | undefined;
}

/** RFC 7643 section 2.5: null, an empty text, an empty list and a node of nothing are no value. */
export function hasValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.values(value).some(hasValue);
}

/** The values of an attribute of a resource: none, one, or those of the list. */
function elementsOf(resource: JsonResource, { urn, definition }: Located): unknown[] {
  const holder = urn === undefined ? resource : resource[urn];
  if (typeof holder !== 'object' || holder === null) return [];
  const value: unknown = Object.hasOwn(holder, definition.name)
    ? (holder as JsonResource)[definition.name]
    : undefined;
  return (Array.isArray(value) ? value : [value]).filter(hasValue);
}

/** A part of one element; undefined where it has no value. A `primary` that is not said is false (section 2.4). */
function partOf(element: unknown, sub: Definition): Scalar | undefined {
  // The elements of a list without sub-attributes are called "value".
  if (typeof element !== 'object' || element === null) {
    return sub.name === 'value' ? (element as Scalar) : undefined;
  }
  const value = Object.hasOwn(element, sub.name) ? (element as JsonResource)[sub.name] : undefined;
  if (hasValue(value)) return value as Scalar;
  return sub.name === 'primary' && sub.type === 'boolean' ? false : undefined;
}

/** The attribute that a comparison means: that of a complex attribute is its `value`. */
export function comparedPart({ definition, sub }: Path): Definition | undefined {
  return sub ?? definition.subAttributes?.find(({ name }) => name === 'value');
}

export function matches(filter: Filter, resource: JsonResource): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matches(part, resource));
    case 'or':
      return filter.parts.some((part) => matches(part, resource));
    case 'not':
      return !matches(filter.part, resource);
    case 'element':
      return elementsOf(resource, filter.path).some((element) => matchesElement(filter.part, element));
    case 'present': {
      const { sub } = filter.path;
      const elements = elementsOf(resource, filter.path);
      return sub ? elements.some((element) => partOf(element, sub) !== undefined) : elements.length > 0;
    }
    case 'compare': {
      const part = comparedPart(filter.path);
      const elements = elementsOf(resource, filter.path);
      const values = elements.map((element) => (part ? partOf(element, part) : (element as Scalar)));
      // Null is the opposite of `pr`: emails.display is null where no element has a display.
      if (filter.value === null) {
        return (filter.operator === 'eq') === values.every((value) => value === undefined);
      }
      // An attribute without elements is compared as one that has no value.
      const compared = values.length > 0 ? values : [undefined];
      return compared.some((value) => holds(value, filter, part ?? filter.path.definition));
    }
  }
}

export function matchesElement(filter: Filter, element: unknown): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matchesElement(part, element));
    case 'or':
      return filter.parts.some((part) => matchesElement(part, element));
    case 'not':
      return !matchesElement(filter.part, element);
    case 'element':
      throw new Error('there are no brackets inside brackets');
    default: {
      const sub = filter.path.sub ?? { ...filter.path.definition, name: 'value' };
      const value = partOf(element, sub);
      return filter.kind === 'present' ? value !== undefined : holds(value, filter, sub);
    }
  }
}

type Comparison = Extract<Filter, { kind: 'compare' }>;

/** Table 3. What has no value is null: equal to null, and unequal to everything else. */
function holds(
  value: Scalar | undefined,
  { operator, value: wanted }: Comparison,
  definition: Definition,
): boolean {
  if (value === undefined || wanted === null) {
    const same = value === undefined && wanted === null;
    return operator === 'eq' ? same : operator === 'ne' && !same;
  }
  const [left, right] = [keyOf(value, definition), keyOf(wanted, definition)];
  const order = compareKeys(left, right);
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
    case 'co':
      return String(left).includes(String(right));
    case 'sw':
      return String(left).startsWith(String(right));
    case 'ew':
      return String(left).endsWith(String(right));
  }
}

/**
 * The resources in the order of a sort. They are given in the order of their creation, in which those with equal
 * values stay, whatever the direction.
 */
export function sorted<Each extends JsonResource>(resources: readonly Each[], { by, order }: Sort): Each[] {
  const direction = order === 'descending' ? -1 : 1;
  const part = comparedPart(by);
  const keyOfResource = (resource: Each) => {
    const elements = elementsOf(resource, by);
    const element = elements.find((each) => (each as JsonResource)?.primary === true) ?? elements[0];
    const value = element === undefined || !part ? (element as Scalar | undefined) : partOf(element, part);
    return value === undefined ? undefined : keyOf(value, part ?? by.definition);
  };
  const keyed = resources.map((resource) => ({ resource, key: keyOfResource(resource) }));
  return keyed
    .sort(({ key: left }, { key: right }) => {
      if (left === undefined || right === undefined) {
        return direction * (Number(left === undefined) - Number(right === undefined));
      }
      return direction * compareKeys(left, right);
    })
    .map(({ resource }) => resource);
}
