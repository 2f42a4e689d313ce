import { AppError } from '../errors.ts';
import { schemasOf } from './attribute-path.ts';
import { BASE_TYPES } from './resource-types.ts';
import { attribute } from './schemas/attribute.ts';
import type { Attribute, AttributeType, Extension } from './types.ts';

/**
 * What a tenant declares of an attribute; what it leaves out has the default of RFC 7643 section 2.2. A writeOnly
 * attribute is returned `never`, since it may be in no answer (section 7).
 */
export type AttributeDeclaration = Pick<Attribute, 'name'> &
  Partial<Omit<Attribute, 'subAttributes'>> & { readonly subAttributes?: readonly AttributeDeclaration[] };

export interface ExtensionDeclaration {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly attributes: readonly AttributeDeclaration[];
}

/** What the extensions of a tenant may come to: every key of the tenant carries all of them. */
export const EXTENSION_LIMITS = {
  extensions: 10,
  attributes: 100,
  subAttributes: 50,
  canonicalValues: 100,
  urn: 255,
  name: 100,
  description: 1_000,
  /** Of one extension as JSON with its defaults, in UTF-16 units. */
  text: 65_536,
} as const;

/**
 * A declaration as an extension, with every default written out. Its shape (types, lengths, no unknown members)
 * has been checked at the door; here is what a JSON Schema cannot say.
 * @throws AppError `invalid_request` with the JSON pointer of the fault.
 */
export function readExtension({ id, name, ...more }: ExtensionDeclaration): Extension {
  requireUrn(id);
  const attributes = readAttributes(more.attributes, '/attributes');
  const { description = '', required = false } = more;
  if (required && !attributes.some(isWritten)) {
    throw refusal('/required', 'no attribute can be written, so nobody could create a user');
  }
  const extension = { schema: { id, name, description, attributes }, required };
  if (JSON.stringify(extension).length > EXTENSION_LIMITS.text) {
    throw refusal('', `the definition is longer than ${EXTENSION_LIMITS.text} characters of JSON`);
  }
  return extension;
}

/**
 * A URN by RFC 8141 without what filters, paths and lists of names could not hold: no percent-encoding, and of the
 * punctuation only what stands here.
 */
const URN = /^urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[a-z0-9](?:[a-z0-9._~:-]*[a-z0-9])?$/i;

/** The RFC's own name spaces for resources and messages. */
const RESERVED = ['urn:ietf:params:scim:schemas:core', 'urn:ietf:params:scim:api'];

const BUILT_IN = Object.values(BASE_TYPES).flatMap((type) => schemasOf(type).map((schema) => schema.id));

/** Whether a text can be the URN of an extension. */
export function isExtensionUrn(text: string): boolean {
  return text.length <= EXTENSION_LIMITS.urn && URN.test(text);
}

function requireUrn(id: string): void {
  if (!isExtensionUrn(id)) {
    throw refusal(
      '/id',
      `it must be a URN of at most ${EXTENSION_LIMITS.urn} characters (RFC 8141) in letters, digits and "-._~:"`,
      'For example urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User',
    );
  }
  const taken = overlapping(id, [...RESERVED, ...BUILT_IN]);
  if (taken !== undefined)
    throw refusal('/id', `it lies in the name space of "${taken}", which is not yours`);
}

/**
 * The first of the URNs that a path could confuse with this one, without regard to case: `{urn}:name` and
 * `{urn}.name` must say which schema they mean.
 */
export function overlapping(urn: string, others: readonly string[]): string | undefined {
  const holds = (outer: string, inner: string) =>
    inner === outer || inner.startsWith(`${outer}:`) || inner.startsWith(`${outer}.`);
  const mine = urn.toLowerCase();
  return others.find((other) => holds(mine, other.toLowerCase()) || holds(other.toLowerCase(), mine));
}

function readAttributes(
  declared: readonly AttributeDeclaration[],
  pointer: string,
  parent?: AttributeDeclaration,
): Attribute[] {
  const names = new Set<string>();
  return declared.map((each, index) => {
    const place = `${pointer}/${index}`;
    const folded = each.name.toLowerCase();
    if (names.has(folded))
      throw refusal(`${place}/name`, `"${each.name}" stands twice, compared without case`);
    names.add(folded);
    if (parent !== undefined) requireSubAttribute(each, parent, place);
    return readAttribute(each, place);
  });
}

function readAttribute(declared: AttributeDeclaration, place: string): Attribute {
  const { subAttributes, ...simple } = declared;
  const type = declared.type ?? 'string';
  requireCharacteristics(declared, type, place);
  if ((type === 'complex') !== (subAttributes !== undefined)) {
    throw refusal(`${place}/subAttributes`, 'an attribute of type complex has them, and no other');
  }
  const defaults = {
    description: '',
    ...(declared.mutability === 'writeOnly' && { returned: 'never' as const }),
  };
  const read = attribute({
    ...defaults,
    ...simple,
    ...(subAttributes && {
      subAttributes: readAttributes(subAttributes, `${place}/subAttributes`, declared),
    }),
  });
  requireVisible(read, place);
  if (read.required && !isWritten(read)) {
    throw refusal(`${place}/required`, 'nobody can write it, so it cannot be required');
  }
  return read;
}

/** Whether a client can give it a value. */
function isWritten({ mutability, subAttributes }: Attribute): boolean {
  return mutability !== 'readOnly' && (subAttributes === undefined || subAttributes.some(isWritten));
}

/** Characteristics that mean something for some types only. */
function requireCharacteristics(declared: AttributeDeclaration, type: AttributeType, place: string): void {
  const { caseExact, canonicalValues, referenceTypes, uniqueness } = declared;
  const exact = type === 'reference' || type === 'binary';
  if (type !== 'string' && caseExact !== undefined && caseExact !== exact) {
    throw refusal(`${place}/caseExact`, `it is ${exact} for the type ${type} (RFC 7643 section 2.3)`);
  }
  if (type !== 'string' && canonicalValues !== undefined) {
    throw refusal(`${place}/canonicalValues`, 'only the type string has them');
  }
  if (type !== 'reference' && referenceTypes !== undefined) {
    throw refusal(`${place}/referenceTypes`, 'only the type reference has them (RFC 7643 section 7)');
  }
  if (uniqueness !== undefined && uniqueness !== 'none') {
    throw refusal(`${place}/uniqueness`, 'it must be none: values of extensions are not kept unique here');
  }
}

/** Mutability and `returned` that contradict each other. */
function requireVisible({ mutability, returned }: Attribute, place: string): void {
  if (mutability === 'writeOnly' && returned !== 'never') {
    throw refusal(`${place}/returned`, 'it must be never for a writeOnly attribute (RFC 7643 section 7)');
  }
  if (mutability === 'readOnly' && returned === 'never') {
    throw refusal(`${place}/returned`, 'a readOnly attribute that is never returned is one for nobody');
  }
}

/** The types of the sub-attributes that RFC 7643 section 2.4 gives a meaning. */
const WITH_A_MEANING: readonly { readonly name: string; readonly type?: AttributeType }[] = [
  { name: 'value' },
  { name: 'display', type: 'string' },
  { name: 'type', type: 'string' },
  { name: 'primary', type: 'boolean' },
  { name: '$ref', type: 'reference' },
];

function requireSubAttribute(
  declared: AttributeDeclaration,
  parent: AttributeDeclaration,
  place: string,
): void {
  const { name, type = 'string', multiValued, mutability, returned } = declared;
  if (type === 'complex') {
    throw refusal(`${place}/type`, 'complex values do not hold complex ones (RFC 7643 erratum 8415)');
  }
  if (multiValued) throw refusal(`${place}/multiValued`, 'make the attribute multi-valued, not its parts');
  if (mutability === 'immutable' && parent.multiValued) {
    throw refusal(`${place}/mutability`, 'nothing tells which value is which: make the attribute immutable');
  }
  if (mutability === 'writeOnly' || returned === 'never') {
    throw refusal(
      `${place}/${returned === 'never' ? 'returned' : 'mutability'}`,
      'hide the attribute as a whole',
    );
  }
  const meant = WITH_A_MEANING.find((each) => each.name === name.toLowerCase());
  if (meant === undefined) return;
  if (name !== meant.name) throw refusal(`${place}/name`, `it is written "${meant.name}"`);
  if (type !== (meant.type ?? type)) {
    throw refusal(`${place}/type`, `"${name}" is of type ${meant.type} (RFC 7643 section 2.4)`);
  }
}

function refusal(pointer: string, problem: string, hint?: string): AppError {
  return new AppError('invalid_request', `${pointer || 'The body'} does not hold: ${problem}`, {
    pointer,
    ...(hint !== undefined && { hint }),
  });
}
