import type { Attribute, Schema } from '../types.ts';
import { type AttributeDefinition, readOnly } from './attribute.ts';

/** A read-only attribute that is always there. */
function required(definition: AttributeDefinition): Attribute {
  return readOnly({ ...definition, required: true });
}

/** A complex attribute that is there for `supported` and some figures. */
function feature(name: string, description: string, ...figures: Attribute[]): Attribute {
  const supported = required({ name: 'supported', type: 'boolean', description: 'Whether it is supported.' });
  return required({ name, type: 'complex', description, subAttributes: [supported, ...figures] });
}

function uri(name: string, description: string): Attribute {
  return readOnly({ name, type: 'reference', description, referenceTypes: ['external'] });
}

/** RFC 7643 sections 5 and 8.7.2, with `pagination` of RFC 9865 section 4. */
export const serviceProviderConfigSchema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  name: 'Service Provider Configuration',
  description: 'What this service provider supports',
  attributes: [
    uri('documentationUri', 'The address of documentation for people.'),
    feature('patch', 'PATCH.'),
    feature(
      'bulk',
      'Bulk requests.',
      required({
        name: 'maxOperations',
        type: 'integer',
        description: 'How many operations a request may have.',
      }),
      required({
        name: 'maxPayloadSize',
        type: 'integer',
        description: 'How many bytes a request may have.',
      }),
    ),
    feature(
      'filter',
      'Filters.',
      required({
        name: 'maxResults',
        type: 'integer',
        description: 'How many resources an answer has at most.',
      }),
    ),
    feature('changePassword', 'Changing passwords.'),
    feature('sort', 'Sorting.'),
    feature('etag', 'Versions of resources as ETags.'),
    readOnly({
      name: 'pagination',
      type: 'complex',
      description: 'How lists are divided into pages.',
      subAttributes: [
        required({ name: 'cursor', type: 'boolean', description: 'Whether pages can follow a cursor.' }),
        required({ name: 'index', type: 'boolean', description: 'Whether pages can start at an index.' }),
        readOnly({
          name: 'defaultPaginationMethod',
          description: 'The method for a client that names none.',
          canonicalValues: ['cursor', 'index'],
        }),
        readOnly({
          name: 'defaultPageSize',
          type: 'integer',
          description: 'The size of a page without count.',
        }),
        readOnly({ name: 'maxPageSize', type: 'integer', description: 'The greatest size of a page.' }),
        readOnly({ name: 'cursorTimeout', type: 'integer', description: 'How many seconds a cursor holds.' }),
      ],
    }),
    required({
      name: 'authenticationSchemes',
      type: 'complex',
      multiValued: true,
      description: 'How clients authenticate.',
      subAttributes: [
        required({
          name: 'type',
          description: 'The authentication scheme.',
          canonicalValues: ['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'],
        }),
        required({ name: 'name', description: 'The common name of the scheme.' }),
        required({ name: 'description', description: 'What the scheme is.' }),
        uri('specUri', 'The address of its specification.'),
        uri('documentationUri', 'The address of its documentation.'),
        readOnly({ name: 'primary', type: 'boolean', description: 'True for the preferred scheme.' }),
      ],
    }),
  ],
} as const satisfies Schema;

/** RFC 7643 sections 6 and 8.7.2. */
export const resourceTypeSchema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  name: 'ResourceType',
  description: 'A type of resource and the schemas that describe it',
  attributes: [
    readOnly({ name: 'id', description: 'The identifier of the resource type.' }),
    required({ name: 'name', description: "The name: 'User'.", caseExact: true, uniqueness: 'server' }),
    readOnly({ name: 'description', description: 'The description for people.' }),
    required({
      name: 'endpoint',
      type: 'reference',
      description: "The endpoint relative to the base URL: '/Users'.",
      uniqueness: 'server',
      referenceTypes: ['uri'],
    }),
    required({
      name: 'schema',
      type: 'reference',
      description: 'The URI of the core schema.',
      referenceTypes: ['uri'],
    }),
    required({
      name: 'schemaExtensions',
      type: 'complex',
      multiValued: true,
      description: 'The extensions that a resource of this type may have.',
      subAttributes: [
        required({
          name: 'schema',
          type: 'reference',
          description: 'The URI of the extension.',
          referenceTypes: ['uri'],
        }),
        required({ name: 'required', type: 'boolean', description: 'Whether every resource must have it.' }),
      ],
    }),
  ],
} as const satisfies Schema;

/** What describes an attribute and likewise a sub-attribute (RFC 7643 section 7). */
const characteristics: readonly Attribute[] = [
  required({ name: 'name', description: 'The name.', caseExact: true }),
  required({
    name: 'type',
    description: 'The data type.',
    canonicalValues: [
      'string',
      'boolean',
      'decimal',
      'integer',
      'dateTime',
      'reference',
      'binary',
      'complex',
    ],
  }),
  required({ name: 'multiValued', type: 'boolean', description: 'Whether it may have several values.' }),
  readOnly({ name: 'description', description: 'The description for people.', caseExact: true }),
  readOnly({ name: 'required', type: 'boolean', description: 'Whether it must have a value.' }),
  readOnly({
    name: 'canonicalValues',
    multiValued: true,
    description: 'The usual values; others are accepted.',
    caseExact: true,
  }),
  readOnly({ name: 'caseExact', type: 'boolean', description: 'Whether case counts in comparisons.' }),
  readOnly({
    name: 'mutability',
    description: 'Who may write it, and when.',
    caseExact: true,
    canonicalValues: ['readOnly', 'readWrite', 'immutable', 'writeOnly'],
  }),
  readOnly({
    name: 'returned',
    description: 'When it is in an answer.',
    caseExact: true,
    canonicalValues: ['always', 'never', 'default', 'request'],
  }),
  readOnly({
    name: 'uniqueness',
    description: 'Within what a value occurs once.',
    caseExact: true,
    canonicalValues: ['none', 'server', 'global'],
  }),
  readOnly({
    name: 'referenceTypes',
    multiValued: true,
    description: 'What a reference may point to.',
    caseExact: true,
  }),
];

/** RFC 7643 sections 7 and 8.7.2. */
export const schemaSchema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
  name: 'Schema',
  description: 'The attributes of a resource and their characteristics',
  attributes: [
    required({ name: 'id', description: 'The URI of the schema.' }),
    required({ name: 'name', description: "The name for people: 'User'." }),
    readOnly({ name: 'description', description: 'The description for people.' }),
    required({
      name: 'attributes',
      type: 'complex',
      multiValued: true,
      description: 'The attributes of the schema.',
      subAttributes: [
        ...characteristics,
        readOnly({
          name: 'subAttributes',
          type: 'complex',
          multiValued: true,
          description: 'The parts of a complex attribute.',
          subAttributes: characteristics,
        }),
      ],
    }),
  ],
} as const satisfies Schema;
