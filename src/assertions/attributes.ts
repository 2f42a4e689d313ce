import { AssertionError, type VerifiedAssertion } from './types.ts';

/** Finding attributes and claims of an assertion, and what of their texts can be kept. */

export type Attributes = VerifiedAssertion['attributes'];

export interface Found {
  readonly name: string;
  readonly values: readonly string[];
}

/** The first of these names that the assertion has, also without a value. */
export function findNamed(attributes: Attributes, names: readonly string[]): Found | undefined {
  for (const name of names) {
    const values = attributes.get(name);
    if (values !== undefined) return { name, values };
  }
  return undefined;
}

/** The first of these words that the assertion has in any spelling: without case and without separators. */
export function findSpelled(attributes: Attributes, words: readonly string[]): Found | undefined {
  for (const word of words) {
    for (const [name, values] of attributes) {
      if (name.replace(/[^A-Za-z0-9:]/g, '').toLowerCase() === word) return { name, values };
    }
  }
  return undefined;
}

const TEXTS_TOLD = 20;
const LENGTH_TOLD = 100;

/** The names of what did arrive, for the admin who looks for what did not; never a value. */
export function namesOf(attributes: Attributes): string {
  const names = [...attributes.keys()];
  if (names.length === 0) return 'it has no attributes';
  const told = names.slice(0, TEXTS_TOLD).map((name) => `"${name.slice(0, LENGTH_TOLD)}"`);
  const more = names.length > TEXTS_TOLD ? ` and ${names.length - TEXTS_TOLD} more` : '';
  return `it has ${told.join(', ')}${more}`;
}

/** Whether a text can be stored and told: no control characters, no half of a surrogate pair. */
export function isKeepable(text: string, longest: number): boolean {
  return text !== '' && text.length <= longest && text.isWellFormed() && !/\p{Cc}/u.test(text);
}

/** Whether a user can hold a text: as a part of the profile, and as a name by which the user is found. */
export interface Fits {
  text(text: string): boolean;
  name(text: string): boolean;
}

/** Whether somebody can be found by a text. */
export function isName(text: string, longest: number, { fits }: { readonly fits: Fits }): boolean {
  return isKeepable(text, longest) && fits.name(text);
}

/** @throws AssertionError `malformed`, naming the attribute, for a text that cannot be kept and must not be left out. */
export function requireKeepable(text: string, longest: number, name: string): void {
  if (isKeepable(text, longest)) return;
  throw new AssertionError(
    'malformed',
    `A value of "${name.slice(0, LENGTH_TOLD)}" is longer than ${longest} characters, or holds control characters`,
  );
}
