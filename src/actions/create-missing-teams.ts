import { v7 as uuid } from 'uuid';
import type { Send } from '../db/transaction.ts';
import { AppError } from '../errors.ts';
import type { EventRow, Occasion } from '../events/record.ts';
import type { MappingDocument } from '../reconcile/mapping-document.ts';
import { teamOf } from '../reconcile/mapping-rows.ts';
import { insertMissingTeams, MAX_TEAM_NAME, TEAM_NAME, type Team } from '../reconcile/teams.ts';

/**
 * Makes the teams and case groups that a mapping names and the tenant has not; answers their events.
 * @throws AppError `invalid_request` (`invalid_mapping`) for a name that no team can have.
 */
export async function createMissingTeams(
  send: Send,
  { tenantId, at }: Pick<Occasion, 'tenantId' | 'at'>,
  { mappings }: MappingDocument,
): Promise<EventRow[]> {
  const named = new Map<string, Team>();
  mappings.forEach((row, index) => {
    const team = teamOf(row);
    if ([...team.name].length > MAX_TEAM_NAME || !TEAM_NAME.test(team.name)) {
      throw new AppError(
        'invalid_request',
        `No team can have the name at /mappings/${index}: at most ${MAX_TEAM_NAME} characters, no control characters`,
        { reason: 'invalid_mapping', pointer: `/mappings/${index}` },
      );
    }
    const key = JSON.stringify(team);
    if (!named.has(key)) {
      named.set(key, { ...team, id: uuid(), externalId: null, createdAt: at, updatedAt: at });
    }
  });
  const teams = [...named.values()];
  const [created] = await send([insertMissingTeams(tenantId, teams)]);
  const ids = new Set(created.map(({ id }) => id));
  return teams
    .filter(({ id }) => ids.has(id))
    .map((after) => ({ type: 'team.created', resourceType: 'Team', resourceId: after.id, after }));
}
