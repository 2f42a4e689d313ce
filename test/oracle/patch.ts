import { keyOf, type Scalar } from './compare.ts';
import { type Filter, hasValue, type JsonResource, matchesElement, type Path } from './query.ts';
import type { Definition, Located, TypeSchema } from './schema.ts';

/**
 * PATCH on plain objects, written from RFC 7644 section 3.5.2. Where this service deviates on purpose, the comment
 * says so.
 */

export type Target =
  | { readonly kind: 'attribute'; readonly path: Path }
  | { readonly kind: 'extension'; readonly urn: string }
  /** `attribute[filter]` and `attribute[filter].sub`. */
  | { readonly kind: 'element'; readonly path: Path; readonly filter: Filter; readonly sub?: Definition };

export interface Step {
  readonly target: Target;
  /** Absent: a `remove` without a value. */
  readonly value?: unknown;
}

export interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  /** One, or without a path any number: the keys of the value. */
  readonly steps: readonly Step[];
  readonly hasPath: boolean;
}

/** The scimType of table 9 that a refusal has. */
class Refusal extends Error {
  readonly scimType: string;

  constructor(scimType: string) {
    super(scimType);
    this.scimType = scimType;
  }
}

export type Node = { [name: string]: unknown };

/** What of a resource a client can write, in its plain form. */
export function writablePart(resource: JsonResource, type: TypeSchema): Node {
  const kept: Node = {};
  for (const { urn, definition } of type.attributes) {
    const holder = (urn === undefined ? resource : resource[urn]) as Node | undefined;
    const value = canonical(holder?.[definition.name], definition);
    if (value === undefined) continue;
    holderIn(kept, urn)[definition.name] = value;
  }
  return kept;
}

/** The object that holds the attributes of a schema; that of an extension is made. */
function holderIn(resource: Node, urn: string | undefined): Node {
  if (urn === undefined) return resource;
  resource[urn] ??= {};
  return resource[urn] as Node;
}

/** A value without what is read-only and without what is no value (RFC 7643 section 2.5). */
function canonical(value: unknown, definition: Definition): unknown {
  if (definition.mutability === 'readOnly' || definition.returned === 'never') return undefined;
  if (!definition.multiValued) return canonicalOne(value, definition);
  const elements = [value].flat().map((each) => canonicalOne(each, definition));
  const kept = elements.filter((each) => each !== undefined);
  // Section 2.4: no two elements of one type and value. The later one adds what it says.
  const distinct: unknown[] = [];
  for (const each of kept) {
    const index = distinct.findIndex((other) => isSameValue(other, each, definition));
    if (index < 0) distinct.push(each);
    else distinct[index] = typeof each === 'object' ? { ...(distinct[index] as Node), ...each } : each;
  }
  return distinct.length > 0 ? distinct : undefined;
}

function canonicalOne(value: unknown, { type, subAttributes = [] }: Definition): unknown {
  if (!hasValue(value)) return undefined;
  if (type !== 'complex') return value;
  if (isEmptied(value)) return undefined;
  const parts = subAttributes
    .map((sub) => [sub.name, canonical((value as Node)[sub.name], sub)] as const)
    .filter(([, part]) => part !== undefined);
  return parts.length > 0 ? Object.fromEntries(parts) : undefined;
}

/** Clients clear a complex value by an empty `value` in it (Entra ID: a manager): whatever else it says, it is gone. */
function isEmptied(value: unknown): boolean {
  const { value: main } = value as Node;
  return main === null || main === '';
}

/** The writable part of a resource after the operations; throws a `Refusal`, and then nothing has changed. */
function patched(before: Node, operations: readonly Operation[], type: TypeSchema): Node {
  // A message is read as a whole before anything of it is done.
  if (operations.some(({ steps }) => steps.some(({ target }) => isReadOnly(target))))
    throw new Refusal('mutability');
  const resource = structuredClone(before);
  for (const { op, steps } of operations) {
    for (const step of steps) apply(resource, op, step, type);
  }
  const result = writablePart(resource, type);
  const required = type.attributes.filter(({ urn, definition }) => urn === undefined && definition.required);
  const isRemoved = ({ definition: { name } }: Located) => name in before && !(name in result);
  if (required.some(isRemoved)) throw new Refusal('mutability');
  return result;
}

function isReadOnly(target: Target): boolean {
  if (target.kind === 'extension') return false;
  const sub = target.kind === 'element' ? target.sub : target.path.sub;
  return target.path.definition.mutability === 'readOnly' || sub?.mutability === 'readOnly';
}

function apply(resource: Node, op: Operation['op'], { target, value }: Step, type: TypeSchema): void {
  if (target.kind === 'extension') {
    applyToExtension(resource, op, { urn: target.urn, value }, type);
    return;
  }
  const { urn, definition } = target.path;
  const sub = target.kind === 'element' ? target.sub : target.path.sub;
  const holder = holderIn(resource, urn);
  if (target.kind === 'element')
    holder[definition.name] = changedElements(holder[definition.name], op, target, value);
  else if (sub)
    holder[definition.name] = changedParts(holder[definition.name], op, { definition, sub, value });
  else holder[definition.name] = changed(holder[definition.name], op, definition, value);
}

function applyToExtension(
  resource: Node,
  op: Operation['op'],
  { urn, value }: { urn: string; value?: unknown },
  type: TypeSchema,
): void {
  if (op === 'remove' || value === null) delete resource[urn];
  else {
    for (const [name, part] of Object.entries(value as Node)) {
      const located = type.attributes.find((each) => each.urn === urn && each.definition.name === name);
      if (located) apply(resource, op, { target: { kind: 'attribute', path: located }, value: part }, type);
    }
  }
}

/** A whole attribute. */
function changed(before: unknown, op: Operation['op'], definition: Definition, value: unknown): unknown {
  if (definition.multiValued) {
    const given = [value].flat().map((each) => canonicalOne(each, definition));
    const values = given.filter((each) => each !== undefined);
    const elements = (before ?? []) as unknown[];
    if (op === 'add') return added(elements, values, definition);
    if (op === 'replace') return onePrimary(values, values);
    // Clients remove members by a list (Entra ID, authentik, JumpCloud): an empty one removes nobody.
    if (!Array.isArray(value)) return undefined;
    return elements.filter((element) => !values.some((each) => isListed(element, each, definition)));
  }
  if (op === 'remove') return undefined;
  // Both operations set the parts of a complex value that are given, and leave the others.
  if (definition.type !== 'complex' || value === null) return value;
  if (isEmptied(value)) return undefined;
  return withoutOldReference(
    before,
    { ...(before as Node | undefined), ...(value as Node) },
    '$ref' in (value as Node),
  );
}

/** A `$ref` leads to the `value` that it came with: another value has none until it is given. */
function withoutOldReference(before: unknown, after: Node, isGiven = false): Node {
  const [old, current] = [(before as Node | undefined)?.value, after.value];
  return old !== current && (hasValue(old) || hasValue(current)) && !isGiven
    ? { ...after, $ref: undefined }
    : after;
}

/** A listed value without a type removes the value of every type. */
function isListed(element: unknown, listed: unknown, definition: Definition): boolean {
  const untyped = hasValue((element as Node).value) ? { value: (element as Node).value } : element;
  return isSameValue(element, listed, definition) || isSameValue(untyped, listed, definition);
}

/** Appends what is not there; what has the same value and type takes what is new. */
function added(before: readonly unknown[], given: readonly unknown[], definition: Definition): unknown[] {
  const elements = [...before];
  const touched: unknown[] = [];
  for (const each of given) {
    const index = elements.findLastIndex((element) => isSameValue(element, each, definition));
    const merged = typeof each === 'object' && index >= 0 ? { ...(elements[index] as Node), ...each } : each;
    elements[index >= 0 ? index : elements.length] = merged;
    touched.push(merged);
  }
  return onePrimary(elements, touched);
}

/** Whether two elements have one identity: `value` and `type`, or, without a value, all that they say. */
function isSameValue(left: unknown, right: unknown, definition: Definition): boolean {
  const subs = definition.subAttributes;
  if (!subs) return keyOf(left as Scalar, definition) === keyOf(right as Scalar, definition);
  const byValue = hasValue((left as Node).value) || hasValue((right as Node).value);
  return subs
    .filter(({ name }) => !byValue || name === 'value' || name === 'type')
    .every((sub) => {
      const [first, second] = [(left as Node)[sub.name], (right as Node)[sub.name]];
      if (!hasValue(first) || !hasValue(second)) return hasValue(first) === hasValue(second);
      return keyOf(first as Scalar, sub) === keyOf(second as Scalar, sub);
    });
}

/** Section 3.5.2: a value that becomes primary takes that from the others. Of several, the last in the list stays. */
function onePrimary(elements: readonly unknown[], touched: readonly unknown[]): unknown[] {
  const isPrimary = (element: unknown) => (element as Node | null)?.primary === true;
  const chosen = elements.findLast((element) => touched.includes(element) && isPrimary(element));
  if (chosen === undefined) return [...elements];
  return elements.map((element) =>
    element !== chosen && isPrimary(element) ? { ...(element as Node), primary: false } : element,
  );
}

/** `attribute.sub`: of the complex value, or of all elements. */
function changedParts(
  before: unknown,
  op: Operation['op'],
  { definition, sub, value }: { definition: Definition; sub: Definition; value: unknown },
): unknown {
  const part = { [sub.name]: op === 'remove' || !hasValue(value) ? undefined : value };
  if (!definition.multiValued) {
    return withoutOldReference(before, { ...(before as Node | undefined), ...part }, sub.name === '$ref');
  }
  const elements = (before ?? []) as Node[];
  if (elements.length === 0) return hasValue(part[sub.name]) ? [part] : undefined;
  const after = elements.map((element) => ({ ...element, ...part }));
  return hasValue(part[sub.name]) ? onePrimary(after, after) : after.filter(saysSomething);
}

/** An element that has lost a part and says only what it was for is gone: so Entra ID empties an address. */
function saysSomething(element: Node): boolean {
  return Object.entries(element).some(
    ([name, part]) => hasValue(part) && !['type', 'primary', 'display'].includes(name),
  );
}

/** `attribute[filter]`, with or without a sub-attribute. */
function changedElements(
  before: unknown,
  op: Operation['op'],
  { path: { definition }, filter, sub }: Extract<Target, { kind: 'element' }>,
  sent: unknown,
): unknown {
  const elements = (before ?? []) as Node[];
  const selected = elements.filter((element) => matchesElement(filter, element));
  // What is null in an element adds nothing to it.
  const value = sub ? sent : canonicalOne(sent, definition);
  const change = (changeOne: (element: Node) => Node[]) =>
    elements.flatMap((element) => (selected.includes(element) ? changeOne(element) : [element]));
  if (op === 'remove' || !hasValue(value)) {
    if (!sub) return change(() => []);
    return change((element) => [{ ...element, [sub.name]: undefined }].filter(saysSomething));
  }
  const seed = seedOf(filter);
  const part = sub ? { [sub.name]: value } : (value as Node);
  if (selected.length === 0) {
    // The RFC wants noTarget. Entra ID wants the element made, from what the filter says that it is equal to.
    if (Object.keys(seed).length === 0) throw new Refusal('noTarget');
    const made = { ...seed, ...part };
    return onePrimary([...elements, made], [made]);
  }
  // Section 3.5.2.3: a record is replaced as a whole. It keeps what selected it, or the next cycle would not find it.
  const kept = (element: Node) => (op === 'replace' && !sub ? seed : element);
  const written = new Map(selected.map((element) => [element, { ...kept(element), ...part }]));
  return onePrimary(
    change((element) => [written.get(element) ?? element]),
    [...written.values()],
  );
}

/** The parts that a filter wants equal. */
function seedOf(filter: Filter): Node {
  if (filter.kind === 'and') return Object.assign({}, ...filter.parts.map(seedOf));
  const isSeed = filter.kind === 'compare' && filter.operator === 'eq' && filter.value !== null;
  return isSeed && filter.path.sub ? { [filter.path.sub.name]: filter.value } : {};
}

/** The result of the operations, or the scimType of their refusal. */
export function outcome(before: Node, operations: readonly Operation[], type: TypeSchema): Node | string {
  try {
    return patched(before, operations, type);
  } catch (error) {
    if (error instanceof Refusal) return error.scimType;
    throw error;
  }
}
