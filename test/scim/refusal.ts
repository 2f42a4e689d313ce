import { ScimError } from '../../src/scim/error.ts';
import type { Reading } from '../../src/scim/types.ts';

export const reading = (strict = false): Reading => ({ strict, tolerances: new Set() });

/** The ScimError that an act ends with; any other end fails the test. */
export function refusal(act: () => unknown): ScimError {
  try {
    act();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error('It was accepted');
}
