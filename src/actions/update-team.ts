import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { noteReached } from '../db/noted.ts';
import type { Tables } from '../db/tables.ts';
import { runIn, sendBy, transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { type Occasion, record } from '../events/record.ts';
import { type Team, teamForUpdate, updateTeam as writeTeam } from '../reconcile/teams.ts';
import { teamNameTaken } from './create-team.ts';
import { followTeam } from './follow-rename.ts';
import { reconciled } from './reviewed.ts';

export interface UpdateTeam {
  readonly tenantId: string;
  readonly teamId: string;
  readonly name?: string;
  /** null: none; absent: as it is. */
  readonly externalId?: string | null;
}

/**
 * Changes what is named; where nothing differs, nothing is written. The rows of the mapping follow a new name.
 * @throws AppError `conflict` (`name_taken`).
 */
export async function updateTeam(
  context: Context,
  actor: Actor,
  { tenantId, teamId, ...change }: UpdateTeam,
): Promise<Team> {
  const at = context.now();
  const occasion = { tenantId, actor, at, changeId: uuid() };
  return transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantExclusive(tenantId));
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
    if (name !== before.name) await follow(trx, occasion, before, name);
    return after;
  });
}

async function follow(
  trx: Transaction<Tables>,
  occasion: Occasion,
  { id, kind, name: before }: Team,
  after: string,
): Promise<void> {
  const send = sendBy(trx);
  await followTeam(send, occasion, { kind, before, after });
  // Rows that named the new name so far gave nothing, and now give this team; a takeover concerns who holds it.
  const [[noted]] = await send([noteReached(occasion.tenantId, { kind, name: after, id })]);
  await send([reconciled(occasion, noted?.users ?? 0)]);
}
