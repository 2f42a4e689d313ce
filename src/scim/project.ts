import { badRequest } from './error.ts';
import { isObject, ownValue } from './json.ts';
import { resolveAttributePath } from './path.ts';
import { note } from './quirks.ts';
import { BASE_TYPES } from './resource-types.ts';
import type {
  Attribute,
  AttributePath,
  JsonObject,
  JsonValue,
  PatchOperation,
  Reading,
  Resource,
  ResourceType,
} from './types.ts';
import { findExtension } from './validate.ts';

/**
 * Which attributes an answer has (RFC 7644 section 3.9), compiled for one resource type. `names` are canonical:
 * `userName`, `name.familyName`, an extension's URN, `{urn}:manager.value`.
 */
export interface Projection extends Choice {
  /** What of a resource is returned. */
  readonly parts: Parts;
  /**
   * Whether that is the stored text as it is. A tenant's own extension always goes through the projection: it may
   * keep attributes from answers, and a text may hold what a later definition no longer has.
   */
  readonly whole: boolean;
}

interface Choice {
  readonly mode: 'default' | 'only' | 'except';
  readonly names: ReadonlySet<string>;
  /** What a write has set: of the attributes that are `returned` on request, its answer has those. */
  readonly written: ReadonlySet<string>;
}

/** The names that are returned of an object, in order, with what is returned inside of each. */
type Parts = readonly { readonly name: string; readonly parts?: Parts }[];

const NOTHING: ReadonlySet<string> = new Set();
const EVERYTHING: Choice = { mode: 'default', names: NOTHING, written: NOTHING };
const MINIMUM: Choice = { mode: 'only', names: NOTHING, written: NOTHING };

type Names = string | readonly string[] | undefined;

/**
 * Reads `attributes` and `excludedAttributes`: names in any case, dotted, URN-qualified, whole extensions, and
 * value paths, whose filter is ignored. Unknown names are ignored. Both at once are invalidValue.
 */
export function readProjection(
  query: { attributes?: Names; excludedAttributes?: Names },
  type: ResourceType,
): Projection {
  const only = splitNames(query.attributes);
  const except = splitNames(query.excludedAttributes);
  if (only.length > 0 && except.length > 0) {
    throw badRequest(
      'invalidValue',
      'attributes and excludedAttributes exclude each other: send one of them',
    );
  }
  const names = [...only, ...except].map((name) => canonicalName(name, type));
  const mode = only.length > 0 ? 'only' : except.length > 0 ? 'except' : 'default';
  if (mode === 'default') return defaultProjection(type);
  return compile({ ...EVERYTHING, mode, names: new Set(names.filter((name) => name !== undefined)) }, type);
}

const defaults = new WeakMap<ResourceType, Projection>();

function defaultProjection(type: ResourceType): Projection {
  const known = defaults.get(type) ?? compile(EVERYTHING, type);
  defaults.set(type, known);
  return known;
}

/**
 * The projection for the answer to a write: attributes that are returned on request are returned where the client
 * has just set them (RFC 7643 section 7), unless it says which attributes it wants.
 */
export function answering(
  projection: Projection,
  type: ResourceType,
  written: Resource | readonly PatchOperation[],
): Projection {
  if (projection.mode === 'only' || type === BASE_TYPES[type.name]) return projection;
  const names = Array.isArray(written) ? operationNames(written) : resourceNames(written as Resource, type);
  return compile({ ...projection, written: new Set(names) }, type);
}

function resourceNames(resource: Resource, type: ResourceType): string[] {
  return type.extensions.flatMap(({ schema: { id } }) => {
    const value = ownValue(resource, id);
    return isObject(value) ? Object.keys(value).map((name) => `${id}:${name}`) : [];
  });
}

function operationNames(operations: readonly PatchOperation[]): string[] {
  return operations.flatMap(({ target }) => {
    if (target.kind === 'attribute') return [nameOf(target.path)];
    if (target.kind !== 'element') return [];
    const { path, subAttribute } = target;
    return [nameOf({ ...path, ...(subAttribute && { subAttribute }) })];
  });
}

/** Notes the value paths among the names (the Entra ID Postman collection), which `readProjection` takes for names. */
export function noteValuePaths(names: Names, reading: Reading): void {
  const found = splitNames(names).find((name) => name.includes('['));
  if (found !== undefined) note(reading, 'attributesValuePath', found);
}

function splitNames(names: Names): string[] {
  const lists = typeof names === 'string' ? [names] : (names ?? []);
  return lists
    .flatMap((list) => list.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function canonicalName(text: string, type: ResourceType): string | undefined {
  const name = withoutFilter(text);
  const extension = findExtension(type, name);
  if (extension !== undefined) return extension.id;
  const path = resolveAttributePath(type, name);
  return path && nameOf(path);
}

function nameOf({ extension, attribute, subAttribute }: AttributePath): string {
  const prefix = extension === undefined ? '' : `${extension.id}:`;
  return `${prefix}${attribute.name}${subAttribute === undefined ? '' : `.${subAttribute.name}`}`;
}

/** `emails[type eq "work"].value` asks for `emails.value` (the Entra ID Postman collection sends this). */
function withoutFilter(text: string): string {
  const open = text.indexOf('[');
  return open === -1 ? text : text.slice(0, open) + text.slice(open).replace(/^.*\]/s, '');
}

/** Whether the client left the choice of attributes to the schema. */
export function isDefaultProjection(projection: Projection): boolean {
  return projection.mode === 'default';
}

/** Whether anything of a core attribute that is returned by default can be in the answer. */
export function includesAttribute({ mode, names }: Projection, name: string): boolean {
  if (mode === 'default') return true;
  if (mode === 'except') return !names.has(name);
  return namesAny(names, name);
}

/** The resource with what the projection and each attribute's `returned` leave of it (RFC 7643 section 7). */
export function project(resource: Resource, { parts }: Projection): Resource {
  return (pick(resource, parts) ?? {}) as Resource;
}

/** The parts of a value; undefined when nothing is left of it. */
function pick(value: JsonValue, parts: Parts | undefined): JsonValue | undefined {
  if (parts === undefined) return value;
  if (Array.isArray(value)) {
    const left = value.map((element) => pick(element, parts)).filter((element) => element !== undefined);
    return left.length === 0 ? undefined : left;
  }
  if (!isObject(value)) return value;
  const picked: JsonObject = {};
  for (const { name, parts: inside } of parts) {
    const part = ownValue(value, name);
    const left = part === undefined ? undefined : pick(part, inside);
    if (left !== undefined) picked[name] = left;
  }
  return Object.keys(picked).length === 0 ? undefined : picked;
}

function compile(choice: Choice, type: ResourceType): Projection {
  const extensions = type.extensions.map(({ schema: { id, attributes } }) => ({
    name: id,
    parts: compileParts(attributes, `${id}:`, choiceInside(choice, id)),
  }));
  return {
    ...choice,
    parts: [...compileParts(type.schema.attributes, '', choice), ...extensions],
    whole: choice.mode === 'default' && type === BASE_TYPES[type.name],
  };
}

function compileParts(attributes: readonly Attribute[], prefix: string, choice: Choice): Parts {
  return attributes
    .filter((attribute) => isReturned(attribute, `${prefix}${attribute.name}`, choice))
    .map(({ name, subAttributes }) => {
      if (subAttributes === undefined) return { name };
      const path = `${prefix}${name}`;
      return { name, parts: compileParts(subAttributes, `${path}.`, choiceInside(choice, path)) };
    });
}

function isReturned(attribute: Attribute, path: string, { mode, names, written }: Choice): boolean {
  if (attribute.returned === 'never') return false;
  if (attribute.returned === 'always') return true;
  if (mode === 'only') return namesAny(names, path);
  return !names.has(path) && (attribute.returned === 'default' || touches(written, path));
}

/** Whether the attribute or a part of it is named. */
function namesAny(names: ReadonlySet<string>, path: string): boolean {
  return names.has(path) || [...names].some((name) => name.startsWith(`${path}.`));
}

/** Whether the attribute, a part of it or the whole that it belongs to is named. */
function touches(names: ReadonlySet<string>, path: string): boolean {
  return namesAny(names, path) || [...names].some((name) => path.startsWith(`${name}.`));
}

/** What holds for the parts of a complex attribute or an extension: named as a whole, they are returned by default. */
function choiceInside(choice: Choice, path: string): Choice {
  const { mode, names, written } = choice;
  if (mode === 'default' || !names.has(path)) return choice;
  return mode === 'only' ? { ...EVERYTHING, written } : MINIMUM;
}
