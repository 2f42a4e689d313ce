import { isDeepStrictEqual } from 'node:util';
import { concealed } from './conceal.ts';
import { isObject, ownValue, sameJson } from './json.ts';
import type { JsonObject, JsonValue, Resource, ResourceType } from './types.ts';

/**
 * What differs between two states of a resource, by top-level attribute; null where there was no value. Of what is
 * never returned it says whether it was written or removed: the two sides differ there too.
 */
export function difference(
  before: Resource,
  after: Resource,
  type: ResourceType,
): { before: JsonObject; after: JsonObject } | undefined {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  if (names.length === 0) return undefined;
  const removed = (urn: string, name: string) => partOf(after, urn, name) === undefined;
  const written = (urn: string, name: string) =>
    !sameJson(partOf(before, urn, name), partOf(after, urn, name));
  const side = (resource: Resource) =>
    Object.fromEntries(names.map((name) => [name, resource[name] ?? null]));
  return {
    before: side(concealed(before, type, removed)),
    after: side(concealed(after, type, written)),
  };
}

function partOf(resource: Resource, urn: string, name: string): JsonValue | undefined {
  const extension = ownValue(resource, urn);
  return isObject(extension) ? ownValue(extension, name) : undefined;
}
