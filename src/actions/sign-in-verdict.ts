import type { Check, Facts } from '../assertions/types.ts';
import type { Answered } from '../directory/consumed-assertions.ts';
import type { Profile } from '../directory/profiles.ts';
import type { Person, RefusalReason } from '../directory/who-signs-in.ts';
import { AppError, type AppErrorCode } from '../errors.ts';
import type { AccessChange, AccessDecision } from '../reconcile/access.ts';
import type { Doors } from './other-ways.ts';

/** What a sign-in comes to: an answer or a refusal, and the form in which the gateway's own retry gets it again. */

export interface SignInAnswer {
  readonly outcome: 'created' | 'linked' | 'updated' | 'unchanged';
  readonly user: Profile;
  readonly access: AccessDecision;
  /** What this assertion says. */
  readonly identityProviderGroups: Facts['groups'];
  /** Of memberships. */
  readonly changes: readonly AccessChange[];
  readonly warnings: readonly SignInWarning[];
  /** Of a dry run: what was checked and decided, in order. */
  readonly trace?: readonly Check[];
}

export interface SignInWarning {
  readonly code: 'groups_absent' | 'groups_overage' | 'email_unverified' | 'identity_provider_disabled';
  readonly detail: string;
}

export type Verdict = { readonly answer: SignInAnswer } | { readonly refusal: AppError };

const REFUSALS: Readonly<
  Record<RefusalReason, { readonly code: AppErrorCode; readonly detail: string; readonly hint: string }>
> = {
  deactivated: {
    code: 'forbidden',
    detail: 'The user is deactivated',
    hint: 'Whoever manages the user has to activate it: the directory, or an admin. A sign-in never does.',
  },
  deprovisioned: {
    code: 'forbidden',
    detail: 'The user was deleted',
    hint: 'The directory has to create the user again, or an admin allows the return (POST …/users/{userId}/allow-return).',
  },
  rejected: {
    code: 'forbidden',
    detail: 'An admin has rejected this identity',
    hint: "See the tenant's conflicts (GET …/conflicts).",
  },
  unknown_user: {
    code: 'forbidden',
    detail: 'Nobody is known by this identity, and this identity provider creates nobody',
    hint: 'Provision the user by SCIM, invite them, or switch JIT on for the identity provider; with the tenant setting provisioning "scim" sign-ins create nobody.',
  },
  email_unverified: {
    code: 'forbidden',
    detail:
      'An invitation or a rule of an e-mail domain waits for this address, and the identity provider does not say that it is verified',
    hint: 'Let the identity provider send email_verified, or, where all of its addresses are verified, set trustEmail.',
  },
  foreign_domain: {
    code: 'forbidden',
    detail:
      'The identity provider signs in people of any organisation, and this address is not verified, or its domain not proved for the tenant',
    hint: "Prove the domain (POST …/domains), or invite the person. Google's SAML signs in the people of one organisation.",
  },
  unmapped: {
    code: 'forbidden',
    detail:
      'No team, permission or ownership follows from what the user has, and the tenant lets such users not in',
    hint: 'Put the user into a group that the group mapping names, or set unmappedUsers to "allow".',
  },
  link_conflict: {
    code: 'conflict',
    detail: 'The identity meets an existing user, to whom it may not be linked',
    hint: "An admin decides on it among the tenant's conflicts (GET …/conflicts).",
  },
  attribute_missing: {
    code: 'assertion_refused',
    detail:
      'The assertion has no e-mail address, which the userName must be in this tenant (userNameMustBeEmail)',
    hint: 'Let the identity provider send the e-mail address, or name its attribute in the attribute mapping.',
  },
};

/** The refusal of a person. */
export function personRefused(
  reason: RefusalReason,
  members: Readonly<Record<string, unknown>> = {},
): AppError {
  const { code, detail, hint } = REFUSALS[reason];
  return new AppError(code, detail, { reason, hint, members });
}

/** The refusal of an assertion that was used before. */
function replayed(): AppError {
  return new AppError('conflict', 'This assertion has been used: each signs in once', {
    reason: 'replayed',
    hint: 'Send the person through the identity provider again. A retry gets the first answer again within 60 seconds, with the same key, body and Idempotency-Key.',
  });
}

/** The statuses of what is answered for good; everything else uses nothing up. */
const STATUS: Readonly<Partial<Record<AppErrorCode, number>>> = {
  forbidden: 403,
  conflict: 409,
  assertion_refused: 422,
};

/** As it is kept for a retry. */
export function keptVerdict(verdict: Verdict): Answered {
  if ('answer' in verdict) {
    const status = verdict.answer.outcome === 'created' ? 201 : 200;
    return { status, answer: JSON.stringify(verdict) };
  }
  const { code, message, reason, hint, members } = verdict.refusal;
  const refusal = { code, message, reason, hint, members };
  return { status: STATUS[code] ?? 403, answer: JSON.stringify({ refusal }) };
}

/**
 * What a retry gets: the answer of the first time, as long as the person may still come in, or the refusal of a second use.
 * @param found who is found now
 */
export function verdictAgain(
  { answer }: { readonly answer: string | null },
  found: readonly Person[],
): Verdict {
  if (answer === null) return { refusal: replayed() };
  const kept = JSON.parse(answer) as { answer: SignInAnswer } | { refusal: KeptRefusal };
  const mayStillEnter = found.some(({ how, active }) => how === 'link' && active);
  if ('answer' in kept) return mayStillEnter ? kept : { refusal: replayed() };
  const { code, message, ...options } = kept.refusal;
  return { refusal: new AppError(code, message, options) };
}

interface KeptRefusal {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly reason: string;
  readonly hint: string;
  readonly members: Readonly<Record<string, unknown>>;
}

const WARNINGS: Readonly<Partial<Record<Facts['groups']['state'], SignInWarning>>> = {
  absent: {
    code: 'groups_absent',
    detail: 'The assertion says nothing of groups: nothing was taken away. Check the group attribute',
  },
  overage: {
    code: 'groups_overage',
    detail:
      'The user has too many groups for the assertion to list them: nothing was taken away. Have the identity provider send only the groups that are assigned to the application',
  },
};

/** What an admin should know of a sign-in that went well. */
export function warningsOf(
  { groups: { state } }: Facts,
  { waiting }: Doors,
  { isNew }: { readonly isNew: boolean },
): SignInWarning[] {
  const ofGroups = WARNINGS[state];
  // The rule of a domain gives to the newly created alone.
  const isMissed = waiting.invitation || (isNew && waiting.domain);
  return [...(ofGroups === undefined ? [] : [ofGroups]), ...(isMissed ? [UNVERIFIED] : [])];
}

const UNVERIFIED: SignInWarning = {
  code: 'email_unverified',
  detail:
    'An invitation or a rule of an e-mail domain waits for this address, and the identity provider does not say that it is verified (email_verified, trustEmail)',
};

/** Of a dry run: the same sign-in, posted in earnest, is refused. */
export const DISABLED: SignInWarning = {
  code: 'identity_provider_disabled',
  detail: 'The identity provider is disabled: until an admin enables it nobody signs in by it',
};
