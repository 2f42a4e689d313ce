import { AssertionError } from '../types.ts';
import { childrenNamed, PROTOCOL, plainText, SIGNATURE } from './names.ts';
import { readXml, type XmlElement } from './xml.ts';

/** What an identity provider's metadata says of how its assertions are verified. */
export interface IdpMetadata {
  /** The entity id. */
  readonly issuer: string;
  /** Base64 of DER, as it was sent, each once. */
  readonly certificates: readonly string[];
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
  const entity = readXml(xml.replace(/^\uFEFF/, ''));
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
  return { issuer, certificates: [...new Set(certificates)] };
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
