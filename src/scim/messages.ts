import { findAttribute } from './attribute-path.ts';
import { DEFAULT_COUNT, MAX_RESULTS } from './discovery.ts';
import { badRequest, type ScimType } from './error.ts';
import { parseFilter } from './filter.ts';
import { isObject, uniqueEntries } from './json.ts';
import { resolveAttributePath } from './path.ts';
import { noteValuePaths, type Projection, readProjection } from './project.ts';
import { note } from './quirks.ts';
import type { AttributePath, FilterNode, JsonObject, JsonValue, Reading, ResourceType } from './types.ts';

/** The schema URNs of messages, RFC 7644 section 8.2. */
export const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const SEARCH_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
export const BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/**
 * The members of a message by their names in lower case, once its `schemas` name the message (RFC 7644 section
 * 3.1); without `schemas` it is tolerated. Throws invalidSyntax.
 */
export function readMessage(body: unknown, urn: string, reading: Reading): ReadonlyMap<string, JsonValue> {
  if (!isObject(body)) throw badRequest('invalidSyntax', 'The body must be a JSON object');
  const members = new Map(
    uniqueEntries(body, 'the body').map(([name, value]) => [name.toLowerCase(), value]),
  );
  const schemas = members.get('schemas') ?? [];
  if (!Array.isArray(schemas) || !schemas.every((schema) => typeof schema === 'string')) {
    throw badRequest('invalidSyntax', 'schemas must be an array of URIs');
  }
  const others = schemas.filter((schema) => schema.toLowerCase() !== urn.toLowerCase());
  if (schemas.length === 0) note(reading, 'schemasMissing');
  else if (others.length === schemas.length) {
    throw badRequest('invalidSyntax', `schemas must contain "${urn}"`);
  } else if (schemas.length > 1) note(reading, 'unknownSchema', others[0] ?? urn);
  for (const name of members.keys()) {
    if (MEMBERS[urn]?.includes(name) === false) note(reading, 'unknownAttribute', name);
  }
  return members;
}

/** Query parameters (RFC 7644 section 3.4.2, RFC 9865 section 2), as they are written in a URL. */
export const PARAMETERS = [
  'filter',
  'sortBy',
  'sortOrder',
  'startIndex',
  'count',
  'cursor',
  'attributes',
  'excludedAttributes',
] as const;

/** What a message may hold, in lower case. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  [PATCH_OP]: ['schemas', 'operations'],
  [SEARCH_REQUEST]: ['schemas', ...PARAMETERS.map((name) => name.toLowerCase())],
};

/** A query, RFC 7644 section 3.4.2. `startIndex` is at least 1, `count` between 0 and `MAX_RESULTS`. */
export interface ListQuery {
  readonly filter?: FilterNode;
  readonly sortBy?: AttributePath;
  readonly sortOrder: 'ascending' | 'descending';
  readonly startIndex: number;
  readonly count: number;
  readonly projection: Projection;
}

/**
 * Reads the parameters of a GET, or the body of a `/.search`, whose names are compared without case; unknown ones
 * are ignored (Entra ID sends its `aadOptscim062020` with every request). Throws invalidFilter, invalidValue
 * naming the parameter, and invalidSyntax where one is given twice.
 */
export function readListQuery(
  query: Record<string, unknown>,
  type: ResourceType,
  reading: Reading,
): ListQuery {
  const parameters = readParameters(query);
  const filter = readText(parameters, 'filter');
  const sortBy = readText(parameters, 'sortBy');
  const startIndex = readInteger(parameters, 'startIndex') ?? 1;
  const count = readInteger(parameters, 'count') ?? DEFAULT_COUNT;
  const attributes = readNames(parameters, 'attributes');
  const excludedAttributes = readNames(parameters, 'excludedAttributes');
  noteValuePaths([...(attributes ?? []), ...(excludedAttributes ?? [])], reading);
  return {
    ...(filter !== undefined && { filter: parseFilter(filter, type, reading) }),
    ...(sortBy !== undefined && { sortBy: readSortBy(sortBy, type) }),
    sortOrder: readSortOrder(readText(parameters, 'sortOrder')),
    startIndex: Math.max(startIndex, 1),
    count: Math.min(Math.max(count, 0), MAX_RESULTS),
    projection: readProjection({ attributes, excludedAttributes }, type),
  };
}

type Parameters = ReadonlyMap<string, unknown>;

function readParameters(query: Record<string, unknown>): Parameters {
  const parameters = new Map<string, unknown>();
  for (const [name, value] of Object.entries(query)) {
    const folded = name.toLowerCase();
    if (parameters.has(folded)) throw badRequest('invalidSyntax', `The parameter "${name}" is given twice`);
    if (value !== null && value !== undefined) parameters.set(folded, value);
  }
  return parameters;
}

function readText(parameters: Parameters, name: string): string | undefined {
  const value = parameters.get(name.toLowerCase());
  if (Array.isArray(value)) {
    throw badRequest('invalidSyntax', `The parameter "${name}" is given twice: send one`);
  }
  if (value !== undefined && typeof value !== 'string') {
    throw badRequest('invalidSyntax', `${name} must be a string`);
  }
  return value;
}

/** A list of names; a repeated parameter is one list, and so is the array in a `/.search`. */
function readNames(parameters: Parameters, name: string): string[] | undefined {
  const value = parameters.get(name.toLowerCase());
  if (value === undefined) return undefined;
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (names.every((item) => typeof item === 'string')) return names;
  throw badRequest('invalidSyntax', `${name} must be attribute names`);
}

/** An integer, in a query as text; beyond what a number holds exactly it counts as the largest that does. */
function readInteger(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name.toLowerCase());
  if (Array.isArray(value)) {
    throw badRequest('invalidSyntax', `The parameter "${name}" is given twice: send one`);
  }
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) {
    throw badRequest('invalidValue', `${name} must be an integer`);
  }
  return Math.min(number, Number.MAX_SAFE_INTEGER);
}

function readSortOrder(text = 'ascending'): ListQuery['sortOrder'] {
  const order = text.toLowerCase();
  if (order === 'ascending' || order === 'descending') return order;
  throw badRequest('invalidValue', 'sortOrder must be ascending or descending');
}

/** RFC 7644 section 3.4.2.3: a complex attribute is sorted by its `value`, or needs a sub-attribute. */
function readSortBy(text: string, type: ResourceType): AttributePath {
  const path = resolveAttributePath(type, text);
  if (path === undefined || path.attribute.returned === 'never') {
    throw badRequest('invalidValue', `sortBy: "${text}" is no attribute of a ${type.name}`);
  }
  if (path.attribute.type !== 'complex' || path.subAttribute !== undefined) return path;
  const subAttribute = findAttribute(path.attribute.subAttributes ?? [], 'value');
  if (subAttribute !== undefined) return { ...path, subAttribute };
  throw badRequest('invalidValue', `sortBy: "${text}" is complex, name one of its sub-attributes`);
}

/** A ListResponse from resources that are JSON text already (RFC 7644 section 3.4.2). */
export function listResponseText(list: {
  totalResults: number;
  startIndex: number;
  resources: readonly string[];
}): string {
  const { totalResults, startIndex, resources } = list;
  const head = JSON.stringify({
    schemas: [LIST_RESPONSE],
    totalResults,
    startIndex,
    itemsPerPage: resources.length,
  });
  return `${head.slice(0, -1)},"Resources":[${resources.join(',')}]}`;
}

/** The body of an error, RFC 7644 section 3.12: `status` is the HTTP status as a string. */
export function errorBody(status: number, scimType: ScimType | undefined, detail: string): JsonObject {
  return { schemas: [ERROR], status: String(status), ...(scimType !== undefined && { scimType }), detail };
}
