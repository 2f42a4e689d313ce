import { AssertionError } from '../types.ts';
import { childrenNamed, PROTOCOL, plainText, SIGNATURE } from './names.ts';
import { readXml, type XmlElement } from './xml.ts';

/** What an identity provider's metadata says of how its assertions are verified. */
export interface IdpMetadata {
  /** The entity id. */
  readonly issuer: string;
  /** Base64 of DER, as it was sent, each once. */
  readonly certificates: readonly string[];
  /** Until when it promises to hold, as it is written, the earliest first (section 2.3.1); mostly none. */
  readonly validUntil: readonly string[];
}

/** SAML metadata 2.0. */
const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata';

/**
 * Reads metadata of one identity provider, by the rules that hold for its assertions. A signature of the document is not
 * looked at: an admin vouches for it, or the address that it was fetched from.
 * @throws AssertionError `too_large`, `malformed` for what is no XML that we read; `structure` for metadata of several
 *   entities, of none that is an identity provider, or without a key that it signs by.
 */
export function readIdpMetadata(xml: string): IdpMetadata {
  // Windows tools write a byte order mark.
  const text = xml.replace(/^\uFEFF/, '');
  requireUtf8(text);
  const entity = readXml(text.replace(COMMENT_BETWEEN_TAGS, ''));
  if (entity.namespace !== METADATA || entity.name !== 'EntityDescriptor') {
    throw structure(
      'The document is no EntityDescriptor: send the metadata of one identity provider, not of a federation',
    );
  }
  const issuer = entity.attributes.get('entityID') ?? '';
  if (issuer === '' || issuer.length > 1_024) throw structure('The EntityDescriptor has no usable entityID');
  const descriptors = childrenNamed(entity, METADATA, 'IDPSSODescriptor').filter((descriptor) =>
    (descriptor.attributes.get('protocolSupportEnumeration') ?? '').split(/\s+/).includes(PROTOCOL),
  );
  if (descriptors.length === 0) {
    throw structure(
      'The metadata has no IDPSSODescriptor for SAML 2.0: it may be that of a service provider',
    );
  }
  const certificates = descriptors.flatMap(signingCertificates);
  if (certificates.length === 0) throw structure('The metadata has no certificate of a key that signs');
  const validUntil = [entity, ...descriptors].flatMap(({ attributes }) => attributes.get('validUntil') ?? []);
  return { issuer, certificates: [...new Set(certificates)], validUntil: validUntil.sort() };
}

/**
 * What generators and admins write into metadata. Between two tags it has one reading: behind it stands "<", which no
 * attribute may hold, and whatever it is cut out of, the reader refuses what is left.
 */
const COMMENT_BETWEEN_TAGS = /(?<=^\s*|>\s*)<!--(?:(?!--)[\s\S])*-->(?=\s*(?:<|$))/g;

function requireUtf8(xml: string): void {
  const [, , encoding] = /^<\?xml[^>]*\sencoding=(["'])([^"']*)\1/.exec(xml) ?? [];
  if (encoding === undefined || encoding.toLowerCase() === 'utf-8') return;
  throw new AssertionError(
    'malformed',
    `The metadata says that it is in ${encoding.slice(0, 40)}: save it as UTF-8, and have its first line say so`,
  );
}

/** Of the keys that sign; one without a use is for both (section 2.4.1.1). */
function signingCertificates(descriptor: XmlElement): string[] {
  return childrenNamed(descriptor, METADATA, 'KeyDescriptor')
    .filter((key) => (key.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((key) => childrenNamed(key, SIGNATURE, 'KeyInfo'))
    .flatMap((key) => childrenNamed(key, SIGNATURE, 'X509Data'))
    .flatMap((key) => childrenNamed(key, SIGNATURE, 'X509Certificate'))
    .map((certificate) => (plainText(certificate) ?? '').replace(/\s/g, ''));
}

function structure(message: string): AssertionError {
  return new AssertionError('structure', message);
}
