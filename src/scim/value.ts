import { findAttribute } from './attribute-path.ts';
import { badRequest } from './error.ts';
import { foldDateTime } from './fold.ts';
import { isObject, uniqueEntries } from './json.ts';
import {
  isNoValue,
  note,
  readBoolean,
  readComplexForm,
  readCountry,
  readList,
  readReference,
  unwrapOne,
} from './quirks.ts';
import { members } from './schemas/core-group.ts';
import { country, password } from './schemas/core-user.ts';
import type { Attribute, JsonObject, JsonValue, Reading } from './types.ts';

type Entries = readonly [name: string, value: JsonValue][];

/**
 * The attributes among the entries of a JSON object, by their canonical names and without those that the entries
 * unassign. `prefix` stands before the names in errors: `emails[1].`.
 */
export function readAttributes(
  entries: Entries,
  attributes: readonly Attribute[],
  prefix: string,
  reading: Reading,
): JsonObject {
  const values: JsonObject = {};
  for (const [attribute, value] of writableEntries(entries, attributes, prefix, reading)) {
    const read = readAttributeValue(value, attribute, `${prefix}${attribute.name}`, reading);
    if (read !== undefined) values[attribute.name] = read;
  }
  return values;
}

/** The entries with their attributes; what is unknown, read-only or the password is noted and left out. */
export function writableEntries(
  entries: Entries,
  attributes: readonly Attribute[],
  prefix: string,
  reading: Reading,
): [attribute: Attribute, value: JsonValue][] {
  const writable: [Attribute, JsonValue][] = [];
  for (const [name, value] of entries) {
    const attribute = findAttribute(attributes, name);
    if (attribute === undefined) note(reading, 'unknownAttribute', `${prefix}${name}`);
    else if (isWritable(attribute, value, `${prefix}${name}`, reading)) writable.push([attribute, value]);
  }
  return writable;
}

/**
 * Whether a client may write the attribute. A value for one that it may not is noted, unless the reading ignores
 * what is read-only; its absence is not.
 */
export function isWritable(attribute: Attribute, value: unknown, where: string, reading: Reading): boolean {
  if (attribute.mutability !== 'readOnly' && attribute !== password) return true;
  const sent = value !== null && !(Array.isArray(value) && value.length === 0);
  if (sent && attribute === password) note(reading, 'password', where);
  else if (sent && !reading.ignoresReadOnly) note(reading, 'readOnlyAttribute', where);
  return false;
}

/**
 * A value checked against its attribute and in canonical form, or undefined when it unassigns the attribute.
 * `where` names the value in errors: `emails[1].value`. Throws invalidValue, and invalidSyntax where an object
 * has a name twice.
 */
export function readAttributeValue(
  value: unknown,
  attribute: Attribute,
  where: string,
  reading: Reading,
): JsonValue | undefined {
  if (isNoValue(value, where, reading, attribute.multiValued)) return undefined;
  if (attribute.multiValued) return readElements(readList(value, where, reading), attribute, where, reading);
  if (attribute.type !== 'complex') return readSimple(value, attribute, where, reading);
  const single = unwrapOne(value, where, reading);
  return isNoValue(single, where, reading) ? undefined : readComplex(single, attribute, where, reading);
}

/** The values of a multi-valued attribute; empty ones count for nothing. */
function readElements(
  elements: readonly unknown[],
  attribute: Attribute,
  where: string,
  reading: Reading,
): JsonValue[] | undefined {
  requireFew(elements, attribute, where);
  const values: JsonValue[] = [];
  for (const [index, element] of elements.entries()) {
    if (attribute === members && isBareMember(element)) {
      values.push(element);
      continue;
    }
    const place = `${where}[${index}]`;
    if (isNoValue(element, place, reading)) continue;
    const value =
      attribute.type === 'complex'
        ? readComplex(element, attribute, place, reading)
        : readSimple(element, attribute, place, reading);
    if (value !== undefined) values.push(value);
  }
  return values.length === 0 ? undefined : values;
}

const ID = /^[\w-]{1,64}$/;

/** Whether a member is an id and nothing else, as most are: of 100,000 none is taken apart to be put together again. */
function isBareMember(element: unknown): element is JsonObject {
  if (!isObject(element)) return false;
  for (const name in element) if (name !== 'value') return false;
  return typeof element.value === 'string' && ID.test(element.value);
}

/** How many values an attribute may have; a group's members are rows of their own and not counted. */
const MAX_VALUES = 1_000;

/** Refuses more values than are kept in one resource: every value path of a PATCH looks at each of them. */
export function requireFew(values: readonly unknown[], attribute: Attribute, where: string): void {
  if (values.length > MAX_VALUES && attribute !== members) {
    throw badRequest('invalidValue', `${where} has more than ${MAX_VALUES} values`);
  }
}

/**
 * The value of a complex attribute. Without any sub-attribute, or with an empty `value`, it is unassigned:
 * {"value": ""} is how Entra ID clears a manager.
 */
function readComplex(
  form: unknown,
  attribute: Attribute,
  where: string,
  reading: Reading,
): JsonObject | undefined {
  const subAttributes = attribute.subAttributes ?? [];
  const entries = uniqueEntries(readComplexForm(form, attribute, where, reading), where);
  const whole = reading.ignoresReadOnly ? reading : { ...reading, ignoresReadOnly: true };
  const values = readAttributes(entries, subAttributes, `${where}.`, whole);
  const identity = findAttribute(subAttributes, 'value');
  if (identity !== undefined && !Object.hasOwn(values, 'value')) {
    if (members.subAttributes?.includes(identity)) {
      throw badRequest('invalidValue', `${where}.value is missing: it says what the value is`);
    }
    if (entries.some(([name]) => name.toLowerCase() === 'value')) return undefined;
  }
  for (const { name, required } of subAttributes) {
    if (required && !Object.hasOwn(values, name)) {
      throw badRequest('invalidValue', `${where}.${name} is required`);
    }
  }
  return Object.keys(values).length === 0 ? undefined : values;
}

/** The value of an attribute that is not complex. */
function readSimple(value: unknown, attribute: Attribute, where: string, reading: Reading): JsonValue {
  switch (attribute.type) {
    case 'boolean':
      return readBoolean(value, where, reading);
    case 'integer':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
      throw badRequest('invalidValue', `${where} must be an integer`);
    case 'decimal':
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw badRequest('invalidValue', `${where} must be a number`);
    case 'dateTime':
      return readText(
        value,
        where,
        (text) => foldDateTime(text) !== undefined,
        'a date and time such as 2011-05-13T04:42:34Z',
      );
    case 'binary':
      return readText(value, where, isBase64, 'binary data in base64');
    default: {
      const text = readText(value, where, () => true, 'a string');
      if (attribute.type === 'reference') return readReference(text, where, reading);
      return attribute === country ? readCountry(text, where, reading) : text;
    }
  }
}

/** Text that passes a test. */
function readText(value: unknown, where: string, test: (text: string) => boolean, expected: string): string {
  if (typeof value !== 'string' || !test(value)) {
    throw badRequest('invalidValue', `${where} must be ${expected}`);
  }
  const fault = textFault(value);
  if (fault !== undefined) throw badRequest('invalidValue', `${where} ${fault}`);
  return value;
}

/** Why no attribute can hold a text; undefined: it can. PostgreSQL stores neither NUL nor half of a surrogate pair. */
export function textFault(text: string): string | undefined {
  if (text.includes('\0') || !text.isWellFormed()) {
    return 'contains a character that is no Unicode text (NUL or a lone surrogate)';
  }
  return TOO_MANY_MARKS.test(text) ? 'has more than 30 combining marks in a row: send fewer' : undefined;
}

/** No language needs more (UAX #15 section 13), and Unicode normalization takes quadratic time of a run of them. */
const TOO_MANY_MARKS = /\p{M}{31}/u;

/** RFC 7643 section 2.3.6: the padding may be left out. */
function isBase64(text: string): boolean {
  const bare = text.replace(/={1,2}$/, '');
  return /^[A-Za-z0-9+/]*$/.test(bare) && bare.length % 4 !== 1 && (bare === text || text.length % 4 === 0);
}
