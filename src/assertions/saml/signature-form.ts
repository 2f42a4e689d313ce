import { AssertionError } from '../types.ts';
import { childrenNamed, EXCLUSIVE_C14N, is, onlyChild, plainText, SIGNATURE } from './names.ts';
import type { XmlElement } from './xml.ts';

/** What node-saml can verify and what is still safe to. It knows neither ECDSA nor SHA-384. */
const SIGNATURE_METHODS: readonly string[] = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
];
const DIGEST_METHODS: readonly string[] = [
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
];
/** SAML core section 5.4.4 allows these two; both must be there, in the order in which they work. */
const TRANSFORMS: readonly string[] = [`${SIGNATURE}enveloped-signature`, EXCLUSIVE_C14N];

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

const structure = (what: string) =>
  new AssertionError('structure', `The document is refused: ${what}. The signature may have been moved.`);

/**
 * Throws unless a signature has the one form that SAML asks for (core section 5.4): of its parent, by the parent's
 * ID, enveloped, in exclusive canonicalization. Whether it holds is node-saml's question.
 */
export function checkSignatureForm(signature: XmlElement, parent: XmlElement): void {
  const names = signature.children.map((child) => (child.namespace === SIGNATURE ? child.name : ''));
  const [signedInfo, value] = signature.children;
  if (!/^SignedInfo,SignatureValue(,KeyInfo)?$/.test(names.join()) || !signedInfo || !value) {
    throw structure('a Signature holds other elements than SignedInfo, SignatureValue and KeyInfo');
  }
  const parts = signedInfo.children.map((child) => (child.namespace === SIGNATURE ? child.name : ''));
  if (parts.join() !== 'CanonicalizationMethod,SignatureMethod,Reference') {
    throw structure('SignedInfo does not hold one method of each kind and one Reference');
  }
  const [canonicalization, method, reference] = signedInfo.children;
  if (canonicalization?.attributes.get('Algorithm') !== EXCLUSIVE_C14N) {
    throw algorithm('CanonicalizationMethod', [EXCLUSIVE_C14N]);
  }
  if (!SIGNATURE_METHODS.includes(method?.attributes.get('Algorithm') ?? '')) {
    throw algorithm('SignatureMethod', SIGNATURE_METHODS);
  }
  if (!BASE64.test(plainText(value) ?? '')) throw structure('SignatureValue is not plain base64');
  if (reference) checkReference(reference, parent);
}

function checkReference(reference: XmlElement, parent: XmlElement): void {
  const id = parent.attributes.get('ID');
  if (id === undefined || reference.attributes.get('URI') !== `#${id}`) {
    throw structure('a Signature refers to another element than the one that it stands in');
  }
  const parts = reference.children.map((child) => (child.namespace === SIGNATURE ? child.name : ''));
  if (parts.join() !== 'Transforms,DigestMethod,DigestValue') {
    throw structure('a Reference does not hold Transforms, DigestMethod and DigestValue, one of each');
  }
  const [transforms, digestMethod, digest] = reference.children;
  if (transforms) checkTransforms(transforms);
  if (!DIGEST_METHODS.includes(digestMethod?.attributes.get('Algorithm') ?? '')) {
    throw algorithm('DigestMethod', DIGEST_METHODS);
  }
  if (!BASE64.test(plainText(digest) ?? '')) throw structure('DigestValue is not plain base64');
}

function checkTransforms(transforms: XmlElement): void {
  const steps = childrenNamed(transforms, SIGNATURE, 'Transform');
  const algorithms = steps.map((step) => step.attributes.get('Algorithm'));
  const foreign = transforms.children.length > steps.length;
  if (foreign || algorithms.join('\n') !== TRANSFORMS.join('\n')) throw algorithm('Transforms', TRANSFORMS);
  const [enveloped, canonical] = steps;
  const prefixes = canonical && onlyChild(canonical, EXCLUSIVE_C14N, 'InclusiveNamespaces');
  const parameters = canonical?.children.length ?? 0;
  if (enveloped?.children.length !== 0 || parameters > (prefixes ? 1 : 0) || prefixes?.children.length) {
    throw structure('a Transform holds more than InclusiveNamespaces');
  }
}

function algorithm(where: string, accepted: readonly string[]): AssertionError {
  const names = accepted.join(', ');
  return new AssertionError(
    'algorithm',
    `${where} names an algorithm that is not accepted. Set the identity provider to RSA with SHA-256; accepted: ${names}.`,
  );
}

/** Whether an element is signed by itself, by a Signature among its children. */
export const isSigned = (element: XmlElement): boolean =>
  element.children.some((child) => is(child, SIGNATURE, 'Signature'));
