import { X509Certificate } from 'node:crypto';
import { AppError } from '../errors.ts';

/** The certificates by whose keys identity providers sign: each trusted for itself, whoever issued it. */

const PEM = /^-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----$/;
const LEAST_RSA_BITS = 2048;

/**
 * Reads one certificate, and answers it as PEM in the one form that it is kept in.
 * @throws AppError `invalid_request` at the pointer: no X.509 certificate in PEM, several, or a key that signatures may
 *   not be verified by.
 */
export function readCertificate(text: string, pointer: string): string {
  const certificate = PEM.test(text.trim()) ? parsed(text) : undefined;
  if (certificate === undefined) {
    throw refusal(pointer, 'is no X.509 certificate in PEM', {
      reason: 'invalid_certificate',
      hint: 'Send one certificate a text, from "-----BEGIN CERTIFICATE-----" to "-----END CERTIFICATE-----".',
    });
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  const hint = `Have the identity provider sign by an RSA key of at least ${LEAST_RSA_BITS} bits.`;
  if (asymmetricKeyType !== 'rsa') {
    const what = `has a key of type ${asymmetricKeyType}, by which no signature is verified here`;
    throw refusal(pointer, what, { reason: 'unsupported_key', hint });
  }
  if (bits < LEAST_RSA_BITS) {
    throw refusal(pointer, `has an RSA key of ${bits} bits`, { reason: 'weak_certificate', hint });
  }
  return certificate.toString();
}

function parsed(text: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(text);
    // A key that cannot be read shows only when it is asked for.
    return certificate.publicKey.asymmetricKeyType === undefined ? undefined : certificate;
  } catch {
    return undefined;
  }
}

function refusal(pointer: string, what: string, options: { readonly reason: string; readonly hint: string }) {
  return new AppError('invalid_request', `${pointer} ${what}`, { pointer, ...options });
}

export interface CertificateWarning {
  readonly code: 'certificate_expired' | 'certificate_expires_soon' | 'certificate_not_yet_valid';
  readonly detail: string;
}

const SOON_DAYS = 30;
const DAY = 86_400_000;

/** What its dates say to an admin. Verification looks at the key alone: who lets it expire still signs by it. */
export function certificateWarning(pem: string, now: Date): CertificateWarning | undefined {
  const { validFrom, validTo } = new X509Certificate(pem);
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  const day = (at: Date) => at.toISOString().slice(0, 10);
  if (to <= now) {
    return { code: 'certificate_expired', detail: `The certificate expired on ${day(to)}` };
  }
  if (to.getTime() - now.getTime() < SOON_DAYS * DAY) {
    return {
      code: 'certificate_expires_soon',
      detail: `The certificate expires on ${day(to)}: add its successor, then both are accepted`,
    };
  }
  if (from > now) {
    return {
      code: 'certificate_not_yet_valid',
      detail: `The certificate is not valid before ${day(from)}`,
    };
  }
  return undefined;
}
