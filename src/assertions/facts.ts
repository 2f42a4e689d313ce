import {
  type Attributes,
  type Fits,
  type Found,
  findNamed,
  findSpelled,
  isKeepable,
  isName,
  namesOf,
} from './attributes.ts';
import { saysVerified } from './email-claims.ts';
import { type GroupReading, readGroups } from './groups.ts';
import { COMMON_URIS, COMMON_WORDS, type MappedFact, PRESET_NAMES } from './presets.ts';
import { AssertionError, type Facts, type ProviderKind, type VerifiedAssertion } from './types.ts';
import { readNames } from './user-names.ts';

/** By what the facts are read of an identity provider's assertions. */
export interface Reading extends GroupReading {
  readonly kind: ProviderKind;
  /** The attribute of each fact, by name. What is named here is looked for nowhere else. */
  readonly attributeMapping: Readonly<Partial<Record<MappedFact, string>>>;
  /** Whether every e-mail address that the provider sends counts as verified. */
  readonly trustEmail: boolean;
  /** What a user can hold. */
  readonly fits: Fits;
}

const LONGEST_SUBJECT = 1_000;
const LONGEST_NAME = 1_000;
const LONGEST_URL = 2_000;
/** RFC 5321 section 4.5.3.1.3. */
const LONGEST_EMAIL = 254;

/**
 * Reads what a verified assertion says of a person: by the attribute mapping, else by the preset's names, else by the
 * common ones. Texts of the profile that cannot be kept are left out: nobody is refused for the sake of a picture.
 * @throws AssertionError `attribute_missing`, `duplicate_attribute`, `subject` where it does not say who it is; see
 *   `readGroups`.
 */
export function readFacts(assertion: VerifiedAssertion, reading: Reading): Facts {
  const { attributes } = assertion;
  const text = (fact: MappedFact, longest: number) => {
    const value = find(attributes, reading, fact)?.values.find((each) => each !== '');
    return value !== undefined && isKeepable(value, longest) && reading.fits.text(value) ? value : null;
  };
  const email = readEmail(attributes, reading);
  const avatar = text('avatar', LONGEST_URL);
  const identity = readSubject(assertion, reading);
  return {
    ...identity,
    ...email,
    ...readNames(assertion, reading, { ...identity, ...email }),
    givenName: text('givenName', LONGEST_NAME),
    familyName: text('familyName', LONGEST_NAME),
    displayName: text('displayName', LONGEST_NAME),
    // Products show it: a script must not come along.
    avatar: avatar !== null && /^https?:\/\//i.test(avatar) && URL.canParse(avatar) ? avatar : null,
    groups: readGroups(assertion, reading),
  };
}

function find(
  attributes: Attributes,
  { attributeMapping, preset }: Reading,
  fact: MappedFact,
): Found | undefined {
  const mapped = attributeMapping[fact];
  if (mapped !== undefined) return findNamed(attributes, [mapped]);
  const ofPreset = preset === null ? [] : (PRESET_NAMES[preset][fact] ?? []);
  return (
    findNamed(attributes, [...ofPreset, ...(COMMON_URIS[fact] ?? [])]) ??
    findSpelled(attributes, COMMON_WORDS[fact] ?? [])
  );
}

/** Who it is. What was set to be the subject is never replaced by something else: that would be another person. */
function readSubject(assertion: VerifiedAssertion, reading: Reading): Pick<Facts, 'subject' | 'externalId'> {
  const { attributes } = assertion;
  const values = find(attributes, reading, 'subject')?.values.filter((value) => value !== '') ?? [];
  const mapped = reading.attributeMapping.subject;
  if (values.length === 0 && (mapped !== undefined || reading.preset === 'entra')) {
    const missing = mapped === undefined ? 'object identifier of Entra ID' : `attribute "${mapped}"`;
    throw new AssertionError(
      'attribute_missing',
      `The assertion has no ${missing}, which is to be the subject; ${namesOf(attributes)}`,
    );
  }
  const [externalId = assertion.subject, another] = values;
  if (another !== undefined) {
    throw new AssertionError(
      'duplicate_attribute',
      'The attribute that is to be the subject has several values',
    );
  }
  const subject = reading.preset === 'entra' ? withTenant(externalId, attributes, reading) : externalId;
  if (externalId.trim() === '' || !isName(subject, LONGEST_SUBJECT, reading)) {
    throw new AssertionError(
      'subject',
      `The subject is empty, too long (${LONGEST_SUBJECT} characters, and fewer where each takes many bytes), or holds control characters or more than 30 combining marks in a row`,
    );
  }
  return { subject, externalId };
}

/**
 * An object id of Entra ID is unique in one of its tenants. Where the issuer is verified, it names that tenant; claims
 * that a gateway verified have no issuer, and are told apart by their `tid`.
 */
function withTenant(subject: string, attributes: Attributes, { kind }: Reading): string {
  const [tid] = attributes.get('tid') ?? [];
  return kind === 'claims' && tid !== undefined ? `${tid}:${subject}` : subject;
}

function readEmail(attributes: Attributes, reading: Reading): Pick<Facts, 'email' | 'emailVerified'> {
  const found = find(attributes, reading, 'email');
  const values = found?.values.filter((value) => value !== '') ?? [];
  const [email = ''] = values;
  if (!isName(email, LONGEST_EMAIL, reading) || !/^[^\s@]+@[^\s@]+$/.test(email)) {
    return { email: null, emailVerified: false };
  }
  // The claims about verification speak of the one address in the claim `email`, and of no other attribute.
  const isClaim = reading.kind !== 'saml' && found?.name === 'email' && values.length === 1;
  return { email, emailVerified: reading.trustEmail || (isClaim && saysVerified(attributes)) };
}
