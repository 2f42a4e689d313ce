import type { MappedFact, Preset, SUBJECT_ALIASES } from '../assertions/presets.ts';
import type { OidcProvider, ProviderKind } from '../assertions/types.ts';
import { AppError } from '../errors.ts';
import { readCertificate } from './certificates.ts';
import {
  type JitMode,
  MATCHES,
  type Match,
  type ProviderSettings,
  type SamlSettings,
} from './identity-providers.ts';

/** What may be asked of an identity provider's settings, and what they are then. No SQL. */

type SubjectAlias = (typeof SUBJECT_ALIASES)[number];

/** The settings as an admin sends them, of the form that the API's schemas ask for; absent: as it is. */
export interface SettingsInput {
  readonly preset?: Preset | null;
  readonly attributeMapping?: Readonly<Partial<Record<MappedFact | SubjectAlias, string>>> | null;
  readonly groupAttribute?: string | null;
  readonly absentGroups?: ProviderSettings['absentGroups'];
  readonly trustEmail?: boolean;
  readonly matchManaged?: readonly Match[];
  readonly profileSync?: ProviderSettings['profileSync'];
  readonly saml?: Partial<SamlSettings>;
  readonly oidc?: Partial<Omit<OidcProvider, 'jwksUri'>> & { readonly jwksUri?: string | null };
}

/** What else of a provider an admin may change. */
export interface ProviderInput extends SettingsInput {
  readonly displayName?: string | null;
  readonly jit?: JitMode;
  readonly enabled?: boolean;
  /** A team by id or by name. */
  readonly defaultTeam?: { readonly team: string; readonly role: string } | null;
  readonly domains?: readonly string[];
}

/** RFC 7518 section 3.1, RFC 8037 and RFC 9864: signatures by a public key, which a client cannot forge with what it knows. */
export const OIDC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

/** OpenID Connect Core section 15.1: what every provider signs by, unless it was agreed otherwise. */
const DEFAULT_ALGORITHMS = ['RS256'];

/** So many keys may a provider sign by. */
export const MAX_CERTIFICATES = 10;

export interface SettingsRules {
  readonly kind: ProviderKind;
  /** Whether providers on this machine are spoken to by http: a setting for tests. */
  readonly allowLoopback: boolean;
}

/**
 * The settings with what is named changed; of `saml` and `oidc` member by member, the attribute mapping as a whole.
 * @throws AppError `invalid_request` at the JSON pointer.
 */
export function changedSettings(
  before: ProviderSettings,
  input: SettingsInput,
  rules: SettingsRules,
): ProviderSettings {
  const { attributeMapping, matchManaged, saml, oidc, ...rest } = input;
  for (const kind of ['saml', 'oidc'] as const) {
    if (input[kind] !== undefined && kind !== rules.kind) {
      throw invalid(`/${kind}`, `is not for identity providers of kind "${rules.kind}"`);
    }
  }
  const plain = Object.entries(rest).filter(([name, value]) => name in before && value !== undefined);
  return {
    ...before,
    ...Object.fromEntries(plain),
    ...(attributeMapping !== undefined && { attributeMapping: readMapping(attributeMapping ?? {}) }),
    ...(matchManaged && { matchManaged: MATCHES.filter((match) => matchManaged.includes(match)) }),
    saml: rules.kind === 'saml' ? changedSaml(before.saml, saml ?? {}) : null,
    oidc: rules.kind === 'oidc' ? changedOidc(before.oidc, oidc ?? {}, rules) : null,
  };
}

/** The subject may be named by the words that products ask identity providers to name it by. */
function readMapping(
  input: NonNullable<SettingsInput['attributeMapping']>,
): ProviderSettings['attributeMapping'] {
  const { uniqueUserId, userUniqueId, ...mapping } = input;
  const [subject, another] = [mapping.subject, uniqueUserId, userUniqueId].filter(
    (name) => name !== undefined,
  );
  if (another !== undefined) throw invalid('/attributeMapping', 'names the subject twice');
  return { ...mapping, ...(subject !== undefined && { subject }) };
}

function changedSaml(before: SamlSettings | null, input: Partial<SamlSettings>): SamlSettings {
  const { issuer = null, certificates = [], audience, acsUrl } = { ...before, ...input };
  if (audience === undefined) throw invalid('/saml/audience', 'is missing');
  if (acsUrl === undefined) throw invalid('/saml/acsUrl', 'is missing');
  if (input.acsUrl !== undefined && !isUrl(acsUrl, ['https:', 'http:'])) {
    throw invalid('/saml/acsUrl', 'is no URL of the form https://host/path');
  }
  const read =
    input.certificates?.map((pem, index) => readCertificate(pem, `/saml/certificates/${index}`)) ??
    certificates;
  const distinct = [...new Set(read)];
  if (distinct.length > MAX_CERTIFICATES) {
    throw invalid('/saml/certificates', `has more than ${MAX_CERTIFICATES} certificates`);
  }
  return { issuer, certificates: distinct, audience, acsUrl };
}

function changedOidc(
  before: OidcProvider | null,
  input: NonNullable<SettingsInput['oidc']>,
  { allowLoopback }: SettingsRules,
): OidcProvider {
  const { issuer, audience, jwksUri, algorithms = DEFAULT_ALGORITHMS } = { ...before, ...input };
  if (issuer === undefined) throw invalid('/oidc/issuer', 'is missing');
  if (audience === undefined) throw invalid('/oidc/audience', 'is missing');
  requireFetchable(issuer, '/oidc/issuer', allowLoopback);
  // OpenID Connect Discovery section 2: its own document lies below it.
  if (/[?#]/.test(issuer)) throw invalid('/oidc/issuer', 'has a query or a fragment');
  if (typeof jwksUri === 'string') requireFetchable(jwksUri, '/oidc/jwksUri', allowLoopback);
  return { issuer, audience, algorithms, ...(typeof jwksUri === 'string' && { jwksUri }) };
}

/** What keys are fetched from is named by https; whether it lies on the public Internet is judged at each fetch. */
function requireFetchable(text: string, pointer: string, allowLoopback: boolean): void {
  const isLoopback = allowLoopback && /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(text);
  if (isLoopback || isUrl(text, ['https:'])) return;
  throw invalid(pointer, 'is no URL of the form https://host/path');
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text) || /[\s\\#]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocols.includes(protocol) && username === '' && password === '';
}

function invalid(pointer: string, what: string): AppError {
  return new AppError('invalid_request', `${pointer} ${what}`, { pointer });
}
