import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { noteHolders } from '../db/noted.ts';
import { runIn, sendBy, transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { deleteTeamRow } from '../reconcile/teams.ts';
import { reconciled } from './reviewed.ts';

export interface DeleteTeam {
  readonly tenantId: string;
  readonly teamId: string;
}

/** Deletes a team; what users held of it ends with it, and rows of the mapping that name it give nothing. */
export async function deleteTeam(
  context: Context,
  actor: Actor,
  { tenantId, teamId }: DeleteTeam,
): Promise<void> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
    const before = await deleteTeamRow(trx, tenantId, teamId);
    if (before === undefined) throw notFound('Team');
    const send = sendBy(trx);
    const [[noted]] = await send([noteHolders(tenantId, teamId)]);
    await send([reconciled(occasion, noted?.users ?? 0)]);
    await record(trx, occasion, [{ type: 'team.deleted', resourceType: 'Team', resourceId: teamId, before }]);
  });
}
