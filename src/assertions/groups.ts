import { type Attributes, type Found, findNamed, findSpelled, requireKeepable } from './attributes.ts';
import { COMMON_URIS, COMMON_WORDS, ENTRA_GROUPS, PRESET_NAMES, type Preset } from './presets.ts';
import { AssertionError, type GroupClaims, type VerifiedAssertion } from './types.ts';

/** By what groups are read. */
export interface GroupReading {
  readonly preset: Preset | null;
  /** The provider's own name of the attribute. */
  readonly groupAttribute: string | null;
  /** The mapping document's `group_attribute_name`, behind the provider's. */
  readonly documentGroupAttribute?: string | null;
  /** `none`: whoever has no groups gets no attribute from this provider. */
  readonly absentGroups: 'unknown' | 'none';
}

/** So many groups does a sign-in bring at most (a token of Entra ID has 200, an assertion 150). */
const MOST_GROUPS = 2_000;
const LONGEST_GROUP = 1_000;

/**
 * What an assertion says of a person's groups: as they are sent (Keycloak's paths too), each once, in order. A name that
 * somebody has set is the only one that is looked for.
 * @throws AssertionError `too_many_groups`; `malformed` for a name that cannot be kept: without it the list would be
 *   another one.
 */
export function readGroups(
  { attributes, groupOverage }: Pick<VerifiedAssertion, 'attributes' | 'groupOverage'>,
  reading: GroupReading,
): GroupClaims {
  const named = reading.groupAttribute ?? reading.documentGroupAttribute ?? null;
  const found = named === null ? findGroups(attributes, reading.preset) : findNamed(attributes, [named]);
  // The mark speaks of Entra ID's own list; one that somebody named otherwise is whole.
  const other = named !== null && named !== 'groups' && named !== ENTRA_GROUPS;
  if (groupOverage && !(other && found !== undefined)) return { state: 'overage', groups: [] };
  if (found === undefined) return { state: reading.absentGroups === 'none' ? 'empty' : 'absent', groups: [] };
  const groups = [...new Set(found.values.filter((value) => value !== ''))];
  if (groups.length > MOST_GROUPS) {
    throw new AssertionError(
      'too_many_groups',
      `The assertion lists ${groups.length} groups, and ${MOST_GROUPS} are the most: have the identity provider send only those that the product needs`,
    );
  }
  for (const group of groups) requireKeepable(group, LONGEST_GROUP, found.name);
  return { state: groups.length === 0 ? 'empty' : 'list', groups };
}

function findGroups(attributes: Attributes, preset: Preset | null): Found | undefined {
  const ofPreset = preset === null ? [] : (PRESET_NAMES[preset].groups ?? []);
  return (
    findNamed(attributes, [...ofPreset, ...(COMMON_URIS.groups ?? [])]) ??
    findSpelled(attributes, COMMON_WORDS.groups ?? [])
  );
}
