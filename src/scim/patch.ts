import { Effort } from './effort.ts';
import { badRequest, inOperation } from './error.ts';
import { isObject, ownValue, sameJson } from './json.ts';
import { matchesElement, seedFromFilter } from './match.ts';
import { addValues, removeListed, replaceValues, withOnePrimary } from './patch-values.ts';
import { note } from './quirks.ts';
import type {
  Attribute,
  AttributePath,
  FilterNode,
  JsonObject,
  JsonValue,
  PatchOperation,
  Resource,
  ResourceType,
} from './types.ts';
import { canonicalResource, requireImmutableKept, requireIndexable, requirements } from './validate.ts';
import { requireFew } from './value.ts';

export { readPatch } from './patch-read.ts';

/**
 * The resource after the operations of a PATCH, in their order (RFC 7644 section 3.5.2). The one given stays as it
 * is; one that is equal to it comes back when nothing changed. Throws mutability where a required attribute would
 * go or an immutable one change, noTarget where a value path matches nothing and does not say what to create, and
 * invalidValue where the operations compare too much or an attribute gets too long.
 */
export function applyPatch(
  resource: Resource,
  operations: readonly PatchOperation[],
  type: ResourceType,
): Resource {
  const draft = structuredClone(resource);
  const effort = new Effort();
  for (const operation of operations) {
    inOperation(operation.index, () => applyOperation(draft, operation, effort));
  }
  const result = canonicalResource(draft, type);
  requireIndexable(result, type);
  requireAssigned(resource, result, type);
  requireImmutableKept(resource, result, type);
  return result;
}

/**
 * RFC 7644 section 3.5.2.2: what is required stays, and what is added is complete. What was missing before may stay
 * missing.
 */
function requireAssigned(before: Resource, after: Resource, type: ResourceType): void {
  const known = new Map(requirements(before, type).map(({ name, met }) => [name, met]));
  for (const { name, met } of requirements(after, type)) {
    if (met || known.get(name) === false) continue;
    if (known.get(name) === undefined) throw badRequest('invalidValue', `${name} is required: send a value`);
    throw badRequest('mutability', `${name} cannot be removed: replace it with another value`);
  }
}

/** What an operation does to one attribute, and the request that pays for it. */
type Change = Pick<PatchOperation, 'op' | 'value' | 'reading'> & { readonly effort: Effort };

function applyOperation(draft: Resource, operation: PatchOperation, effort: Effort): void {
  const { op, target } = operation;
  if (target.kind === 'resource' || target.kind === 'extension') {
    // Values for these were taken apart when they were read: nothing but a removal is left.
    if (op === 'remove' && target.kind === 'extension') delete draft[target.extension.id];
    return;
  }
  const { extension, attribute, subAttribute } = target.path;
  const holder = extension === undefined ? draft : objectAt(draft, extension.id);
  const change = { ...operation, effort };
  if (target.kind === 'element') changeElements(holder, attribute, change, target);
  else if (subAttribute === undefined) changeAttribute(holder, attribute, change);
  else if (attribute.multiValued) changeElements(holder, attribute, change, { subAttribute });
  else changePart(holder, attribute, subAttribute, change);
}

const VALUE_CHANGES = { add: addValues, remove: removeListed, replace: replaceValues };

function changeAttribute(holder: JsonObject, attribute: Attribute, { op, value, effort }: Change): void {
  const { name, multiValued } = attribute;
  if (value === undefined) delete holder[name];
  else if (!multiValued) holder[name] = value;
  else {
    const present = listOf(ownValue(holder, name));
    effort.spend(present.length);
    setValues(holder, attribute, VALUE_CHANGES[op](present, listOf(value), { attribute, effort }));
  }
}

function setValues(holder: JsonObject, attribute: Attribute, values: JsonValue[]): void {
  requireFew(values, attribute, attribute.name);
  holder[attribute.name] = values;
}

/** A sub-attribute of a single complex value. A new `value` leaves no `$ref` behind that leads to the old one. */
function changePart(holder: JsonObject, attribute: Attribute, subAttribute: Attribute, change: Change): void {
  const complex = objectAt(holder, attribute.name);
  const before = ownValue(complex, 'value');
  changeAttribute(complex, subAttribute, change);
  if (!sameJson(before, ownValue(complex, 'value'))) delete complex.$ref;
}

/** The elements of a multi-valued attribute that an operation is about: those that a filter selects, or all. */
interface Selection {
  readonly path?: AttributePath;
  readonly filter?: FilterNode;
  readonly subAttribute?: Attribute;
}

function changeElements(
  holder: JsonObject,
  attribute: Attribute,
  change: Change,
  selection: Selection,
): void {
  const { filter } = selection;
  const { effort } = change;
  const elements = listOf(ownValue(holder, attribute.name));
  effort.spend(elements.length);
  const selected = new Set(
    elements.filter((element) => filter === undefined || matchesElement(element, filter, effort)),
  );
  const values =
    change.op === 'remove'
      ? removeSelected(elements, selected, { ...selection, attribute })
      : writeSelected(elements, selected, selection, change);
  setValues(holder, attribute, values);
}

function removeSelected(
  elements: readonly JsonValue[],
  selected: ReadonlySet<JsonValue>,
  { attribute, subAttribute }: Selection & { readonly attribute: Attribute },
): JsonValue[] {
  if (subAttribute === undefined) return elements.filter((element) => !selected.has(element));
  return elements.flatMap((element) => {
    if (!selected.has(element) || !isObject(element)) return [element];
    const { [subAttribute.name]: _removed, ...rest } = element;
    return saysSomething(rest, attribute) ? [rest] : [];
  });
}

/** Sub-attributes that describe a value and are none: an e-mail address without its address is no element. */
const LABELS: ReadonlySet<string> = new Set(['type', 'primary', 'display']);

/** Where all that a value can have are labels (a tenant's own attribute), each of them says something. */
function saysSomething(element: JsonObject, { subAttributes = [] }: Attribute): boolean {
  const counts = subAttributes.every(({ name }) => LABELS.has(name)) ? () => true : isNoLabel;
  return Object.keys(element).some(counts);
}

const isNoLabel = (name: string) => !LABELS.has(name);

/**
 * `add` and `replace` on elements. Where the filter selects none the element is created, with what the filter's
 * `eq` terms assert: the RFC wants noTarget, but Entra ID sends every new e-mail address and phone number so.
 */
function writeSelected(
  elements: readonly JsonValue[],
  selected: ReadonlySet<JsonValue>,
  { path, filter, subAttribute }: Selection,
  change: Change,
): JsonValue[] {
  const seed = filter === undefined ? {} : seedFromFilter(filter);
  // A value without parts says itself what to create.
  const isSimple = path?.attribute.subAttributes === undefined;
  if (selected.size === 0 && filter !== undefined && Object.keys(seed).length === 0 && !isSimple) {
    throw badRequest(
      'noTarget',
      'The value path matches nothing, and has no "eq" term that says what to create',
    );
  }
  if (selected.size === 0 && filter !== undefined && change.reading) {
    note(change.reading, 'valuePathCreates', path?.attribute.name);
  }
  const fresh = new Set<JsonValue>();
  const write = (element: JsonValue): JsonValue => {
    change.effort.spend(1);
    const written = writeElement(element, seed, change, subAttribute);
    fresh.add(written);
    return written;
  };
  const written = elements.map((element) => (selected.has(element) ? write(element) : element));
  if (selected.size === 0) written.push(write(seed));
  return withOnePrimary(written, fresh);
}

/** RFC 7644 section 3.5.2.3: a selected record is replaced as a whole; it keeps what selected it. */
function writeElement(
  element: JsonValue,
  seed: JsonObject,
  change: Change,
  subAttribute: Attribute | undefined,
): JsonValue {
  const { op, value = null } = change;
  const present = isObject(element) ? element : {};
  if (subAttribute === undefined) {
    return isObject(value) ? { ...(op === 'replace' ? seed : present), ...value } : value;
  }
  const written = { ...present };
  changeAttribute(written, subAttribute, { ...change, value });
  return written;
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** The object under that name; it is made where there is none. */
function objectAt(holder: JsonObject, name: string): JsonObject {
  const value = ownValue(holder, name);
  if (isObject(value)) return value;
  const made: JsonObject = {};
  holder[name] = made;
  return made;
}
