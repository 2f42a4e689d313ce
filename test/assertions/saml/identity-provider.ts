import { promisify } from 'node:util';
import { SignedXml } from 'xml-crypto';
import xmlenc from 'xml-encryption';
import type { SamlKeys } from '../../../src/assertions/saml/signed-assertion.ts';
import { AssertionError } from '../../../src/assertions/types.ts';
import { type KeyPair, keyPair } from '../../support/certificates.ts';

/** An identity provider that signs what it is told to, well formed or forged. */

export const NOW = new Date('2026-02-03T10:00:00Z');
export const ISSUER = 'https://idp.example.com/metadata';
export const AUDIENCE = 'https://product.example.com/saml';
export const ACS = 'https://product.example.com/saml/acs';
export const SUBJECT = 'ada@example.com';

export const IDP = keyPair();
export const OTHER = keyPair();
/** Ours: assertions are encrypted for it. */
export const OURS = keyPair();

export const PROVIDER: SamlKeys = {
  issuer: ISSUER,
  certificates: [IDP.certificate],
  audience: AUDIENCE,
  acsUrl: ACS,
  decryptionKey: OURS.privateKey,
};

const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
export const C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';

export const ASSERTION = `<saml:Assertion xmlns:saml="${SAML}" ID="_assertion" Version="2.0" IssueInstant="2026-02-03T09:59:58Z"><saml:Issuer>${ISSUER}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">${SUBJECT}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_request" NotOnOrAfter="2026-02-03T10:05:00Z" Recipient="${ACS}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="2026-02-03T09:55:00Z" NotOnOrAfter="2026-02-03T10:55:00Z"><saml:AudienceRestriction><saml:Audience>${AUDIENCE}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="2026-02-03T09:59:50Z"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><saml:Attribute Name="email"><saml:AttributeValue xsi:type="xs:string">${SUBJECT}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups"><saml:AttributeValue>R&amp;D</saml:AttributeValue><saml:AttributeValue>Analysts</saml:AttributeValue></saml:Attribute><saml:Attribute Name="none"/></saml:AttributeStatement></saml:Assertion>`;

export const STATUS =
  '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>';

export const responseAround = (content: string) =>
  `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="${SAML}" ID="_response" Version="2.0" IssueInstant="2026-02-03T09:59:59Z" Destination="${ACS}" InResponseTo="_request"><saml:Issuer>${ISSUER}</saml:Issuer>${STATUS}${content}</samlp:Response>`;

export interface Signing {
  readonly key?: KeyPair;
  readonly method?: string;
  readonly digest?: string;
  readonly transforms?: readonly string[];
  readonly canonicalization?: string;
}

/** Signs the element with that ID, and puts the signature behind its first child, the Issuer. */
export function sign(xml: string, id: string, signing: Signing = {}): string {
  const { key = IDP, method = RSA_SHA256, digest = SHA256, canonicalization = C14N } = signing;
  const signed = new SignedXml({
    privateKey: key.privateKey,
    publicCert: key.certificate,
    signatureAlgorithm: method,
    canonicalizationAlgorithm: canonicalization,
  });
  const element = `//*[@ID='${id}']`;
  const transforms = [...(signing.transforms ?? [ENVELOPED, C14N])];
  signed.addReference({ xpath: element, digestAlgorithm: digest, transforms });
  const location = { reference: `${element}/*[1]`, action: 'after' } as const;
  signed.computeSignature(xml, { prefix: 'ds', location });
  return signed.getSignedXml();
}

export type Signed = 'assertion' | 'response' | 'both' | 'none';

export interface Making {
  readonly signed?: Signed;
  readonly signing?: Signing;
  /** Changes the document before it is signed. */
  readonly before?: (xml: string) => string;
  /** Changes it afterwards. */
  readonly after?: (xml: string) => string;
}

/** A response as XML. */
export function make({
  signed = 'assertion',
  signing = {},
  before = same,
  after = same,
}: Making = {}): string {
  let xml = before(responseAround(ASSERTION));
  if (signed === 'assertion' || signed === 'both') xml = sign(xml, '_assertion', signing);
  if (signed === 'response' || signed === 'both') xml = sign(xml, '_response', signing);
  return after(xml);
}

const same = (xml: string) => xml;

export interface Encrypting {
  readonly algorithm?: string;
  readonly keyAlgorithm?: string;
  readonly signed?: Signed;
  readonly inner?: (assertion: string) => string;
}

/** A response whose assertion is encrypted for us. */
export async function makeEncrypted(making: Encrypting = {}): Promise<string> {
  const { algorithm = 'http://www.w3.org/2009/xmlenc11#aes256-gcm', signed = 'assertion' } = making;
  const { keyAlgorithm = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p', inner = same } = making;
  const plain = signed === 'assertion' || signed === 'both' ? sign(ASSERTION, '_assertion') : ASSERTION;
  const options = {
    rsa_pub: OURS.publicKey,
    pem: OURS.certificate,
    encryptionAlgorithm: algorithm,
    keyEncryptionAlgorithm: keyAlgorithm,
    warnInsecureAlgorithm: false,
  };
  const encrypted = await promisify(encrypt)(inner(plain), options);
  const xml = responseAround(`<saml:EncryptedAssertion>${encrypted}</saml:EncryptedAssertion>`);
  return signed === 'response' || signed === 'both' ? sign(xml, '_response') : xml;
}

/** The types list fewer algorithms than there are, as the tests must. */
const encrypt = xmlenc.encrypt as (
  content: string,
  options: object,
  callback: (error: Error | null, result: string) => void,
) => void;

/** What the browser posts. */
export const posted = (xml: string) => Buffer.from(xml).toString('base64');

/** Replaces what must be there: a forgery that changes nothing would be the valid document. */
export function swap(xml: string, from: string | RegExp, to: string): string {
  const swapped = xml.replace(from, () => to);
  if (swapped === xml) throw new Error(`not found: ${from}`);
  return swapped;
}

/** The one part of a document that a pattern finds. */
export function part(xml: string, pattern: RegExp): string {
  const found = pattern.exec(xml)?.[0];
  if (found === undefined) throw new Error(`not found: ${pattern}`);
  return found;
}

/** Why it was refused: the reason of its AssertionError, or "accepted"; any other error is thrown. */
export async function verdict(verification: Promise<unknown>): Promise<string> {
  try {
    await verification;
    return 'accepted';
  } catch (error) {
    if (error instanceof AssertionError) return error.reason;
    throw error;
  }
}
