import type { Attribute } from '../types.ts';

/** What a definition has to say; everything else has a default of RFC 7643 section 2.2. */
export type AttributeDefinition = Partial<Attribute> & Pick<Attribute, 'name' | 'description'>;

/**
 * An attribute with the defaults of RFC 7643 section 2.2 filled in. References and binaries are case exact
 * by their nature (sections 2.3.6 and 2.3.7), whatever the older definitions of section 8.7 say.
 */
export function attribute(definition: AttributeDefinition): Attribute {
  const { type = 'string' } = definition;
  return {
    type,
    multiValued: false,
    required: false,
    caseExact: type === 'reference' || type === 'binary',
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...definition,
  };
}

/** An attribute that only the service provider sets. */
export function readOnly(definition: AttributeDefinition): Attribute {
  return attribute({ ...definition, mutability: 'readOnly' });
}

/** The sub-attribute `type`: its canonical values are suggestions, other values are accepted. */
export function label(...canonicalValues: string[]): Attribute {
  return attribute({
    name: 'type',
    description: 'What this value is used for.',
    ...(canonicalValues.length > 0 && { canonicalValues }),
  });
}

/** The sub-attribute `primary` (RFC 7643 section 2.4). */
export const primary: Attribute = attribute({
  name: 'primary',
  type: 'boolean',
  description: 'True for the preferred value; at most one value of the attribute is.',
});

/**
 * A multi-valued attribute with the sub-attributes of RFC 7643 section 2.4: `value` as defined by the
 * caller, `display`, `type` with the given canonical values, and `primary`.
 */
export function plural(
  definition: AttributeDefinition,
  value: Omit<AttributeDefinition, 'name'>,
  ...types: string[]
): Attribute {
  return attribute({
    ...definition,
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute({ name: 'value', ...value }),
      attribute({ name: 'display', description: 'A name of this value for people to read.' }),
      label(...types),
      primary,
    ],
  });
}

/** Belongs to the envelope of a resource: no schema of the RFC lists it, and clients know it. */
export const envelope: Attribute = readOnly({
  name: 'schemas',
  type: 'reference',
  multiValued: true,
  description: 'The URIs of the schemas that this resource uses.',
  returned: 'always',
  referenceTypes: ['uri'],
});

/** The common attributes of RFC 7643 section 3.1 that stand before a resource's own. */
export const identifiers: readonly Attribute[] = [
  envelope,
  readOnly({
    name: 'id',
    description: 'The identifier that the service provider gave to the resource; it never changes.',
    caseExact: true,
    returned: 'always',
    uniqueness: 'server',
  }),
  attribute({
    name: 'externalId',
    description: 'The identifier that the provisioning client has for the resource.',
    caseExact: true,
  }),
];

/** The common attribute `meta` (RFC 7643 section 3.1). */
export const meta: Attribute = readOnly({
  name: 'meta',
  type: 'complex',
  description: 'What the service provider knows about the resource itself.',
  subAttributes: [
    readOnly({ name: 'resourceType', description: 'The name of the resource type.', caseExact: true }),
    readOnly({ name: 'created', type: 'dateTime', description: 'When the resource was created.' }),
    readOnly({ name: 'lastModified', type: 'dateTime', description: 'When the resource last changed.' }),
    readOnly({
      name: 'location',
      type: 'reference',
      description: 'The URI of the resource.',
      referenceTypes: ['uri'],
    }),
    readOnly({ name: 'version', description: 'The version, equal to the ETag.', caseExact: true }),
  ],
});
