import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Team, teamForUpdate, updateTeam as writeTeam } from '../reconcile/teams.ts';
import { teamNameTaken } from './create-team.ts';

export interface UpdateTeam {
  readonly tenantId: string;
  readonly teamId: string;
  readonly name?: string;
  /** null: none; absent: as it is. */
  readonly externalId?: string | null;
}

/**
 * Changes what is named; where nothing differs, nothing is written.
 * @throws AppError `conflict` (`name_taken`).
 */
export async function updateTeam(
  context: Context,
  actor: Actor,
  { tenantId, teamId, ...change }: UpdateTeam,
): Promise<Team> {
  const at = context.now();
  const occasion = { tenantId, actor, at, changeId: uuid() };
  return transaction(context.db, async (trx) => {
    const before = await teamForUpdate(trx, tenantId, teamId);
    if (before === undefined) throw notFound('Team');
    const { name = before.name, externalId = before.externalId } = change;
    if (name === before.name && externalId === before.externalId) return before;
    const after: Team = { ...before, name, externalId, updatedAt: at };
    await writeTeam(trx, tenantId, after).catch((error: unknown) => {
      throw violates(error, 'team_name_key') ? teamNameTaken(after) : error;
    });
    await record(trx, occasion, [
      { type: 'team.updated', resourceType: 'Team', resourceId: teamId, before, after },
    ]);
    return after;
  });
}
