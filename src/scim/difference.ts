import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, Resource } from './types.ts';

/** What differs between two states of a resource, by top-level attribute; null where there was no value. */
export function difference(
  before: Resource,
  after: Resource,
): { before: JsonObject; after: JsonObject } | undefined {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  if (names.length === 0) return undefined;
  const side = (resource: Resource) =>
    Object.fromEntries(names.map((name) => [name, resource[name] ?? null]));
  return { before: side(before), after: side(after) };
}
