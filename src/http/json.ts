import { AppError } from '../errors.ts';

/** Deeper than any message of ours; RFC 7643 section 2.3.8 forbids complex values inside complex ones. */
const MAX_DEPTH = 32;

/**
 * Brackets, colons and commas outside of strings: each value of a body costs one or two of them, so they bound what
 * parsing costs. The densest list of members of 16 MiB has fewer, one of 100,000 members about 900,000.
 */
const MAX_PARTS = 1_500_000;

/** In one object: very many names in one cost far more to parse than as many in small objects. */
const MAX_NAMES = 1_000;

/** Why a JSON text is refused; surfaces translate it (SCIM: `invalidSyntax`, or `invalidValue` for `json_text`). */
export type JsonFault = 'json_syntax' | 'json_duplicate' | 'json_depth' | 'json_size' | 'json_text';

/**
 * Parses a request body: UTF-8, JSON, at most 32 levels deep, at most 1,500,000 parts, no member twice in one
 * object, no `__proto__`, and only text that PostgreSQL can keep (no NUL, no lone surrogate). Throws
 * `invalid_request` with a `JsonFault` as reason. Depth and parts are counted before parsing: no body can exhaust
 * the stack or the memory, or hold the event loop for long.
 */
export function parseJson(bytes: Buffer): unknown {
  const text = decode(bytes);
  const memberCount = scan(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Without the part of the body that the message may quote: refusals are kept, and bodies hold secrets.
    const problem = (error as Error).message.replace(/, (?:\.{3})?".*$/s, '');
    throw fault('json_syntax', `The body is not valid JSON: ${problem}`);
  }
  // JSON.parse keeps the last of two equal names: the text then holds more members than the value.
  if (inspect(value, []) < memberCount) throw fault('json_duplicate', duplicateMessage(text));
  return value;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault('json_syntax', 'The body is not valid UTF-8');
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Counts the members of all objects (the colons outside of strings) and guards depth and size. */
function scan(text: string): number {
  /** Of each array or object that is open, how many names it has so far. */
  const names: number[] = [0];
  let depth = 0;
  let members = 0;
  let others = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
      continue;
    }
    if (code === QUOTE) inString = true;
    else if (code === COMMA) others += 1;
    else if (code === COLON) {
      members += 1;
      const count = (names[depth] ?? 0) + 1;
      names[depth] = count;
      if (count > MAX_NAMES) throw tooLarge('An object of the body', MAX_NAMES, 'names');
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      others += 1;
      depth += 1;
      if (depth > MAX_DEPTH) throw fault('json_depth', `The body is nested deeper than ${MAX_DEPTH} levels`);
      names[depth] = 0;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth = Math.max(0, depth - 1);
    if (members + others > MAX_PARTS) throw tooLarge('The body', MAX_PARTS, 'brackets, colons and commas');
  }
  return members;
}

function tooLarge(what: string, most: number, parts: string): AppError {
  return fault('json_size', `${what} has more than ${most} ${parts}: send less at once`);
}

/** Where a value stands: names and indexes from the root. One array for a whole body, joined on failure only. */
type Place = (string | number)[];

/** Refuses text that cannot be kept, and counts the members of all objects. */
function inspect(value: unknown, place: Place): number {
  if (typeof value === 'string') requireText(value, place);
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  const depth = place.length;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      place[depth] = index;
      members += inspect(value[index], place);
    }
  } else {
    for (const name of Object.keys(value)) {
      requireText(name, place);
      if (name === '__proto__')
        throw fault('json_text', `"__proto__" is no attribute name (at ${pointer(place)})`);
      place[depth] = name;
      members += 1 + inspect((value as Record<string, unknown>)[name], place);
      place.length = depth;
    }
  }
  place.length = depth;
  return members;
}

function requireText(text: string, place: Place): void {
  if (text.includes('\0')) throw fault('json_text', `The text at ${pointer(place)} holds a NUL character`);
  if (!text.isWellFormed())
    throw fault('json_text', `The text at ${pointer(place)} holds half a surrogate pair`);
}

function pointer(place: Place): string {
  return `/${place.join('/')}`;
}

/** Names the first member that stands twice; only ever run on a body that is refused, and is valid JSON. */
function duplicateMessage(text: string): string {
  const scopes: Set<string>[] = [];
  let string = '';
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPEN_OBJECT) scopes.push(new Set());
    else if (code === CLOSE_OBJECT) scopes.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, at);
      string = text.slice(at, end + 1);
      at = end;
    } else if (code === COLON) {
      const name = JSON.parse(string) as string;
      if (scopes.at(-1)?.has(name)) return `${JSON.stringify(name)} stands twice in one object`;
      scopes.at(-1)?.add(name);
    }
  }
  return 'A member stands twice in one object';
}

/** Where the string that opens at `open` closes. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

function fault(reason: JsonFault, message: string): AppError {
  return new AppError('invalid_request', message, { reason });
}
