import { isDeepStrictEqual } from 'node:util';
import {
  currentMapping,
  type GroupReference,
  type MappingDocument,
  type State,
  type Team,
} from './reconcile.ts';

/** How the mapping follows when what it names gets another name: as a new version, where anything changes. */

/**
 * Rows that named the group follow. Where another bearer of the old name stays behind, the row stays for it and a copy
 * follows; where another bears the new name already, what follows is for this directory alone, so that nobody else
 * gains by it. The list of owner groups knows no directories, and in that case does not follow.
 */
export function renameGroupInMapping(state: State, key: string, after: string): void {
  const document = currentMapping(state);
  const group = state.groups[key];
  if (document === undefined || group === undefined) return;
  const { directory, displayName: before } = group;
  const others = [
    ...Object.entries(state.groups).flatMap(([other, { displayName }]) =>
      other === key ? [] : [displayName],
    ),
    ...state.syncs.flatMap((sync) => sync.groups),
  ];
  const [keepOld, newTaken] = [others.includes(before), others.includes(after)];
  const follow = <Reference extends GroupReference>(row: Reference): Reference[] => {
    if (row.group_name !== before || row.identity_provider !== undefined) return [row];
    if (row.directory === directory) return [{ ...row, group_name: after }];
    if (row.directory !== undefined) return [row];
    const scoped =
      keepOld || newTaken ? { ...row, group_name: after, directory } : { ...row, group_name: after };
    return keepOld ? [row, scoped] : [scoped];
  };
  const owners = document.tenant_owners_groups?.flatMap((name) => {
    if (name !== before || newTaken) return [name];
    return keepOld ? [before, after] : [after];
  });
  store(state, {
    ...document,
    ...(owners && { tenant_owners_groups: [...new Set(owners)] }),
    ...(document.tenant_permission && { tenant_permission: followAll(document.tenant_permission, follow) }),
    mappings: followAll(document.mappings, follow),
  });
}

/** The rows with what becomes of them, but for what an earlier one says already: it would only repeat it. */
function followAll<Row extends GroupReference>(rows: readonly Row[], follow: (row: Row) => Row[]): Row[] {
  const kept: Row[] = [];
  for (const row of rows) {
    const repeats = (each: Row) =>
      kept.some(
        (other) =>
          (other.directory ?? each.directory) === each.directory &&
          isDeepStrictEqual({ ...other, directory: '' }, { ...each, directory: '' }),
      );
    kept.push(...follow(row).filter((each) => each === row || !repeats(each)));
  }
  return kept;
}

/** Rows that named the team follow, and what a sign-in is synced by goes on giving the same team. */
export function renameTeamInMapping(state: State, { kind, name }: Team, after: string): void {
  const field = kind === 'team' ? 'team_name' : 'case_group_name';
  const renamed = (document: MappingDocument): MappingDocument => ({
    ...document,
    mappings: document.mappings.map((row) => (row[field] === name ? { ...row, [field]: after } : row)),
  });
  const document = currentMapping(state);
  if (document !== undefined) store(state, renamed(document));
  for (const sync of state.syncs) sync.mapping &&= renamed(sync.mapping);
}

function store(state: State, document: MappingDocument): void {
  if (!isDeepStrictEqual(document, currentMapping(state))) state.versions.push(document);
}
