import { type Filter as ParsedFilter, parse } from 'scim2-parse-filter';
import { isSecret, readAttributePath, resolveAttributePath, resolveElementPath } from './attribute-path.ts';
import { ScimError } from './error.ts';
import {
  excerpt,
  invalidFilter,
  type LexedFilter,
  lexFilter,
  place,
  type Term,
  type WrittenPath,
  type WrittenValue,
} from './filter-lexer.ts';
import { foldDateTime, foldReference, foldValue, refersToResources } from './fold.ts';
import { note } from './quirks.ts';
import { meta } from './schemas/attribute.ts';
import type {
  Attribute,
  AttributePath,
  AttributeType,
  CompareOperator,
  FilterNode,
  Reading,
  ResourceType,
} from './types.ts';

/**
 * Parses, resolves and type-checks a filter on resources of one type (RFC 7644 section 3.4.2.2). An attribute
 * with a sub-attribute `value` means that `value`. Throws `invalidFilter`, naming what does not hold and where.
 */
export function parseFilter(text: string, type: ResourceType, reading: Reading): FilterNode {
  return read(text, reading, [resourceScope(type, [type], reading)])[0] as FilterNode;
}

/**
 * Parses a filter on resources of several types: one for each, in their order. What one of the types defines has no
 * value in the others (RFC 7644 section 3.4.2.1). Throws as `parseFilter` does.
 */
export function parseFilters(text: string, types: readonly ResourceType[], reading: Reading): FilterNode[] {
  return read(
    text,
    reading,
    types.map((type) => resourceScope(type, types, reading)),
  );
}

/**
 * Parses what stands in the brackets of `attribute[…]`; names are relative to the element. Throws as
 * `parseFilter` does.
 */
export function parseElementFilter(text: string, path: AttributePath, reading: Reading): FilterNode {
  return read(text, reading, [elementScope(path)])[0] as FilterNode;
}

/** What the names in a filter belong to: a resource, or an element of one attribute. */
interface Scope {
  readonly owner: string;
  readonly resolve: (name: string) => AttributePath | undefined;
  /** Whether another type of the query has this name. */
  readonly isElsewhere: (name: string) => boolean;
  readonly isElement: boolean;
}

function resourceScope(type: ResourceType, types: readonly ResourceType[], reading: Reading): Scope {
  return {
    owner: types.length === 1 ? `a ${type.name}` : 'any resource type',
    resolve: (name) => readAttributePath(type, name, reading),
    isElsewhere: (name) => types.some((other) => resolveAttributePath(other, name) !== undefined),
    isElement: false,
  };
}

function elementScope(path: AttributePath): Scope {
  return {
    owner: `an element of "${path.attribute.name}"`,
    resolve: (name) => resolveElementPath(path, name),
    isElsewhere: () => false,
    isElement: true,
  };
}

/** The grammar's precedence is the library's; it sees our placeholders only, within our limits. */
function read(text: string, reading: Reading, scopes: readonly Scope[]): FilterNode[] {
  const lexed = lexFilter(text, reading);
  const parsed = parse(lexed.skeleton);
  return scopes.map((scope) => resolveNode(parsed, scope, { ...lexed, reading }));
}

interface Source extends LexedFilter {
  readonly reading: Reading;
}

function resolveNode(node: ParsedFilter, scope: Scope, source: Source): FilterNode {
  switch (node.op) {
    case 'and':
    case 'or': {
      const { op } = node;
      const filters = node.filters.map((filter) => resolveNode(filter, scope, source));
      return {
        kind: op,
        filters: filters.flatMap((filter) => (filter.kind === op ? filter.filters : filter)),
      };
    }
    case 'not':
      return { kind: 'not', filter: resolveNode(node.filter, scope, source) };
    case '[]': {
      const path = resolveValuePath(placeholder(source.valuePaths, node.attrPath), scope, source.reading);
      if (path === undefined) return { kind: 'constant', value: false };
      return { kind: 'element', path, filter: resolveNode(node.valFilter, elementScope(path), source) };
    }
    default:
      return resolveTerm(placeholder(source.terms, node.attrPath), scope, source.reading);
  }
}

/** What the lexer replaced by `t{n}` or `v{n}`. */
function placeholder<Written>(replaced: readonly Written[], name: string): Written {
  return replaced[Number(name.slice(1))] as Written;
}

/** The path; undefined where another type has the attribute, so that this one has no value of it. */
function resolvePath(
  { text, position }: WrittenPath,
  scope: Scope,
  reading: Reading,
): AttributePath | undefined {
  const path = scope.resolve(text);
  if (path === undefined) {
    if (scope.isElsewhere(text)) return undefined;
    throw invalidFilter(`"${excerpt(text)}" is not an attribute of ${scope.owner}`, position);
  }
  if (!isSecret(path)) return path;
  const problem = `"${excerpt(text)}" cannot be used in a filter: it is never told`;
  throw reading.inUrl ? new ScimError(403, 'sensitive', problem) : invalidFilter(problem, position);
}

function resolveValuePath(written: WrittenPath, scope: Scope, reading: Reading): AttributePath | undefined {
  if (scope.isElement) throw invalidFilter('Brackets inside brackets are not supported', written.position);
  const path = resolvePath(written, scope, reading);
  if (path === undefined) return undefined;
  const { attribute, subAttribute } = path;
  if (subAttribute !== undefined || !(attribute.multiValued || attribute.type === 'complex')) {
    throw invalidFilter(`"${excerpt(written.text)}" has no elements to filter in brackets`, written.position);
  }
  return path;
}

function resolveTerm(term: Term, scope: Scope, reading: Reading): FilterNode {
  const path = resolvePath(term.path, scope, reading);
  if (path === undefined) return { kind: 'constant', value: holdsWithoutValue(term) };
  if (term.operator === 'pr') return { kind: 'present', path };
  const { operator, value } = term;
  const compared = withDefaultValue(path, term.path, reading);
  const attribute = compared.subAttribute ?? compared.attribute;
  const isNull = isNullValue(value);
  if (!(isNull ? EQUALITY : OPERATORS[attribute.type]).includes(operator)) {
    const values = isNull ? 'null' : `"${excerpt(term.path.text)}", which is of type ${attribute.type}`;
    throw invalidFilter(`The operator "${operator}" does not compare ${values}`, term.path.position);
  }
  const values = isNull ? { value: null, literal: null } : readValue(value, attribute, reading);
  const node = { kind: 'compare', path: compared, operator, ...values } as const;
  const isWholeUri = EQUALITY.includes(operator) && refersToResources(attribute);
  return isWholeUri && typeof values.value === 'string'
    ? { ...node, value: foldReference(values.value) }
    : node;
}

/** What a term comes to where the attribute has no value: it equals null, and differs from everything else. */
function holdsWithoutValue(term: Term): boolean {
  if (term.operator === 'eq') return isNullValue(term.value);
  return term.operator === 'ne' && !isNullValue(term.value);
}

function isNullValue({ text, quoted }: WrittenValue): boolean {
  return text === 'null' && !quoted;
}

const EQUALITY: readonly CompareOperator[] = ['eq', 'ne'];
const ORDER: readonly CompareOperator[] = [...EQUALITY, 'gt', 'ge', 'lt', 'le'];
const TEXT: readonly CompareOperator[] = [...ORDER, 'co', 'sw', 'ew'];

/** RFC 7644 section 3.4.2.2, table 3; substrings are asked of text only. */
const OPERATORS: Readonly<Record<AttributeType, readonly CompareOperator[]>> = {
  string: TEXT,
  reference: TEXT,
  dateTime: ORDER,
  integer: ORDER,
  decimal: ORDER,
  boolean: EQUALITY,
  binary: EQUALITY,
  complex: [],
};

/** `emails co "x"` means `emails.value co "x"`; likewise `manager eq "…"` and `members eq "…"` (Entra ID). */
function withDefaultValue(
  path: AttributePath,
  { text, position }: WrittenPath,
  reading: Reading,
): AttributePath {
  if (path.subAttribute !== undefined || path.attribute.type !== 'complex') return path;
  const value = resolveElementPath(path, 'value');
  // RFC 7644 section 3.4.2.2 speaks of attributes with several values.
  if (value !== undefined && !path.attribute.multiValued) note(reading, 'filterComplex', place(position));
  if (value !== undefined) return value;
  const names = path.attribute.subAttributes?.map(({ name }) => name).join(', ');
  throw invalidFilter(
    `"${excerpt(text)}" has no value of its own: name one of its parts (${names})`,
    position,
  );
}

type Values = Pick<FilterNode & { kind: 'compare' }, 'value' | 'literal'>;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

const version = meta.subAttributes?.find(({ name }) => name === 'version');

/** A user's version as it is shown carries a digest of the groups that are shown; what is compared does not. */
function bareVersion(text: string): string {
  return text.replace(/^(W\/"\d+)\.[\w-]{11}"$/, '$1"');
}

/** A value other than null, in the type of the attribute and in the form that comparison needs. */
function readValue(written: WrittenValue, attribute: Attribute, reading: Reading): Values {
  const { text, quoted, position } = written;
  switch (attribute.type) {
    case 'boolean': {
      const value = text.toLowerCase() === 'true';
      if (!value && text.toLowerCase() !== 'false') break;
      if (!quoted && text === String(value)) return { value, literal: value };
      note(reading, 'filterBooleanText', place(position));
      return { value, literal: text };
    }
    case 'integer':
    case 'decimal': {
      const value = Number(text);
      if (quoted || !NUMBER.test(text) || !Number.isFinite(value)) break;
      return { value, literal: value };
    }
    default:
      if (attribute.type === 'dateTime' && foldDateTime(text) === undefined) break;
      if (!quoted) note(reading, 'filterBareWord', place(position));
      return { value: foldValue(attribute, attribute === version ? bareVersion(text) : text), literal: text };
  }
  // The value itself is not quoted: it may be a name, and refusals are kept.
  const problem = `"${attribute.name}" takes a value of type ${attribute.type}, which this is not`;
  throw invalidFilter(problem, position);
}
