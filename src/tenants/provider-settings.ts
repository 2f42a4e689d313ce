import { entraTenantOf } from '../assertions/oidc/claims.ts';
import type { MappedFact, Preset, SUBJECT_ALIASES } from '../assertions/presets.ts';
import type { OidcProvider, ProviderKind } from '../assertions/types.ts';
import { AppError } from '../errors.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { fetchRefused } from '../outbound/refusal.ts';
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
  readonly matchDirectory?: string | null;
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

/** OpenID Connect Core section 15.1: what every provider signs by, unless it was agreed otherwise. */
const DEFAULT_ALGORITHMS = ['RS256'];

/** So many keys may a provider sign by. */
export const MAX_CERTIFICATES = 10;

export interface SettingsRules {
  readonly kind: ProviderKind;
  readonly outbound: Pick<Outbound, 'requireFetchable'>;
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
  { outbound }: SettingsRules,
): OidcProvider {
  const { issuer, audience, jwksUri, algorithms = DEFAULT_ALGORITHMS } = { ...before, ...input };
  if (issuer === undefined) throw invalid('/oidc/issuer', 'is missing');
  if (audience === undefined) throw invalid('/oidc/audience', 'is missing');
  // OpenID Connect Discovery section 2: its own document lies below it.
  if (/[?#]/.test(issuer)) throw invalid('/oidc/issuer', 'has a query or a fragment');
  requireOneTenant(issuer);
  const hasKeys = typeof jwksUri === 'string';
  if (hasKeys) requireFetchable(jwksUri, '/oidc/jwksUri', outbound);
  // Beside keys from elsewhere an issuer is a name, and nothing is fetched from it.
  if (!hasKeys || !isUrl(issuer, ['https:'])) requireFetchable(issuer, '/oidc/issuer', outbound);
  return { issuer, audience, algorithms, ...(hasKeys && { jwksUri }) };
}

/** Entra ID names the tenant in each token's issuer: never `common`, `organizations` or a domain, which its URLs take. */
function requireOneTenant(issuer: string): void {
  const tenant = entraTenantOf(issuer);
  if (tenant === undefined || ENTRA_TENANT.test(tenant)) return;
  throw invalid('/oidc/issuer', 'names no single tenant of Entra ID, as the issuer of its tokens does', {
    reason: 'issuer_of_many',
    hint: 'Put the tenant id in its place, in lower case: https://login.microsoftonline.com/<tenant id>/v2.0',
  });
}

const ENTRA_TENANT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What its URL already says that it will never be fetched; whom its host's name leads to is judged at each fetch. */
function requireFetchable(text: string, pointer: string, outbound: SettingsRules['outbound']): void {
  if (!isUrl(text, ['https:', 'http:'])) throw invalid(pointer, 'is no URL of the form https://host/path');
  try {
    outbound.requireFetchable(text);
  } catch (error) {
    throw fetchRefused(error, pointer);
  }
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text) || /[\s\\#]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocols.includes(protocol) && username === '' && password === '';
}

function invalid(pointer: string, what: string, why: { reason?: string; hint?: string } = {}): AppError {
  return new AppError('invalid_request', `${pointer} ${what}`, { pointer, ...why });
}
