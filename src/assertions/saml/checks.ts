import { AssertionError } from '../types.ts';
import { SUCCESS } from './gate.ts';
import { ASSERTION, childrenNamed, is, onlyChild, PROTOCOL, plainText } from './names.ts';
import type { SamlKeys } from './signed-assertion.ts';
import { instant, MAX_AGE, MAX_LIFETIME, requireAhead, requirePassed, SKEW } from './times.ts';
import type { XmlElement } from './xml.ts';

/** A response whose signatures hold, and what it is held against. */
export interface SignedResponse {
  readonly provider: SamlKeys;
  /** Signed only where `responseSigned` says so: what is read of it can refuse, and gives no claim. */
  readonly response: XmlElement;
  readonly responseSigned: boolean;
  readonly encrypted: boolean;
  /** Read from the signed bytes. */
  readonly assertion: XmlElement;
  readonly now: Date;
  /** The ID of the gateway's AuthnRequest; absent: it sent none, or does not say. */
  readonly requestId?: string;
}

type Rule = (signed: SignedResponse) => void;

/** What SAML core and the Web Browser SSO profile (profiles section 4.1.4) want beyond a signature, in this order. */
export const RULES: readonly (readonly [check: string, rule: Rule])[] = [
  ['version', requireVersion],
  ['issuer', requireIssuer],
  ['destination', requireDestination],
  ['status', requireSuccess],
  ['issue_instant', requireFresh],
  ['subject', requireSubject],
  ['subject_confirmation', requireBearer],
  ['recipient', requireRecipient],
  ['in_response_to', requireRequest],
  ['conditions', requireConditions],
  ['audience', requireAudience],
  ['validity', requireInTime],
  ['lifetime', requireShortLife],
];

function requireVersion({ response, assertion }: SignedResponse): void {
  for (const { name, attributes } of [response, assertion]) {
    if (attributes.get('Version') !== '2.0')
      throw new AssertionError('malformed', `${name} is not of SAML 2.0.`);
    if (!attributes.get('ID')) throw new AssertionError('malformed', `${name} has no ID.`);
  }
}

/** Profiles section 4.1.4.2: a response may leave out its Issuer unless it is signed or holds what is encrypted. */
function requireIssuer({ provider, response, assertion, responseSigned, encrypted }: SignedResponse): void {
  const optional = !responseSigned && !encrypted && childrenNamed(response, ASSERTION, 'Issuer').length === 0;
  for (const element of optional ? [assertion] : [response, assertion]) {
    if (plainText(onlyChild(element, ASSERTION, 'Issuer')) !== provider.issuer) {
      throw new AssertionError('issuer', `Issuer of the ${element.name} is not this identity provider's.`);
    }
  }
}

/**
 * A signed response must name where it was to be delivered, and it must be here (bindings section 3.5.5.2): else it
 * could have been signed for somebody else. Unsigned, the attribute proves nothing, so it may be absent; where it is
 * there it must be right (core section 3.2.2).
 */
function requireDestination({ provider, response, responseSigned }: SignedResponse): void {
  const destination = response.attributes.get('Destination');
  if (destination === undefined && !responseSigned) return;
  if (destination !== provider.acsUrl) {
    throw new AssertionError('destination', "Destination of the Response is not this provider's acsUrl.");
  }
}

function requireSuccess({ response }: SignedResponse): void {
  const status = onlyChild(response, PROTOCOL, 'Status');
  const code = status && onlyChild(status, PROTOCOL, 'StatusCode');
  if (code?.attributes.get('Value') !== SUCCESS) {
    throw new AssertionError(
      'status',
      'Status of the Response is not Success: see the log of the identity provider.',
    );
  }
}

function requireFresh({ response, assertion, now }: SignedResponse): void {
  for (const element of [response, assertion]) {
    const issued = instant(element, 'IssueInstant');
    if (issued === undefined) throw new AssertionError('malformed', `${element.name} has no IssueInstant.`);
    requirePassed(issued, now, `IssueInstant of the ${element.name}`);
    requireAhead(issued + MAX_AGE, now, `The time after IssueInstant of the ${element.name} (10 minutes)`);
  }
}

/** Children of a NameID are refused: what stands before, between and behind them are three names. */
function requireSubject({ assertion }: SignedResponse): void {
  const nameId = nameIdOf(assertion);
  if (nameId === undefined || nameId.trim() === '') {
    throw new AssertionError('subject', 'Subject does not hold one NameID with plain text in it.');
  }
}

/** The text of the NameID, as it is written. */
export function nameIdOf(assertion: XmlElement): string | undefined {
  const subject = onlyChild(assertion, ASSERTION, 'Subject');
  return subject && plainText(onlyChild(subject, ASSERTION, 'NameID'));
}

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';

/** The data of the one bearer confirmation (profiles section 4.1.4.2). Other methods are not for browsers. */
function bearerOf(assertion: XmlElement): XmlElement {
  const subject = onlyChild(assertion, ASSERTION, 'Subject');
  const [bearer, another] = (subject ? childrenNamed(subject, ASSERTION, 'SubjectConfirmation') : []).filter(
    (confirmation) => confirmation.attributes.get('Method') === BEARER,
  );
  const confirmed = bearer && onlyChild(bearer, ASSERTION, 'SubjectConfirmationData');
  if (confirmed === undefined || another !== undefined) {
    throw new AssertionError(
      'subject_confirmation',
      'Subject does not hold one SubjectConfirmation of the method bearer with its SubjectConfirmationData.',
    );
  }
  return confirmed;
}

function requireBearer({ assertion }: SignedResponse): void {
  if (instant(bearerOf(assertion), 'NotOnOrAfter') === undefined) {
    throw new AssertionError('subject_confirmation', 'SubjectConfirmationData has no NotOnOrAfter.');
  }
}

function requireRecipient({ provider, assertion }: SignedResponse): void {
  if (bearerOf(assertion).attributes.get('Recipient') !== provider.acsUrl) {
    throw new AssertionError(
      'recipient',
      "Recipient of SubjectConfirmationData is not this provider's acsUrl.",
    );
  }
}

/** With a request, both must answer it. Without one, both may name one that we do not know, but the same. */
function requireRequest({ response, assertion, requestId }: SignedResponse): void {
  const ofResponse = response.attributes.get('InResponseTo');
  const ofAssertion = bearerOf(assertion).attributes.get('InResponseTo');
  const expected = requestId ?? ofResponse ?? ofAssertion;
  const named =
    requestId === undefined ? [ofResponse, ofAssertion].filter(Boolean) : [ofResponse, ofAssertion];
  if (named.some((id) => id !== expected)) {
    throw new AssertionError(
      'in_response_to',
      requestId === undefined
        ? 'InResponseTo of the Response and of SubjectConfirmationData are not the same.'
        : 'InResponseTo is not the requestId that was given, in the Response and in SubjectConfirmationData.',
    );
  }
}

/** What we understand of Conditions: an assertion with another is not valid for us (core section 2.5.1). */
const CONDITIONS: readonly string[] = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];

function conditionsOf(assertion: XmlElement): XmlElement {
  const conditions = onlyChild(assertion, ASSERTION, 'Conditions');
  if (conditions === undefined)
    throw new AssertionError('conditions', 'The Assertion does not hold Conditions, once.');
  return conditions;
}

function requireConditions({ assertion }: SignedResponse): void {
  for (const child of conditionsOf(assertion).children) {
    if (!CONDITIONS.some((name) => is(child, ASSERTION, name))) {
      throw new AssertionError(
        'conditions',
        `Conditions hold one that is not known; known: ${CONDITIONS.join(', ')}.`,
      );
    }
  }
}

/** Several restrictions must all hold, several audiences are a choice (core section 2.5.1.4). */
function requireAudience({ provider, assertion }: SignedResponse): void {
  const restrictions = childrenNamed(conditionsOf(assertion), ASSERTION, 'AudienceRestriction');
  const meant = (restriction: XmlElement) =>
    childrenNamed(restriction, ASSERTION, 'Audience').some((named) => plainText(named) === provider.audience);
  if (restrictions.length === 0 || !restrictions.every(meant)) {
    throw new AssertionError('audience', "AudienceRestriction does not name this provider's audience.");
  }
}

function requireInTime({ assertion, now }: SignedResponse): void {
  const bearer = bearerOf(assertion);
  const conditions = conditionsOf(assertion);
  for (const bounds of [bearer, conditions]) {
    requirePassed(instant(bounds, 'NotBefore'), now, `NotBefore of ${bounds.name}`);
    requireAhead(instant(bounds, 'NotOnOrAfter'), now, `NotOnOrAfter of ${bounds.name}`);
  }
}

function requireShortLife({ assertion }: SignedResponse): void {
  const issued = instant(assertion, 'IssueInstant') ?? 0;
  for (const bounds of [bearerOf(assertion), conditionsOf(assertion)]) {
    // A minute more: the two times of one assertion are read off the clock one after the other.
    if ((instant(bounds, 'NotOnOrAfter') ?? 0) > issued + MAX_LIFETIME + SKEW) {
      throw new AssertionError(
        'lifetime',
        `NotOnOrAfter of ${bounds.name} lies more than an hour behind IssueInstant. Set the identity provider to less.`,
      );
    }
  }
}

/**
 * When the first of the assertion's bounds refuses it, whoever posts it. What is unsigned has no say: who could shorten
 * the time for which a use is remembered could use the assertion twice.
 */
export function expiryOf({ assertion }: SignedResponse): Date {
  const bounds = [
    (instant(assertion, 'IssueInstant') ?? 0) + MAX_AGE,
    instant(bearerOf(assertion), 'NotOnOrAfter'),
    instant(conditionsOf(assertion), 'NotOnOrAfter'),
  ];
  return new Date(Math.min(...bounds.filter((bound) => bound !== undefined)) + SKEW);
}
