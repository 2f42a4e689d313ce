import type { Transaction } from 'kysely';
import { validate as isUuid, NIL } from 'uuid';
import type { Tables } from '../db/tables.ts';
import { AppError } from '../errors.ts';
import { rolesOf } from '../reconcile/roles.ts';
import { teamById, teamByName } from '../reconcile/teams.ts';
import type { DefaultTeam } from '../tenants/identity-providers.ts';
import type { ProviderInput } from '../tenants/provider-settings.ts';

/**
 * The team and role that an admin named. A text in the form of an id is the id where there is such a team.
 * @throws AppError `invalid_request`: `unknown_team`, `unknown_role`, at the JSON pointer.
 */
export async function readDefaultTeam(
  trx: Transaction<Tables>,
  tenantId: string,
  input: NonNullable<ProviderInput['defaultTeam']>,
): Promise<DefaultTeam> {
  const role = input.role.toUpperCase();
  const team =
    (await teamById(trx, tenantId, isUuid(input.team) ? input.team : NIL)) ??
    (await teamByName(trx, tenantId, input.team));
  if (team === undefined) throw unknown('team', input.team);
  if (!(await rolesOf(trx, tenantId)).some(({ name }) => name === role)) throw unknown('role', input.role);
  return { team: team.id, role };
}

function unknown(what: 'team' | 'role', name: string): AppError {
  return new AppError('invalid_request', `The tenant has no ${what} "${name}"`, {
    reason: `unknown_${what}`,
    pointer: `/defaultTeam/${what}`,
  });
}
