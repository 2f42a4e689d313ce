import { attributesOf, hasGroupOverage } from './claim-texts.ts';
import { AssertionError, type VerifiedAssertion } from './types.ts';

/** Claims that a gateway has verified itself: whom to believe is settled by its key, what was said is read here. */

export interface GatewayClaims {
  /** The gateway's own name of the sign-in: what is consumed. */
  readonly requestId: string;
  /** By name: texts, numbers, booleans, and lists of them. */
  readonly claims: Readonly<Record<string, unknown>>;
}

const MAX_CLAIMS = 200;
const MAX_TEXT = 2_000;
const MAX_VALUES = 2_000;

/** How long a `requestId` is known, in milliseconds. */
const KEPT = 24 * 60 * 60_000;

/**
 * Claims as an assertion (`attributesOf`). Throws AssertionError `too_large`, and `too_many_groups` for any list that is
 * too long.
 */
export function readClaims({ requestId, claims }: GatewayClaims, now: Date): VerifiedAssertion {
  const entries = Object.entries(claims);
  if (entries.length > MAX_CLAIMS) {
    throw new AssertionError('too_large', `claims has more than ${MAX_CLAIMS} members: send what is mapped`);
  }
  const long = entries.find(([, value]) => Array.isArray(value) && value.length > MAX_VALUES);
  if (long !== undefined) {
    throw new AssertionError(
      'too_many_groups',
      `The claim "${shown(long[0])}" has more than ${MAX_VALUES} values`,
    );
  }
  const attributes = attributesOf(claims);
  for (const [name, texts] of attributes) requireShort(name, texts);
  return {
    id: requestId,
    expiresAt: new Date(now.getTime() + KEPT),
    subject: attributes.get('sub')?.[0] ?? '',
    attributes,
    groupOverage: hasGroupOverage(claims),
    checks: [{ check: 'bounds', passed: true }],
  };
}

function requireShort(name: string, texts: readonly string[]): void {
  if ([name, ...texts].every(({ length }) => length <= MAX_TEXT)) return;
  throw new AssertionError('too_large', `The claim "${shown(name)}" has more than ${MAX_TEXT} characters`);
}

const shown = (name: string) => name.slice(0, 100);
