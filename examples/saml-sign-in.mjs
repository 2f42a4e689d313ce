// Makes a SAML identity provider for tests, sets it up in Rollcall, and signs a person in by it. See README.md.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import samlp from 'samlp';
import { selfSigned } from '../dist/src/tenants/self-signed.js';
import { person, setUpProvider, signIn } from './rollcall.mjs';

const issuer = 'https://idp.example/metadata';
// Where the gateway of a product takes responses, and its entity id.
const acsUrl = 'https://product.example/saml/acs';
const audience = 'https://product.example/saml';

// The identity provider's key, and the certificate for it that an admin would get from its metadata.
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const day = 86_400_000;
const certificate = selfSigned({
  ...keys,
  commonName: 'idp.example',
  serial: randomBytes(16),
  notBefore: new Date(Date.now() - day),
  notAfter: new Date(Date.now() + 365 * day),
});
await setUpProvider({
  name: 'example-saml',
  kind: 'saml',
  jit: 'enhanced',
  preset: 'okta',
  saml: { issuer, certificates: [certificate], audience, acsUrl },
});

// The person signs in: the identity provider signs who it is and in which groups.
const options = {
  issuer,
  audience,
  cert: certificate,
  key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  recipient: acsUrl,
  destination: acsUrl,
  signatureAlgorithm: 'rsa-sha256',
  digestAlgorithm: 'sha256',
  signResponse: true,
  profileMapper: ({ email, groups }) => ({
    getClaims: () => ({ email, groups }),
    getNameIdentifier: () => ({ nameIdentifier: email }),
  }),
};
const response = await new Promise((resolve, reject) => {
  samlp.getSamlResponse(options, person, (error, xml) => (error ? reject(error) : resolve(xml)));
});

// The browser posts it to the gateway as SAMLResponse, and the gateway to Rollcall.
await signIn({ identityProvider: 'example-saml', samlResponse: Buffer.from(response).toString('base64') });
