import { AssertionError } from '../types.ts';
import { ASSERTION, childrenNamed, ENCRYPTION, is, PROTOCOL, SIGNATURE } from './names.ts';
import { checkSignatureForm } from './signature-form.ts';
import { readXml, type XmlElement } from './xml.ts';

/** Of the decoded document: a response with 1,000 groups has about 100 KiB. */
const MAX_BYTES = 256 * 1024;

/** A response that may be handed to a library: nothing in it has two readings. Nothing of it is verified yet. */
export interface GatedResponse {
  readonly xml: string;
  readonly response: XmlElement;
  /** The response's one Assertion or EncryptedAssertion. */
  readonly content: XmlElement;
  readonly encrypted: boolean;
}

const structure = (what: string) =>
  new AssertionError(
    'structure',
    `The document is refused: ${what}. Post the SAMLResponse as it was received.`,
  );
const malformed = (what: string) =>
  new AssertionError(
    'malformed',
    `The document is refused: ${what}. Post the SAMLResponse as it was received.`,
  );

/**
 * Decodes a SAMLResponse (base64, SAML bindings section 3.5.4) and throws an AssertionError unless it has the one
 * shape in which a signature can be trusted to mean what is read: size, markup, one Assertion, unique IDs, each
 * Signature about its own parent.
 */
export function gateResponse(samlResponse: string): GatedResponse {
  const xml = decodeUtf8(decodeBase64(samlResponse));
  const response = readXml(xml);
  if (!is(response, PROTOCOL, 'Response')) throw structure('its root is not a Response of SAML 2.0');
  checkElements(response);
  const assertions = childrenNamed(response, ASSERTION, 'Assertion');
  const encrypted = childrenNamed(response, ASSERTION, 'EncryptedAssertion');
  const [content] = [...assertions, ...encrypted];
  if (content === undefined) return refuseWithout(response);
  checkSignatures(response, content);
  if (encrypted.length > 0) checkEncryption(response);
  return { xml, response, content, encrypted: encrypted.length > 0 };
}

/** The same for an assertion that came out of decryption, which no gate has seen yet. */
export function gateAssertion(xml: string): XmlElement {
  if (Buffer.byteLength(xml) > MAX_BYTES) throw tooLarge();
  const assertion = readXml(xml);
  if (!is(assertion, ASSERTION, 'Assertion')) throw structure('what was encrypted is not an Assertion');
  checkElements(assertion);
  checkSignatures(assertion, assertion);
  return assertion;
}

function decodeBase64(samlResponse: string): Buffer {
  if (samlResponse.length > MAX_BYTES * 1.5) throw tooLarge();
  // RFC 2045 breaks base64 into lines; some identity providers do.
  const text = samlResponse.replace(/[\r\n]+/g, '');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw malformed('it is not base64');
  if (bytes.length > MAX_BYTES) throw tooLarge();
  return bytes;
}

function decodeUtf8(bytes: Buffer): string {
  let xml: string;
  try {
    xml = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('it is not UTF-8');
  }
  if (xml.startsWith('\uFEFF')) throw malformed('it begins with a byte order mark');
  return xml;
}

/** Where extensions and foreign objects may be put, an original that was moved out of the way would be hidden. */
const HIDING_PLACES: readonly string[] = ['Object', 'Extensions', 'Advice'];
const SINGLE: readonly string[] = ['Assertion', 'EncryptedAssertion'];
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9._-]*$/;

/** Names are compared without their namespace, as a library may that is less strict. */
function checkElements(root: XmlElement): void {
  const ids = new Set<string>();
  let assertions = 0;
  for (const element of descendants(root)) {
    if (HIDING_PLACES.includes(element.name))
      throw structure(`it holds ${element.name}, which hides forgeries`);
    if (element !== root && element.name === 'Response') throw structure('it holds a second Response');
    if (SINGLE.includes(element.name)) {
      assertions += 1;
      const inPlace = element === root || root.children.includes(element);
      if (assertions > 1) throw structure('it holds more than one Assertion');
      if (!inPlace || element.namespace !== ASSERTION)
        throw structure('its Assertion is not where it belongs');
    }
    for (const id of idsOf(element)) {
      if (!IDENTIFIER.test(id)) throw structure('an ID is not a name (XML Schema, NCName)');
      if (ids.has(id)) throw structure('two elements have the same ID');
      ids.add(id);
    }
  }
}

/** Whatever some library may take for an ID: SAML's `ID`, XML Signature's `Id`, and the others that are used. */
function idsOf(element: XmlElement): string[] {
  return [...element.attributes]
    .filter(([name]) => /^(?:\{[^}]*\})?(?:ID|Id|id|AssertionID)$/.test(name))
    .map(([, value]) => value);
}

function checkSignatures(root: XmlElement, assertion: XmlElement): void {
  for (const parent of descendants(root)) {
    const signatures = parent.children.filter((child) => child.name === 'Signature');
    for (const signature of signatures) {
      if (signature.namespace !== SIGNATURE) throw structure('it holds a Signature of another namespace');
      if (parent !== root && parent !== assertion) throw structure('a Signature is not where it belongs');
      if (signatures.length > 1) throw structure('an element has two Signatures');
      checkSignatureForm(signature, parent);
    }
  }
}

/** XML Encryption section 5: one key for us, by RSA-OAEP; RSA 1.5 would let an attacker ask us for the key. */
function checkEncryption(response: XmlElement): void {
  const count = (name: string) => [...descendants(response)].filter((found) => found.name === name).length;
  if (count('EncryptedData') !== 1 || count('EncryptedKey') !== 1 || count('CipherValue') !== 2) {
    throw structure('it does not hold one EncryptedData and one EncryptedKey');
  }
  for (const method of descendants(response)) {
    if (method.name !== 'EncryptionMethod') continue;
    if (!ENCRYPTION_METHODS.includes(method.attributes.get('Algorithm') ?? '')) {
      throw new AssertionError(
        'algorithm',
        `EncryptionMethod names an algorithm that is not accepted; accepted: ${ENCRYPTION_METHODS.join(', ')}.`,
      );
    }
  }
}

const ENCRYPTION_METHODS: readonly string[] = [
  `${ENCRYPTION}rsa-oaep-mgf1p`,
  'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  `${ENCRYPTION}aes128-cbc`,
  `${ENCRYPTION}aes256-cbc`,
];

/** Identity providers leave out the assertion when they refuse: what they say then helps more than what is missing. */
function refuseWithout(response: XmlElement): never {
  const failed = childrenNamed(response, PROTOCOL, 'Status').some((status) =>
    status.children.some((code) => code.attributes.get('Value') !== SUCCESS),
  );
  if (failed) {
    throw new AssertionError('status', 'The identity provider did not sign the person in: see its own log.');
  }
  throw structure('it holds no Assertion');
}

/** SAML core section 3.2.2.2. */
export const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) yield* descendants(child);
}

const tooLarge = () =>
  new AssertionError('too_large', `The document is larger than ${MAX_BYTES / 1024} KiB.`);
