import { isObject, ownValue } from './json.ts';
import type { Attribute, JsonObject, JsonValue, Resource, ResourceType } from './types.ts';

const ASCII = /^\p{ASCII}*$/u;

/**
 * The one rule for text that compares without case: compatibility forms composed (so that full-width letters
 * are letters), lower case, and one form of the small sigma wherever it stands in a word, so that a folded
 * part of a text is a part of the folded text. Folding twice gives the same as folding once.
 */
export function foldText(text: string): string {
  // Which is its own compatibility form: nearly all text, many times a request.
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize('NFKC').toLowerCase().normalize('NFKC').replaceAll('ς', 'σ');
}

const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))?$/;

/**
 * An xsd:dateTime (RFC 7643 section 2.3.5) as `YYYY-MM-DDTHH:MM:SS.fffffffffZ`, in which the order of texts is
 * the order of instants; undefined when the text is none. Without an offset it counts as UTC, digits after the
 * ninth of the fraction are dropped. Years are 0001 to 9999.
 */
export function foldDateTime(text: string): string | undefined {
  const [, local = '', fraction = '', sign = '+', hours = '00', minutes = '00'] = DATE_TIME.exec(text) ?? [];
  const offset = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  const asUtc = Date.parse(`${local}Z`);
  // Date.parse moves 30 February and 24:00 into the next day instead of refusing them.
  if (Number.isNaN(asUtc) || toSeconds(asUtc) !== local || Math.abs(offset) > 14 * 60) return undefined;
  const utc = toSeconds(asUtc - offset * 60_000);
  return /^(?!0000)\d{4}-/.test(utc) ? `${utc}.${fraction.slice(0, 9).padEnd(9, '0')}Z` : undefined;
}

function toSeconds(instant: number): string {
  return new Date(instant).toISOString().slice(0, -'.000Z'.length);
}

/** Whether the values of an attribute are URIs of resources, not of something else. */
export function refersToResources({ type, referenceTypes = [] }: Attribute): boolean {
  return type === 'reference' && referenceTypes.some((name) => name !== 'external' && name !== 'uri');
}

/**
 * The URI of a resource with the version that our own references have: without one, and with another, it is equal
 * (RFC 7643 section 2.4). Every other URI is left as it is. For equality only: a part of a URI is no URI.
 */
export function foldReference(uri: string): string {
  return uri.replace(/(?:\/v\d+)?(\/(?:Users|Groups)\/[^/]+)$/, '/v2$1');
}

/** A single value of an attribute in the form in which it is compared: see `FilterNode`. */
export function foldValue<Value extends JsonValue>(attribute: Attribute, value: Value): Value | string {
  if (typeof value !== 'string') return value;
  if (attribute.type === 'dateTime') return foldDateTime(value) ?? value;
  return attribute.caseExact ? value : foldText(value);
}

/** What has a column or a table of its own and is filtered there. */
const STORED_APART = new Set(['schemas', 'id', 'meta', 'active', 'groups', 'members']);

/**
 * The copy of a resource that filters and sorts run on: the same structure with every value folded, and
 * `primary: false` written out where an element does not state it. Leaves out what is stored apart and
 * attributes that are never returned.
 */
export function searchDocument(resource: Resource, type: ResourceType): JsonObject {
  const core = type.schema.attributes.filter((attribute) => !STORED_APART.has(attribute.name));
  const document = foldAttributes(resource, core);
  for (const { schema } of type.extensions) {
    const extension = ownValue(resource, schema.id);
    if (isObject(extension)) document[schema.id] = foldAttributes(extension, schema.attributes);
  }
  return document;
}

function foldAttributes(object: JsonObject, attributes: readonly Attribute[]): JsonObject {
  const folded: JsonObject = {};
  for (const attribute of attributes) {
    const value = ownValue(object, attribute.name);
    if (value === undefined || attribute.returned === 'never') continue;
    folded[attribute.name] = Array.isArray(value)
      ? value.map((element) => foldElement(attribute, element))
      : foldElement(attribute, value);
  }
  return folded;
}

function foldElement(attribute: Attribute, value: JsonValue): JsonValue {
  const { subAttributes } = attribute;
  if (subAttributes === undefined || !isObject(value)) return foldValue(attribute, value);
  const folded = foldAttributes(value, subAttributes);
  const hasPrimary = attribute.multiValued && subAttributes.some(({ name }) => name === 'primary');
  return hasPrimary ? { primary: false, ...folded } : folded;
}
