import { badRequest, type ScimType } from './error.ts';
import { isObject, uniqueEntries } from './json.ts';
import { note } from './quirks.ts';
import type { JsonObject, JsonValue, Reading } from './types.ts';

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

/** Where a page lies: at an index, or between cursors (RFC 9865 section 2). */
type Place =
  | { readonly startIndex: number }
  | { readonly nextCursor?: string | undefined; readonly previousCursor?: string | undefined };

/** A ListResponse from resources that are JSON text already (RFC 7644 section 3.4.2, RFC 9865 section 2). */
export function listResponseText(
  list: { readonly totalResults: number; readonly resources: readonly string[] } & Place,
): string {
  const { totalResults, resources, ...place } = list;
  const head = JSON.stringify({
    schemas: [LIST_RESPONSE],
    totalResults,
    ...place,
    itemsPerPage: resources.length,
  });
  return `${head.slice(0, -1)},"Resources":[${resources.join(',')}]}`;
}

/** The body of an error, RFC 7644 section 3.12: `status` is the HTTP status as a string. */
export function errorBody(status: number, scimType: ScimType | undefined, detail: string): JsonObject {
  return { schemas: [ERROR], status: String(status), ...(scimType !== undefined && { scimType }), detail };
}
