import { pathName, resolveAttributePath } from './attribute-path.ts';
import { badRequest } from './error.ts';
import { isObject, ownValue } from './json.ts';
import { oncePer } from './once-per.ts';
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
  readonly names: Named;
  /** What a write has set: of the attributes that are `returned` on request, its answer has those. */
  readonly written: Named;
}

/** Names of attributes, of their parts and of extensions. */
interface Named {
  readonly all: ReadonlySet<string>;
  /** The attributes of which a part is named. */
  readonly wholes: ReadonlySet<string>;
}

/** The names that are returned of an object, in order, with what is returned inside of each. */
type Parts = readonly { readonly name: string; readonly parts?: Parts }[];

const NOTHING: Named = { all: new Set(), wholes: new Set() };
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
  if (query.attributes === undefined && query.excludedAttributes === undefined)
    return defaultProjection(type);
  const only = splitNames(query.attributes);
  const except = splitNames(query.excludedAttributes);
  if (only.length > 0 && except.length > 0) {
    throw badRequest(
      'invalidValue',
      'attributes and excludedAttributes exclude each other: send one of them',
    );
  }
  const mode = only.length > 0 ? 'only' : except.length > 0 ? 'except' : 'default';
  if (mode === 'default') return defaultProjection(type);
  return compile({ ...EVERYTHING, mode, names: namedIn([...only, ...except], type) }, type);
}

const defaultProjection = oncePer((type: ResourceType) => compile(EVERYTHING, type));

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
  const named = Array.isArray(written) ? namedBy(written) : namedOf(written as Resource, type);
  return compile({ ...projection, written: named }, type);
}

function namedOf(resource: Resource, type: ResourceType): Named {
  const names = type.extensions.flatMap(({ schema: { id } }) => {
    const value = ownValue(resource, id);
    return isObject(value) ? Object.keys(value).map((name) => `${id}:${name}`) : [];
  });
  return { all: new Set(names), wholes: new Set() };
}

function namedBy(operations: readonly PatchOperation[]): Named {
  const paths = operations.flatMap(({ target }) => {
    if (target.kind === 'attribute') return [target.path];
    if (target.kind !== 'element') return [];
    const { path, subAttribute } = target;
    return [{ ...path, ...(subAttribute && { subAttribute }) }];
  });
  return namedPaths(paths);
}

function namedPaths(paths: readonly AttributePath[], extensions: readonly string[] = []): Named {
  const parts = paths.filter(({ subAttribute }) => subAttribute !== undefined);
  return {
    all: new Set([...paths.map(pathName), ...extensions]),
    wholes: new Set(parts.map(({ subAttribute: _part, ...whole }) => pathName(whole))),
  };
}

/** Notes the value paths among the names (the Entra ID Postman collection), which `readProjection` takes for names. */
export function noteValuePaths(names: Names, reading: Reading): void {
  const found = splitNames(names).find((name) => name.includes('['));
  if (found !== undefined) note(reading, 'attributesValuePath', found);
}

/** More names in one list are refused: each is looked up in every type that is asked. */
const MAX_NAMES = 1_000;

function splitNames(names: Names): string[] {
  const lists = typeof names === 'string' ? [names] : (names ?? []);
  const split = lists.flatMap((list) => list.split(',', MAX_NAMES + 1));
  if (split.length > MAX_NAMES) {
    throw badRequest('invalidValue', `A list of attributes has more than ${MAX_NAMES} names: ask for fewer`);
  }
  return [...new Set(split.map((name) => name.trim()).filter((name) => name !== ''))];
}

function namedIn(texts: readonly string[], type: ResourceType): Named {
  const paths: AttributePath[] = [];
  const extensions: string[] = [];
  for (const name of texts.map(withoutFilter)) {
    const extension = findExtension(type, name);
    const path = extension ? undefined : resolveAttributePath(type, name);
    if (extension) extensions.push(extension.id);
    if (path) paths.push(path);
  }
  return namedPaths(paths, extensions);
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
  if (mode === 'except') return !names.all.has(name);
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
    .filter((attribute) => isReturned(attribute, prefix, choice))
    .map(({ name, subAttributes }) => {
      if (subAttributes === undefined) return { name };
      const path = `${prefix}${name}`;
      return { name, parts: compileParts(subAttributes, `${path}.`, choiceInside(choice, path)) };
    });
}

function isReturned(attribute: Attribute, prefix: string, { mode, names, written }: Choice): boolean {
  const path = `${prefix}${attribute.name}`;
  if (attribute.returned === 'never') return false;
  if (attribute.returned === 'always') return true;
  if (mode === 'only') return namesAny(names, path);
  if (names.all.has(path)) return false;
  // Written is also what belongs to a whole that was written.
  return attribute.returned === 'default' || namesAny(written, path) || written.all.has(prefix.slice(0, -1));
}

/** Whether the attribute or a part of it is named. */
function namesAny({ all, wholes }: Named, path: string): boolean {
  return all.has(path) || wholes.has(path);
}

/** What holds for the parts of a complex attribute or an extension: named as a whole, they are returned by default. */
function choiceInside(choice: Choice, path: string): Choice {
  const { mode, names, written } = choice;
  if (mode === 'default' || !names.all.has(path)) return choice;
  return mode === 'only' ? { ...EVERYTHING, written } : MINIMUM;
}
