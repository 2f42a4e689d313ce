import { isObject, ownValue } from './json.ts';
import type { JsonObject, JsonValue, Reading, Resource, ResourceType } from './types.ts';
import { canonicalResource, isIndexable, requireIndexable } from './validate.ts';
import { readAttributes, textFault } from './value.ts';

/** What admins write of a User by hand. Null: it shall have none; absent: as it is. */
export interface ProfileChange {
  readonly userName?: string;
  readonly externalId?: string | null;
  readonly active?: boolean;
  readonly displayName?: string | null;
  readonly givenName?: string | null;
  readonly familyName?: string | null;
  readonly email?: string | null;
  readonly avatar?: string | null;
}

/** Which texts `withProfile` takes: of any part of a profile, and of a name by which a user is found. */
export const profileFits = {
  text: (text: string): boolean => textFault(text) === undefined,
  name: (text: string): boolean => textFault(text) === undefined && isIndexable(text),
};

/**
 * The User after the change, in canonical form; what the change does not name stays, extensions too. `email` is the
 * address that stands first (`firstOf`), and null clears all addresses: otherwise another would come forward. So is
 * `avatar` among `photos`. Throws invalidValue.
 */
export function withProfile(before: Resource, change: ProfileChange, type: ResourceType): Resource {
  const { givenName, familyName, email, avatar, ...plain } = change;
  const names = assigned({ givenName, familyName });
  const written = assigned({
    ...plain,
    ...(Object.keys(names).length > 0 && { name: { ...objectOf(before.name), ...names } }),
    ...(email !== undefined && { emails: withFirst(before.emails, email, 'work') }),
    ...(avatar !== undefined && { photos: withFirst(before.photos, avatar, 'photo') }),
  });
  const kept = Object.entries(before).filter(([name]) => !Object.hasOwn(written, name));
  const reading: Reading = { strict: false, tolerances: new Set() };
  const read = readAttributes(Object.entries(written), type.schema.attributes, '', reading);
  const after = canonicalResource({ ...Object.fromEntries(kept), ...read }, type);
  requireIndexable(after, type);
  return after;
}

/** The values of an attribute with another first one; of that only its type and its rank stay. */
function withFirst(values: JsonValue | undefined, value: string | null, type: string): JsonValue {
  if (value === null) return null;
  const all = objectsOf(values);
  const first = firstOf(values);
  if (first === undefined) return [...all, { value, type, primary: true }];
  const { type: oldType = type, primary } = first;
  const changed = { value, type: oldType, ...(primary !== undefined && { primary }) };
  return all.map((each) => (each === first ? changed : each));
}

/** Which of several e-mail addresses or photos counts: the primary one, or else the first that has a value. */
export function firstOf(values: JsonValue | undefined): JsonObject | undefined {
  const valued = objectsOf(values).filter((each) => typeof ownValue(each, 'value') === 'string');
  return valued.find((each) => ownValue(each, 'primary') === true) ?? valued[0];
}

const objectsOf = (values: JsonValue | undefined) => (Array.isArray(values) ? values.filter(isObject) : []);
const objectOf = (value: JsonValue | undefined) => (isObject(value) ? value : {});

function assigned(values: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const entries = Object.entries(values).filter(
    (entry): entry is [string, JsonValue] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}
