import { AppError } from '../errors.ts';
import { isObject } from '../scim/json.ts';
import { nearNames } from './near-names.ts';

/**
 * Strict reading of the group mapping, piece by piece: every fault is found, and told at the place where it was
 * sent. What is returned beside a fault only lets reading go on, and is never used.
 */

/** What the tenant has, by name: roles and permissions in upper case. */
export interface KnownNames {
  readonly roles: ReadonlySet<string>;
  readonly permissions: ReadonlySet<string>;
  readonly directories: ReadonlySet<string>;
  readonly identityProviders: ReadonlySet<string>;
}

interface Fault {
  /** JSON pointer (RFC 6901) into the document as it was sent; '': the whole. */
  readonly pointer: string;
  readonly detail: string;
}

export interface Reading {
  readonly known: KnownNames;
  readonly faults: Fault[];
}

/** A value in the document, and where it was sent. */
export interface Part {
  readonly value: unknown;
  readonly pointer: string;
}

/** How each member of an object is read. The order is that of the canonical form. */
export type Readers<Read> = {
  readonly [Name in keyof Read]-?: (reading: Reading, part: Part) => Exclude<Read[Name], undefined>;
};

/** So many faults are told; reading ends at the last of them. */
const MAX_FAULTS = 100;

/** Rows of all kinds: owner groups, permissions of each entry, mappings. */
export const MAX_ROWS = 10_000;

/** In bytes of UTF-8, as of the names of groups (`scim/validate.ts`): their index holds no longer ones. */
const MAX_NAME = 2_000;

/** @throws AppError, see `refusal`, when so many faults have come together that no more are told. */
export function fault(reading: Reading, pointer: string, detail: string): void {
  reading.faults.push({ pointer, detail });
  if (reading.faults.length === MAX_FAULTS) throw refusal(reading.faults);
}

/** `invalid_request` with reason `invalid_mapping`, the pointer of the first fault, and all of them as `errors`. */
export function refusal(faults: readonly Fault[]): AppError {
  const [{ pointer, detail } = { pointer: '', detail: '' }] = faults;
  const where = pointer === '' ? '' : `${pointer}: `;
  const more = faults.length > 1 ? ` (errors lists ${faults.length} faults)` : '';
  return new AppError('invalid_request', `The group mapping does not hold: ${where}${detail}${more}`, {
    reason: 'invalid_mapping',
    pointer,
    members: { errors: faults },
  });
}

/** Other spellings that are read: those of older mappings in the form that Tines had. */
const ALIASES: Readonly<Record<string, string>> = {
  sso_group: 'group_name',
  tenant_owners_group: 'tenant_owners_groups',
  tenant_permissions: 'tenant_permission',
};

/** The object with its members read, under canonical names and in canonical order. */
export function readObject<Read extends object>(
  reading: Reading,
  part: Part,
  readers: Readers<Read>,
): Partial<Read> {
  const names = Object.keys(readers) as (keyof Read & string)[];
  const members = membersOf(reading, part, names);
  const read: Partial<Read> = {};
  for (const name of names) {
    const member = members.get(name);
    if (member !== undefined) read[name] = readers[name](reading, member);
  }
  return read;
}

function membersOf(
  reading: Reading,
  { value, pointer }: Part,
  names: readonly string[],
): ReadonlyMap<string, Part> {
  const members = new Map<string, Part>();
  if (!isObject(value)) {
    fault(reading, pointer, `it must be an object with ${names.join(', ')}`);
    return members;
  }
  for (const [sent, member] of Object.entries(value)) {
    const place = `${pointer}/${sent.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const name = (Object.hasOwn(ALIASES, sent) && ALIASES[sent]) || sent;
    if (!names.includes(name)) {
      fault(reading, place, `this key is not known here. ${suggestion(sent, names)}`);
    } else if (sent !== name && Object.hasOwn(value, name)) {
      fault(reading, place, `it says the same as ${name}, which is there too: keep one of them`);
    } else members.set(name, { value: member, pointer: place });
  }
  return members;
}

export function readList<Item>(
  reading: Reading,
  { value, pointer }: Part,
  read: (reading: Reading, part: Part) => Item,
): Item[] {
  if (!Array.isArray(value)) fault(reading, pointer, 'it must be a list');
  else if (value.length > MAX_ROWS) fault(reading, pointer, `it has more than ${MAX_ROWS} items`);
  else return value.map((item, index) => read(reading, { value: item, pointer: `${pointer}/${index}` }));
  return [];
}

/** The value is an object that has the member; for members without an alias. */
export function requireMember(reading: Reading, { value, pointer }: Part, name: string): void {
  if (isObject(value) && !Object.hasOwn(value, name)) fault(reading, `${pointer}/${name}`, 'it is missing');
}

/** What was read of an object has exactly one of two members. */
export function requireOne<Name extends string>(
  reading: Reading,
  { pointer }: Part,
  read: { readonly [Each in Name]?: unknown },
  [one, other]: readonly [Name, Name],
): void {
  if (read[one] === undefined && read[other] === undefined) {
    fault(reading, pointer, `it has neither ${one} nor ${other}: write one of them`);
  } else if (read[one] !== undefined && read[other] !== undefined) {
    fault(reading, pointer, `it has both ${one} and ${other}: keep one of them`);
  }
}

/** The same item of a list twice is a fault of the second. */
export function requireDistinct(reading: Reading, { pointer }: Part, items: readonly string[]): void {
  const first = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const before = first.get(item);
    if (before === undefined) first.set(item, index);
    else if (item !== '') {
      fault(reading, `${pointer}/${index}`, `it stands at ${pointer}/${before} already: remove one of them`);
    }
  }
}

/** Text that a group, team or attribute can be called: exactly as sent, never trimmed. */
export function readName(reading: Reading, { value, pointer }: Part): string {
  const problem = problemOfName(value);
  if (problem !== undefined) fault(reading, pointer, problem);
  return typeof value === 'string' ? value : '';
}

function problemOfName(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'it must be a text';
  if (value === '') return 'it is empty: write a name, or leave the key out';
  if (Buffer.byteLength(value) > MAX_NAME) return `it is longer than ${MAX_NAME} bytes of UTF-8`;
  // Cs under the flag u: halves of surrogate pairs.
  if (/[\p{Cc}\p{Cs}]/u.test(value)) {
    return 'it holds a control character or half of a surrogate pair: remove it, or name the group by its group_id';
  }
  return undefined;
}

export function readChoice<Choice extends string>(
  reading: Reading,
  { value, pointer }: Part,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) fault(reading, pointer, `it must be one of: ${choices.join(', ')}`);
  return chosen ?? choices[0];
}

/** What is named in any case and known in upper case; `what` says it in the fault: "role". */
export function readUpperCase(
  reading: Reading,
  part: Part,
  { known, what }: { readonly known: ReadonlySet<string>; readonly what: string },
): string {
  const { value } = part;
  // Letters outside of ASCII have these as their upper case too: "ı" would be an I.
  const name = typeof value === 'string' && /^\w+$/.test(value) ? value.toUpperCase() : value;
  return readKnown(reading, { ...part, value: name }, { known, what });
}

/** The exact name of something that the tenant has. */
export function readKnown(
  reading: Reading,
  part: Part,
  { known, what }: { readonly known: ReadonlySet<string>; readonly what: string },
): string {
  const name = readName(reading, part);
  if (problemOfName(part.value) === undefined && !known.has(name)) {
    fault(reading, part.pointer, `${quoted(name)} is no ${what} of this tenant. ${suggestion(name, known)}`);
  }
  return name;
}

/** A text of the document, short enough for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text);
}

/** In lists of what would be possible. */
const MAX_SUGGESTED = 10;

/** Longer than anything that is suggested. A key may be as long as a body, and comparing normalizes it. */
const MAX_COMPARED = 200;

function suggestion(written: string, possible: Iterable<string>): string {
  const names = [...possible];
  const compared = written.slice(0, MAX_COMPARED);
  const near = nearNames([compared], names).get(compared);
  if (near !== undefined) return `Did you mean ${near.name}?`;
  if (names.length === 0) return 'There is none yet: create it first';
  const rest = names.length > MAX_SUGGESTED ? ', …' : '';
  return `Possible: ${names.slice(0, MAX_SUGGESTED).join(', ')}${rest}`;
}
