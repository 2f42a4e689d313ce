import { badRequest } from './error.ts';
import { foldText } from './fold.ts';
import { identityOf } from './identity.ts';
import { isObject, ownValue, sameJson, uniqueEntries } from './json.ts';
import { note } from './quirks.ts';
import { members } from './schemas/core-group.ts';
import type {
  Attribute,
  AttributeType,
  JsonObject,
  JsonValue,
  Reading,
  Resource,
  ResourceType,
  Schema,
  TypeName,
} from './types.ts';
import { readAttributes } from './value.ts';

/**
 * A User or Group as a client sent it with POST or PUT, canonical: read-only, unknown and unassigned attributes
 * left out, names in the schema's case and order, `schemas` computed, every value as it was sent. Throws
 * invalidSyntax (the form of the body) and invalidValue (a value, a required attribute without one, a long name).
 */
export function readResource(body: unknown, type: ResourceType, reading: Reading): Resource {
  if (!isObject(body)) throw badRequest('invalidSyntax', `The body must be a JSON object, a ${type.name}`);
  // RFC 7644 sections 3.3 and 3.5.1: clients send back what they were answered.
  const whole: Reading = { ...reading, ignoresReadOnly: true };
  const core: [string, JsonValue][] = [];
  const extensions: JsonObject = {};
  let schemas: JsonValue = null;
  for (const [name, value] of uniqueEntries(body, 'the body')) {
    const extension = findExtension(type, name);
    if (extension !== undefined) extensions[extension.id] = readExtension(value, extension, whole);
    else if (name.toLowerCase() === 'schemas') schemas = value;
    else core.push([name, value]);
  }
  readSchemas(schemas, type, reading);
  const values = { ...readAttributes(core, type.schema.attributes, '', whole), ...extensions };
  const resource = canonicalResource(values, type);
  requireOnePrimary(resource, type);
  requireComplete(resource, type);
  requireIndexable(resource, type);
  return resource;
}

/** The extension of that URN, in any case (RFC 7644 section 3.10). */
export function findExtension(type: ResourceType, urn: string): Schema | undefined {
  const folded = urn.toLowerCase();
  return type.extensions.find(({ schema }) => schema.id.toLowerCase() === folded)?.schema;
}

function readExtension(value: JsonValue, extension: Schema, reading: Reading): JsonObject {
  if (value === null) return {};
  if (!isObject(value)) throw badRequest('invalidValue', `${extension.id} must be an object of attributes`);
  return readAttributes(
    uniqueEntries(value, extension.id),
    extension.attributes,
    `${extension.id}:`,
    reading,
  );
}

/**
 * Checks `schemas` (RFC 7643 section 3): the base schema of the type must be listed. Schemas that the type does
 * not have are ignored (Entra ID), and so is the absence of the whole list (authentik).
 */
function readSchemas(value: JsonValue, type: ResourceType, reading: Reading): void {
  if (value === null || (Array.isArray(value) && value.length === 0)) {
    note(reading, 'schemasMissing');
    return;
  }
  if (!Array.isArray(value) || !value.every((urn) => typeof urn === 'string')) {
    throw badRequest('invalidSyntax', 'schemas must be an array of schema URIs');
  }
  const base = type.schema.id;
  if (!value.some((urn) => urn.toLowerCase() === base.toLowerCase())) {
    throw badRequest('invalidSyntax', `schemas must contain "${base}" at ${type.endpoint}`);
  }
  const seen = new Set<string>();
  for (const urn of value) {
    const known = urn.toLowerCase() === base.toLowerCase() || findExtension(type, urn) !== undefined;
    if (!known || seen.has(urn)) note(reading, 'unknownSchema', urn);
    seen.add(urn);
  }
}

/**
 * The canonical form of a resource: `schemas` computed from what is there, attributes in the schema's order with
 * the extensions last, the same value of a multi-valued attribute once, nothing unassigned (RFC 7643 section 2.5).
 */
export function canonicalResource(values: JsonObject, type: ResourceType): Resource {
  const { schemas: _computed, ...core } = canonicalObject(values, type.schema.attributes);
  const urns: string[] = [type.schema.id];
  const extensions: JsonObject = {};
  for (const { schema } of type.extensions) {
    const value = ownValue(values, schema.id);
    const extension = isObject(value) ? canonicalObject(value, schema.attributes) : {};
    if (Object.keys(extension).length === 0) continue;
    urns.push(schema.id);
    extensions[schema.id] = extension;
  }
  return { schemas: urns, ...core, ...extensions };
}

function canonicalObject(values: JsonObject, attributes: readonly Attribute[]): JsonObject {
  const result: JsonObject = {};
  for (const attribute of attributes) {
    const value = canonicalValue(ownValue(values, attribute.name), attribute);
    if (value !== undefined) result[attribute.name] = value;
  }
  return result;
}

function canonicalValue(value: JsonValue | undefined, attribute: Attribute): JsonValue | undefined {
  if (value === undefined) return undefined;
  if (!attribute.multiValued) return canonicalElement(value, attribute);
  const elements = Array.isArray(value) ? value : [];
  // A group's members become rows, each once (`takeMembers`): of 100,000 neither form nor identity is worked out.
  if (attribute === members) return elements.length === 0 ? undefined : elements;
  const values = elements
    .map((element) => canonicalElement(element, attribute))
    .filter((element) => element !== undefined);
  return values.length === 0 ? undefined : collapse(values, attribute);
}

/**
 * One value, undefined when nothing is left of it. What has not the form of its type was stored under another
 * definition of the attribute (`tenants/schema-extensions.ts`), and counts as nothing.
 */
function canonicalElement(value: JsonValue, { type, subAttributes }: Attribute): JsonValue | undefined {
  if (typeof value !== FORMS[type]) return undefined;
  if (type !== 'complex') return value;
  const object = isObject(value) ? canonicalObject(value, subAttributes ?? []) : {};
  return Object.keys(object).length === 0 ? undefined : object;
}

/** What `typeof` says of a value of each type. */
const FORMS: Readonly<Record<AttributeType, string>> = {
  string: 'string',
  boolean: 'boolean',
  decimal: 'number',
  integer: 'number',
  dateTime: 'string',
  binary: 'string',
  reference: 'string',
  complex: 'object',
};

/**
 * The values without two of the same `value` and `type` (RFC 7643 section 2.4): the later one adds what it says to
 * the one before.
 */
function collapse(values: JsonValue[], attribute: Attribute): JsonValue[] {
  if (values.length < 2) return values;
  const distinct = new Map<string, JsonValue>();
  for (const value of values) {
    const identity = identityOf(value, attribute);
    const same = distinct.get(identity);
    const isBoth = isObject(same) && isObject(value);
    // Taken through the schema again: its order is part of the canonical form.
    const merged = isBoth ? canonicalObject({ ...same, ...value }, attribute.subAttributes ?? []) : value;
    distinct.set(identity, merged);
  }
  return [...distinct.values()];
}

/** RFC 7643 section 2.4: `primary` is true for one value at most. */
function requireOnePrimary(resource: Resource, type: ResourceType): void {
  for (const [prefix, holder, attributes] of attributeSets(resource, type)) {
    for (const { name } of attributes) {
      const values = ownValue(holder, name);
      const primaries = Array.isArray(values)
        ? values.filter((value) => isObject(value) && value.primary === true)
        : [];
      if (primaries.length > 1) {
        throw badRequest(
          'invalidValue',
          `${prefix}${name} has ${primaries.length} primary values: mark one at most`,
        );
      }
    }
  }
}

function requireComplete(resource: Resource, type: ResourceType): void {
  const missing = requirements(resource, type).find(({ met }) => !met);
  if (missing !== undefined) throw badRequest('invalidValue', `${missing.name} is required: send a value`);
}

/** A required extension, attribute or sub-attribute, and whether it has a value. */
interface Requirement {
  readonly name: string;
  readonly met: boolean;
}

/**
 * Everything that a resource is required to have (RFC 7643 sections 6 and 7). The parts of an extension and of a
 * complex value count where that is there.
 */
export function requirements(resource: Resource, type: ResourceType): Requirement[] {
  const extensions = type.extensions
    .filter(({ required }) => required)
    .map(({ schema: { id } }) => ({ name: id, met: Object.hasOwn(resource, id) }));
  const attributes = attributeSets(resource, type).flatMap(([prefix, holder, definitions]) =>
    requirementsOf(holder, definitions, prefix),
  );
  return [...extensions, ...attributes];
}

function requirementsOf(holder: JsonObject, attributes: readonly Attribute[], prefix: string): Requirement[] {
  return attributes.flatMap(({ name, required, mutability, subAttributes }) => {
    const value = ownValue(holder, name);
    const own = { name: `${prefix}${name}`, met: value !== undefined };
    const asked = subAttributes?.some((part) => part.required) ? subAttributes : [];
    const inside = (asked.length === 0 ? [] : [value].flat())
      .filter((element) => isObject(element))
      .flatMap((element) => requirementsOf(element, asked, `${own.name}.`));
    return required && mutability !== 'readOnly' ? [own, ...inside] : inside;
  });
}

/** In bytes of UTF-8: an entry of a B-tree has 2,704 at most, the ids of tenant and directory among them. */
const MAX_INDEXED = 2_000;

/** The attributes that stand in an index of their own (`migrations/0002_directory.sql`), as sent or folded. */
const INDEXED: Readonly<Record<TypeName, readonly string[]>> = {
  User: ['userName', 'externalId'],
  Group: ['displayName', 'externalId'],
  Role: [],
  Entitlement: [],
};

/** Refuses text that its index could not hold, with invalidValue: what is sent, or what it is compared as. */
export function requireIndexable(resource: Resource, type: ResourceType): void {
  for (const name of INDEXED[type.name]) {
    const value = ownValue(resource, name);
    if (typeof value !== 'string' || isIndexable(value)) continue;
    throw badRequest(
      'invalidValue',
      `${name} is longer than ${MAX_INDEXED} bytes of UTF-8, as sent or in lower case and NFKC: send a shorter one`,
    );
  }
}

/** Whether an index can hold a text, as it is and as it is compared. */
export function isIndexable(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_INDEXED && Buffer.byteLength(foldText(text)) <= MAX_INDEXED;
}

/**
 * Refuses a change of an immutable attribute that had a value (RFC 7644 sections 3.5.1 and 3.5.2) with mutability.
 * PATCH checks it itself; a PUT has to, once the stored resource is known.
 */
export function requireImmutableKept(before: Resource, after: Resource, type: ResourceType): void {
  for (const [prefix, holder, attributes] of attributeSets(before, type)) {
    const next = holder === before ? after : ownObject(after, prefix.slice(0, -1));
    requireKept(holder, next, attributes, prefix);
  }
}

/** Also of the parts of a single complex value; of several values nothing says which was which. */
/** The same value, or the same values in any order: those of an attribute have none (RFC 7643 section 2.4). */
function sameValues(left: JsonValue, right: JsonValue | undefined): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return sameJson(left, right);
  const inOrder = (values: readonly JsonValue[]) => values.map((value) => JSON.stringify(value)).sort();
  return sameJson(inOrder(left), inOrder(right));
}

function requireKept(
  before: JsonObject,
  after: JsonObject,
  attributes: readonly Attribute[],
  prefix: string,
): void {
  for (const { name, mutability, multiValued, subAttributes } of attributes) {
    const value = ownValue(before, name);
    if (mutability === 'immutable' && value !== undefined && !sameValues(value, ownValue(after, name))) {
      throw badRequest('mutability', `${prefix}${name} is immutable and already has a value`);
    }
    if (subAttributes !== undefined && !multiValued) {
      requireKept(ownObject(before, name), ownObject(after, name), subAttributes, `${prefix}${name}.`);
    }
  }
}

/** Each object of a resource that holds attributes, with the prefix that names them and their definitions. */
function attributeSets(
  resource: Resource,
  type: ResourceType,
): [prefix: string, holder: JsonObject, attributes: readonly Attribute[]][] {
  const extensions = type.extensions.filter(({ schema }) => Object.hasOwn(resource, schema.id));
  return [
    ['', resource, type.schema.attributes],
    ...extensions.map(({ schema }): [string, JsonObject, readonly Attribute[]] => [
      `${schema.id}:`,
      ownObject(resource, schema.id),
      schema.attributes,
    ]),
  ];
}

function ownObject(object: JsonObject, name: string): JsonObject {
  const value = ownValue(object, name);
  return isObject(value) ? value : {};
}
