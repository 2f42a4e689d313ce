import { AssertionError, type OidcProvider } from '../types.ts';
import type { JsonObject } from './json.ts';

/** Seconds by which the clocks of two machines may differ. */
const SKEW = 60;

/**
 * Seconds after its issue in which an ID token proves a sign-in, however long it says to live (OpenID Connect Core
 * section 3.1.3.7 rule 10 leaves it to us). Most live an hour; some providers give theirs a day, and each that was used
 * has to be remembered as long. Ten minutes, as for SAML, would be too few: Entra ID dates its tokens five minutes back.
 */
const MAX_AGE = 3_600;

/** OpenID Connect Core section 3.1.3.7 rule 2: the issuer exactly; for Entra ID also the tenant that it names. */
export function requireIssuer({ iss, tid }: JsonObject, { issuer }: OidcProvider): void {
  if (iss !== issuer) {
    throw new AssertionError(
      'issuer',
      'The issuer ("iss") of the ID token is not the one that is configured for this identity provider',
    );
  }
  const tenant = entraTenantOf(issuer);
  if (tenant !== undefined && tid !== tenant) {
    throw new AssertionError(
      'issuer',
      'The Entra ID tenant ("tid") of the ID token is not the one that its issuer names',
    );
  }
}

/** Issuers of Entra ID, of both versions of its tokens, in its public and national clouds. */
const ENTRA_ISSUER =
  /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|sts\.chinacloudapi\.cn)(?:\/([^/]*)|$)/;

/** What an issuer of Entra ID names as the tenant, be it nothing; undefined: it is another's. */
export function entraTenantOf(issuer: string): string | undefined {
  const found = ENTRA_ISSUER.exec(issuer);
  return found === null ? undefined : (found[1] ?? '');
}

/** Rules 3 to 5: it is meant for us, and who asked for it, where it says so, was us too. */
export function requireAudience({ aud, azp }: JsonObject, { audience }: OidcProvider): void {
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(audience)) {
    throw new AssertionError(
      'audience',
      'The audience ("aud") of the ID token does not name the client id that is configured for this identity provider',
    );
  }
  const isOurs = azp === audience || (azp === undefined && audiences.length === 1);
  if (isOurs) return;
  throw new AssertionError(
    'audience',
    'The ID token was issued to another client: "azp" must be the configured client id, and be there beside several audiences',
  );
}

/** Rules 9 and 10, RFC 7519 sections 4.1.4 to 4.1.6. Returns from when on the token does not hold any more. */
export function requireTimes({ exp, iat, nbf }: JsonObject, now: Date): Date {
  const time = now.getTime() / 1_000;
  if (!isTime(exp) || !isTime(iat) || !(nbf === undefined || isTime(nbf))) {
    throw new AssertionError(
      'structure',
      'The ID token must have "exp" and "iat" (and may have "nbf") as numbers of seconds',
    );
  }
  const end = Math.min(exp, iat + MAX_AGE) + SKEW;
  if (time >= end) {
    throw new AssertionError(
      'expired',
      'The ID token is expired, or was issued more than an hour ago: post it at sign-in, and compare the clocks',
    );
  }
  if (Math.max(iat, nbf ?? iat) > time + SKEW) {
    throw new AssertionError(
      'not_yet_valid',
      'The ID token was issued in the future ("iat", "nbf"): compare the clocks',
    );
  }
  return new Date(Math.ceil(end * 1_000));
}

/** A NumericDate (RFC 7519 section 2), in the years that a date can have. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 253_402_300_799;
}

/** Rule 11: where the gateway says which nonce it sent, the token must bear it. */
export function requireNonce({ nonce }: JsonObject, expected: string): void {
  if (nonce === expected) return;
  throw new AssertionError(
    'nonce',
    'The ID token does not bear the nonce that was given: it belongs to another sign-in',
  );
}

/** Section 2: at most 255 characters. */
export function requireSubject({ sub }: JsonObject): string {
  if (typeof sub === 'string' && sub.trim() !== '' && sub.length <= 255) return sub;
  throw new AssertionError(
    'subject',
    'The ID token must have a subject ("sub"), a text of 1 to 255 characters',
  );
}

/** OpenID Connect Back-Channel Logout section 2.6: a token that ends a session has what an ID token has, and `events`. */
export function requireNoEvents({ events }: JsonObject): void {
  if (events === undefined) return;
  throw new AssertionError('structure', 'The token tells of events ("events"): send an ID token');
}
