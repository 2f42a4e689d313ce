import { type Step, statement, step } from '../db/statement.ts';
import type { MappingDocument } from './mapping-document.ts';
import { teamOf } from './mapping-rows.ts';
import type { SeenGroup } from './mapping-warnings.ts';
import type { Team } from './teams.ts';

/** What the warnings about a document are judged by. */
export interface FactsRow {
  readonly teams: Pick<Team, 'kind' | 'name'>[];
  readonly groups: SeenGroup[];
  readonly owner_groups: string[];
}

/** So many of each serve as what may have been meant. */
const CANDIDATES = 20_000;

const factsStatement = statement<FactsRow>(
  'facts_for_mapping',
  `with claimed as materialized (
     select identity_provider, name from (
       select distinct j.identity_provider, c.name from jit_sync j cross join lateral unnest(j.groups) as c (name)
       where j.tenant_id = $1) as c
     order by not (name = any ($2::text[])) limit ${CANDIDATES}
   )
   select (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'name', name)), '[]') from (
             select kind, name from team where tenant_id = $1
             order by not (name = any ($3::text[])), id limit ${CANDIDATES}) as t) as teams,
          (select coalesce(jsonb_agg(jsonb_build_object('directory', directory, 'identityProvider', null, 'name', name,
                                                        'ids', ids)), '[]') from (
             select d.name as directory, g.display_name as name, array_remove(array[g.id::text, g.external_id], null) as ids
             from scim_group g join directory d on d.tenant_id = $1 and d.id = g.directory_id
             where g.tenant_id = $1
             order by not (g.display_name = any ($2::text[]) or g.id::text = any ($2::text[])
                           or g.external_id = any ($2::text[])), g.id limit ${CANDIDATES}) as g)
          || (select coalesce(jsonb_agg(jsonb_build_object('directory', null, 'identityProvider', identity_provider,
                                                           'name', name, 'ids', array[name])), '[]') from claimed)
            as groups,
          array(select g.display_name from scim_group g
                where g.tenant_id = $1 and g.display_name = any ($4::text[]) and exists (
                  select from group_member m join scim_user u on u.tenant_id = $1 and u.id = m.user_id
                  where m.tenant_id = $1 and m.group_id = g.id and u.active)
                union
                select c.name from jit_sync j cross join lateral unnest(j.groups) as c (name)
                join scim_user u on u.tenant_id = $1 and u.id = j.user_id
                where j.tenant_id = $1 and u.active and c.name = any ($4::text[])) as owner_groups`,
);

/** What a document names first, then what it may have meant. */
export function factsForMapping(tenantId: string, document: MappingDocument): Step<FactsRow> {
  const owners = document.tenant_owners_groups ?? [];
  const references = [...document.mappings, ...(document.tenant_permission ?? [])];
  const groups = references.map(({ group_name, group_id }) => String(group_name ?? group_id));
  return step(factsStatement, [
    tenantId,
    [...new Set([...groups, ...owners])],
    [...new Set(document.mappings.map((row) => teamOf(row).name))],
    owners,
  ]);
}
