import { AppError } from '../errors.ts';

/** Deeper than any message of ours; RFC 7643 section 2.3.8 forbids complex values inside complex ones. */
const MAX_DEPTH = 32;

/** Why a JSON text is refused; surfaces translate it (SCIM: `invalidSyntax`, or `invalidValue` for `json_text`). */
export type JsonFault = 'json_syntax' | 'json_duplicate' | 'json_depth' | 'json_text';

/**
 * Parses a request body: UTF-8, JSON, at most 32 levels deep, no member twice in one object, no `__proto__`, and
 * only text that PostgreSQL can keep (no NUL, no lone surrogate). Throws `invalid_request` with a `JsonFault` as
 * reason. Depth is counted before parsing, so that no body can exhaust the stack or the memory.
 */
export function parseJson(bytes: Buffer): unknown {
  const text = decode(bytes);
  const memberCount = scan(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault('json_syntax', `The body is not valid JSON: ${(error as Error).message}`);
  }
  // JSON.parse keeps the last of two equal names: the text then holds more members than the value.
  if (inspect(value, '') < memberCount) throw fault('json_duplicate', duplicateMessage(text));
  return value;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault('json_syntax', 'The body is not valid UTF-8');
  }
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);

/** Counts the members of all objects (the colons outside of strings) and guards the depth. */
function scan(text: string): number {
  let depth = 0;
  let members = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === COLON) members += 1;
    else if (OPEN.has(code)) {
      depth += 1;
      if (depth > MAX_DEPTH) throw fault('json_depth', `The body is nested deeper than ${MAX_DEPTH} levels`);
    } else if (CLOSE.has(code)) depth -= 1;
  }
  return members;
}

/** Refuses text that cannot be kept, and counts the members of all objects. */
function inspect(value: unknown, where: string): number {
  if (typeof value === 'string') requireText(value, where);
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value))
    return value.reduce((sum: number, item, index) => sum + inspect(item, `${where}/${index}`), 0);
  let members = 0;
  for (const [name, part] of Object.entries(value)) {
    requireText(name, where);
    if (name === '__proto__')
      throw fault('json_text', `"__proto__" is no attribute name (at ${where || '/'})`);
    members += 1 + inspect(part, `${where}/${name}`);
  }
  return members;
}

function requireText(text: string, where: string): void {
  if (text.includes('\0')) throw fault('json_text', `The text at ${where || '/'} holds a NUL character`);
  if (!text.isWellFormed())
    throw fault('json_text', `The text at ${where || '/'} holds half a surrogate pair`);
}

/** Names the first member that stands twice; only ever run on a body that is refused. */
function duplicateMessage(text: string): string {
  const scopes: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/gs)) {
    if (token === '{') scopes.push(new Set());
    else if (token === '}') scopes.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      if (scopes.at(-1)?.has(name)) return `${JSON.stringify(name)} stands twice in one object`;
      scopes.at(-1)?.add(name);
    }
  }
  return 'A member stands twice in one object';
}

function fault(reason: JsonFault, message: string): AppError {
  return new AppError('invalid_request', message, { reason });
}
