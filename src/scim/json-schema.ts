import type { Attribute, AttributeType, JsonObject, ResourceType } from './types.ts';

/**
 * A resource type as JSON Schema 2020-12, for the OpenAPI description. It documents and does not validate:
 * that names are compared without case, JSON Schema cannot say.
 */
export function toJsonSchema({ name, description, schema, extensions }: ResourceType): JsonObject {
  const { properties, required } = members(schema.attributes);
  for (const extension of extensions) {
    const { id, description, attributes } = extension.schema;
    properties[id] = { type: 'object', description, ...members(attributes) };
    if (extension.required) required.push(id);
  }
  return { title: name, description, type: 'object', properties, required };
}

/**
 * The parts of an object. `$ref` stands under `patternProperties`: tools that resolve references take a property
 * of that name for one.
 */
function members(attributes: readonly Attribute[]): {
  properties: JsonObject;
  patternProperties?: JsonObject;
  required: string[];
} {
  const reference = attributes.find(({ name }) => name === '$ref');
  const others = attributes.filter((attribute) => attribute !== reference);
  return {
    properties: Object.fromEntries(others.map((attribute) => [attribute.name, attributeSchema(attribute)])),
    ...(reference && { patternProperties: { '^\\$ref$': attributeSchema(reference) } }),
    required: attributes.filter((attribute) => attribute.required).map((attribute) => attribute.name),
  };
}

function attributeSchema(attribute: Attribute): JsonObject {
  const { description, mutability, multiValued } = attribute;
  const value = valueSchema(attribute);
  return {
    description,
    ...(multiValued ? { type: 'array', items: value } : value),
    ...(mutability === 'readOnly' && { readOnly: true }),
    ...(mutability === 'writeOnly' && { writeOnly: true }),
  };
}

function valueSchema({ type, subAttributes, canonicalValues }: Attribute): JsonObject {
  if (subAttributes !== undefined) return { type: 'object', ...members(subAttributes) };
  // Canonical values are suggestions (RFC 7643 section 2.3.1), so they are examples and no enum.
  return { ...TYPES[type], ...(canonicalValues && { examples: [...canonicalValues] }) };
}

/** RFC 7643 section 2.3, table 1. */
const TYPES: Readonly<Record<AttributeType, JsonObject>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  decimal: { type: 'number' },
  integer: { type: 'integer' },
  dateTime: { type: 'string', format: 'date-time' },
  binary: { type: 'string', contentEncoding: 'base64' },
  reference: { type: 'string', format: 'uri-reference' },
  complex: { type: 'object' },
};
