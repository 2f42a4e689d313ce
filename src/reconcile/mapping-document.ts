import { isObject } from '../scim/json.ts';
import {
  fault,
  type KnownNames,
  MAX_ROWS,
  type Part,
  type Readers,
  type Reading,
  readChoice,
  readKnown,
  readList,
  readName,
  readObject,
  readUpperCase,
  refusal,
  requireDistinct,
  requireMember,
  requireOne,
} from './mapping-reading.ts';

/**
 * The group mapping as its author writes it: which group gives which team and role, ownership and permissions. These
 * are the canonical keys, in which it is stored and answered. Names of groups and teams mean exactly what they say;
 * roles and permissions are in upper case.
 */
export interface MappingDocument {
  /** The attribute or claim that lists groups, for identity providers that do not name one themselves. */
  readonly group_attribute_name?: string;
  /** What decides where several rows give one person the same team. Not stated: `first_match`, the order of the list. */
  readonly conflict_strategy?: 'first_match' | 'highest_role';
  /** What becomes of the members of a team that loses its last row. Not stated: `remove`. */
  readonly on_unmap?: 'remove' | 'keep';
  /** Names of groups of any directory and identity provider, whose members own the tenant. */
  readonly tenant_owners_groups?: readonly string[];
  readonly tenant_permission?: readonly PermissionEntry[];
  readonly mappings: readonly MappingRow[];
}

/** A group by exactly one of name and id, of at most one source; without a source: of any. */
export interface GroupReference {
  /** `displayName` of a SCIM group, or the value of a claim. */
  readonly group_name?: string;
  /** Our id of a SCIM group, its `externalId`, or the id that claims carry. */
  readonly group_id?: string;
  readonly directory?: string;
  readonly identity_provider?: string;
}

export interface PermissionEntry extends GroupReference {
  readonly permissions: readonly string[];
}

/** Names exactly one of team and case group. */
export interface MappingRow extends GroupReference {
  readonly team_name?: string;
  readonly case_group_name?: string;
  readonly role_name: string;
}

const ROW: Readers<MappingRow> = {
  group_name: readName,
  group_id: readName,
  team_name: readName,
  case_group_name: readName,
  role_name: (reading, part) => readUpperCase(reading, part, { known: reading.known.roles, what: 'role' }),
  directory: readDirectory,
  identity_provider: readIdentityProvider,
};

const ENTRY: Readers<PermissionEntry> = {
  group_name: readName,
  group_id: readName,
  permissions: readPermissions,
  directory: readDirectory,
  identity_provider: readIdentityProvider,
};

const DOCUMENT: Readers<MappingDocument> = {
  group_attribute_name: readName,
  conflict_strategy: (reading, part) => readChoice(reading, part, ['first_match', 'highest_role']),
  on_unmap: (reading, part) => readChoice(reading, part, ['remove', 'keep']),
  tenant_owners_groups: readOwnerGroups,
  tenant_permission: (reading, part) => readList(reading, part, readEntry),
  mappings: readMappings,
};

/**
 * Reads what an admin sent: a parsed JSON value, in canonical keys or with the aliases `sso_group`,
 * `tenant_owners_group` (one text), `tenant_permissions`, bare or wrapped in `user_group_mapping`, as the mapping API
 * of Tines takes it. What is not stated stays unstated, so that the answer is what was sent.
 * @throws AppError `invalid_request` with reason `invalid_mapping` and every fault (100 at most) as `errors`, each
 *   with the JSON pointer into what was sent.
 */
export function readMappingDocument(input: unknown, known: KnownNames): MappingDocument {
  const reading: Reading = { known, faults: [] };
  const part = unwrap(reading, input);
  const document = { mappings: [], ...readObject(reading, part, DOCUMENT) };
  requireMember(reading, part, 'mappings');
  if (countRows(document) > MAX_ROWS) {
    fault(reading, part.pointer, `it has more than ${MAX_ROWS} rows, owner groups and permissions together`);
  }
  if (reading.faults.length > 0) throw refusal(reading.faults);
  return canonicalDocument(document);
}

/** The document with its keys in canonical order; PostgreSQL keeps those of jsonb in its own. */
export function canonicalDocument(document: MappingDocument): MappingDocument {
  const { tenant_permission: entries, mappings } = document;
  return inOrder(DOCUMENT, {
    ...document,
    ...(entries && { tenant_permission: entries.map((entry) => inOrder(ENTRY, entry)) }),
    mappings: mappings.map((row) => inOrder(ROW, row)),
  });
}

/** Whether two documents state the same. A default that one of them states and the other does not is a difference. */
export function sameDocument(left: MappingDocument, right: MappingDocument): boolean {
  return JSON.stringify(canonicalDocument(left)) === JSON.stringify(canonicalDocument(right));
}

function inOrder<Read extends object>(readers: Readers<Read>, object: Read): Read {
  const names = Object.keys(readers) as (keyof Read)[];
  const stated = names.filter((name) => Object.hasOwn(object, name));
  return Object.fromEntries(stated.map((name) => [name, object[name]])) as Read;
}

/** What `user_group_mapping` holds, where the document is wrapped. */
function unwrap(reading: Reading, input: unknown): Part {
  if (!isObject(input) || !Object.hasOwn(input, 'user_group_mapping')) return { value: input, pointer: '' };
  const { user_group_mapping: wrapped } = readObject<{ user_group_mapping: Part }>(
    reading,
    { value: input, pointer: '' },
    { user_group_mapping: (_reading, part) => part },
  );
  return wrapped ?? { value: undefined, pointer: '' };
}

function countRows({ tenant_owners_groups: owners = [], tenant_permission = [], mappings }: MappingDocument) {
  const permissions = tenant_permission.reduce((sum, entry) => sum + entry.permissions.length, 0);
  return owners.length + permissions + mappings.length;
}

function readOwnerGroups(reading: Reading, part: Part): string[] {
  // The alias holds one text.
  if (part.pointer.endsWith('/tenant_owners_group')) return [readName(reading, part)];
  const names = readList(reading, part, readName);
  requireDistinct(reading, part, names);
  return names;
}

function readEntry(reading: Reading, part: Part): PermissionEntry {
  const entry = { permissions: [], ...readObject(reading, part, ENTRY) };
  if (!isObject(part.value)) return entry;
  requireGroup(reading, part, entry);
  requireMember(reading, part, 'permissions');
  return entry;
}

function readPermissions(reading: Reading, part: Part): string[] {
  const { permissions: known } = reading.known;
  const names = readList(reading, part, (_reading, item) =>
    readUpperCase(reading, item, { known, what: 'permission' }),
  );
  if (Array.isArray(part.value) && part.value.length === 0) {
    fault(reading, part.pointer, 'it is empty: name a permission, or remove the entry');
  }
  requireDistinct(reading, part, names);
  return names;
}

function readMappings(reading: Reading, part: Part): MappingRow[] {
  if (Array.isArray(part.value) && part.value.length === 0) {
    fault(reading, part.pointer, 'it is empty: a mapping has at least one row');
  }
  return readList(reading, part, readRow);
}

function readRow(reading: Reading, part: Part): MappingRow {
  const row = { role_name: '', ...readObject(reading, part, ROW) };
  if (!isObject(part.value)) return row;
  requireGroup(reading, part, row);
  requireOne(reading, part, row, ['team_name', 'case_group_name']);
  requireMember(reading, part, 'role_name');
  return row;
}

function requireGroup(reading: Reading, part: Part, group: GroupReference): void {
  requireOne(reading, part, group, ['group_name', 'group_id']);
  if (group.directory !== undefined && group.identity_provider !== undefined) {
    fault(
      reading,
      part.pointer,
      'it has both directory and identity_provider: no group is of both, keep one',
    );
  }
}

function readDirectory(reading: Reading, part: Part): string {
  return readKnown(reading, part, { known: reading.known.directories, what: 'directory' });
}

function readIdentityProvider(reading: Reading, part: Part): string {
  return readKnown(reading, part, { known: reading.known.identityProviders, what: 'identity provider' });
}
