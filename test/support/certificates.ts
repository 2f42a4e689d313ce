import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { selfSigned } from '../../src/tenants/self-signed.ts';

/** Certificates of made-up identity providers. */

const YEAR = 365 * 86_400_000;

interface CertificateOptions {
  readonly commonName?: string;
  readonly bits?: number;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** An RSA key, and the certificate that it signed for itself: PEM. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly certificate: string;
}

export function keyPair({
  commonName = 'idp.example',
  bits = 2048,
  notBefore = new Date(Date.now() - YEAR),
  notAfter = new Date(Date.now() + YEAR),
}: CertificateOptions = {}): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const named = { commonName, serial: randomBytes(16), notBefore, notAfter };
  return {
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
    certificate: selfSigned({ privateKey, publicKey, ...named }),
  };
}

/** One of a key that is forgotten at once. */
export const certificate = (options: CertificateOptions = {}) => keyPair(options).certificate;

/** Of a key on P-256. */
export const EC_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUV6xvUEN8iUrxl5Cf9+enHDLbyC8wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKZWMuZXhhbXBsZTAgFw0yNjExMjIwNzU2MzdaGA8yMTI2MTAy
OTA3NTYzN1owFTETMBEGA1UEAwwKZWMuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABM7w0gY/0kgLGgdItp52S+0XLe4Kssu0sZpq9rq2pFa9nfXaWMXF
fcdvJQeYLD9pIjbKrSkVCd5C74YQbqUcBdajUzBRMB0GA1UdDgQWBBRh5WBZ3GkY
Hvp6vdoIBByr5FQEtzAfBgNVHSMEGDAWgBRh5WBZ3GkYHvp6vdoIBByr5FQEtzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCICf1YEPABFpJpW67tvlS
PKUeMbQo9BrB+g4V77Y343XUAiBX4XlqhKqMsY4U/GwUk4PZUg9061d9mYaif4Ps
zTEMbQ==
-----END CERTIFICATE-----
`;

/** Of an Ed25519 key, by which nothing in SAML is signed. */
export const ED25519_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBQDCB86ADAgECAhRYKtRJLqrEqdL+/RsNXwBrDm7gFTAFBgMrZXAwFTETMBEG
A1UEAwwKZWQuZXhhbXBsZTAgFw0yNjExMjIwNzU2MzdaGA8yMTI2MTAyOTA3NTYz
N1owFTETMBEGA1UEAwwKZWQuZXhhbXBsZTAqMAUGAytlcAMhAOPuc7+OABUumEin
z+wQ5gDC2oF1CF/bQ9vfFb6bPjAgo1MwUTAdBgNVHQ4EFgQUYujYOroYwfTKgoad
391k66VqbUIwHwYDVR0jBBgwFoAUYujYOroYwfTKgoad391k66VqbUIwDwYDVR0T
AQH/BAUwAwEB/zAFBgMrZXADQQCjVhZypC6mdhxDeAl3hAVJHCRRtxjDOFzCOPpy
Ew+x5biBh+nYMG6zE1GTf620D8RsDWMhr2wN99oEMEda5zAG
-----END CERTIFICATE-----
`;

/** Metadata of an identity provider that signs by a key of its own, or by those of these certificates. */
export function idpMetadata(entityId: string, pems: readonly string[] = [certificate()]): string {
  const keys = pems.map((pem) => {
    const base64 = pem.replace(/-----[A-Z ]+-----/g, '');
    return `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
    <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}">
    <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys.join('')}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
    </md:IDPSSODescriptor></md:EntityDescriptor>`;
}
