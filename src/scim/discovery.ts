import { schemasOf } from './attribute-path.ts';
import { envelope } from './schemas/attribute.ts';
import { resourceTypeSchema, schemaSchema, serviceProviderConfigSchema } from './schemas/discovery.ts';
import type { Attribute, JsonObject, ResourceType, Schema } from './types.ts';

/** Resources on a page when a query has no `count`. */
export const DEFAULT_COUNT = 100;
/** Resources on a page at most, whatever `count` says. */
export const MAX_RESULTS = 1000;
/** How many seconds a cursor holds. */
export const CURSOR_TIMEOUT = 3600;
/** Operations in one /Bulk, and bytes of its body. */
export const MAX_BULK_OPERATIONS = 1000;
export const MAX_BULK_BYTES = 4 * 1024 * 1024;

/** `/ServiceProviderConfig` (RFC 7643 section 5, RFC 9865 section 4). `baseUrl` has no slash at its end. */
export function serviceProviderConfig(baseUrl: string): JsonObject {
  return {
    schemas: [serviceProviderConfigSchema.id],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: MAX_BULK_OPERATIONS, maxPayloadSize: MAX_BULK_BYTES },
    filter: { supported: true, maxResults: MAX_RESULTS },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: DEFAULT_COUNT,
      maxPageSize: MAX_RESULTS,
      cursorTimeout: CURSOR_TIMEOUT,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'OAuth Bearer Token',
        description: 'An API key with the scope scim, sent as a bearer token',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: {
      resourceType: 'ServiceProviderConfig',
      location: `${baseUrl}/ServiceProviderConfig`,
    },
  };
}

/** `/Schemas`: every schema that a resource of these types uses (RFC 7643 section 7), those of discovery too. */
export function schemaResources(baseUrl: string, types: readonly ResourceType[]): JsonObject[] {
  const service = [serviceProviderConfigSchema, resourceTypeSchema, schemaSchema];
  const schemas: readonly Schema[] = [...types.flatMap(schemasOf), ...service];
  return schemas.map(({ id, name, description, attributes }) => ({
    schemas: [schemaSchema.id],
    id,
    name,
    description,
    attributes: attributes.filter((attribute) => attribute !== envelope).map(attributeObject),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${id}` },
  }));
}

/** `/ResourceTypes` (RFC 7643 section 6). */
export function resourceTypeResources(baseUrl: string, types: readonly ResourceType[]): JsonObject[] {
  return types.map(({ name, endpoint, description, schema, extensions }: ResourceType) => ({
    schemas: [resourceTypeSchema.id],
    id: name,
    name,
    endpoint,
    description,
    schema: schema.id,
    schemaExtensions: extensions.map((extension) => ({
      schema: extension.schema.id,
      required: extension.required,
    })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${name}` },
  }));
}

/** An attribute in the order of RFC 7643 section 7; a complex one has neither case nor uniqueness (2.3.8). */
function attributeObject(attribute: Attribute): JsonObject {
  const { name, type, subAttributes, multiValued, description, required } = attribute;
  const { canonicalValues, caseExact, mutability, returned, uniqueness, referenceTypes } = attribute;
  return {
    name,
    type,
    ...(subAttributes && { subAttributes: subAttributes.map(attributeObject) }),
    multiValued,
    description,
    required,
    ...(canonicalValues && { canonicalValues: [...canonicalValues] }),
    ...(type !== 'complex' && { caseExact }),
    mutability,
    returned,
    ...(type !== 'complex' && { uniqueness }),
    ...(referenceTypes && { referenceTypes: [...referenceTypes] }),
  };
}
