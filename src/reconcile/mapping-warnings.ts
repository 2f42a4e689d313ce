import type { GroupReference, MappingDocument } from './mapping-document.ts';
import { quoted } from './mapping-reading.ts';
import { type CompiledRow, compileMapping, matchOf, teamOf } from './mapping-rows.ts';
import { type NearName, nearNames } from './near-names.ts';
import type { Role } from './roles.ts';
import type { Team } from './teams.ts';

/** What a document states that holds, and that its author may not have meant. */
export interface MappingWarning {
  readonly code:
    | 'owner_group_empty' // no owner group has an active member
    | 'dead_row' // another row always counts before it
    | 'unknown_team'
    | 'group_never_seen' // neither pushed by SCIM nor claimed at a sign-in
    | 'near_miss' // there is something that is called nearly so
    | 'outer_white_space'; // an unknown name that begins or ends with it
  /** JSON pointer into the canonical document. */
  readonly pointer: string;
  /** What it means and what to do, for a person. */
  readonly detail: string;
}

/** A group as a source gave it: a SCIM group of a directory, or a claim of an identity provider. */
export interface SeenGroup {
  /** Exactly one of the two is null. */
  readonly directory: string | null;
  readonly identityProvider: string | null;
  readonly name: string;
  /** Of a SCIM group our id and its externalId; of a claim the claim itself. */
  readonly ids: readonly string[];
}

/**
 * What the tenant has. Of teams and groups all that the document names have to be there; others serve as what may
 * have been meant instead, so the caller may leave out as many of those as it likes: 20,000 take about 0.4 s.
 */
export interface MappingFacts {
  readonly roles: readonly Pick<Role, 'name' | 'rank'>[];
  readonly teams: readonly Pick<Team, 'kind' | 'name'>[];
  readonly groups: readonly SeenGroup[];
  /** Those of the document's owner groups that an active user is in, by SCIM or by the last claims. */
  readonly ownerGroupsWithMembers: ReadonlySet<string>;
}

/** So many are told: each of them may cost a search for what was meant. */
const MAX_WARNINGS = 1_000;

/** The first 1,000 warnings about a canonical document: its owner groups, its rows, its teams, its groups. */
export function mappingWarnings(document: MappingDocument, facts: MappingFacts): MappingWarning[] {
  const warnings: MappingWarning[] = [];
  for (const warning of everyWarning(document, facts)) {
    warnings.push(warning);
    if (warnings.length === MAX_WARNINGS) break;
  }
  return warnings;
}

function* everyWarning(document: MappingDocument, facts: MappingFacts): Iterable<MappingWarning> {
  yield* emptyOwnerGroups(document, facts);
  yield* deadRows(compileMapping(document, facts.roles));
  yield* unknownTeams(document, facts);
  yield* unseenGroups(document, facts);
}

function* emptyOwnerGroups(
  { tenant_owners_groups: owners = [] }: MappingDocument,
  { ownerGroupsWithMembers }: MappingFacts,
): Iterable<MappingWarning> {
  if (owners.length === 0 || owners.some((name) => ownerGroupsWithMembers.has(name))) return;
  yield {
    code: 'owner_group_empty',
    pointer: '/tenant_owners_groups',
    detail:
      'None of these groups has an active member, so the mapping makes nobody an owner. Put an active person into ' +
      'one of them, or name another group.',
  };
}

/** Rows behind one with the same group and target whose source covers theirs: that one counts for everybody. */
function* deadRows(rows: readonly CompiledRow[]): Iterable<MappingWarning> {
  const first = new Map<string, CompiledRow>();
  for (const row of rows) {
    const { match, kind, target, directory, identityProvider } = row;
    const ofAny = JSON.stringify([match, kind, target, null, null]);
    const ofSource = JSON.stringify([match, kind, target, directory, identityProvider]);
    const winner = first.get(ofAny) ?? first.get(ofSource);
    if (winner === undefined) first.set(ofSource, row);
    else yield { code: 'dead_row', pointer: row.row, detail: whyDead(winner) };
  }
}

function whyDead({ row, kind, role }: CompiledRow): string {
  const what = role === null ? NOUNS[kind] : `${NOUNS[kind]}, as ${role}`;
  return `It never counts: ${row} comes first and gives the same group the same ${what}. Remove one of them.`;
}

const NOUNS = {
  team: 'team',
  case_group: 'case group',
  permission: 'permission',
  owner: 'ownership',
} as const;

function* unknownTeams(document: MappingDocument, { teams }: MappingFacts): Iterable<MappingWarning> {
  const namesOf = (kind: Team['kind']) =>
    new Set(teams.filter((team) => team.kind === kind).map(({ name }) => name));
  const known = { team: namesOf('team'), case_group: namesOf('case_group') };
  const unknown = document.mappings
    .map((row, index) => ({ ...teamOf(row), pointer: `/mappings/${index}` }))
    .filter(({ kind, name }) => !known[kind].has(name))
    .slice(0, MAX_WARNINGS);
  const written = unknown.map(({ name }) => name);
  const near = { team: nearNames(written, known.team), case_group: nearNames(written, known.case_group) };
  for (const { kind, name, pointer: row } of unknown) {
    const pointer = `${row}/${kind}_name`;
    const otherKind = kind === 'team' ? 'case_group' : 'team';
    const other = known[otherKind].has(name)
      ? ` There is a ${NOUNS[otherKind]} of this name: if it is meant, write ${otherKind}_name.`
      : '';
    const detail =
      `There is no ${NOUNS[kind]} ${quoted(name)}: the row gives nothing until there is one. ` +
      `Create it, or correct the name.${other}`;
    yield { code: 'unknown_team', pointer, detail };
    yield* aboutSpelling(pointer, name, near[kind].get(name));
  }
}

function* unseenGroups(document: MappingDocument, { groups }: MappingFacts): Iterable<MappingWarning> {
  const seen = grouped(groups.flatMap((group) => matchesOf(group).map((match) => [match, group] as const)));
  const seenAs = (reference: GroupReference) => seen.get(matchOf(reference)) ?? [];
  const unseen = [...referencesOf(document)]
    .filter(({ reference }) => !seenAs(reference).some((group) => isFrom(group, reference)))
    .slice(0, MAX_WARNINGS);
  const near = nearGroups(
    unseen.map(({ reference }) => reference),
    groups,
  );
  for (const { pointer, reference } of unseen) {
    const [elsewhere] = seenAs(reference);
    const detail =
      `No group ${quoted(textOf(reference))} has been seen ${sourceOf(reference)}: the row gives nothing until it is. ` +
      'Correct it, or have the identity provider send the group.' +
      (elsewhere === undefined ? '' : ` It has been seen ${nameOfSource(elsewhere)}.`);
    yield { code: 'group_never_seen', pointer, detail };
    yield* aboutSpelling(pointer, textOf(reference), near(reference));
  }
}

function* aboutSpelling(
  pointer: string,
  written: string,
  near: NearName | undefined,
): Iterable<MappingWarning> {
  if (near !== undefined) {
    const detail =
      `Names are matched exactly, and there is ${quoted(near.name)}, which differs ${near.differs}: ` +
      'write it so, if it is meant.';
    yield { code: 'near_miss', pointer, detail };
  }
  if (written.trim() !== written) {
    const detail =
      'It begins or ends with white space, which counts as a part of it: remove it, if it is not meant.';
    yield { code: 'outer_white_space', pointer, detail };
  }
}

/** Each place where the document names a group. */
function* referencesOf(
  document: MappingDocument,
): Iterable<{ readonly pointer: string; readonly reference: GroupReference }> {
  const { tenant_owners_groups: owners = [], tenant_permission: entries = [], mappings } = document;
  for (const [index, name] of owners.entries()) {
    yield { pointer: `/tenant_owners_groups/${index}`, reference: { group_name: name } };
  }
  for (const [list, references] of Object.entries({ tenant_permission: entries, mappings })) {
    for (const [index, reference] of references.entries()) {
      yield { pointer: `/${list}/${index}/${keyOf(reference)}`, reference };
    }
  }
}

const keyOf = ({ group_id }: GroupReference) => (group_id === undefined ? 'group_name' : 'group_id');

const textOf = (reference: GroupReference) => String(reference[keyOf(reference)]);

/** What a group is found by, as rows write it. */
function matchesOf({ name, ids }: SeenGroup): string[] {
  return [matchOf({ group_name: name }), ...ids.map((id) => matchOf({ group_id: id }))];
}

/** Whether the group is of the source that the reference asks for; one without a source asks for any. */
function isFrom(group: SeenGroup, { directory, identity_provider }: GroupReference): boolean {
  return (
    (directory === undefined || directory === group.directory) &&
    (identity_provider === undefined || identity_provider === group.identityProvider)
  );
}

/** What may have been meant: names for names and ids for ids, of the source that the reference asks for. */
function nearGroups(
  unseen: readonly GroupReference[],
  groups: readonly SeenGroup[],
): (reference: GroupReference) => NearName | undefined {
  const alike = (reference: GroupReference) =>
    JSON.stringify([keyOf(reference), reference.directory, reference.identity_provider]);
  const near = new Map<string, ReadonlyMap<string, NearName>>();
  for (const [searched, references] of grouped(unseen.map((each) => [alike(each), each] as const))) {
    const [first = {}] = references;
    const possible = groups
      .filter((group) => isFrom(group, first))
      .flatMap(({ name, ids }) => (keyOf(first) === 'group_name' ? name : ids));
    near.set(searched, nearNames(references.map(textOf), possible));
  }
  return (reference) => near.get(alike(reference))?.get(textOf(reference));
}

function grouped<Item>(pairs: readonly (readonly [key: string, item: Item])[]): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const [key, item] of pairs) {
    const items = groups.get(key);
    if (items === undefined) groups.set(key, [item]);
    else items.push(item);
  }
  return groups;
}

function sourceOf({ directory, identity_provider: provider }: GroupReference): string {
  if (directory === undefined && provider === undefined) return 'in any directory or at any sign-in';
  return nameOfSource({ directory: directory ?? null, identityProvider: provider ?? null });
}

function nameOfSource({
  directory,
  identityProvider,
}: Pick<SeenGroup, 'directory' | 'identityProvider'>): string {
  return directory === null
    ? `at sign-ins by the identity provider ${quoted(String(identityProvider))}`
    : `in the directory ${quoted(directory)}`;
}
