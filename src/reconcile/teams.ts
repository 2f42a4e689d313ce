import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Page } from '../db/page.ts';
import { compiled, type Step, statement, step } from '../db/statement.ts';
import type { Tables, TeamTable } from '../db/tables.ts';
import { runAlone } from '../db/transaction.ts';
import { foldText } from '../scim/fold.ts';

/** What users become members of on the product's side. */
export const TEAM_KINDS = ['team', 'case_group'] as const;

export interface Team {
  readonly id: string;
  /** Any text, matched exactly and in its case; unique among the teams of one kind. */
  readonly name: string;
  /** Never changed: rows of the group mapping name teams and case groups by different keys. */
  readonly kind: (typeof TEAM_KINDS)[number];
  /** The product's own id of the team, whatever it is. */
  readonly externalId: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Which teams a list is of: those with this name, of this kind. */
export interface TeamFilter {
  readonly name?: string | undefined;
  readonly kind?: Team['kind'] | undefined;
}

/** @throws DatabaseError that violates `team_name_key` when the name is taken among the teams of the kind. */
export async function insertTeam(trx: Transaction<Tables>, tenantId: string, team: Team): Promise<void> {
  await trx
    .insertInto('team')
    .values({
      tenant_id: tenantId,
      id: team.id,
      name: team.name,
      name_folded: foldText(team.name),
      kind: team.kind,
      external_id: team.externalId,
      version: 1,
      created_at: team.createdAt,
      updated_at: team.updatedAt,
    })
    .execute();
}

/** Writes what can change of a team, as a new version. Throws like `insertTeam`. */
export async function updateTeam(trx: Transaction<Tables>, tenantId: string, team: Team): Promise<void> {
  await trx
    .updateTable('team')
    .set(({ eb }) => ({
      name: team.name,
      name_folded: foldText(team.name),
      external_id: team.externalId,
      version: eb('version', '+', 1),
      updated_at: team.updatedAt,
    }))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', team.id)
    .execute();
}

/** Deletes a team and answers what it was; undefined: there was none. */
export async function deleteTeamRow(
  trx: Transaction<Tables>,
  tenantId: string,
  id: string,
): Promise<Team | undefined> {
  const row = await trx
    .deleteFrom('team')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row && teamOf(row);
}

/** The team, locked against other changes of it until the transaction ends. */
export async function teamForUpdate(
  trx: Transaction<Tables>,
  tenantId: string,
  id: string,
): Promise<Team | undefined> {
  const row = await byId(trx, tenantId, id).forNoKeyUpdate().executeTakeFirst();
  return row && teamOf(row);
}

export async function teamById(
  kysely: Kysely<Tables>,
  tenantId: string,
  id: string,
): Promise<Team | undefined> {
  const row = await byId(kysely, tenantId, id).executeTakeFirst();
  return row && teamOf(row);
}

/** On the hot pool: the product asks it too. */
export async function listTeams(
  db: Database,
  tenantId: string,
  { name, kind, after, limit }: TeamFilter & Page,
): Promise<Team[]> {
  const query = db.kysely
    .selectFrom('team')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$if(name !== undefined, (teams) => teams.where('name', '=', String(name)))
    .$if(kind !== undefined, (teams) => teams.where('kind', '=', kind as Team['kind']))
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit);
  return (await runAlone(db, compiled<Selectable<TeamTable>>(query.compile(), tenantId))).map(teamOf);
}

function byId(kysely: Kysely<Tables>, tenantId: string, id: string) {
  return kysely.selectFrom('team').selectAll().where('tenant_id', '=', tenantId).where('id', '=', id);
}

function teamOf(row: Selectable<TeamTable>): Team {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    externalId: row.external_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

const hasTeamsOrRolesStatement = statement<{ answer: boolean }>(
  'has_teams_or_roles',
  `select exists (select from team where tenant_id = $1) or exists (select from role where tenant_id = $1) as answer`,
);

/** Whether the tenant has a team, or a role of its own. On the hot pool: clients ask it. */
export async function hasTeamsOrRoles(db: Database, tenantId: string): Promise<boolean> {
  const [row] = await runAlone(db, step(hasTeamsOrRolesStatement, [tenantId]));
  return row?.answer === true;
}

/** How a team may be called, when it is made for a mapping: like any other. */
export const TEAM_NAME = /^[^\p{Cc}\p{Cs}]+$/u;
export const MAX_TEAM_NAME = 200;

const insertMissingTeamsStatement = statement<{ id: string }>(
  'insert_missing_teams',
  `insert into team (tenant_id, id, name, name_folded, kind, version, created_at, updated_at)
   select $1, id, name, name_folded, kind, 1, $6, $6
   from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as i (id, name, name_folded, kind)
   on conflict (tenant_id, kind, name) do nothing
   returning id`,
);

/** Inserts those of these teams whose names are free, and answers their ids. */
export function insertMissingTeams(tenantId: string, teams: readonly Team[]): Step<{ id: string }> {
  return step(insertMissingTeamsStatement, [
    tenantId,
    teams.map((team) => team.id),
    teams.map((team) => team.name),
    teams.map((team) => foldText(team.name)),
    teams.map((team) => team.kind),
    teams[0]?.createdAt ?? new Date(0),
  ]);
}

/** A team as it is referred to. */
export type TeamName = Pick<Team, 'id' | 'name' | 'kind'>;

const teamsNamedStatement = statement<TeamName>(
  'teams_named',
  `select id, name, kind from team where tenant_id = $1 and (id = any ($2::uuid[]) or name = any ($3::text[]))`,
);

/** The teams and case groups that have one of these ids or names, in no order. */
export function teamsNamed(
  tenantId: string,
  { ids, names }: { readonly ids: readonly string[]; readonly names: readonly string[] },
): Step<TeamName> {
  return step(teamsNamedStatement, [tenantId, ids, names]);
}
