import { type CacheProvider, type Profile, SAML } from '@node-saml/passport-saml';
import xmlenc from 'xml-encryption';
import { AssertionError, type SamlProvider } from '../types.ts';
import { type GatedResponse, gateAssertion } from './gate.ts';
import { isSigned } from './signature-form.ts';

/** What responses are verified by, and opened with where they are encrypted. */
export interface SamlKeys extends SamlProvider {
  /** Our private key, PEM; absent: encrypted assertions are refused. */
  readonly decryptionKey?: string;
}

/**
 * The text of the assertion, taken from the bytes that a key of the provider signed. Every Signature that the document
 * has must hold; KeyInfo is not looked at. Throws an AssertionError: `signature`, `decryption`, or what the gate finds
 * in a decrypted assertion.
 */
export async function signedAssertion(keys: SamlKeys, gated: GatedResponse): Promise<string> {
  if (!gated.encrypted) return verified(keys, gated, isSigned(gated.content));
  const { decryptionKey } = keys;
  if (decryptionKey === undefined) {
    throw new AssertionError(
      'decryption',
      'The assertion is encrypted, and there is no key here that opens it. Turn encryption off, or make a key.',
    );
  }
  try {
    // Decrypted twice, here for the gate and by node-saml for itself: the same ciphertext gives the same text.
    const assertion = gateAssertion(await decrypted(gated.xml, decryptionKey));
    return await verified(keys, gated, isSigned(assertion));
  } catch (error) {
    if (!(error instanceof AssertionError) || tellsPadding(gated)) throw undecryptable();
    throw error;
  }
}

/**
 * AES-CBC does not notice a changed ciphertext. Who may post changed ones, and is told how far each came, can decrypt
 * an assertion byte by byte (Jager and Somorovsky, "How to Break XML Encryption", 2011): so all failures are one.
 */
const tellsPadding = ({ xml }: GatedResponse) => /#aes\d+-cbc/.test(xml);

const undecryptable = () =>
  new AssertionError(
    'decryption',
    'The encrypted assertion cannot be decrypted to one that the provider signed. Check that the identity provider ' +
      'encrypts for our current certificate and signs; with AES-GCM in place of AES-CBC this message says which.',
  );

function decrypted(xml: string, key: string): Promise<string> {
  const options = { key, disallowDecryptionWithInsecureAlgorithm: true };
  return new Promise((resolve, reject) => {
    xmlenc.decrypt(xml, options, (error, text) => (error ? reject(undecryptable()) : resolve(text)));
  });
}

/** Lets node-saml go as far as it knows which bytes were signed. What they say, our own checks read. */
class SignedBytes extends SAML {
  protected override async processValidlySignedAssertionAsync(assertion: string) {
    const profile: Profile = { issuer: '', nameID: '', nameIDFormat: '', getAssertionXml: () => assertion };
    return { profile, loggedOut: false };
  }
}

/** Requests are the gateway's; its `requestId` is compared by our own check. Else a cache with a timer is made. */
const NO_REQUESTS: CacheProvider = {
  saveAsync: async () => null,
  getAsync: async () => null,
  removeAsync: async () => null,
};

async function verified(keys: SamlKeys, gated: GatedResponse, assertionSigned: boolean): Promise<string> {
  const responseSigned = isSigned(gated.response);
  if (!responseSigned && !assertionSigned) {
    throw new AssertionError(
      'signature',
      'Neither the response nor its assertion is signed. Let the identity provider sign at least one of them.',
    );
  }
  const saml = new SignedBytes({
    idpCert: [...keys.certificates],
    issuer: keys.audience,
    callbackUrl: keys.acsUrl,
    cacheProvider: NO_REQUESTS,
    wantAuthnResponseSigned: responseSigned,
    wantAssertionsSigned: assertionSigned,
    ...(keys.decryptionKey === undefined ? {} : { decryptionPvk: keys.decryptionKey }),
  });
  try {
    const SAMLResponse = Buffer.from(gated.xml).toString('base64');
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse });
    const assertion = profile?.getAssertionXml?.();
    if (assertion !== undefined) return assertion;
  } catch {
    // Its errors are prose and may quote the document.
  }
  throw new AssertionError(
    'signature',
    "The signature does not hold for any of the provider's certificates. If the identity provider changed its " +
      'certificate, add the new one.',
  );
}
