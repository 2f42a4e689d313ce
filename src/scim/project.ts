import { badRequest } from './error.ts';
import { isObject, ownValue } from './json.ts';
import { resolveAttributePath } from './path.ts';
import type { Attribute, JsonObject, JsonValue, Resource, ResourceType } from './types.ts';
import { findExtension } from './validate.ts';

/**
 * Which attributes an answer has (RFC 7644 section 3.9). `names` are canonical: `userName`, `name.familyName`,
 * an extension's URN, `{urn}:manager.value`.
 */
export interface Projection {
  readonly mode: 'default' | 'only' | 'except';
  readonly names: ReadonlySet<string>;
}

const EVERYTHING: Projection = { mode: 'default', names: new Set() };
/** Nothing but what is always returned. */
const MINIMUM: Projection = { mode: 'only', names: new Set() };

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
  return { mode, names: new Set(names.filter((name) => name !== undefined)) };
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
  if (path === undefined) return undefined;
  const prefix = path.extension === undefined ? '' : `${path.extension.id}:`;
  const suffix = path.subAttribute === undefined ? '' : `.${path.subAttribute.name}`;
  return `${prefix}${path.attribute.name}${suffix}`;
}

/** `emails[type eq "work"].value` asks for `emails.value` (the Entra ID Postman collection sends this). */
function withoutFilter(text: string): string {
  const open = text.indexOf('[');
  return open === -1 ? text : text.slice(0, open) + text.slice(open).replace(/^.*\]/s, '');
}

/** Whether every attribute is returned by its default: the stored text can be sent as it is. */
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
export function project(resource: Resource, type: ResourceType, projection: Projection): Resource {
  const result = projectObject(resource, type.schema.attributes, '', projection);
  for (const { schema } of type.extensions) {
    const value = ownValue(resource, schema.id);
    if (!isObject(value)) continue;
    const parts = projectionInside(projection, schema.id);
    const extension = projectObject(value, schema.attributes, `${schema.id}:`, parts);
    if (Object.keys(extension).length > 0) result[schema.id] = extension;
  }
  return result;
}

function projectObject(
  values: JsonObject,
  attributes: readonly Attribute[],
  prefix: string,
  projection: Projection,
): JsonObject {
  const result: JsonObject = {};
  for (const attribute of attributes) {
    const path = `${prefix}${attribute.name}`;
    const value = ownValue(values, attribute.name);
    if (value === undefined || !isReturned(attribute, path, projection)) continue;
    const projected = projectValue(value, attribute, path, projection);
    if (projected !== undefined) result[attribute.name] = projected;
  }
  return result;
}

function isReturned(attribute: Attribute, path: string, { mode, names }: Projection): boolean {
  if (attribute.returned === 'never') return false;
  if (attribute.returned === 'always') return true;
  if (mode === 'only') return namesAny(names, path);
  return attribute.returned === 'default' && !names.has(path);
}

/** Whether the attribute or a part of it is named. */
function namesAny(names: ReadonlySet<string>, path: string): boolean {
  return names.has(path) || [...names].some((name) => name.startsWith(`${path}.`));
}

function projectValue(
  value: JsonValue,
  attribute: Attribute,
  path: string,
  projection: Projection,
): JsonValue | undefined {
  const { subAttributes } = attribute;
  if (subAttributes === undefined) return value;
  if (Array.isArray(value)) {
    const elements = value.map((element) => projectValue(element, attribute, path, projection));
    const left = elements.filter((element) => element !== undefined);
    return left.length === 0 ? undefined : left;
  }
  if (!isObject(value)) return value;
  const parts = projectObject(value, subAttributes, `${path}.`, projectionInside(projection, path));
  return Object.keys(parts).length === 0 ? undefined : parts;
}

/** What holds for the parts of a complex attribute or an extension: named as a whole, they are returned by default. */
function projectionInside(projection: Projection, path: string): Projection {
  const { mode, names } = projection;
  if (mode === 'default' || !names.has(path)) return projection;
  return mode === 'only' ? EVERYTHING : MINIMUM;
}
