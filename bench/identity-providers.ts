import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { SignedXml } from 'xml-crypto';
import { selfSigned } from '../src/tenants/self-signed.ts';

/** Identity providers that sign whom they are told to: what a gateway posts of each. */

export const KINDS = ['claims', 'saml', 'oidc'] as const;
export type Kind = (typeof KINDS)[number];

export interface Person {
  readonly subject: string;
  readonly groups: readonly string[];
}

export interface IdentityProvider {
  /** What the service is told of it, under the name of its kind. */
  readonly settings: object;
  /** A sign-in that has not been used, as the body of `POST /jit/assert`. */
  signIn(person: Person): Promise<object>;
}

export async function openProvider(kind: Kind): Promise<IdentityProvider> {
  return { claims: claimsProvider, saml: samlProvider, oidc: oidcProvider }[kind]();
}

const AUDIENCE = 'https://product.example/saml';
const ACS = 'https://product.example/saml/acs';
const ISSUER = 'https://idp.example/metadata';

const emailOf = ({ subject }: Person) => `${subject}@acme.example`;

function claimsProvider(): IdentityProvider {
  return {
    settings: {},
    signIn: async (person) => ({
      requestId: randomUUID(),
      claims: { sub: person.subject, email: emailOf(person), groups: person.groups },
    }),
  };
}

/** Signs the assertion, by RSA of 2,048 bits and SHA-256, as most do. */
function samlProvider(): IdentityProvider {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [notBefore, notAfter] = [new Date(), new Date(Date.now() + 86_400_000)];
  const serial = randomBytes(16);
  const certificate = selfSigned({ ...keys, commonName: 'idp.example', serial, notBefore, notAfter });
  const privateKey = String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const saml = { issuer: ISSUER, certificates: [certificate], audience: AUDIENCE, acsUrl: ACS };
  return {
    settings: { saml },
    signIn: async (person) => {
      const xml = signed(responseOf(person, new Date()), privateKey);
      return { samlResponse: Buffer.from(xml).toString('base64') };
    },
  };
}

const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

function signed(xml: string, privateKey: string): string {
  const signature = new SignedXml({
    privateKey,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: C14N,
  });
  const xpath = "//*[local-name(.)='Assertion']";
  signature.addReference({ xpath, digestAlgorithm: SHA256, transforms: [ENVELOPED, C14N] });
  const location = { reference: `${xpath}/*[1]`, action: 'after' } as const;
  signature.computeSignature(xml, { prefix: 'ds', location });
  return signature.getSignedXml();
}

function responseOf(person: Person, now: Date): string {
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000).toISOString();
  const head = () => `ID="_${randomUUID()}" Version="2.0" IssueInstant="${at(0)}"`;
  const attribute = (name: string, values: readonly string[]) =>
    `<saml:Attribute Name="${name}">${values
      .map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`)
      .join('')}</saml:Attribute>`;
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ${head()} Destination="${ACS}"><saml:Issuer>${ISSUER}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion ${head()}><saml:Issuer>${ISSUER}</saml:Issuer><saml:Subject><saml:NameID>${person.subject}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(300)}" Recipient="${ACS}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(-60)}" NotOnOrAfter="${at(300)}"><saml:AudienceRestriction><saml:Audience>${AUDIENCE}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${at(0)}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attribute('email', [emailOf(person)])}${attribute('groups', person.groups)}</saml:AttributeStatement></saml:Assertion></samlp:Response>`;
}

/** Signs by RS256, and publishes its key on this machine. */
async function oidcProvider(): Promise<IdentityProvider> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }];
  const server = createServer((_, reply) => void reply.end(JSON.stringify({ keys })));
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const issuer = 'https://idp.example';
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  return {
    settings: { oidc: { issuer, audience: 'product', jwksUri } },
    signIn: async (person) => {
      const claims = { email: emailOf(person), groups: person.groups, jti: randomUUID() };
      const idToken = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'bench' })
        .setIssuer(issuer)
        .setAudience('product')
        .setSubject(person.subject)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey);
      return { idToken };
    },
  };
}
