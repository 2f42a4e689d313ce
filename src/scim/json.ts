import { badRequest } from './error.ts';
import type { JsonObject, JsonValue } from './types.ts';

/** A JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own value of that name: an attribute may be called `constructor` and still be absent. */
export function ownValue(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Whether two JSON values are equal; the order of an object's names does not count (RFC 7643 section 2.3.8). */
export function sameJson(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => sameJson(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && sameJson(left[name], right[name]))
  );
}

/**
 * The entries of an object whose names are compared without case (RFC 7643 section 2.1). A name that occurs twice
 * is invalidSyntax: two readers could disagree about which one holds.
 */
export function uniqueEntries(object: JsonObject, where: string): [name: string, value: JsonValue][] {
  const entries = Object.entries(object);
  const seen = new Set<string>();
  for (const [name] of entries) {
    const folded = name.toLowerCase();
    if (seen.has(folded)) {
      throw badRequest(
        'invalidSyntax',
        `"${name.slice(0, 200)}" occurs twice in ${where}, in different case: send it once`,
      );
    }
    seen.add(folded);
  }
  return entries;
}
