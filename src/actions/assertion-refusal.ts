import { AssertionError, type AssertionReason } from '../assertions/types.ts';
import { AppError } from '../errors.ts';

const CLOCKS = 'Compare the clocks of the identity provider and of this service; 60 seconds are let pass.';
const SETTINGS = "Compare the identity provider's settings here with those on its own side.";

/** What to do about each. */
const HINTS: Readonly<Record<AssertionReason, string>> = {
  too_large: 'Have the identity provider send only the attributes and groups that the product needs.',
  malformed: 'Send what the identity provider sent as it is, in base64 where it came so.',
  structure:
    'The document is not of the form that identity providers send: treat it as an attack until it is explained.',
  signature: "Compare the identity provider's signing certificates or keys with those that are set here.",
  algorithm: 'Have the identity provider sign with SHA-256 or better.',
  decryption:
    "Compare the certificate that the identity provider encrypts for with this service's. Where it is the same, the " +
    "service's ROLLCALL_SECRET_KEY is another one than when the key was made: delete the encryption key, make a new " +
    'one, and give the identity provider its certificate.',
  issuer: SETTINGS,
  audience: SETTINGS,
  recipient: SETTINGS,
  destination: SETTINGS,
  status: 'The identity provider itself has refused: its log says why.',
  subject: 'Have the identity provider send a subject (NameID, sub): one text, not empty and not long.',
  subject_confirmation:
    'Have the identity provider send a bearer confirmation with Recipient and NotOnOrAfter.',
  conditions: 'Have the identity provider send Conditions with an AudienceRestriction.',
  expired: `Send the person through the identity provider again. ${CLOCKS}`,
  not_yet_valid: CLOCKS,
  lifetime: 'Have the identity provider issue assertions that are valid for an hour at most.',
  in_response_to: 'Send the requestId of the request that this is the answer to.',
  nonce: 'Send the nonce of the request that this is the answer to.',
  duplicate_attribute: 'Have the identity provider send the attribute once.',
  attribute_missing: 'Let the identity provider send it, or name another attribute in the attribute mapping.',
  too_many_groups: 'Have the identity provider send only the groups that are assigned to the application.',
  keys_unavailable: 'Nothing is used up: repeat the request after the seconds in Retry-After.',
};

/** An assertion that does not hold, as a refusal; in a dry run with what was checked until then. */
export function assertionRefused(error: unknown, { dryRun }: { readonly dryRun: boolean }): unknown {
  if (!(error instanceof AssertionError)) return error;
  const { reason, message, checks } = error;
  return new AppError(reason === 'keys_unavailable' ? 'unavailable' : 'assertion_refused', message, {
    reason,
    hint: HINTS[reason],
    ...(dryRun && { members: { trace: checks } }),
    cause: error,
  });
}
