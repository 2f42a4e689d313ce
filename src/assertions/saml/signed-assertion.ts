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
 * has must hold; KeyInfo is not looked at. Throws an AssertionError: `signature`, or `decryption`.
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
  // Its signature covers the ciphertext: one that somebody changed is never decrypted.
  if (isSigned(gated.response)) await requireSignedResponse(keys, gated);
  try {
    // Decrypted twice, here for the gate and by node-saml for itself: the same ciphertext gives the same text.
    const assertion = gateAssertion(await decrypted(gated.xml, decryptionKey));
    return await verified(keys, gated, isSigned(assertion));
  } catch {
    throw undecryptable();
  }
}

/**
 * AES-CBC does not notice a changed ciphertext. Who may post changed ones, and is told how far each came, can decrypt
 * an assertion byte by byte (Jager and Somorovsky, "How to Break XML Encryption", 2011): so all failures are one. In
 * AES-GCM too, for one that was encrypted so can be posted as CBC, under the same key.
 */
const undecryptable = () =>
  new AssertionError(
    'decryption',
    'The encrypted assertion cannot be decrypted to one that the provider signed. Check that the identity provider ' +
      'encrypts for our current certificate, and signs by a key whose certificate is set here; what failed is not ' +
      'told of encrypted assertions.',
  );

function decrypted(xml: string, key: string): Promise<string> {
  const options = { key, disallowDecryptionWithInsecureAlgorithm: true };
  return new Promise((resolve, reject) => {
    xmlenc.decrypt(xml, options, (error, text) => (error ? reject(error) : resolve(text)));
  });
}

const SIGNED: Profile = { issuer: '', nameID: '', nameIDFormat: '' };

/** Lets node-saml go as far as it knows which bytes were signed. What they say, our own checks read. */
class SignedBytes extends SAML {
  protected override async processValidlySignedAssertionAsync(assertion: string) {
    return { profile: { ...SIGNED, getAssertionXml: () => assertion }, loggedOut: false };
  }

  /** Of any document whose root is signed, which node-saml takes for a request. */
  protected override async processValidlySignedPostRequestAsync() {
    return { profile: SIGNED, loggedOut: false };
  }
}

/** Requests are the gateway's; its `requestId` is compared by our own check. Else a cache with a timer is made. */
const NO_REQUESTS: CacheProvider = {
  saveAsync: async () => null,
  getAsync: async () => null,
  removeAsync: async () => null,
};

/** Throws `signature` unless the response's own signature holds. Opens nothing. */
async function requireSignedResponse(keys: SamlKeys, { xml }: GatedResponse): Promise<void> {
  try {
    await samlOf(keys, {
      wantAuthnResponseSigned: true,
      wantAssertionsSigned: false,
    }).validatePostRequestAsync({ SAMLRequest: base64Of(xml) });
  } catch {
    throw unsigned();
  }
}

async function verified(keys: SamlKeys, gated: GatedResponse, assertionSigned: boolean): Promise<string> {
  const responseSigned = isSigned(gated.response);
  if (!responseSigned && !assertionSigned) {
    throw new AssertionError(
      'signature',
      'Neither the response nor its assertion is signed. Let the identity provider sign at least one of them.',
    );
  }
  const saml = samlOf(keys, {
    wantAuthnResponseSigned: responseSigned,
    wantAssertionsSigned: assertionSigned,
  });
  try {
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: base64Of(gated.xml) });
    const assertion = profile?.getAssertionXml?.();
    if (assertion !== undefined) return assertion;
  } catch {
    // Its errors are prose and may quote the document.
  }
  throw unsigned();
}

interface Wanted {
  readonly wantAuthnResponseSigned: boolean;
  readonly wantAssertionsSigned: boolean;
}

const samlOf = (keys: SamlKeys, wanted: Wanted) =>
  new SignedBytes({
    idpCert: [...keys.certificates],
    issuer: keys.audience,
    callbackUrl: keys.acsUrl,
    cacheProvider: NO_REQUESTS,
    ...wanted,
    ...(keys.decryptionKey === undefined ? {} : { decryptionPvk: keys.decryptionKey }),
  });

const base64Of = (xml: string) => Buffer.from(xml).toString('base64');

const unsigned = () =>
  new AssertionError(
    'signature',
    "The signature does not hold for any of the provider's certificates. If the identity provider changed its " +
      'certificate, add the new one.',
  );
