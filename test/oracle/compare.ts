import type { Definition } from './schema.ts';

/** When two values are equal, and which comes first, by the type of their attribute (RFC 7643 section 2.3). */

/** A JSON value that is no container. */
export type Scalar = string | number | boolean;

/**
 * Text that is compared without case: width and composition are normalised (NFKC, RFC 7644 section 7.8), then
 * every character becomes small by itself, whatever stands around it: a small sigma is one letter in all places.
 */
function withoutCase(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}

/** Nanoseconds since 1970 of an xsd:dateTime (RFC 7643 section 2.3.5); without an offset it is UTC. */
export function instantOf(text: string): bigint {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (!parts) throw new Error(`${text} is no dateTime`);
  const [, seconds, fraction = '', offset = 'Z'] = parts;
  const whole = BigInt(Date.parse(`${seconds}${offset}`)) * 1_000_000n;
  return whole + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}

type Key = string | number | bigint;

/** What stands for a value when it is compared with another one of its attribute. */
export function keyOf(value: Scalar, definition: Definition): Key {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return value;
  if (definition.type === 'dateTime') return instantOf(value);
  return definition.caseExact ? value : withoutCase(value);
}

/** Less than 0 where the first comes first. Text is in the order of its code points: no locale is implied. */
export function compareKeys(left: Key, right: Key): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** JavaScript's own order is of UTF-16 units, in which U+1F600 comes before U+FF5E. */
function compareText(left: string, right: string): number {
  const [first, second] = [Array.from(left), Array.from(right)];
  for (const [index, character] of first.entries()) {
    const other = second[index];
    if (other === undefined) return 1;
    const difference = (character.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}
