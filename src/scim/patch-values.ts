import { findAttribute } from './attribute-path.ts';
import type { Effort } from './effort.ts';
import { isObject, ownValue } from './json.ts';
import type { Attribute, JsonObject, JsonValue } from './types.ts';

/** The attribute whose values change, and the request that pays for comparing them. */
interface Comparing {
  readonly attribute: Attribute;
  readonly effort: Effort;
}

/**
 * The values of a multi-valued attribute after an `add`: a value that is there already, the same `value` and
 * `type`, takes the sub-attributes of the added one instead of being doubled (RFC 7643 section 2.4).
 */
export function addValues(
  present: readonly JsonValue[],
  added: readonly JsonValue[],
  comparing: Comparing,
): JsonValue[] {
  const values = [...present];
  const positions = new Map(present.map((value, position) => [identityOf(value, comparing), position]));
  const fresh = new Set<JsonValue>();
  for (const value of added) {
    const identity = identityOf(value, comparing);
    const position = positions.get(identity) ?? values.length;
    const same = values[position];
    const merged = isObject(same) && isObject(value) ? { ...same, ...value } : value;
    values[position] = merged;
    positions.set(identity, position);
    fresh.add(merged);
  }
  return withOnePrimary(values, fresh);
}

/** The values after a `replace` of all of them. */
export function replaceValues(_present: readonly JsonValue[], values: readonly JsonValue[]): JsonValue[] {
  return withOnePrimary(values, new Set(values));
}

/** The values without those that are listed: by `value`, and by `type` where the list gives one. */
export function removeListed(
  present: readonly JsonValue[],
  listed: readonly JsonValue[],
  comparing: Comparing,
): JsonValue[] {
  const identities = new Set(listed.map((value) => identityOf(value, comparing)));
  return present.filter((value) => {
    const bare = isObject(value) ? ownValue(value, 'value') : undefined;
    const untyped = bare === undefined ? value : { value: bare };
    return !identities.has(identityOf(value, comparing)) && !identities.has(identityOf(untyped, comparing));
  });
}

/**
 * RFC 7644 section 3.5.2: a value that a PATCH makes primary ends the primacy of the others; of several the last.
 * `fresh` are the values that the operation wrote.
 */
export function withOnePrimary(values: readonly JsonValue[], fresh: ReadonlySet<JsonValue>): JsonValue[] {
  const primary = values.findLast((value) => fresh.has(value) && isPrimary(value));
  if (primary === undefined) return [...values];
  return values.map((value) =>
    value !== primary && isObject(value) && isPrimary(value) ? { ...value, primary: false } : value,
  );
}

function isPrimary(value: JsonValue): boolean {
  return isObject(value) && ownValue(value, 'primary') === true;
}

/** Values are replaced, never changed, so that what was found once holds for all operations of a PATCH. */
const identities = new WeakMap<JsonObject, string>();

/** What makes two values of an attribute the same: `value` and `type`, or everything where there is no `value`. */
function identityOf(value: JsonValue, comparing: Comparing): string {
  const { attribute, effort } = comparing;
  if (!isObject(value)) return JSON.stringify(effort.fold(attribute, value));
  let identity = identities.get(value);
  if (identity === undefined) {
    effort.spend(2);
    const names = Object.hasOwn(value, 'value') ? ['value', 'type'] : Object.keys(value).sort();
    identity = JSON.stringify(names.map((name) => [name, foldedPart(value, name, comparing)]));
    identities.set(value, identity);
  }
  return identity;
}

function foldedPart(value: JsonObject, name: string, { attribute, effort }: Comparing): JsonValue {
  const part = ownValue(value, name) ?? null;
  const subAttribute = findAttribute(attribute.subAttributes ?? [], name);
  return subAttribute === undefined ? part : effort.fold(subAttribute, part);
}
