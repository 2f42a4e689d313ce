import { runBoundedSnapshot } from '../db/bounded.ts';
import type { Database } from '../db/database.ts';
import { type Statement, step } from '../db/statement.ts';
import { AppError } from '../errors.ts';
import { foldText } from '../scim/fold.ts';
import { mappingOf, NO_MAPPING, type Source, type SourceGroup } from './decide.ts';
import { grantsOf, managedBy, type SourceRow, sourceOf, sourcesNow, stateOf } from './explain-now.ts';
import type { Facts, Grant, Target } from './explanation.ts';
import type { MappingDocument } from './mapping-document.ts';
import { BUILT_IN_ROLES, type Role } from './roles.ts';

/**
 * The facts about one user as they were: grants from their history, everything else by what the events since then
 * say it was before. `$1` is the tenant, `$2` the user, `$3` the moment. An event of that very moment counts as done.
 */

/** Events, those among them that are not sealed yet: each half has its index. */
const events = (condition: string) => `(
     select * from event where tenant_id = $1 and sequence is not null and ${condition}
     union all
     select * from event where tenant_id = $1 and sequence is null and ${condition})`;

/** An attribute of the user then: what the first change since says it was before, or else what it is, or was last. */
const userThen = (attribute: string) => `(
     select state ->> '${attribute}' from (
       select 0 as part, position, before as state from told
       where at > $3 and type in ('user.updated', 'user.activated', 'user.deactivated') and before ? '${attribute}'
       union all select 1, 0, state from kept) as states
     order by part, position limit 1)`;

interface PersonRow {
  readonly user_name: string;
  readonly active: boolean;
  readonly user_type: string | null;
  readonly directory: string | null;
  readonly owners_by_user_type: boolean;
  /** The user was adopted or deleted since: what sign-ins told before is forgotten. */
  readonly forgotten: boolean;
}

const personThen: Statement<PersonRow> = {
  text: `with told as materialized (
     select * from ${events(`resource_id = $2 and resource_type = 'User'`)} as e
   ), kept as (
     select body::jsonb || jsonb_build_object('active', active is true) as state, created_at
     from scim_user where tenant_id = $1 and id = $2
     union all
     select before, (select min(at) from told where type = 'user.created') from told where type = 'user.deleted'
   )
   select ${userThen('userName')} as user_name, coalesce(${userThen('active')}::boolean, false) as active,
          ${userThen('userType')} as user_type,
          (select case type when 'user.created' then actor ->> 'directory' when 'user.adopted' then coalesce(
                    (select name from directory where tenant_id = $1 and id = (after ->> 'directory')::uuid),
                    (select d.before ->> 'name'
                     from ${events(`type = 'directory.deleted'`)} as d
                     where d.resource_id = (told.after ->> 'directory')::uuid)) end
           from told where at <= $3 and type in ('user.created', 'user.adopted', 'user.released')
           order by position desc limit 1) as directory,
          coalesce((select (before -> 'settings' ->> 'ownersByUserType')::boolean
                    from ${events(`type = 'tenant.updated' and at > $3`)} as t order by position limit 1),
                   (select (settings ->> 'ownersByUserType')::boolean from tenant where tenant_id = $1),
                   false) as owners_by_user_type,
          exists (select from told where at > $3 and type in ('user.adopted', 'user.deleted')) as forgotten
   from kept
   where created_at <= $3 and not exists (select from told where type = 'user.deleted' and at <= $3)`,
};

/**
 * The groups that the user was in. Of those that changed with the user since, the first change tells; a group that
 * was deleted took its members along without naming them, so of it the last change before tells.
 */
const groupsThen: Statement<SourceGroup> = {
  text: `with told as materialized (
     select * from ${events(`at > $3 and type in ('group.members_added', 'group.members_removed', 'group.deleted')
       and (type = 'group.deleted' or coalesce(before, after) -> 'members' ? $2::uuid::text)`)} as e
   ), touched as (
     select distinct on (resource_id) resource_id as group_id, type = 'group.members_removed' as was_member
     from told where type <> 'group.deleted' order by resource_id, position
   ), gone as (
     select resource_id as group_id, before from told where type = 'group.deleted'
   ), was_in as (
     select group_id from touched where was_member
     union all
     select group_id from (
       select group_id from group_member where tenant_id = $1 and user_id = $2
       union
       select group_id from gone where 'group.members_added' = (
         select type from ${events(`type in ('group.members_added', 'group.members_removed')`)} as e
         where e.resource_id = gone.group_id and e.at <= $3
           and coalesce(e.before, e.after) -> 'members' ? $2::uuid::text
         order by position desc limit 1)) as untold
     where not exists (select from touched t where t.group_id = untold.group_id)
   )
   select w.group_id as id, coalesce(name.before, gone.before, jsonb_build_object('displayName', g.display_name))
            ->> 'displayName' as name,
          coalesce(other.before, gone.before, jsonb_build_object('externalId', g.external_id)) ->> 'externalId'
            as "externalId"
   from was_in w
        left join scim_group g on g.tenant_id = $1 and g.id = w.group_id
        left join gone on gone.group_id = w.group_id
        left join lateral (
          select before from ${events(`resource_id = w.group_id and type = 'group.updated' and at > $3`)} as e
          where before ? 'displayName' order by position limit 1) as name on true
        left join lateral (
          select before from ${events(`resource_id = w.group_id and type = 'group.updated' and at > $3`)} as e
          where before ? 'externalId' order by position limit 1) as other on true`,
};

const VERSION_THEN = `select version, document from group_mapping_version
     where tenant_id = $1 and created_at <= $3 order by version desc limit 1`;

interface VersionRow {
  readonly version: number;
  readonly document: MappingDocument;
  readonly applying: boolean;
  readonly roles: readonly Pick<Role, 'name' | 'rank'>[];
}

const versionThen: Statement<VersionRow> = {
  text: `with version_then as (${VERSION_THEN})
   select v.*, exists (select from job where tenant_id = $1 and kind = 'mapping' and created_at <= $3
                       and (ended_at is null or ended_at > $3) and (request ->> 'version')::integer = v.version) as applying,
          (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'rank', rank)), '[]') from role
           where tenant_id = $1) as roles
   from version_then v where $2::uuid is not null`,
};

const targetsThen: Statement<Target> = {
  text: `with version_then as (${VERSION_THEN}), held as (
     select target_id from access_grant where tenant_id = $1 and user_id = $2
     union
     select target_id from access_grant_history where tenant_id = $1 and user_id = $2
   ), named as (
     select case when m ? 'case_group_name' then 'case_group' else 'team' end as kind,
            coalesce(m ->> 'case_group_name', m ->> 'team_name') as name
     from version_then, jsonb_array_elements(document -> 'mappings') as m
     union
     select 'permission', name
     from version_then, jsonb_array_elements(coalesce(document -> 'tenant_permission', '[]')) as p,
          jsonb_array_elements_text(p -> 'permissions') as name
   ), told as (
     select distinct on (resource_id) resource_id as id, before ->> 'kind' as kind, before ->> 'name' as name
     from ${events(`type in ('team.created', 'team.updated', 'team.deleted') and at > $3`)} as e
     order by resource_id, position
   ), target_then as (
     select id, kind, name from told where name is not null
     union all
     select id, kind, name from team t where tenant_id = $1 and not exists (select from told where told.id = t.id)
     union all
     select id, 'permission', name from permission where tenant_id = $1 and created_at <= $3
     union all
     select resource_id, 'permission', before ->> 'name'
     from ${events(`type = 'permission.withdrawn' and at > $3`)} as e where (before ->> 'createdAt')::timestamptz <= $3
   )
   select * from target_then t
   where id in (select target_id from held) or exists (select from named n where n.kind = t.kind and n.name = t.name)`,
};

/**
 * The facts about a user as they were; undefined: there was no such user then.
 * @throws AppError `invalid_request` (`too_far_back`) when reading the events since then takes longer than 5 seconds.
 */
export async function factsThen(
  db: Database,
  { tenantId, userId, at }: { readonly tenantId: string; readonly userId: string; readonly at: Date },
): Promise<Facts | undefined> {
  const values = [tenantId, userId, at];
  const steps = [
    step(personThen, values),
    step(groupsThen, values),
    step(versionThen, values),
    step(targetsThen, values),
    grantsOf(tenantId, userId, at),
    ...sourcesNow(tenantId, userId),
  ] as const;
  const rows = await runBoundedSnapshot(db, steps, tooFarBack);
  const [[person], groups, [version], targets, grants, sources, naming] = rows;
  if (person === undefined) return undefined;
  const { user_name: userName, active, directory } = person;
  const told = sources.filter(({ told_at }) => told_at !== null);
  const claims = directory === null ? told.filter(({ told_at }) => Number(told_at) <= at.getTime()) : [];
  const bySignIn = claims.map((row) => sourceOf(row, naming));
  const byDirectory = directory === null ? [] : [directorySource(directory, groups, version)];
  return {
    user: { id: userId, userName, active, managedBy: managedBy(directory, claims) },
    at,
    mappingVersion: version?.version ?? null,
    state: stateOf({ version: version?.version ?? null, applying: version?.applying === true }),
    sources: [...byDirectory, ...bySignIn],
    ownerByType: ownsByType(person) ? `scim:${directory}` : null,
    grants,
    targets,
    limits: [
      ...(directory !== null || knowsClaims(person, told, { claims, grants, bySignIn, targets })
        ? []
        : CLAIMS_UNKNOWN),
      ...(version && !knowsRanks(version) ? RANKS_UNKNOWN : []),
    ],
  };
}

const CLAIMS_UNKNOWN = ['claims_unknown'] as const;
const RANKS_UNKNOWN = ['ranks_unknown'] as const;

function directorySource(
  name: string,
  groups: readonly SourceGroup[],
  version: VersionRow | undefined,
): Source {
  const mapping = version ? mappingOf(version, [...BUILT_IN_ROLES, ...version.roles]) : NO_MAPPING;
  return { origin: `scim:${name}`, groups, mapping, syncs: true };
}

function ownsByType({ directory, user_type: userType, owners_by_user_type }: PersonRow): boolean {
  return directory !== null && owners_by_user_type && foldText(userType ?? '') === 'tenant_owner';
}

interface Known {
  readonly claims: readonly SourceRow[];
  readonly grants: readonly Grant[];
  readonly bySignIn: readonly Source[];
  readonly targets: readonly Target[];
}

/**
 * Whether the claims then are those that are known now: a sign-in replaces them, adoption forgets them, an edit by hand
 * ends what standard mode gave, and their rows name teams as they are called now.
 */
function knowsClaims(
  { forgotten }: PersonRow,
  told: readonly SourceRow[],
  { claims, grants, bySignIn, targets }: Known,
): boolean {
  const known = new Set(claims.map(({ origin }) => origin));
  const names = new Set(targets.map(({ name }) => name));
  return (
    !forgotten &&
    told.length === claims.length &&
    claims.every(({ syncs, groups }) => syncs || groups.length > 0) &&
    grants.every(({ origin }) => !origin.startsWith('jit:') || known.has(origin)) &&
    bySignIn.every(({ mapping }) => mapping.rows.every(({ target }) => target === null || names.has(target)))
  );
}

/** Whether the roles by whose ranks the rows of the document were ordered are all there. */
function knowsRanks({ document, roles }: VersionRow): boolean {
  if (document.conflict_strategy !== 'highest_role') return true;
  const names = new Set([...BUILT_IN_ROLES, ...roles].map(({ name }) => name));
  return document.mappings.every(({ role_name }) => names.has(role_name));
}

function tooFarBack(cause: unknown): AppError {
  return new AppError('invalid_request', 'Too much has happened since then to be undone in 5 seconds', {
    reason: 'too_far_back',
    pointer: 'at',
    hint: "Ask for a later moment, or read the user's events: grants and memberships are told with their reasons.",
    cause,
  });
}
