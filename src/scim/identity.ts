import { findAttribute } from './attribute-path.ts';
import { foldValue } from './fold.ts';
import { isObject, ownValue } from './json.ts';
import type { Attribute, JsonObject, JsonValue } from './types.ts';

type Fold = (attribute: Attribute, value: JsonValue) => JsonValue;

/**
 * What makes two values of an attribute the same, as text: `value` and `type` (RFC 7643 section 2.4), or everything
 * where there is no `value`; each part as it is compared. `fold` does that on somebody's account.
 */
export function identityOf(value: JsonValue, attribute: Attribute, fold: Fold = foldValue): string {
  if (!isObject(value)) return JSON.stringify(fold(attribute, value));
  const names = Object.hasOwn(value, 'value') ? ['value', 'type'] : Object.keys(value).sort();
  return JSON.stringify(names.map((name) => [name, foldedPart(value, name, attribute, fold)]));
}

function foldedPart(value: JsonObject, name: string, attribute: Attribute, fold: Fold): JsonValue {
  const part = ownValue(value, name) ?? null;
  const subAttribute = findAttribute(attribute.subAttributes ?? [], name);
  return subAttribute === undefined ? part : fold(subAttribute, part);
}
