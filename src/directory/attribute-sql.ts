import { type RawBuilder, sql } from 'kysely';
import type { Attribute, AttributePath, ResourceType } from '../scim/types.ts';

/**
 * Where an attribute lies in the database. By default in the search document, at the place that the schema
 * gives it; the promoted attributes below lie in columns, or are derived. The schema stays the only list of
 * attributes: a test looks up each promoted name in it.
 */

/** The table a filter runs on (`scim_user u` or `scim_group g`) and what derived attributes need. */
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
  readonly kind: 'text' | 'boolean' | 'number' | 'uuid' | 'instant';
  readonly sql: RawBuilder<unknown>;
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

const PROMOTED: Record<ResourceType['name'], Record<string, (target: Target) => Operand>> = {
  User: {
    id: () => ({ kind: 'uuid', sql: sql.ref('u.id') }),
    externalId: () => text(sql.ref('u.external_id')),
    userName: () => text(sql.ref('u.user_name_folded')),
    active: () => ({ kind: 'boolean', sql: sql.ref('u.active') }),
    ...meta('u'),
  },
  Group: {
    id: () => ({ kind: 'uuid', sql: sql.ref('g.id') }),
    externalId: () => text(sql.ref('g.external_id')),
    displayName: () => text(sql.ref('g.display_name_folded')),
    ...meta('g'),
  },
  Role: {},
  Entitlement: {},
};

/** The promoted names of a type, for the test that holds them against the schema. */
export function promotedNames(type: ResourceType): string[] {
  return Object.keys(PROMOTED[type.name]);
}

function meta(table: 'u' | 'g'): Record<string, (target: Target) => Operand> {
  return {
    'meta.created': () => ({ kind: 'instant', sql: sql.ref(`${table}.created_at`) }),
    'meta.lastModified': () => ({ kind: 'instant', sql: sql.ref(`${table}.updated_at`) }),
    'meta.resourceType': ({ type }) => text(sql`${type.name}::text`),
    'meta.version': () => text(sql`'W/"' || ${sql.ref(`${table}.version`)} || '"'`),
    'meta.location': ({ type, baseUrl }) =>
      text(sql`${baseUrl + type.endpoint}::text || '/' || ${sql.ref(`${table}.id`)}`),
  };
}

function text(expression: RawBuilder<unknown>): Operand {
  return { kind: 'text', sql: sql`(${expression}) collate "C"` };
}

/** The operand of a single-valued path; undefined where the path leads into several values. */
export function operandOf(path: AttributePath, target: Target): Operand | undefined {
  if (path.attribute.multiValued) return undefined;
  const name = path.subAttribute ? `${path.attribute.name}.${path.subAttribute.name}` : path.attribute.name;
  const promoted = path.extension ? undefined : PROMOTED[target.type.name];
  if (promoted && Object.hasOwn(promoted, name)) return promoted[name]?.(target);
  const leaf = path.subAttribute ?? path.attribute;
  const parent = path.subAttribute
    ? member(document(path, target), path.attribute.name)
    : document(path, target);
  return typed(leaf, sql`${parent} ->> ${sql.lit(leaf.name)}`);
}

/** A single-valued complex attribute as one JSON object. */
export function objectOf(path: AttributePath, target: Target): RawBuilder<unknown> {
  return member(document(path, target), path.attribute.name);
}

/** The values of a multi-valued path. */
export function elementsOf(path: AttributePath, target: Target): Elements {
  if (!path.extension) {
    if (path.attribute.name === 'groups') return groupsOfUser(target);
    if (path.attribute.name === 'members') return membersOfGroup(target);
    if (path.attribute.name === 'schemas') {
      const body = sql.ref(target.type.name === 'User' ? 'u.body' : 'g.body');
      return simpleElements(path.attribute, sql`(${body})::jsonb -> 'schemas'`);
    }
  }
  const array = member(document(path, target), path.attribute.name);
  if (path.attribute.type !== 'complex') return simpleElements(path.attribute, array);
  return {
    from: sql`jsonb_array_elements(${array}) with ordinality as e (item, ordinal)`,
    operand: (subAttribute) => itemOperand(subAttribute ?? path.attribute),
    order: sql`coalesce((e.item ->> 'primary')::boolean, false) desc, e.ordinal`,
  };
}

/** The operand of a part of a JSON object that is called `e.item`. */
function itemOperand(subAttribute: Attribute): Operand {
  return typed(subAttribute, sql`e.item ->> ${sql.lit(subAttribute.name)}`);
}

function simpleElements(attribute: Attribute, array: RawBuilder<unknown>): Elements {
  return {
    from: sql`jsonb_array_elements_text(${array}) with ordinality as e (item, ordinal)`,
    operand: () => typed(attribute, sql`e.item`),
    order: sql`e.ordinal`,
  };
}

function groupsOfUser({ baseUrl, directoryId }: Target): Elements {
  const parts: Record<string, Operand> = {
    value: { kind: 'uuid', sql: sql`m.group_id` },
    $ref: text(sql`${`${baseUrl}/Groups/`}::text || m.group_id`),
    display: text(sql`mg.display_name_folded`),
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
    value: { kind: 'uuid', sql: sql`m.user_id` },
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

/** A sub-attribute that we keep no value of. */
const NOTHING: Operand = { kind: 'text', sql: sql`null::text` };

function document({ extension }: AttributePath, { type }: Target): RawBuilder<unknown> {
  const search = sql.ref(type.name === 'User' ? 'u.search' : 'g.search');
  return extension ? member(search, extension.id) : search;
}

function member(object: RawBuilder<unknown>, name: string): RawBuilder<unknown> {
  return sql`(${object} -> ${sql.lit(name)})`;
}

function typed(attribute: Attribute, expression: RawBuilder<unknown>): Operand {
  switch (attribute.type) {
    case 'boolean':
      return { kind: 'boolean', sql: sql`(${expression})::boolean` };
    case 'integer':
    case 'decimal':
      return { kind: 'number', sql: sql`(${expression})::numeric` };
    default:
      return text(expression);
  }
}
