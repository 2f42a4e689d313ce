import type { Transaction } from 'kysely';
import type { Tables, TeamGrant } from '../db/tables.ts';
import { runIn } from '../db/transaction.ts';
import { isUuid } from '../directory/uuid.ts';
import { AppError } from '../errors.ts';
import { rolesOf } from '../reconcile/roles.ts';
import { type TeamName, teamsNamed } from '../reconcile/teams.ts';
import type { DefaultTeam } from '../tenants/identity-providers.ts';

/** A team by its id or its name, and a role in any case: how admins name what somebody is to get. */
export interface NamedGrant {
  readonly team: string;
  readonly role: string;
}

/** What can be named in a tenant. */
export interface Grantable {
  readonly teams: readonly TeamName[];
  /** Names, most to least permissive. */
  readonly roles: readonly string[];
}

/** Why a grant names nothing: which of its members, in which words. */
export interface GrantFault {
  readonly member: 'team' | 'role';
  readonly reason: 'unknown_team' | 'ambiguous_team' | 'unknown_role';
  readonly detail: string;
  readonly hint: string;
}

/** The roles of the tenant, and those of its teams that are named so. Behind the tenant's lock: they stay. */
export async function grantableIn(
  trx: Transaction<Tables>,
  tenantId: string,
  grants: readonly NamedGrant[],
): Promise<Grantable> {
  const names = grants.map(({ team }) => team);
  const ids = names.map((name) => name.toLowerCase()).filter(isUuid);
  return {
    teams: await runIn(trx, teamsNamed(tenantId, { ids, names })),
    roles: (await rolesOf(trx, tenantId)).map(({ name }) => name),
  };
}

/** A team's id goes before a name that looks like one. */
export function resolveGrant(
  { teams, roles }: Grantable,
  { team, role }: NamedGrant,
): TeamGrant | GrantFault {
  const byId = teams.filter(({ id }) => id === team.toLowerCase());
  const [found, another] = byId.length > 0 ? byId : teams.filter(({ name }) => name === team);
  if (found === undefined) {
    const hint = 'Name it by its id, or by its name with the same capitals.';
    return { member: 'team', reason: 'unknown_team', detail: `the tenant has no team "${team}"`, hint };
  }
  if (another !== undefined) {
    const detail = `a team and a case group are called "${team}"`;
    return { member: 'team', reason: 'ambiguous_team', detail, hint: 'Name it by its id.' };
  }
  const name = role.toUpperCase();
  if (roles.includes(name)) return { teamId: found.id, role: name };
  const hint = `Possible: ${roles.join(', ')}.`;
  return { member: 'role', reason: 'unknown_role', detail: `the tenant has no role "${role}"`, hint };
}

/**
 * The grants of a request as they are stored. Behind the tenant's lock.
 * @throws AppError `invalid_request`: `unknown_team`, `ambiguous_team`, `unknown_role`, `team_twice`, with the pointer.
 */
export async function readGrants(
  trx: Transaction<Tables>,
  tenantId: string,
  grants: readonly NamedGrant[],
): Promise<TeamGrant[]> {
  const grantable = await grantableIn(trx, tenantId, grants);
  const seen = new Set<string>();
  return grants.map((grant, place) => {
    const read = resolveGrant(grantable, grant);
    if ('member' in read) throw faultOf(`/grants/${place}/${read.member}`, read);
    if (seen.has(read.teamId)) throw teamTwice(`/grants/${place}/team`);
    seen.add(read.teamId);
    return read;
  });
}

/**
 * What an identity provider gives to whom it creates, as it is stored. Behind the tenant's lock.
 * @throws AppError `invalid_request`: `unknown_team`, `ambiguous_team`, `unknown_role`, with the pointer.
 */
export async function readDefaultTeam(
  trx: Transaction<Tables>,
  tenantId: string,
  grant: NamedGrant,
): Promise<DefaultTeam> {
  const read = resolveGrant(await grantableIn(trx, tenantId, [grant]), grant);
  if ('member' in read) throw faultOf(`/defaultTeam/${read.member}`, read);
  return { team: read.teamId, role: read.role };
}

function faultOf(pointer: string, { reason, detail, hint }: GrantFault): AppError {
  return new AppError('invalid_request', `${pointer}: ${detail}`, { reason, pointer, hint });
}

function teamTwice(pointer: string): AppError {
  return new AppError('invalid_request', `${pointer}: the team is named twice`, {
    reason: 'team_twice',
    pointer,
    hint: 'A user has one role in a team: keep one of the two.',
  });
}
