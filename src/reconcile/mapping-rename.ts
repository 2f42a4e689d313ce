import {
  canonicalDocument,
  type GroupReference,
  type MappingDocument,
  type MappingRow,
  sameDocument,
} from './mapping-document.ts';
import { teamOf } from './mapping-rows.ts';
import type { Team } from './teams.ts';

export interface GroupRename {
  /** The name of the directory whose group it is. */
  readonly directory: string;
  readonly before: string;
  readonly after: string;
  /** A group of another directory, or a claim, still bears the old name: what names it is kept for those. */
  readonly keepOld: boolean;
  /**
   * A group of another directory, or a claim, bears the new name already: following must not give it what the renamed
   * group had. Rows then follow for the directory alone, and the list of owners, which knows no directories, does not.
   */
  readonly newTaken?: boolean;
}

/**
 * The canonical document after a group of a directory got another name; undefined: nothing in it changes. What names
 * the group for any source or for this directory follows. What is for another directory, for an identity provider, or
 * names groups by id stays as it is.
 *
 * With `keepOld` a row without a source stays, and a copy for the directory follows directly behind it. Precedence
 * does not change: the copy stands to every other row as the row before it, and between the two nothing is decided,
 * since they give the same. Where another row names the new name already, the group comes under both, and they decide
 * in the order in which they stand; of two that give the same the later one is dropped, so that a group that is
 * renamed and renamed back leaves no rows behind. The copies may bring a document above its limit of rows: a rename is
 * never refused for that, the next edit by hand is.
 */
export function renameGroup(document: MappingDocument, rename: GroupRename): MappingDocument | undefined {
  const canonical = canonicalDocument(document);
  const { tenant_owners_groups: owners, tenant_permission: entries, mappings } = canonical;
  const names = (reference: GroupReference) => namesGroup(reference, rename);
  const ownersFollow = !rename.newTaken && owners?.includes(rename.before) === true;
  const isNamed = ownersFollow || entries?.some(names) || mappings.some(names);
  if (rename.before === rename.after || !isNamed) return undefined;
  const renamed = {
    ...canonical,
    ...(owners && ownersFollow && { tenant_owners_groups: followInOwners(owners, rename) }),
    ...(entries && { tenant_permission: follow(entries, rename) }),
    mappings: follow(mappings, rename),
  };
  // All that follows may be said already.
  return sameDocument(renamed, canonical) ? undefined : renamed;
}

/**
 * The canonical document after a team or case group got another name; undefined: no row names it. Every row keeps its
 * place, so precedence does not change. Rows that named the new name before it existed now give the same team, and
 * decide beside those that followed in the order in which they stand.
 */
export function renameTeam(
  document: MappingDocument,
  { kind, before, after }: { readonly kind: Team['kind']; readonly before: string; readonly after: string },
): MappingDocument | undefined {
  const canonical = canonicalDocument(document);
  const names = (row: MappingRow) => teamOf(row).kind === kind && teamOf(row).name === before;
  if (before === after || !canonical.mappings.some(names)) return undefined;
  const renamed = kind === 'team' ? { team_name: after } : { case_group_name: after };
  return {
    ...canonical,
    mappings: canonical.mappings.map((row) => (names(row) ? { ...row, ...renamed } : row)),
  };
}

/**
 * JSON pointers of what named the group by its old name and does not follow: where the mapping is not to follow at all,
 * everything; else the list of owners, where somebody else bears the new name already.
 */
export function leftBehind(document: MappingDocument, rename: GroupRename, follows: boolean): string[] {
  if (follows && !rename.newTaken) return [];
  const { tenant_owners_groups: owners = [], tenant_permission: entries = [], mappings } = document;
  const pointers = (references: readonly GroupReference[], list: string) =>
    references.flatMap((each, index) => (namesGroup(each, rename) ? [`/${list}/${index}`] : []));
  return [
    ...owners.flatMap((name, index) => (name === rename.before ? [`/tenant_owners_groups/${index}`] : [])),
    ...(follows ? [] : [...pointers(entries, 'tenant_permission'), ...pointers(mappings, 'mappings')]),
  ];
}

function namesGroup(reference: GroupReference, { directory, before }: GroupRename): boolean {
  const ofAny = reference.directory === undefined && reference.identity_provider === undefined;
  return reference.group_name === before && (ofAny || reference.directory === directory);
}

/** The references after the rename, without those that an earlier one makes needless. */
function follow<Reference extends GroupReference>(
  references: readonly Reference[],
  rename: GroupRename,
): Reference[] {
  const earlier = new Set<string>();
  const isNew = (each: Reference) =>
    !earlier.has(JSON.stringify(each)) && !earlier.has(JSON.stringify({ ...each, directory: undefined }));
  return references.flatMap((reference) => {
    const after = namesGroup(reference, rename) ? followed(reference, rename) : [reference];
    const kept = after.filter((each) => each === reference || isNew(each));
    for (const each of kept) earlier.add(JSON.stringify(each));
    return kept;
  });
}

/** What becomes of a reference to the group: itself, where it is kept, and what follows. */
function followed<Reference extends GroupReference>(reference: Reference, rename: GroupRename): Reference[] {
  const { directory, after, keepOld, newTaken } = rename;
  const renamed = { ...reference, group_name: after };
  // A name is unique in its directory: no other group there bears the old one still, or bore the new one before.
  if (reference.directory === directory) return [renamed];
  const copy = keepOld || newTaken ? { ...renamed, directory } : renamed;
  return keepOld ? [reference, copy] : [copy];
}

/** Each name once: the new one may stand there already. */
function followInOwners(owners: readonly string[], { before, after, keepOld }: GroupRename): string[] {
  const names = owners.flatMap((name) => {
    if (name !== before) return [name];
    return keepOld ? [before, after] : [after];
  });
  return [...new Set(names)];
}
