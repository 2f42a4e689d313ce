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
 * Claims as an assertion. Objects among them are left out, except for what Entra ID writes instead of too many groups
 * (`_claim_names`). Throws AssertionError `too_large`, and `too_many_groups` for any list that is too long.
 */
export function readClaims({ requestId, claims }: GatewayClaims, now: Date): VerifiedAssertion {
  const entries = Object.entries(claims);
  if (entries.length > MAX_CLAIMS) {
    throw new AssertionError('too_large', `claims has more than ${MAX_CLAIMS} members: send what is mapped`);
  }
  const attributes = new Map(entries.flatMap(([name, value]) => attributeOf(name, value)));
  const { _claim_names: elsewhere, hasgroups } = claims;
  return {
    id: requestId,
    expiresAt: new Date(now.getTime() + KEPT),
    subject: attributes.get('sub')?.[0] ?? '',
    attributes,
    groupOverage:
      hasgroups === true || (typeof elsewhere === 'object' && elsewhere !== null && 'groups' in elsewhere),
    checks: [{ check: 'bounds', passed: true }],
  };
}

function attributeOf(name: string, value: unknown): [name: string, texts: string[]][] {
  const values = value === null ? [] : [value].flat();
  if (values.length > MAX_VALUES) {
    throw new AssertionError(
      'too_many_groups',
      `The claim "${shown(name)}" has more than ${MAX_VALUES} values`,
    );
  }
  const texts = values.flatMap(textOf);
  // An object, or a list of objects, says nothing that could be read.
  if (texts.length === 0 && values.length > 0) return [];
  if ([name, ...texts].some(({ length }) => length > MAX_TEXT)) {
    throw new AssertionError('too_large', `The claim "${shown(name)}" has more than ${MAX_TEXT} characters`);
  }
  return [[name, texts]];
}

function textOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'number' || typeof value === 'boolean' ? [JSON.stringify(value)] : [];
}

const shown = (name: string) => name.slice(0, 100);
