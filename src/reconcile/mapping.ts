import { type Step, statement, step } from '../db/statement.ts';
import { canonicalDocument, type MappingDocument } from './mapping-document.ts';
import type { KnownNames } from './mapping-reading.ts';
import { type CompiledRow, compileMapping } from './mapping-rows.ts';
import { BUILT_IN_ROLES, type Role } from './roles.ts';

/** The versions of the group mapping, as rows. Whoever writes one holds the tenant alone. */

/** What made a version. */
export type MappingCause =
  | { readonly kind: 'put' }
  | { readonly kind: 'revert'; readonly version: number }
  | { readonly kind: 'group_renamed'; readonly before: string; readonly after: string }
  | { readonly kind: 'team_renamed'; readonly before: string; readonly after: string };

export interface MappingVersionRow {
  readonly version: number;
  readonly document: MappingDocument;
  readonly cause: MappingCause;
  readonly author: Record<string, unknown>;
  readonly created_at: Date;
  /** Whether it is the one that holds. */
  readonly current: boolean;
  /** The job that still applies it; null: it is applied, or no longer the one that holds. */
  readonly job_id: string | null;
}

const VERSION = `v.version, v.document, v.cause, v.author, v.created_at, m.version is not null as current, m.job_id
   from group_mapping_version v left join group_mapping m on m.tenant_id = $1 and m.version = v.version`;

const currentMappingStatement = statement<MappingVersionRow>(
  'current_mapping',
  `select ${VERSION} where v.tenant_id = $1 and m.version is not null`,
);

/** The version that holds; no row: the tenant has no mapping. */
export function currentMapping(tenantId: string): Step<MappingVersionRow> {
  return step(currentMappingStatement, [tenantId]);
}

const mappingVersionStatement = statement<MappingVersionRow>(
  'mapping_version',
  `select ${VERSION} where v.tenant_id = $1 and v.version = $2`,
);

export function mappingVersion(tenantId: string, version: number): Step<MappingVersionRow> {
  return step(mappingVersionStatement, [tenantId, version]);
}

const mappingVersionsStatement = statement<Omit<MappingVersionRow, 'document'>>(
  'mapping_versions',
  `select v.version, v.cause, v.author, v.created_at, m.version is not null as current, m.job_id
   from group_mapping_version v left join group_mapping m on m.tenant_id = $1 and m.version = v.version
   where v.tenant_id = $1 and v.version < $2 order by v.version desc limit $3`,
);

/** The versions below one, the latest first. */
export function mappingVersions(tenantId: string, below: number, limit: number) {
  return step(mappingVersionsStatement, [tenantId, below, limit]);
}

export interface NewVersion {
  readonly version: number;
  readonly document: MappingDocument;
  readonly cause: MappingCause;
  /** JSON. */
  readonly author: string;
  readonly at: Date;
  /** Whether a job that still applies the version before goes on with this one: it gives the same. */
  readonly sameJob?: boolean;
}

const storeMappingStatement = statement<unknown>(
  'store_mapping',
  `with stored as (
     insert into group_mapping_version (tenant_id, version, document, keeps_unmapped, cause, author, created_at)
     values ($1, $2, $3::jsonb, $4, $5::jsonb, $6::jsonb, $7)
   ), compiled as (
     insert into mapping_row (tenant_id, version, match, precedence, "row", directory, identity_provider, kind, target,
                              role)
     select $1, $2, * from unnest($8::text[], $9::integer[], $10::text[], $11::text[], $12::text[], $13::text[],
                                  $14::text[], $15::text[])
   ), needless as (
     delete from mapping_row r
     where r.tenant_id = $1 and not exists (select from jit_sync j where j.tenant_id = $1 and j.mapping_version = r.version)
   )
   insert into group_mapping (tenant_id, version) values ($1, $2)
   on conflict (tenant_id) do update
   set version = excluded.version, job_id = case when $16 then group_mapping.job_id end`,
);

/** Makes a version the one that holds, with its rows; rows by which nothing is desired any more go. */
export function storeMapping(
  tenantId: string,
  { version, document, cause, author, at, sameJob = false }: NewVersion,
  roles: readonly Pick<Role, 'name' | 'rank'>[],
): Step {
  const rows: readonly CompiledRow[] = compileMapping(document, roles);
  return step(storeMappingStatement, [
    tenantId,
    version,
    JSON.stringify(document),
    document.on_unmap === 'keep',
    JSON.stringify(cause),
    author,
    at,
    rows.map((row) => row.match),
    rows.map((row) => row.precedence),
    rows.map((row) => row.row),
    rows.map((row) => row.directory),
    rows.map((row) => row.identityProvider),
    rows.map((row) => row.kind),
    rows.map((row) => row.target ?? ''),
    rows.map((row) => row.role),
    sameJob,
  ]);
}

const applyingStatement = statement<unknown>(
  'mapping_applied_by',
  `update group_mapping set job_id = $2 where tenant_id = $1`,
);

/** Says which job applies the version that holds; null: it is applied. */
export function mappingAppliedBy(tenantId: string, jobId: string | null): Step {
  return step(applyingStatement, [tenantId, jobId]);
}

interface BearersRow {
  readonly follows: boolean;
  readonly directory: string;
  readonly old_name_borne: boolean;
  readonly new_name_borne: boolean;
}

const bearersStatement = statement<BearersRow>(
  'bearers_of_names',
  `with claimed as materialized (
     select distinct c.name from jit_sync j cross join lateral unnest(j.groups) as c (name) where j.tenant_id = $1
   ), other as materialized (
     select display_name as name from scim_group where tenant_id = $1 and id <> $2 and display_name in ($3, $4)
     union all
     select name from claimed where name in ($3, $4)
   )
   select coalesce((t.settings ->> 'renameFollows')::boolean, true) as follows, d.name as directory,
          exists (select from other where name = $3) as old_name_borne,
          exists (select from other where name = $4) as new_name_borne
   from tenant t join scim_group g on g.tenant_id = $1 and g.id = $2
   join directory d on d.tenant_id = $1 and d.id = g.directory_id
   where t.tenant_id = $1`,
);

/** Whether another group, or a claim, bears a group's old or new name, and whether the tenant's mapping follows. */
export function bearersOf(
  tenantId: string,
  groupId: string,
  before: string,
  after: string,
): Step<BearersRow> {
  return step(bearersStatement, [tenantId, groupId, before, after]);
}

const renameTargetStatement = statement<unknown>(
  'rename_target',
  `update mapping_row set target = $4 where tenant_id = $1 and kind = $2 and target = $3`,
);

/** What sign-ins were synced by, in versions that no longer hold, follows a team's name too. */
export function renameTarget(tenantId: string, kind: string, before: string, after: string): Step {
  return step(renameTargetStatement, [tenantId, kind, before, after]);
}

const mappingJobStatement = statement<{ version: number; job_id: string | null }>(
  'mapping_job',
  `select version, job_id from group_mapping where tenant_id = $1`,
);

/** Which version holds, and the job that still applies it (`MappingVersionRow`). */
export function mappingJob(tenantId: string): Step<{ version: number; job_id: string | null }> {
  return step(mappingJobStatement, [tenantId]);
}

interface NamesRow {
  readonly roles: { readonly name: string; readonly rank: number }[];
  readonly permissions: string[];
  readonly directories: string[];
  readonly identity_providers: string[];
}

const namesStatement = statement<NamesRow>(
  'names_for_mapping',
  `select (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'rank', rank)), '[]') from role
           where tenant_id = $1) as roles,
          array(select name from permission where tenant_id = $1) as permissions,
          array(select name from directory where tenant_id = $1) as directories,
          array(select name from identity_provider where tenant_id = $1) as identity_providers`,
);

/** What a document may name. */
export function namesForMapping(tenantId: string): Step<NamesRow> {
  return step(namesStatement, [tenantId]);
}

/** The names, as the reader of documents takes them, with the roles as it compiles them. */
export function knownNames(row: NamesRow | undefined): {
  readonly known: KnownNames;
  readonly roles: readonly Pick<Role, 'name' | 'rank'>[];
} {
  const { roles: own = [], permissions = [], directories = [], identity_providers = [] } = row ?? {};
  const roles = [...BUILT_IN_ROLES, ...own];
  return {
    roles,
    known: {
      roles: new Set(roles.map(({ name }) => name)),
      permissions: new Set(permissions),
      directories: new Set(directories),
      identityProviders: new Set(identity_providers),
    },
  };
}

/** A stored version with its document as it was written: jsonb has an order of keys of its own. */
export function asWritten(row: MappingVersionRow): MappingVersionRow {
  return { ...row, document: canonicalDocument(row.document) };
}
