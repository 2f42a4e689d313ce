import { type RawBuilder, sql } from 'kysely';
import { found } from '../db/found.ts';
import type { ResourceType, TypeName } from '../scim/types.ts';
import type { Target } from './attribute-sql.ts';
import { type Viewer, visibleGroups, visibleUsers } from './viewer.ts';

/** Where the resources of each type come from when they are listed. */

/** From where a list looks. */
export interface Standpoint {
  readonly viewer: Viewer;
  /** `https://host/api/scim/v2`. */
  readonly baseUrl: string;
  /** The names of the roles that every tenant has. */
  readonly builtInRoles: readonly string[];
}

export interface Source {
  readonly target: Target;
  /** Names the rows `u`, `g`, `r` or `t`, as `attribute-sql.ts` does. */
  readonly from: RawBuilder<unknown>;
  /** The rows that the viewer may see. */
  readonly visible: RawBuilder<boolean>;
  /** What is unique among them and never changes. Ids of version 7 are in the order of creation. */
  readonly id: { readonly sql: RawBuilder<unknown>; readonly type: 'uuid' | 'text' };
  /** Whether it is the row of the place `p`, by its primary key: `p.uuid`, or `p.key` where ids are no UUIDs. */
  readonly isAt: RawBuilder<boolean>;
  /** `managed`, `version`, `active`, `created_at`, `updated_at` and `body`: the resource as text, without id and meta. */
  readonly columns: RawBuilder<unknown>;
  /** The rows of another table that belong to the row `p.uuid`: `item`, as text, and `item_id`. */
  readonly related?: RawBuilder<unknown>;
}

type MakeSource = (standpoint: Standpoint, schema: string) => Omit<Source, 'target'>;

const SOURCES: Readonly<Record<TypeName, MakeSource>> = {
  User: ({ viewer }) => ({
    from: sql`scim_user u`,
    visible: visibleUsers(viewer),
    id: { sql: sql`u.id`, type: 'uuid' },
    isAt: sql`u.tenant_id = ${someTenant(viewer)} and u.id = p.uuid`,
    columns: sql`u.directory_id is not null as managed, u.version, u.active, u.created_at, u.updated_at, u.body`,
    related: sql`
      select json_build_object('value', g.id, 'display', g.display_name)::text as item, g.id as item_id
      from group_member m
           cross join lateral (${sql.raw(found('scim_group', 'id', 'm.group_id', 'm.tenant_id'))}) as g
      where m.tenant_id = ${viewer.tenantId} and m.user_id = p.uuid and g.directory_id = ${viewer.directoryId}`,
  }),
  Group: ({ viewer }) => ({
    from: sql`scim_group g`,
    visible: visibleGroups(viewer),
    id: { sql: sql`g.id`, type: 'uuid' },
    isAt: sql`g.tenant_id = ${someTenant(viewer)} and g.id = p.uuid`,
    columns: sql`true as managed, g.version, null::boolean as active, g.created_at, g.updated_at, g.body`,
    related: sql`
      select m.user_id::text as item, m.user_id as item_id
      from group_member m where m.tenant_id = ${viewer.tenantId} and m.group_id = p.uuid`,
  }),
  Role: ({ viewer, builtInRoles }, schema) => ({
    from: sql`(
      select name, coalesce(display_name, name) collate "C" as display_name, created_at
      from role where tenant_id = ${viewer.tenantId}
      union all
      select name collate "C", name collate "C", null from unnest(${builtInRoles}::text[]) as name) as r`,
    visible: sql`true`,
    id: { sql: sql`r.name`, type: 'text' },
    isAt: sql`r.name = p.key`,
    columns: sql`null::boolean as managed, null::bigint as version, null::boolean as active,
      r.created_at, r.created_at as updated_at, ${body(schema, sql`'displayName', r.display_name`)} as body`,
  }),
  Entitlement: ({ viewer }, schema) => ({
    from: sql`team t`,
    visible: sql`t.tenant_id = ${viewer.tenantId}`,
    id: { sql: sql`t.id`, type: 'uuid' },
    isAt: sql`t.tenant_id = ${someTenant(viewer)} and t.id = p.uuid`,
    columns: sql`null::boolean as managed, t.version, null::boolean as active, t.created_at, t.updated_at,
      ${body(
        schema,
        sql`'displayName', t.name, 'type', 'Entitlement',
          'description', case t.kind when 'case_group' then 'Case group' else 'Team' end`,
      )} as body`,
  }),
};

/** The tenant, for look-ups by key in a list, which is planned for its values: as `SOME_TENANT` of `db/found.ts`. */
function someTenant({ tenantId }: Viewer): RawBuilder<unknown> {
  return sql`(select ${tenantId}::uuid)`;
}

function body(schema: string, members: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`json_build_object('schemas', json_build_array(${schema}::text), ${members})::text`;
}

/** Where the viewer's resources of a type come from. */
export function sourceOf(type: ResourceType, standpoint: Standpoint): Source {
  const { viewer, baseUrl } = standpoint;
  const { tenantId, directoryId } = viewer;
  return {
    target: { type, tenantId, directoryId, baseUrl },
    ...SOURCES[type.name](standpoint, type.schema.id),
  };
}
