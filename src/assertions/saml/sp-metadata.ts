/** Our side of SAML, as an identity provider imports it (SAML metadata 2.0 section 2.4.4). */
export interface ServiceProvider {
  /** The entity id. */
  readonly audience: string;
  /** Where the gateway takes responses. */
  readonly acsUrl: string;
  /** PEM; null: assertions are not encrypted. */
  readonly encryptionCertificate: string | null;
}

/** SAML metadata 2.0 section 2: `application/samlmetadata+xml`. */
export const SAML_METADATA = 'application/samlmetadata+xml';

export function serviceProviderMetadata({
  audience,
  acsUrl,
  encryptionCertificate,
}: ServiceProvider): string {
  const key = encryptionCertificate === null ? '' : encryptionKey(encryptionCertificate);
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${escaped(audience)}">
  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${key}
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${escaped(acsUrl)}" index="0" isDefault="true"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
`;
}

function encryptionKey(pem: string): string {
  const base64 = pem.replace(/-----[A-Z ]+-----|\s/g, '');
  return `
    <md:KeyDescriptor use="encryption">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:X509Data>
          <ds:X509Certificate>${base64}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
      <md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/>
      <md:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>
    </md:KeyDescriptor>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
