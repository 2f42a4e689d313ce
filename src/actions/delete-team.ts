import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { deleteTeamRow } from '../reconcile/teams.ts';

export interface DeleteTeam {
  readonly tenantId: string;
  readonly teamId: string;
}

export async function deleteTeam(
  context: Context,
  actor: Actor,
  { tenantId, teamId }: DeleteTeam,
): Promise<void> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, async (trx) => {
    const before = await deleteTeamRow(trx, tenantId, teamId);
    if (before === undefined) throw notFound('Team');
    await record(trx, occasion, [{ type: 'team.deleted', resourceType: 'Team', resourceId: teamId, before }]);
  });
}
