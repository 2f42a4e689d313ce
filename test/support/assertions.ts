import type { Reading } from '../../src/assertions/facts.ts';
import type { VerifiedAssertion } from '../../src/assertions/types.ts';
import { profileFits } from '../../src/scim/profile.ts';

/** Assertions as verification leaves them, for tests of what is read of them. */

export function assertionOf(
  subject: string,
  attributes: Readonly<Record<string, readonly string[]>> = {},
  groupOverage = false,
): VerifiedAssertion {
  return {
    id: 'an-assertion',
    expiresAt: new Date('2026-03-04T05:06:07.000Z'),
    subject,
    attributes: new Map(Object.entries(attributes)),
    groupOverage,
    checks: [],
  };
}

/** By which nothing is set. */
export const READING: Reading = {
  kind: 'saml',
  preset: null,
  attributeMapping: {},
  groupAttribute: null,
  absentGroups: 'unknown',
  trustEmail: false,
  fits: profileFits,
};
