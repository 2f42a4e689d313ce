/**
 * What a sign-in's assertion is, from what a gateway posts to the facts about a person. Verification says whom to
 * believe (`saml/`, `oidc/`), reading says what was said (`facts.ts`). Nothing here knows SQL.
 */

/** How an identity provider signs people in. */
export type ProviderKind = 'saml' | 'oidc' | 'claims';

/** What SAML assertions of a provider are verified by (SAML core 2.0, profiles section 4.1). */
export interface SamlProvider {
  /** The identity provider's entity id. */
  readonly issuer: string;
  /** PEM, several while one is rolled over. */
  readonly certificates: readonly string[];
  /** Our side's entity id: what `Audience` must say. */
  readonly audience: string;
  /** Where responses are posted: what `Recipient` and `Destination` must say. */
  readonly acsUrl: string;
}

/** What ID tokens of a provider are verified by (OpenID Connect Core section 3.1.3.7). */
export interface OidcProvider {
  readonly issuer: string;
  /** Our client id. */
  readonly audience: string;
  /** Absent: what the issuer's discovery document says. */
  readonly jwksUri?: string;
  /** Signature algorithms (RFC 7518) that are accepted, never `none` and never symmetric. */
  readonly algorithms: readonly string[];
}

/** Says one check of a verification, for a dry run: `check` is a stable word. */
export interface Check {
  readonly check: string;
  readonly passed: boolean;
  readonly detail?: string;
}

/** What a verified assertion says, before the provider's attribute mapping reads it. */
export interface VerifiedAssertion {
  /** What is consumed: unique among the provider's assertions. */
  readonly id: string;
  /** From when on nobody would accept it again, clock skew included. */
  readonly expiresAt: Date;
  /** NameID, or `sub`. */
  readonly subject: string;
  /**
   * SAML attributes and OIDC claims by name, each with its texts in order; an empty list: it came without a value.
   * Booleans and numbers are written as JSON writes them, objects are left out.
   */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** Whether the assertion itself says that groups were too many to be listed (Entra ID). */
  readonly groupOverage: boolean;
  /** What was checked, in order. */
  readonly checks: readonly Check[];
}

/** Why an assertion is refused: a closed set, told to the gateway as `reason`. */
export type AssertionReason =
  | 'too_large'
  | 'malformed'
  | 'structure'
  | 'signature'
  | 'algorithm'
  | 'decryption'
  | 'issuer'
  | 'audience'
  | 'recipient'
  | 'destination'
  | 'status'
  | 'subject'
  | 'subject_confirmation'
  | 'conditions'
  | 'expired'
  | 'not_yet_valid'
  | 'lifetime'
  | 'in_response_to'
  | 'nonce'
  | 'duplicate_attribute'
  | 'attribute_missing'
  | 'too_many_groups'
  /** 503: the keys of the identity provider cannot be had now. */
  | 'keys_unavailable';

/** An assertion that does not hold. The message says what, where and what to do; never a value from its inside. */
export class AssertionError extends Error {
  readonly reason: AssertionReason;
  /** What was checked until then, the failed check last. */
  readonly checks: readonly Check[];

  constructor(reason: AssertionReason, message: string, checks: readonly Check[] = []) {
    super(message);
    this.name = 'AssertionError';
    this.reason = reason;
    this.checks = checks;
  }
}

/** What an assertion says of a user's groups: unknown (`absent`, `overage`) is not empty. */
export interface GroupClaims {
  readonly state: 'list' | 'empty' | 'absent' | 'overage';
  readonly groups: readonly string[];
}

/** What an assertion says of a person, read by the provider's attribute mapping. */
export interface Facts {
  /** Who it is at this provider: case-exact, at most 1,000 characters. */
  readonly subject: string;
  /** The subject as a directory may have it as `externalId`: without what tells apart who else has it. */
  readonly externalId: string;
  /** What a user is called whom the sign-in creates. */
  readonly userName: string;
  /** Names by which a directory may have created the person: NameID, `preferred_username`, `upn`. */
  readonly userNames: readonly string[];
  /** Those of them, and the verified e-mail address, that the person cannot have chosen: by these somebody is found. */
  readonly vouchedNames: readonly string[];
  readonly email: string | null;
  /** Whether the provider says that it has verified the address (`email_verified`, `xms_edov`). */
  readonly emailVerified: boolean;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly displayName: string | null;
  readonly avatar: string | null;
  readonly groups: GroupClaims;
}
