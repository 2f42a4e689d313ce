import type { Effort } from './effort.ts';
import { identityOf } from './identity.ts';
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
  const positions = new Map(present.map((value, position) => [identityIn(value, comparing), position]));
  const fresh = new Set<JsonValue>();
  for (const value of added) {
    const identity = identityIn(value, comparing);
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
  const identities = new Set(listed.map((value) => identityIn(value, comparing)));
  return present.filter((value) => {
    const bare = isObject(value) ? ownValue(value, 'value') : undefined;
    const untyped = bare === undefined ? value : { value: bare };
    return !identities.has(identityIn(value, comparing)) && !identities.has(identityIn(untyped, comparing));
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

/** The identity of a value (`identity.ts`), worked out once for all operations of a request. */
function identityIn(value: JsonValue, { attribute, effort }: Comparing): string {
  const fold = (part: Attribute, folded: JsonValue) => effort.fold(part, folded);
  if (!isObject(value)) return identityOf(value, attribute, fold);
  let identity = identities.get(value);
  if (identity === undefined) {
    effort.spend(2);
    identity = identityOf(value, attribute, fold);
    identities.set(value, identity);
  }
  return identity;
}
