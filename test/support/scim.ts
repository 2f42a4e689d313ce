import { ScimError } from '../../src/scim/error.ts';
import type { Reading } from '../../src/scim/types.ts';

/** A reading as a request starts with it. */
export function reading(strict = false): Reading {
  return { strict, tolerances: new Set() };
}

/** The refusal that a function ends in, as `scimType: detail`; undefined when it ends well. */
export function refusal(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof ScimError && error.status === 400) return `${error.scimType}: ${error.message}`;
    throw error;
  }
  return undefined;
}
