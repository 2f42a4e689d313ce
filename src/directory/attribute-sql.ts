import { type RawBuilder, sql } from 'kysely';
import { refersToResources } from '../scim/fold.ts';
import type { Attribute, AttributePath, ResourceType, TypeName } from '../scim/types.ts';

/**
 * Where an attribute lies in the database. By default in the search document, at the place that the schema
 * gives it; the promoted attributes below lie in columns, or are derived. The schema stays the only list of
 * attributes: a test looks up each promoted name in it.
 */

/** The rows a filter runs on (`scim_user u`, `scim_group g`, `r` of roles, `team t`) and what derived attributes need. */
export interface Target {
  readonly type: ResourceType;
  readonly tenantId: string;
  /** The viewer's, whose groups are the only ones that its filters reach. */
  readonly directoryId: string;
  /** `https://host/api/scim/v2`, for `meta.location` and `$ref`. */
  readonly baseUrl: string;
}

/** What a comparison runs on; `uuid` and `instant` are columns of that type, compared as such. */
export interface Operand {
  readonly kind: 'text' | 'reference' | 'boolean' | 'number' | 'uuid' | 'instant';
  readonly sql: RawBuilder<unknown>;
  /** Whether it is a column: of bounded length, and perhaps of an index. */
  readonly column?: 'required' | 'optional';
}

/** A multi-valued attribute as rows, one an element; `operand` reads a part of one row. */
export interface Elements {
  readonly from: RawBuilder<unknown>;
  /** What ties the rows to the resource; absent: `from` does. */
  readonly where?: RawBuilder<boolean>;
  /** The operand of a sub-attribute, or of the simple value itself when there is none. */
  operand(subAttribute: Attribute | undefined): Operand;
  /** `order by` terms that put the primary element first, for sorting. */
  readonly order: RawBuilder<unknown>;
}

/** A type's rows: which attributes lie apart from its search document. */
interface Rows {
  readonly promoted: Readonly<Record<string, (target: Target) => Operand>>;
  /** A JSON array. */
  schemas(target: Target): RawBuilder<unknown>;
  /** The search document; without one, what is not promoted has no value. */
  readonly search?: RawBuilder<unknown>;
}

const ROWS: Readonly<Record<TypeName, Rows>> = {
  User: {
    promoted: {
      id: () => column('uuid', 'u.id'),
      externalId: () => column('text', 'u.external_id', 'optional'),
      userName: () => column('text', 'u.user_name_folded'),
      active: () => column('boolean', 'u.active', 'optional'),
      ...versioned('u'),
    },
    schemas: () => sql`u.body::jsonb -> 'schemas'`,
    search: sql`u.search`,
  },
  Group: {
    promoted: {
      id: () => column('uuid', 'g.id'),
      externalId: () => column('text', 'g.external_id', 'optional'),
      displayName: () => column('text', 'g.display_name_folded'),
      ...versioned('g'),
    },
    schemas: () => sql`g.body::jsonb -> 'schemas'`,
    search: sql`g.search`,
  },
  Role: {
    promoted: {
      id: () => column('text', 'r.name'),
      displayName: () => column('text', 'r.display_name'),
      'meta.created': () => column('instant', 'r.created_at', 'optional'),
      'meta.lastModified': () => column('instant', 'r.created_at', 'optional'),
      ...named('r.name'),
    },
    schemas: ownSchema,
  },
  Entitlement: {
    promoted: {
      id: () => column('uuid', 't.id'),
      displayName: () => column('text', 't.name_folded'),
      type: () => text(sql`'entitlement'`),
      description: () => text(sql`case t.kind when 'case_group' then 'case group' else 'team' end`),
      ...versioned('t'),
    },
    schemas: ownSchema,
  },
};

/** The promoted names of a type, for the test that holds them against the schema. */
export function promotedNames(type: ResourceType): string[] {
  return Object.keys(ROWS[type.name].promoted);
}

function versioned(table: 'u' | 'g' | 't'): Rows['promoted'] {
  return {
    'meta.created': () => column('instant', `${table}.created_at`),
    'meta.lastModified': () => column('instant', `${table}.updated_at`),
    'meta.version': () => text(sql`'W/"' || ${sql.ref(`${table}.version`)} || '"'`),
    ...named(`${table}.id`),
  };
}

function named(id: string): Rows['promoted'] {
  return {
    'meta.resourceType': ({ type }) => text(sql`${type.name}::text`),
    'meta.location': ({ type, baseUrl }) =>
      text(sql`${`${baseUrl}${type.endpoint}/`}::text || ${sql.ref(id)}`),
  };
}

function ownSchema({ type }: Target): RawBuilder<unknown> {
  return sql`jsonb_build_array(${type.schema.id}::text)`;
}

/** Columns of text all have the collation "C". */
function column(
  kind: Operand['kind'],
  name: string,
  nullability: 'required' | 'optional' = 'required',
): Operand {
  return { kind, sql: sql.ref(name), column: nullability };
}

function text(expression: RawBuilder<unknown>): Operand {
  return { kind: 'text', sql: sql`(${expression}) collate "C"` };
}

/** The operand of a single-valued path; undefined where the path leads into several values. */
export function operandOf(path: AttributePath, target: Target): Operand | undefined {
  if (path.attribute.multiValued) return undefined;
  const { promoted } = ROWS[target.type.name];
  const name = path.subAttribute ? `${path.attribute.name}.${path.subAttribute.name}` : path.attribute.name;
  if (!path.extension && Object.hasOwn(promoted, name)) return promoted[name]?.(target);
  const parent = path.subAttribute ? objectOf(path, target) : document(path, target);
  return parent ? typed(path.subAttribute ?? path.attribute, member(parent, leafName(path))) : NOTHING;
}

function leafName({ attribute, subAttribute }: AttributePath): string {
  return (subAttribute ?? attribute).name;
}

/** A single-valued complex attribute as one JSON object; undefined where the type keeps none. */
export function objectOf(path: AttributePath, target: Target): RawBuilder<unknown> | undefined {
  const parent = document(path, target);
  return parent && member(parent, path.attribute.name);
}

/** The values of a multi-valued path. */
export function elementsOf(path: AttributePath, target: Target): Elements {
  const { attribute, extension } = path;
  if (!extension) {
    if (attribute.name === 'groups') return groupsOfUser(target);
    if (attribute.name === 'members') return membersOfGroup(target);
    if (attribute.name === 'schemas') return arrayElements(attribute, ROWS[target.type.name].schemas(target));
  }
  return arrayElements(attribute, objectOf(path, target) ?? sql`null::jsonb`);
}

/** The operand of a part of a JSON object that is called `e.item`. */
function itemOperand(subAttribute: Attribute): Operand {
  return typed(subAttribute, member(sql`e.item`, subAttribute.name));
}

/** What is stored may have another type than the schema has by now: what is no array has no elements. */
function arrayElements(attribute: Attribute, array: RawBuilder<unknown>): Elements {
  const isComplex = attribute.type === 'complex';
  return {
    from: sql`jsonb_array_elements(case when jsonb_typeof(${array}) = 'array' then ${array} end)
      with ordinality as e (item, ordinal)`,
    operand: (subAttribute) =>
      isComplex ? itemOperand(subAttribute ?? attribute) : typed(attribute, sql`e.item`),
    order: isComplex
      ? sql`coalesce(e.item -> 'primary' = 'true'::jsonb, false) desc, e.ordinal`
      : sql`e.ordinal`,
  };
}

function groupsOfUser({ baseUrl, directoryId }: Target): Elements {
  const parts: Record<string, Operand> = {
    value: column('uuid', 'm.group_id'),
    $ref: text(sql`${`${baseUrl}/Groups/`}::text || m.group_id`),
    display: column('text', 'mg.display_name_folded'),
    type: text(sql`'direct'`),
  };
  return {
    from: sql`group_member m join scim_group mg on mg.tenant_id = m.tenant_id and mg.id = m.group_id`,
    where: sql`m.tenant_id = u.tenant_id and m.user_id = u.id and mg.directory_id = ${directoryId}`,
    operand: (subAttribute) => parts[subAttribute?.name ?? 'value'] ?? NOTHING,
    order: sql`m.group_id`,
  };
}

function membersOfGroup({ baseUrl }: Target): Elements {
  const parts: Record<string, Operand> = {
    value: column('uuid', 'm.user_id'),
    $ref: text(sql`${`${baseUrl}/Users/`}::text || m.user_id`),
    type: text(sql`'user'`),
  };
  return {
    from: sql`group_member m`,
    where: sql`m.tenant_id = g.tenant_id and m.group_id = g.id`,
    operand: (subAttribute) => parts[subAttribute?.name ?? 'value'] ?? NOTHING,
    order: sql`m.user_id`,
  };
}

/** An attribute that we keep no value of. */
const NOTHING: Operand = { kind: 'text', sql: sql`null::text collate "C"` };

function document({ extension }: AttributePath, { type }: Target): RawBuilder<unknown> | undefined {
  const { search } = ROWS[type.name];
  return search && extension ? member(search, extension.id) : search;
}

function member(object: RawBuilder<unknown>, name: string): RawBuilder<unknown> {
  return sql`(${object} -> ${sql.lit(name)})`;
}

/**
 * A JSON value in the type of the attribute. A value that was stored when the schema said otherwise is none: a cast
 * that fails would fail every list of the tenant.
 */
function typed(attribute: Attribute, value: RawBuilder<unknown>): Operand {
  const as = (type: 'boolean' | 'number', cast: 'boolean' | 'numeric') => sql`
    case when jsonb_typeof(${value}) = ${sql.lit(type)} then ${value}::${sql.raw(cast)} end`;
  switch (attribute.type) {
    case 'boolean':
      return { kind: 'boolean', sql: sql`(${as('boolean', 'boolean')})` };
    case 'integer':
    case 'decimal':
      return { kind: 'number', sql: sql`(${as('number', 'numeric')})` };
    default: {
      const operand = text(sql`${value} #>> '{}'`);
      return refersToResources(attribute) ? { ...operand, kind: 'reference' } : operand;
    }
  }
}
