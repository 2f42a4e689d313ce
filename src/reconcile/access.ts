import type { TenantSettings } from '../context.ts';
import type { Database } from '../db/database.ts';
import type { Page } from '../db/page.ts';
import { type Statement, type Step, statement, step } from '../db/statement.ts';
import { runAlone } from '../db/transaction.ts';
import { firstGrant, OWNER } from './grants.ts';
import { matchedText, NOTED, type Scope } from './plan-sql.ts';
import type { Team } from './teams.ts';

/**
 * What users hold: of each target their first grant that is not suspended. Read from grants alone, so that it is
 * what the last reconciliation wrote; only `via` is computed as it is asked for.
 */

export interface Access {
  readonly tenantOwner: boolean;
  /** Names, sorted. */
  readonly permissions: readonly string[];
  /** By the names of the teams. */
  readonly memberships: readonly Membership[];
}

export interface Membership extends Holding {
  readonly team: Pick<Team, 'id' | 'name' | 'kind'>;
}

interface Holding {
  readonly role: string;
  /** Of the grant that holds: `manual`, `scim:<directory>`, `jit:<identity provider>`, … */
  readonly origin: string;
  /**
   * The user's groups or claims by which that origin gives the team now, the one that decides the role first. Of
   * grants that no mapping gave: none.
   */
  readonly via: readonly string[];
}

interface HeldRow {
  readonly user_id: string;
  readonly target_id: string;
  readonly origin: string;
  readonly role: string | null;
  readonly team: string | null;
  readonly kind: Team['kind'] | null;
  readonly permission: string | null;
}

const heldText = ({ noted, within }: Pick<Scope, 'noted' | 'within'>) => `with ${noted}held as (
     select distinct on (g.user_id, g.target_id) g.user_id, g.target_id, g.origin, g.role
     from access_grant g
     where g.tenant_id = $1 and ${within('g.user_id')} and not g.suspended
     order by g.user_id, g.target_id, ${firstGrant('g.origin', 'g.precedence')}
   )
   select h.*, t.name as team, t.kind, p.name as permission
   from held h
   left join team t on t.tenant_id = $1 and t.id = h.target_id
   left join permission p on p.tenant_id = $1 and p.id = h.target_id
   order by t.name, t.kind, p.name`;

interface ViaRow {
  readonly user_id: string;
  readonly target_id: string;
  readonly origin: string;
  readonly via: string[];
}

const ONE_USER: Scope = { noted: '', within: (column) => `${column} = $2::uuid`, few: true };
const LISTED_USERS: Scope = { noted: '', within: (column) => `${column} = any ($2::uuid[])`, few: true };

const heldByUsersStatement = statement<HeldRow>('held_by_users', heldText(LISTED_USERS));
const heldByNotedStatement = statement<HeldRow>('held_by_noted', heldText(NOTED));

/** `which` says of which targets. */
const viaText = (users: Scope, which: string) => `with ${matchedText(users)}, named as (
     select user_id, target_id, origin, group_name, min(precedence) as precedence
     from matched where group_name is not null and ${which}
     group by user_id, target_id, origin, group_name
   )
   select user_id, target_id, origin, array_agg(group_name order by precedence, group_name) as via
   from named group by user_id, target_id, origin`;

// Planning takes longer (10 ms) than reading one user (0.5 ms), so that is prepared, and by equality: PostgreSQL takes
// a list for ten, and would plan it anew for one. Lists are planned for their length: the plan for ten is ten times as
// slow for a thousand.
const viaOfUserStatement = statement<ViaRow>('via_of_user', viaText(ONE_USER, 'true'));
const viaOfNotedStatement = statement<ViaRow>('via_of_noted', viaText(NOTED, 'true'));
const viaOfUsers: Statement<ViaRow> = { text: viaText(LISTED_USERS, 'true') };
const viaOfMembers: Statement<ViaRow> = { text: viaText(LISTED_USERS, 'target_id = $3') };

/** Two statements, because a join of two long CTEs has no good plan; to be sent in one snapshot. */
export function accessSteps(
  tenantId: string,
  userIds: readonly string[],
): readonly [Step<HeldRow>, Step<ViaRow>] {
  const [only, ...others] = userIds;
  const isOne = only !== undefined && others.length === 0;
  return [
    step(heldByUsersStatement, [tenantId, userIds]),
    isOne ? step(viaOfUserStatement, [tenantId, only]) : step(viaOfUsers, [tenantId, userIds]),
  ];
}

/** The same of the users whom this transaction has noted (`db/noted.ts`), who are few. */
export function accessOfNoted(tenantId: string): readonly [Step<HeldRow>, Step<ViaRow>] {
  return [step(heldByNotedStatement, [tenantId]), step(viaOfNotedStatement, [tenantId])];
}

/** What `accessSteps` answered, by user; who holds nothing is not in it. */
export function accessByUser(held: readonly HeldRow[], via: readonly ViaRow[]): ReadonlyMap<string, Access> {
  const viaOf = viaByGrant(via);
  const rowsOf = new Map<string, HeldRow[]>(held.map(({ user_id }) => [user_id, []]));
  for (const row of held) rowsOf.get(row.user_id)?.push(row);
  return new Map([...rowsOf].map(([userId, rows]) => [userId, accessOf(rows, viaOf)]));
}

/** The access of those who hold nothing. */
export const NO_ACCESS: Access = { tenantOwner: false, permissions: [], memberships: [] };

/** What a product does with a user: whether to let them in, and what they may do there. */
export interface AccessDecision extends Pick<Access, 'tenantOwner' | 'permissions'> {
  readonly signIn: 'allow' | 'deny';
  readonly teams: readonly TeamAccess[];
}

type TeamAccess = Membership['team'] & {
  readonly role: string;
  readonly managedBy: string;
  readonly via: readonly string[];
};

/** Lets in who is active, and holds something where the tenant asks for it (`unmappedUsers`). */
export function decideAccess(
  { tenantOwner, permissions, memberships }: Access,
  { active, unmappedUsers }: { readonly active: boolean } & Pick<TenantSettings, 'unmappedUsers'>,
): AccessDecision {
  const holdsNothing = !tenantOwner && permissions.length === 0 && memberships.length === 0;
  return {
    signIn: active && !(holdsNothing && unmappedUsers === 'deny') ? 'allow' : 'deny',
    tenantOwner,
    permissions,
    teams: memberships.map(({ team, role, origin, via }) => ({ ...team, role, managedBy: origin, via })),
  };
}

/** A membership that became another one. */
export interface AccessChange {
  readonly change: 'add' | 'change' | 'remove';
  /** Name. */
  readonly team: string;
  readonly teamId: string;
  readonly kind: Team['kind'];
  /** null: none any more. */
  readonly role: string | null;
  /** null: none so far. */
  readonly was: string | null;
}

/** What differs between the memberships that a user held and those that they hold. */
export function accessChanges(before: Access, after: Access): AccessChange[] {
  const roles = (access: Access) => new Map(access.memberships.map(({ team, role }) => [team.id, role]));
  const [had, has] = [roles(before), roles(after)];
  const change = ({ team: { id, name, kind } }: Membership, type: AccessChange['change']) => ({
    change: type,
    team: name,
    teamId: id,
    kind,
    role: has.get(id) ?? null,
    was: had.get(id) ?? null,
  });
  return [
    ...after.memberships.flatMap((each) => {
      const was = had.get(each.team.id);
      return was === each.role ? [] : change(each, was === undefined ? 'add' : 'change');
    }),
    ...before.memberships.flatMap((each) => (has.has(each.team.id) ? [] : change(each, 'remove'))),
  ];
}

function accessOf(rows: readonly HeldRow[], viaOf: ViaOf): Access {
  return {
    tenantOwner: rows.some(({ target_id }) => target_id === OWNER),
    permissions: rows.flatMap(({ permission }) => permission ?? []),
    memberships: rows.flatMap((row) => {
      const { target_id: id, team: name, kind, role, origin } = row;
      if (name === null || kind === null || role === null) return [];
      return { team: { id, name, kind }, role, origin, via: viaOf(row) };
    }),
  };
}

type ViaOf = (grant: Omit<ViaRow, 'via'>) => readonly string[];

function viaByGrant(rows: readonly ViaRow[]): ViaOf {
  const keyOf: (grant: Omit<ViaRow, 'via'>) => string = ({ user_id, target_id, origin }) =>
    `${user_id} ${target_id} ${origin}`;
  const known = new Map(rows.map((row) => [keyOf(row), row.via]));
  return (grant) => known.get(keyOf(grant)) ?? [];
}

export interface TeamMember extends Holding {
  readonly userId: string;
}

interface MemberRow {
  readonly target_id: string;
  /** null, in the only row: the page has nobody. */
  readonly user_id: string | null;
  readonly origin: string;
  readonly role: string;
}

const membersOfTeamStatement = statement<MemberRow>(
  'members_of_team',
  `select t.id as target_id, m.user_id, m.origin, m.role
   from team t
   left join lateral (
     select distinct on (g.user_id) g.user_id, g.origin, g.role
     from access_grant g
     where g.tenant_id = $1 and g.target_id = t.id and g.user_id > $3 and not g.suspended
       and exists (select from scim_user u where u.tenant_id = $1 and u.id = g.user_id)
     order by g.user_id, ${firstGrant('g.origin', 'g.precedence')}
     limit $4
   ) m on true
   where t.tenant_id = $1 and t.id = $2
   order by m.user_id`,
);

/** A page of a team's members in the order of their ids; undefined: there is no such team. */
export async function membersOfTeam(
  db: Database,
  tenantId: string,
  teamId: string,
  { after, limit }: Page,
): Promise<TeamMember[] | undefined> {
  const rows = await runAlone(db, step(membersOfTeamStatement, [tenantId, teamId, after, limit]));
  if (rows.length === 0) return undefined;
  const members = rows.flatMap(({ user_id, ...row }) => (user_id === null ? [] : { ...row, user_id }));
  if (members.length === 0) return [];
  const userIds = members.map(({ user_id }) => user_id);
  const viaOf = viaByGrant(await runAlone(db, step(viaOfMembers, [tenantId, userIds, teamId])));
  return members.map((row) => ({
    userId: row.user_id,
    role: row.role,
    origin: row.origin,
    via: viaOf(row),
  }));
}

const countUnmappedStatement = statement<{ readonly users: number }>(
  'count_unmapped',
  `select count(*) as users from scim_user u
   where u.tenant_id = $1 and u.active and not exists (
     select from access_grant g where g.tenant_id = $1 and g.user_id = u.id and not g.suspended)`,
);

/** How many active users hold nothing: whom `unmappedUsers: deny` does not let sign in. */
export function countUnmapped(tenantId: string): Step<{ readonly users: number }> {
  return step(countUnmappedStatement, [tenantId]);
}
