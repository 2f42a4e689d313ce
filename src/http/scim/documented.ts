import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import { toJsonSchema } from '../../scim/json-schema.ts';
import {
  BULK_REQUEST,
  BULK_RESPONSE,
  ERROR,
  LIST_RESPONSE,
  PATCH_OP,
  SEARCH_REQUEST,
} from '../../scim/messages.ts';
import { BASE_TYPES } from '../../scim/resource-types.ts';
import type { ResourceType } from '../../scim/types.ts';
import { SCIM_JSON } from './media-type.ts';

/**
 * What OpenAPI says of the SCIM routes. Documentation only: SCIM bodies are judged by `scim/validate.ts`, because
 * attribute names are compared without case and JSON Schema cannot say that.
 */

type Verb = 'list' | 'search' | 'create' | 'read' | 'replace' | 'patch' | 'delete';

const SUMMARIES: Record<Verb, (name: string) => string> = {
  list: (name) => `Query ${name}s (RFC 7644 section 3.4.2)`,
  search: (name) => `Query ${name}s with POST (RFC 7644 section 3.4.3)`,
  create: (name) => `Create a ${name} (RFC 7644 section 3.3)`,
  read: (name) => `Read a ${name} (RFC 7644 section 3.4.1)`,
  replace: (name) => `Replace a ${name} (RFC 7644 section 3.5.1)`,
  patch: (name) => `Modify a ${name} (RFC 7644 section 3.5.2)`,
  delete: (name) => `Delete a ${name} (RFC 7644 section 3.6)`,
};

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const names = { type: 'array', items: text } as const;

const PROJECTION = {
  attributes: { ...text, description: 'Comma-separated names: only these are returned' },
  excludedAttributes: { ...text, description: 'Comma-separated names: these are not returned' },
};
const LISTING = {
  filter: { ...text, description: 'RFC 7644 section 3.4.2.2; at most 8,192 characters' },
  sortBy: text,
  sortOrder: { ...text, enum: ['ascending', 'descending'] },
  startIndex: { ...integer, description: '1-based' },
  cursor: { ...text, description: 'Pages by cursor (RFC 9865); empty at the beginning' },
  count: { ...integer, description: 'At most 1,000; 100 by default' },
};

/** Adds the schemas that the routes of `scope` refer to. */
export function addDocumentedSchemas(scope: FastifyInstance): void {
  for (const type of Object.values(BASE_TYPES)) scope.addSchema({ ...toJsonSchema(type), $id: type.name });
  scope.addSchema({
    $id: 'ScimError',
    type: 'object',
    properties: { schemas: { const: [ERROR] }, status: text, scimType: text, detail: text },
    required: ['schemas', 'status'],
  });
  scope.addSchema({
    $id: 'PatchOp',
    type: 'object',
    properties: {
      schemas: { const: [PATCH_OP] },
      Operations: {
        type: 'array',
        items: {
          type: 'object',
          properties: { op: { ...text, enum: ['add', 'remove', 'replace'] }, path: text, value: {} },
          required: ['op'],
        },
      },
    },
    required: ['schemas', 'Operations'],
  });
  scope.addSchema({
    $id: 'SearchRequest',
    type: 'object',
    properties: {
      ...LISTING,
      schemas: { const: [SEARCH_REQUEST] },
      attributes: names,
      excludedAttributes: names,
    },
    required: ['schemas'],
  });
}

/** Route options of `verb` on `type`, for OpenAPI. */
export function documented(verb: Verb, { name, endpoint }: ResourceType): RouteShorthandOptions {
  const resource = { $ref: `${name}#` };
  const listed = verb === 'list' || verb === 'search';
  const one = ['read', 'replace', 'patch', 'delete'].includes(verb);
  const body = { search: 'SearchRequest#', create: `${name}#`, replace: `${name}#`, patch: 'PatchOp#' }[
    verb as string
  ];
  return {
    schema: {
      operationId: `${verb}${name}${listed ? 's' : ''}`,
      summary: SUMMARIES[verb](name),
      tags: [endpoint.slice(1)],
      consumes: [SCIM_JSON],
      produces: [SCIM_JSON],
      ...(one && { params: { type: 'object', properties: { id: text }, required: ['id'] } }),
      ...(verb !== 'search' &&
        verb !== 'delete' && {
          querystring: { type: 'object', properties: { ...PROJECTION, ...(verb === 'list' && LISTING) } },
        }),
      ...(body && { body: { $ref: body } }),
      response: {
        ...successOf(verb, listed ? listOf(resource) : resource),
        '4XX': { $ref: 'ScimError#' },
        503: { $ref: 'ScimError#' },
      },
    },
  };
}

/** The same of a query at the root (RFC 7644 section 3.4.2.1). */
export function documentedRoot(verb: 'list' | 'search'): RouteShorthandOptions {
  const any = { anyOf: Object.keys(BASE_TYPES).map((name) => ({ $ref: `${name}#` })) };
  return {
    schema: {
      operationId: `${verb}Resources`,
      summary: SUMMARIES[verb]('resource').replace('3.4.2)', '3.4.2.1)'),
      tags: ['Resources'],
      consumes: [SCIM_JSON],
      produces: [SCIM_JSON],
      ...(verb === 'list'
        ? { querystring: { type: 'object', properties: { ...PROJECTION, ...LISTING } } }
        : { body: { $ref: 'SearchRequest#' } }),
      response: { 200: listOf(any), '4XX': { $ref: 'ScimError#' }, 503: { $ref: 'ScimError#' } },
    },
  };
}

/** Route options of `/Bulk`, for OpenAPI. */
export function documentedBulk(): RouteShorthandOptions {
  const named = {
    method: { ...text, enum: ['POST', 'PUT', 'PATCH', 'DELETE'] },
    bulkId: text,
    version: text,
  };
  const messageOf = (urn: string, operation: object, more: object = {}) => ({
    type: 'object',
    properties: { schemas: { const: [urn] }, ...more, Operations: { type: 'array', items: operation } },
    required: ['schemas', 'Operations'],
  });
  const asked = {
    type: 'object',
    properties: {
      ...named,
      path: { ...text, description: '/Users or /Groups, or one of them with an id' },
      data: {},
    },
    required: ['method', 'path'],
  };
  const answered = {
    type: 'object',
    properties: { ...named, location: text, status: text, response: { $ref: 'ScimError#' } },
    required: ['status'],
  };
  return {
    schema: {
      operationId: 'bulk',
      summary: 'Carry out many operations (RFC 7644 section 3.7)',
      tags: ['Bulk'],
      consumes: [SCIM_JSON],
      produces: [SCIM_JSON],
      body: messageOf(BULK_REQUEST, asked, { failOnErrors: { ...integer, minimum: 1 } }),
      response: {
        200: messageOf(BULK_RESPONSE, answered),
        '4XX': { $ref: 'ScimError#' },
        503: { $ref: 'ScimError#' },
      },
    },
  };
}

function successOf(verb: Verb, content: object): Record<string, object> {
  const nothing = { type: 'null', description: 'No content' };
  if (verb === 'delete') return { 204: nothing };
  if (verb === 'create') return { 201: content };
  return verb === 'patch' ? { 200: content, 204: nothing } : { 200: content };
}

function listOf(resource: object): object {
  return {
    type: 'object',
    properties: {
      schemas: { const: [LIST_RESPONSE] },
      totalResults: integer,
      startIndex: integer,
      itemsPerPage: integer,
      nextCursor: text,
      previousCursor: text,
      Resources: { type: 'array', items: resource },
    },
    required: ['schemas', 'totalResults', 'Resources'],
  };
}
