import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import type { Test } from 'tap';
import { type KeyPair, keyPair } from './certificates.ts';

/** Real SAML identity providers, made of `samlp`, which brings no types. Their time is the clock's. */

type Middleware = (request: object, response: object, next: (error?: Error) => void) => void;
interface Samlp {
  getSamlResponse(options: object, user: object, done: (error: Error | null, xml: string) => void): void;
  auth(options: object): Middleware;
  metadata(options: object): Middleware;
}
const samlp = createRequire(import.meta.url)('samlp') as Samlp;

export interface SamlIdp {
  /** The entity id. */
  readonly issuer: string;
  readonly keys: KeyPair;
}

/** To whom it responds. */
export interface SamlAudience {
  /** The entity id. */
  readonly audience: string;
  readonly acsUrl: string;
  /** PEM: to whom assertions are encrypted, where they are. */
  readonly encryptionCertificate?: string;
}

/** Who signs in, by the attributes under their names. */
export interface SamlPerson {
  readonly nameId: string;
  readonly attributes: Readonly<Record<string, string | readonly string[]>>;
}

/** How it responds: signed with SHA-256 in the assertion, where nothing else is said. */
export interface Responding {
  readonly signAssertion?: boolean;
  readonly signResponse?: boolean;
  readonly encrypted?: string;
  readonly signatureAlgorithm?: 'rsa-sha256' | 'rsa-sha1';
  readonly digestAlgorithm?: 'sha256' | 'sha1';
  readonly lifetimeInSeconds?: number;
  readonly inResponseTo?: string;
  readonly samlStatusCode?: string;
  readonly recipient?: string;
  readonly destination?: string;
}

export const newSamlIdp = (issuer: string): SamlIdp => ({ issuer, keys: keyPair() });

/** One sign-in of one person: the response in base64, as a browser posts it. */
export function respond(
  idp: SamlIdp,
  to: SamlAudience,
  person: SamlPerson,
  { encrypted, ...options }: Responding = {},
): Promise<string> {
  const all = { ...optionsOf(idp, to), ...options, ...encryption(to, encrypted) };
  return new Promise((resolve, reject) => {
    samlp.getSamlResponse(all, person, (error, xml) =>
      error ? reject(error) : resolve(Buffer.from(xml).toString('base64')),
    );
  });
}

function optionsOf({ issuer, keys }: SamlIdp, { audience, acsUrl }: SamlAudience) {
  return {
    issuer,
    cert: keys.certificate,
    key: keys.privateKey,
    audience,
    destination: acsUrl,
    recipient: acsUrl,
    signatureAlgorithm: 'rsa-sha256',
    digestAlgorithm: 'sha256',
    profileMapper: asTheyAre,
  };
}

/** In place of samlp's own names of attributes. */
function asTheyAre({ nameId, attributes }: SamlPerson) {
  return {
    getClaims: () => attributes,
    getNameIdentifier: () => ({
      nameIdentifier: nameId,
      nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
    }),
  };
}

function encryption({ encryptionCertificate }: SamlAudience, algorithm: string | undefined) {
  if (algorithm === undefined || encryptionCertificate === undefined) return {};
  const { publicKey } = new X509Certificate(encryptionCertificate);
  return {
    encryptionCert: encryptionCertificate,
    encryptionPublicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    encryptionAlgorithm: algorithm,
    disallowEncryptionWithInsecureAlgorithm: false,
    warnOnInsecureEncryptionAlgorithm: false,
  };
}

export interface SamlSite {
  /** Its own metadata. */
  metadata(): Promise<string>;
  /** What a browser is given to post, when it comes with a request of that id: the fields of the form, encoded. */
  form(requestId: string, relayState: string): Promise<string>;
}

/** The same over HTTP on loopback: metadata, and sign-ins of one person by the redirect and POST bindings. */
export async function startSamlSite(
  t: Test,
  idp: SamlIdp,
  to: SamlAudience,
  person: SamlPerson,
): Promise<SamlSite> {
  const options = optionsOf(idp, to);
  const signIn = samlp.auth({
    ...options,
    getUserFromRequest: () => person,
    getPostURL: (_audience: string, _request: object, _req: object, done: (e: null, url: string) => void) =>
      done(null, to.acsUrl),
  });
  const { profileMapper: _, ...published } = options;
  const metadata = samlp.metadata({ ...published, redirectEndpointPath: '/sso', postEndpointPath: '/sso' });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const serve = pathname === '/metadata' ? metadata : signIn;
    serve(...inExpress(request, response, searchParams), (error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    metadata: async () => (await fetch(`${origin}/metadata`)).text(),
    async form(requestId, relayState) {
      const query = new URLSearchParams({ SAMLRequest: requestOf(requestId, to), RelayState: relayState });
      const page = await (await fetch(`${origin}/sso?${query}`)).text();
      return new URLSearchParams(fieldsOf(page)).toString();
    },
  };
}

/** What its middleware wants of Express. */
function inExpress(request: IncomingMessage, response: ServerResponse, query: URLSearchParams) {
  return [
    Object.assign(request, { query: Object.fromEntries(query), protocol: 'http' }),
    Object.assign(response, {
      set: (name: string, value: string) => response.setHeader(name, value),
      send: (body: string) => response.end(body),
    }),
  ] as const;
}

/** An AuthnRequest by the redirect binding (SAML bindings section 3.4.4.1). */
function requestOf(id: string, { audience, acsUrl }: SamlAudience): string {
  const xml = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${new Date().toISOString()}" AssertionConsumerServiceURL="${acsUrl}"><saml:Issuer>${audience}</saml:Issuer></samlp:AuthnRequest>`;
  return deflateRawSync(xml).toString('base64');
}

/** The fields of the form on a page. */
function fieldsOf(page: string): Record<string, string> {
  const fields = page.matchAll(/<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"/g);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value]));
}
