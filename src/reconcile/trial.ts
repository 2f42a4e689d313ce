import type { TenantSettings } from '../context.ts';
import type { Database } from '../db/database.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { runAlone, snapshot } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { foldText } from '../scim/fold.ts';
import { type Mapping, mappingOf, NO_MAPPING, type Reach, type Source, type SourceGroup } from './decide.ts';
import { factsNow } from './explain-now.ts';
import { type Facts, type Grant, reachedBy, type Target, targetIds } from './explanation.ts';
import { isManagedOrigin, MANUAL, OWNER } from './grants.ts';
import { currentMapping, knownNames, namesForMapping } from './mapping.ts';
import { readMappingDocument } from './mapping-document.ts';

/** The facts about a person as somebody tries them: other groups, another document. Nothing is written. */

export interface Trial {
  readonly tenantId: string;
  readonly settings: Pick<TenantSettings, 'ownersByUserType' | 'takeover'>;
  readonly now: Date;
  /** Whose facts they are but for what is tried; absent: nobody's. */
  readonly userId?: string | undefined;
  /** The names of all groups that the person shall have. */
  readonly groups?: readonly string[] | undefined;
  /** Who says so: at most one of them. Absent: who manages the user; of nobody the directory `default`. */
  readonly directory?: string | undefined;
  readonly identityProvider?: string | undefined;
  readonly userType?: string | undefined;
  readonly active?: boolean | undefined;
  /** A document as it would be put. */
  readonly document?: unknown;
}

const NOBODY: Facts = {
  user: { id: null, userName: null, active: true, managedBy: null },
  at: new Date(0),
  mappingVersion: null,
  state: 'tried',
  ...{ sources: [], ownerByType: null, grants: [], targets: [], limits: [] },
};

/**
 * The facts as they would be. The last owner is not tried: `retention` concerns all owners together.
 * @throws AppError `not_found` for the user; `invalid_mapping`; `invalid_request` (`unknown_directory`,
 *   `unknown_identity_provider`).
 */
export async function factsTried(db: Database, trial: Trial): Promise<Facts> {
  const { tenantId, userId, now, document } = trial;
  const base = userId === undefined ? NOBODY : await factsNow(db, { tenantId, userId, now });
  if (base === undefined) throw notFound('User');
  const origin = originOf(trial, base);
  const [[names], [current], existing] = await snapshot(db, [
    namesForMapping(tenantId),
    currentMapping(tenantId),
    groupsNamed(tenantId, origin, trial.groups ?? []),
  ]);
  const { known, roles } = knownNames(names);
  requireDirectory(origin, known.directories);
  requireIdentityProvider(trial, known.identityProviders);
  const wanted =
    document === undefined ? current : { version: null, document: readMappingDocument(document, known) };
  const mapping = wanted ? mappingOf(wanted, roles) : NO_MAPPING;
  const sources = sourcesOf(trial, { base, origin, mapping, existing });
  const ownerByType = ownsByType(trial, base, origin) ? origin : null;
  const user = { ...base.user, active: trial.active ?? base.user.active };
  const reached = reachedBy({ sources, ownerByType });
  const targets = [...base.targets, ...(await targetsNamed(db, tenantId, reached))];
  const tried = { ...base, user, at: now, sources, ownerByType, targets, state: 'tried' as const };
  const grants = [...desired(tried, reached), ...keptGrants(trial, tried, mapping)];
  return { ...tried, mappingVersion: mapping.version, grants };
}

/** Who says what groups the person has. */
function originOf({ directory, identityProvider }: Trial, { user }: Facts): string {
  if (directory !== undefined) return `scim:${directory}`;
  if (identityProvider !== undefined) return `jit:${identityProvider}`;
  return user.managedBy ?? 'scim:default';
}

function requireDirectory(origin: string, known: ReadonlySet<string>): void {
  if (!origin.startsWith('scim:') || known.has(origin.slice('scim:'.length))) return;
  throw new AppError('invalid_request', `The tenant has no directory "${origin.slice('scim:'.length)}"`, {
    reason: 'unknown_directory',
    pointer: '/directory',
  });
}

function requireIdentityProvider({ identityProvider }: Trial, known: ReadonlySet<string>): void {
  if (identityProvider === undefined || known.has(identityProvider)) return;
  throw new AppError('invalid_request', `The tenant has no identity provider "${identityProvider}"`, {
    reason: 'unknown_identity_provider',
    pointer: '/identityProvider',
  });
}

interface Around {
  readonly base: Facts;
  readonly origin: string;
  readonly mapping: Mapping;
  /** Groups of that origin that exist, by the names that are tried. */
  readonly existing: readonly SourceGroup[];
}

function sourcesOf(
  { groups, document }: Trial,
  { base, origin, mapping, existing }: Around,
): readonly Source[] {
  if (groups === undefined) {
    return document === undefined ? base.sources : base.sources.map((source) => ({ ...source, mapping }));
  }
  const byName = new Map(existing.map((group) => [group.name, group]));
  const isClaim = origin.startsWith('jit:');
  const made = (name: string): SourceGroup => ({ id: null, name, externalId: isClaim ? name : null });
  return [{ origin, mapping, syncs: true, groups: groups.map((name) => byName.get(name) ?? made(name)) }];
}

function ownsByType({ userType, settings }: Trial, { ownerByType }: Facts, origin: string): boolean {
  if (!settings.ownersByUserType || !origin.startsWith('scim:')) return false;
  return userType === undefined ? ownerByType !== null : foldText(userType) === 'tenant_owner';
}

/** What the rows that reach the person claim: of each origin and target the first. */
function desired({ user, targets }: Pick<Facts, 'user' | 'targets'>, reached: readonly Reach[]): Grant[] {
  const idOf = targetIds(targets);
  const first = new Map<string, Grant>();
  for (const reach of user.active ? reached : []) {
    const targetId = idOf(reach);
    if (targetId === undefined || !reach.counts) continue;
    const { origin, role, mappingVersion, row, precedence, group } = reach;
    const claim = { targetId, origin, role, mappingVersion, row, precedence, group };
    const place = `${origin} ${targetId}`;
    if (!first.has(place)) first.set(place, { ...claim, ...TRIED, suspended: false });
  }
  return [...first.values()];
}

const TRIED = { since: null, changeId: null, event: null };

/** The user's grants that no sync writes; without those that `takeover` would end. */
function keptGrants(
  { settings }: Trial,
  { user, sources, grants, targets }: Facts,
  { rows }: Mapping,
): Grant[] {
  const idOf = targetIds(targets);
  const governed = new Set(rows.map(idOf));
  if (settings.ownersByUserType) governed.add(OWNER);
  const ends = ({ origin, targetId }: Grant) =>
    origin === MANUAL && settings.takeover && sources.some(({ syncs }) => syncs) && governed.has(targetId);
  return grants
    .filter((grant) => !isManagedOrigin(grant.origin) && !ends(grant))
    .map((grant) => ({ ...grant, suspended: !user.active }));
}

const groupsNamedStatement = statement<SourceGroup>(
  'groups_named',
  `select g.id, g.display_name as name, g.external_id as "externalId"
   from directory d join scim_group g on g.tenant_id = $1 and g.directory_id = d.id
   where d.tenant_id = $1 and 'scim:' || d.name = $2 and g.display_name = any ($3::text[])`,
);

/** The groups of a directory that have these names, so that rows find them by their ids too. */
function groupsNamed(tenantId: string, origin: string, names: readonly string[]): Step<SourceGroup> {
  return step(groupsNamedStatement, [tenantId, origin, names]);
}

const targetsNamedStatement = statement<Target>(
  'targets_named',
  `select id, kind, name from team
   where tenant_id = $1 and (kind, name) in (select * from unnest($2::text[], $3::text[]))
   union all
   select id, 'permission', name from permission
   where tenant_id = $1 and ('permission', name) in (select * from unnest($2::text[], $3::text[]))`,
);

async function targetsNamed(db: Database, tenantId: string, reached: readonly Reach[]): Promise<Target[]> {
  const kinds = reached.map(({ kind }) => kind);
  const names = reached.map(({ target }) => target ?? '');
  return runAlone(db, step(targetsNamedStatement, [tenantId, kinds, names]));
}
