import { findAttribute, isSecret } from './attribute-path.ts';
import { DEFAULT_COUNT, MAX_RESULTS } from './discovery.ts';
import { badRequest, ScimError } from './error.ts';
import { parseFilters } from './filter.ts';
import { resolveAttributePath } from './path.ts';
import { noteValuePaths, type Projection, readProjection } from './project.ts';
import type { AttributePath, FilterNode, Reading, ResourceType } from './types.ts';

/** What a query asks of one resource type. */
export interface TypeQuery {
  readonly type: ResourceType;
  readonly filter?: FilterNode;
  /** Absent: nothing is sorted by, or the type does not have it. */
  readonly sortBy?: AttributePath;
  readonly projection: Projection;
}

/** A query of one type, or of several at the root (RFC 7644 sections 3.4.2 and 3.4.2.1). */
export interface ListQuery {
  readonly types: readonly TypeQuery[];
  readonly sortOrder: 'ascending' | 'descending';
  /** Between 0 and `MAX_RESULTS`. */
  readonly count: number;
  /** An index, at least 1; or a cursor as it was sent, empty at the beginning (RFC 9865). */
  readonly page: { readonly startIndex: number } | { readonly cursor: string };
  /** What repeats from page to page, as it was written. */
  readonly written: { readonly filter?: string | undefined; readonly sortBy?: string | undefined };
}

/**
 * Reads the parameters of a GET, or the body of a `/.search`, whose names are compared without case; unknown ones
 * are ignored (Entra ID sends its `aadOptscim062020` with every request). Throws invalidFilter, sensitive,
 * invalidCount, invalidValue naming the parameter, and invalidSyntax where one is given twice.
 */
export function readListQuery(
  query: Record<string, unknown>,
  types: readonly ResourceType[],
  reading: Reading,
): ListQuery {
  const parameters = readParameters(query);
  const filter = readText(parameters, 'filter');
  const sortBy = readText(parameters, 'sortBy');
  const filters = filter === undefined ? [] : parseFilters(filter, types, reading);
  const sorts = sortBy === undefined ? [] : readSortBy(sortBy, types, reading);
  const names = {
    attributes: readNames(parameters, 'attributes'),
    excludedAttributes: readNames(parameters, 'excludedAttributes'),
  };
  noteValuePaths([...(names.attributes ?? []), ...(names.excludedAttributes ?? [])], reading);
  return {
    types: types.map((type, index) => ({
      type,
      ...(filters[index] && { filter: filters[index] }),
      ...(sorts[index] && { sortBy: sorts[index] }),
      projection: readProjection(names, type),
    })),
    sortOrder: readSortOrder(readText(parameters, 'sortOrder')),
    ...readPage(parameters),
    written: { filter, sortBy },
  };
}

/** A cursor, even an empty one, asks for cursor paging; without it pages start at an index (RFC 9865 section 2.4). */
function readPage(parameters: Parameters): Pick<ListQuery, 'count' | 'page'> {
  const cursor = readText(parameters, 'cursor');
  const startIndex = readInteger(parameters, 'startIndex');
  const count = Math.max(readInteger(parameters, 'count') ?? DEFAULT_COUNT, 0);
  if (cursor === undefined) {
    return { count: Math.min(count, MAX_RESULTS), page: { startIndex: Math.max(startIndex ?? 1, 1) } };
  }
  if (startIndex !== undefined) {
    throw badRequest(
      'invalidValue',
      'startIndex and cursor exclude each other: leave startIndex out to page by cursor',
    );
  }
  if (count > MAX_RESULTS) {
    throw badRequest('invalidCount', `count must be between 0 and ${MAX_RESULTS} with a cursor`);
  }
  return { count, page: { cursor } };
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

/**
 * The path to sort by in each type; undefined where only another type has it. A complex attribute is sorted by its
 * `value`, or needs a sub-attribute (RFC 7644 section 3.4.2.3).
 */
function readSortBy(
  text: string,
  types: readonly ResourceType[],
  reading: Reading,
): (AttributePath | undefined)[] {
  const paths = types.map((type) => resolveAttributePath(type, text));
  const known = paths.filter((path) => path !== undefined);
  const secret = known.some(isSecret);
  if (secret && reading.inUrl)
    throw new ScimError(403, 'sensitive', `"${text}" is never told, so nothing is sorted by it`);
  if (secret || known.length === 0) {
    const owner = types.length === 1 ? `a ${types[0]?.name}` : 'any resource type';
    throw badRequest('invalidValue', `sortBy: "${text.slice(0, 80)}" is no attribute of ${owner}`);
  }
  return paths.map((path) => path && withValue(path, text));
}

function withValue(path: AttributePath, text: string): AttributePath {
  if (path.attribute.type !== 'complex' || path.subAttribute !== undefined) return path;
  const subAttribute = findAttribute(path.attribute.subAttributes ?? [], 'value');
  if (subAttribute !== undefined) return { ...path, subAttribute };
  throw badRequest('invalidValue', `sortBy: "${text}" is complex, name one of its sub-attributes`);
}
