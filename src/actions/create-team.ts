import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { noteReached } from '../db/noted.ts';
import { runIn, sendBy, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { insertTeam, type Team } from '../reconcile/teams.ts';
import { holdTenant } from '../tenants/tenants.ts';
import { reconciled } from './reviewed.ts';

export interface CreateTeam {
  readonly tenantId: string;
  readonly name: string;
  /** Absent: a team. */
  readonly kind?: Team['kind'];
  readonly externalId?: string | null;
}

/**
 * Creates a team; whom rows of the mapping reach that name it already become members.
 * @throws AppError `conflict` (`name_taken`).
 */
export async function createTeam(
  context: Context,
  actor: Actor,
  { tenantId, name, kind = 'team', externalId = null }: CreateTeam,
): Promise<Team> {
  const at = context.now();
  const team: Team = { id: uuid(), name, kind, externalId, createdAt: at, updatedAt: at };
  const occasion = { tenantId, actor, at, changeId: uuid() };
  try {
    await transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantExclusive(tenantId));
      if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
      await insertTeam(trx, tenantId, team);
      // Rows of the mapping may have named it before it was there.
      const send = sendBy(trx);
      const [[noted]] = await send([noteReached(tenantId, team)]);
      if (noted?.users) await send([reconciled(occasion, noted.users)]);
      await record(trx, occasion, [
        { type: 'team.created', resourceType: 'Team', resourceId: team.id, after: team },
      ]);
    });
  } catch (error) {
    throw violates(error, 'team_name_key') ? teamNameTaken(team) : error;
  }
  return team;
}

/** The refusal of a name that another team of the kind has. */
export function teamNameTaken({ name, kind }: Pick<Team, 'name' | 'kind'>): AppError {
  const what = kind === 'team' ? 'team' : 'case group';
  return new AppError('conflict', `The tenant has a ${what} with the name "${name}" already`, {
    reason: 'name_taken',
    pointer: '/name',
  });
}
