import { createRequire } from 'node:module';
import { ACS, AUDIENCE, IDP, ISSUER, OURS } from './identity-provider.ts';

/** The identity provider of `samlp`, which has no types: one sign-in of one person, at the time of the clock. */

interface Samlp {
  getSamlResponse(options: object, user: object, done: (error: Error | null, xml: string) => void): void;
}

const require = createRequire(import.meta.url);
const samlp = require('samlp') as Samlp;

const PERSON = {
  id: 'u1',
  emails: [{ value: 'ada@example.com' }],
  displayName: 'Ada Lovelace',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
};

export interface SamlpOptions {
  readonly signAssertion?: boolean;
  readonly signResponse?: boolean;
  readonly encrypted?:
    | 'http://www.w3.org/2009/xmlenc11#aes256-gcm'
    | 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';
  readonly signatureAlgorithm?: 'rsa-sha256' | 'rsa-sha1';
  readonly digestAlgorithm?: 'sha256' | 'sha1';
}

/** The response as XML. */
export function samlpResponse({ encrypted, ...options }: SamlpOptions = {}): Promise<string> {
  const encryption = encrypted && {
    encryptionCert: OURS.certificate,
    encryptionPublicKey: OURS.publicKey,
    encryptionAlgorithm: encrypted,
    disallowEncryptionWithInsecureAlgorithm: false,
    warnOnInsecureEncryptionAlgorithm: false,
  };
  const all = {
    issuer: ISSUER,
    cert: IDP.certificate,
    key: IDP.privateKey,
    audience: AUDIENCE,
    destination: ACS,
    recipient: ACS,
    signatureAlgorithm: 'rsa-sha256',
    digestAlgorithm: 'sha256',
    ...options,
    ...encryption,
  };
  return new Promise((resolve, reject) => {
    samlp.getSamlResponse(all, PERSON, (error, xml) => (error ? reject(error) : resolve(xml)));
  });
}
