/** Deeper than any claim that somebody reads. */
const MAX_DEPTH = 16;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object strictly: UTF-8, no name twice in one object (two readers could differ on which of them holds),
 * at most 16 levels deep, and only text that can be stored (no NUL, no half surrogate pair) and numbers that JSON can
 * write. Undefined for all else.
 */
export function readJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    // JSON.parse keeps the last of two equal names: the text then has more colons than the value has members.
    if (countMembers(value, 1) !== countColons(text)) return undefined;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The colons outside of strings, of valid JSON. */
function countColons(text: string): number {
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '').split(':').length - 1;
}

/** The members of all objects in a value. Throws where it is too deep, or holds what cannot be stored. */
function countMembers(value: unknown, depth: number): number {
  if (typeof value === 'string') requireText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('beyond all numbers');
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_DEPTH) throw new RangeError('too deep');
  const names = Array.isArray(value) ? [] : Object.keys(value);
  names.forEach(requireText);
  return Object.values(value).reduce(
    (sum: number, member) => sum + countMembers(member, depth + 1),
    names.length,
  );
}

function requireText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw new RangeError('text that cannot be stored');
}
