import type { Database } from '../db/database.ts';
import { keyRows, matchKeys } from '../db/match-keys.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { snapshot } from '../db/transaction.ts';
import type { Mapping, Source, SourceGroup } from './decide.ts';
import type { Facts, Grant, Target } from './explanation.ts';
import { OWNER } from './grants.ts';
import type { CompiledRow } from './mapping-rows.ts';
import { OWNER_BY_TYPE, SETTING } from './plan-sql.ts';

/** The facts about one user as they are. `$1` is the tenant, `$2` the user. */

interface PersonRow {
  readonly user_name: string;
  readonly active: boolean;
  readonly directory: string | null;
  readonly owner_by_type: boolean;
  /** null: there is no mapping. */
  readonly version: number | null;
  readonly applying: boolean;
}

const personStatement = statement<PersonRow>(
  'explained_person',
  `with ${SETTING}
   select u.body::jsonb ->> 'userName' as user_name, u.active is true as active, d.name as directory,
          ${OWNER_BY_TYPE} as owner_by_type, m.version, m.job_id is not null as applying
   from scim_user u cross join setting
        left join directory d on d.tenant_id = $1 and d.id = u.directory_id
        left join group_mapping m on m.tenant_id = $1
   where u.tenant_id = $1 and u.id = $2`,
);

/** A source with the version of the mapping by which its groups count; null: there is none. */
export interface SourceRow {
  readonly origin: string;
  readonly version: number | null;
  readonly groups: readonly SourceGroup[];
  readonly syncs: boolean;
  /** Of a sign-in. */
  readonly told_at: Date | null;
}

const CLAIMS = `select 'jit:' || j.identity_provider as origin, j.mapping_version as version,
          (select coalesce(jsonb_agg(jsonb_build_object('id', null, 'name', name, 'externalId', name)), '[]')
           from unnest(j.groups) as c (name)) as groups, j.mode = 'enhanced' as syncs, j.synced_at as told_at
   from jit_sync j where j.tenant_id = $1 and j.user_id = $2`;

const sourcesText = `select 'scim:' || d.name as origin, m.version,
          coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'name', g.display_name, 'externalId', g.external_id))
                   filter (where g.id is not null), '[]') as groups, true as syncs, null::timestamptz as told_at
   from scim_user u
        join directory d on d.tenant_id = $1 and d.id = u.directory_id
        left join group_mapping m on m.tenant_id = $1
        left join group_member gm on gm.tenant_id = $1 and gm.user_id = u.id
        left join scim_group g on g.tenant_id = $1 and g.id = gm.group_id and g.directory_id = u.directory_id
   where u.tenant_id = $1 and u.id = $2 group by d.name, m.version
   union all
   ${CLAIMS} and exists (select from scim_user u where u.tenant_id = $1 and u.id = $2 and u.directory_id is null)`;

const sourcesStatement = statement<SourceRow>('explained_sources', sourcesText);

/** A row of the mapping that names a group of the user, whatever it gives. */
interface NamingRow extends CompiledRow {
  readonly version: number;
  readonly by_role: boolean;
}

const namingText = `with source as (
     ${sourcesText}
   ), named as (
     select distinct s.version, key.match
     from source s cross join lateral jsonb_to_recordset(s.groups) as g (id text, name text, "externalId" text)
          cross join lateral ${keyRows(matchKeys('g.name', 'g.id', 'g."externalId"'))}
   ), naming as (
     select r.version, v.document ->> 'conflict_strategy' is not distinct from 'highest_role' as by_role, r.match,
            r.precedence, r."row", r.directory, r.identity_provider as "identityProvider", r.kind,
            nullif(r.target, '') as target, r.role
     from named n
          join mapping_row r on r.tenant_id = $1 and r.version = n.version and r.match = n.match
          join group_mapping_version v on v.tenant_id = $1 and v.version = r.version
   )`;

const namingStatement = statement<NamingRow>('explained_rows', `${namingText} select * from naming`);

const targetsStatement = statement<Target>(
  'explained_targets',
  `${namingText}, held as (
     select target_id from access_grant where tenant_id = $1 and user_id = $2
   )
   select id, kind, name from team t where tenant_id = $1 and (id in (select target_id from held)
     or exists (select from naming n where n.kind = t.kind and n.target = t.name))
   union all
   select id, 'permission', name from permission p where tenant_id = $1 and (id in (select target_id from held)
     or exists (select from naming n where n.kind = 'permission' and n.target = p.name))`,
);

/** The event that told how a grant `g` became what it is. */
const TOLD_BY = `left join lateral (
     select jsonb_build_object('id', e.id, 'sequence', e.sequence) as event
     from event e
     where e.tenant_id = $1 and e.change_id = g.change_id and e.sequence is not null
       and e.type in ('grant.added', 'grant.changed') and e.after ->> 'origin' = g.origin
       and e.resource_id = case when g.target_id = '${OWNER}' then $1::uuid else g.target_id end
       and e.after -> 'users' ? $2::uuid::text
     limit 1) as told on true`;

const grantsStatement = statement<Grant>(
  'explained_grants',
  `with grant_then as (
     select target_id, origin, role, suspended, since, mapping_version, "row", precedence, group_id, group_name, change_id
     from access_grant where tenant_id = $1 and user_id = $2 and ($3::timestamptz is null or since <= $3)
     union all
     select target_id, origin, role, suspended, since, mapping_version, "row", precedence, group_id, group_name, change_id
     from access_grant_history where tenant_id = $1 and user_id = $2 and since <= $3 and until > $3
   )
   select g.target_id as "targetId", g.origin, g.role, g.suspended, g.since, g.mapping_version as "mappingVersion",
          g."row", g.precedence, case when g.group_name is not null
            then jsonb_build_object('id', g.group_id, 'name', g.group_name) end as "group",
          g.change_id as "changeId", told.event
   from grant_then g ${TOLD_BY}`,
);

/** The grants that the user has or, at a moment, had. */
export function grantsOf(tenantId: string, userId: string, at: Date | null): Step<Grant> {
  return step(grantsStatement, [tenantId, userId, at]);
}

/** What sources say of the user now; the rows that name those groups. */
export function sourcesNow(tenantId: string, userId: string): readonly [Step<SourceRow>, Step<NamingRow>] {
  return [step(sourcesStatement, [tenantId, userId]), step(namingStatement, [tenantId, userId])];
}

/** Makes sources of rows: each counts by the rows of its version. */
export function sourceOf(
  { origin, version, groups, syncs }: SourceRow,
  naming: readonly NamingRow[],
): Source {
  const rows = naming.filter((row) => row.version === version);
  const mapping: Mapping = { version, byRole: rows[0]?.by_role === true, rows };
  return { origin, groups, mapping, syncs };
}

/** Who a user is managed by: their directory, or who told of them last at a sign-in. */
export function managedBy(directory: string | null, claims: readonly SourceRow[]): string | null {
  if (directory !== null) return `scim:${directory}`;
  const [last] = [...claims].sort((left, right) => Number(right.told_at) - Number(left.told_at));
  return last?.origin ?? null;
}

/** The facts about a user as they are at one moment, `now`; undefined: there is no such user. */
export async function factsNow(
  db: Database,
  { tenantId, userId, now }: { readonly tenantId: string; readonly userId: string; readonly now: Date },
): Promise<Facts | undefined> {
  const [[person], sources, naming, targets, grants] = await snapshot(db, [
    step(personStatement, [tenantId, userId]),
    ...sourcesNow(tenantId, userId),
    step(targetsStatement, [tenantId, userId]),
    grantsOf(tenantId, userId, null),
  ]);
  if (person === undefined) return undefined;
  const { user_name: userName, active, directory, version } = person;
  return {
    user: { id: userId, userName, active, managedBy: managedBy(directory, sources) },
    at: now,
    mappingVersion: version,
    state: stateOf(person),
    sources: sources.map((row) => sourceOf(row, naming)),
    ownerByType: person.owner_by_type ? `scim:${directory}` : null,
    ...{ grants, targets, limits: [] },
  };
}

export function stateOf({ version, applying }: Pick<PersonRow, 'version' | 'applying'>): Facts['state'] {
  if (version === null) return 'none';
  return applying ? 'applying' : 'active';
}
