import type { GroupReference, MappingDocument, MappingRow } from './mapping-document.ts';
import { LOWEST_RANK, type Role } from './roles.ts';
import type { Team } from './teams.ts';

/** One right that a group gives: a row of table `mapping_row`, without tenant and version. */
export interface CompiledRow {
  /** `name:` or `id:` and what the group is called so: see `matchOf`. */
  readonly match: string;
  /** Lower wins where several rows give one person the same target; 0 and up, unique in a document. */
  readonly precedence: number;
  /** JSON pointer into the canonical document: `/mappings/0`, `/tenant_permission/1/permissions/0`. */
  readonly row: string;
  /** The one directory or identity provider whose groups count; both null: any. */
  readonly directory: string | null;
  readonly identityProvider: string | null;
  readonly kind: Team['kind'] | 'owner' | 'permission';
  /** The name of the team, case group or permission; null: tenant owner. */
  readonly target: string | null;
  /** null: a right without roles. */
  readonly role: string | null;
}

/**
 * The rows by which groups are joined to rights, in the order of their precedence: owner groups, permissions, then
 * teams and case groups in the order of the list or, with `highest_role`, of their roles' ranks and then of the list.
 * A role that is not among `roles`, because it was deleted since, counts least.
 */
export function compileMapping(
  document: MappingDocument,
  roles: readonly Pick<Role, 'name' | 'rank'>[],
): CompiledRow[] {
  const { tenant_owners_groups: owners = [], tenant_permission: entries = [], mappings } = document;
  const ownerRows = owners.map((name, index) => ({
    ...groupOf({ group_name: name }),
    row: `/tenant_owners_groups/${index}`,
    kind: 'owner' as const,
    target: null,
    role: null,
  }));
  const permissionRows = entries.flatMap((entry, at) =>
    entry.permissions.map((target, index) => ({
      ...groupOf(entry),
      row: `/tenant_permission/${at}/permissions/${index}`,
      kind: 'permission' as const,
      target,
      role: null,
    })),
  );
  const teamRows = mappings.map((row, index) => {
    const { kind, name: target } = teamOf(row);
    return { ...groupOf(row), row: `/mappings/${index}`, kind, target, role: row.role_name };
  });
  if (document.conflict_strategy === 'highest_role') {
    const ranks = new Map(roles.map(({ name, rank }) => [name, rank]));
    const rankOf = ({ role }: { readonly role: string }) => ranks.get(role) ?? LOWEST_RANK + 1;
    // A stable sort: rows of one rank stay in the order of the list.
    teamRows.sort((left, right) => rankOf(left) - rankOf(right));
  }
  return [...ownerRows, ...permissionRows, ...teamRows].map((row, precedence) => ({ ...row, precedence }));
}

/** The key by which a reference finds groups and claims. */
export function matchOf({ group_name, group_id }: GroupReference): string {
  return group_id === undefined ? `name:${group_name}` : `id:${group_id}`;
}

/** The team or case group that a row names. */
export function teamOf({ team_name, case_group_name }: MappingRow): Pick<Team, 'kind' | 'name'> {
  return case_group_name === undefined
    ? { kind: 'team', name: String(team_name) }
    : { kind: 'case_group', name: case_group_name };
}

function groupOf(reference: GroupReference): Pick<CompiledRow, 'match' | 'directory' | 'identityProvider'> {
  const { directory = null, identity_provider: identityProvider = null } = reference;
  return { match: matchOf(reference), directory, identityProvider };
}
