import { type Attributes, type Fits, isName } from './attributes.ts';
import { saysUnverified } from './email-claims.ts';
import { ENTRA_USER_NAME, type Preset, USER_NAMES, VOUCHING_PRESETS } from './presets.ts';
import type { Facts, ProviderKind, VerifiedAssertion } from './types.ts';

/** By whose words names are believed. */
interface NameReading {
  readonly kind: ProviderKind;
  readonly preset: Preset | null;
  readonly fits: Fits;
}

type Email = Pick<Facts, 'email' | 'emailVerified'>;

const LONGEST_NAME = 1_000;

/** Reads by which names a directory may have created the person, and by which a sign-in may create them. */
export function readNames(
  { subject, attributes }: VerifiedAssertion,
  reading: NameReading,
  person: Email & Pick<Facts, 'subject'>,
): Pick<Facts, 'userName' | 'userNames' | 'vouchedNames'> {
  const { kind, preset } = reading;
  const keepable = (names: readonly string[]) =>
    [...new Set(names)].filter((name) => isName(name, LONGEST_NAME, reading));
  const named = preset === 'entra' ? [...USER_NAMES, ENTRA_USER_NAME] : USER_NAMES;
  const userNames = keepable([subject, ...named.flatMap((name) => attributes.get(name) ?? [])]);
  const areVouched = kind === 'saml' || VOUCHING_PRESETS.includes(preset);
  const vouched = areVouched ? userNames : keepable([subject]);
  // The first is the subject; another one tells people more.
  const [first = person.subject, second] = vouched;
  const address = person.emailVerified && person.email !== null ? [person.email] : [];
  return {
    userName: nameable(attributes, person, reading) ?? second ?? first,
    userNames,
    vouchedNames: [...vouched, ...address].filter(isPlain),
  };
}

/** Whether folding changes nothing but the case: what only looks like a name must not find who has it. */
const isPlain = (name: string) => name.normalize('NFKC') === name.normalize('NFC');

/**
 * The address, where it may be somebody's name: not one of which the provider says that it is not verified, and no
 * claim of Entra ID that does not say it, where admins of any tenant write into it what they like.
 */
function nameable(
  attributes: Attributes,
  { email, emailVerified }: Email,
  { kind, preset }: NameReading,
): string | null {
  if (emailVerified || kind === 'saml') return email;
  return preset === 'entra' || saysUnverified(attributes) ? null : email;
}
