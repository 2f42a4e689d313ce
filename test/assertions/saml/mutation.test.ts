import { createRequire } from 'node:module';
import fc from 'fast-check';
import t from 'tap';
import { verifySaml } from '../../../src/assertions/saml/verify.ts';
import { readXml, type XmlElement } from '../../../src/assertions/saml/xml.ts';
import { AssertionError, type VerifiedAssertion } from '../../../src/assertions/types.ts';
import { runs, SEED } from '../../support/runs.ts';
import { make, makeEncrypted, NOW, PROVIDER, posted } from './identity-provider.ts';

t.comment(`ROLLCALL_SEED=${SEED}`);

/** One change of a document: a part of it is cut, copied elsewhere, or replaced by something that has hurt others. */
interface Mutation {
  readonly kind: 'cut' | 'copy' | 'move' | 'insert' | 'replace';
  /** Whether from tag to tag, or anywhere. */
  readonly whole: boolean;
  readonly from: number;
  readonly length: number;
  readonly to: number;
  readonly text: string;
}

const TEXTS = [
  'eve@example.com',
  '<!---->',
  '<!DOCTYPE x>',
  '<![CDATA[x]]>',
  '<?x?>',
  '&#x65;',
  '&amp;',
  '&x;',
  ' ',
  '\n',
  '\r\n',
  '\t',
  ' ID="_assertion"',
  ' xmlns="urn:x"',
  ' xmlns:saml="urn:x"',
  ' xml:id="_response"',
  '<saml:NameID>eve@example.com</saml:NameID>',
  '<saml:AttributeValue>Owners</saml:AttributeValue>',
  '<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>',
  '<x/>',
  '</saml:Assertion>',
  "'",
  '"',
  '\u00a0',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\u{1f600}',
];

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('cut', 'copy', 'move', 'insert', 'replace'),
  whole: fc.boolean(),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(8),
  to: fc.double({ min: 0, max: 1, noNaN: true }),
  text: fc.constantFrom(...TEXTS),
});

/** The places where a document may be taken apart: around its tags and inside them, or anywhere. */
function places(xml: string, whole: boolean): number[] {
  if (!whole) return Array.from({ length: xml.length + 1 }, (_, at) => at);
  return [0, ...[...xml.matchAll(/(?=<)|(?<=>)|(?= )/g)].map(({ index }) => index), xml.length];
}

function mutate(xml: string, { kind, whole, from, length, to, text }: Mutation): string {
  const cuts = places(xml, whole);
  const start = Math.floor(from * (cuts.length - 1));
  const begin = cuts[start] ?? 0;
  const end = cuts[Math.min(start + length, cuts.length - 1)] ?? xml.length;
  const target = cuts[Math.floor(to * (cuts.length - 1))] ?? 0;
  const taken = xml.slice(begin, end);
  const without = xml.slice(0, begin) + xml.slice(end);
  if (kind === 'cut') return without;
  if (kind === 'replace') return xml.slice(0, begin) + text + xml.slice(end);
  if (kind === 'insert') return xml.slice(0, begin) + text + xml.slice(begin);
  if (kind === 'copy') return xml.slice(0, target) + taken + xml.slice(target);
  return without.slice(0, target) + taken + without.slice(target);
}

/** What a sign-in follows from. */
const identity = ({ id, subject, attributes, groupOverage, expiresAt }: VerifiedAssertion) =>
  JSON.stringify([id, subject, [...attributes], groupOverage, expiresAt]);

/** What it becomes: an identity, or undefined where it is refused. Other errors are thrown. */
async function outcome(xml: string): Promise<string | undefined> {
  try {
    return identity(await verifySaml(PROVIDER, posted(xml), { now: NOW }));
  } catch (error) {
    if (error instanceof AssertionError) return undefined;
    throw error;
  }
}

t.test('a changed document is refused, or says exactly what the original says', async (t) => {
  const originals = [
    make(),
    make({ signed: 'response' }),
    make({ signed: 'both' }),
    await makeEncrypted(),
    await makeEncrypted({ algorithm: 'http://www.w3.org/2001/04/xmlenc#aes256-cbc' }),
  ];
  const expected = new Map<string, string | undefined>();
  for (const original of originals) expected.set(original, await outcome(original));
  t.ok([...expected.values()].every(Boolean));
  let accepted = 0;
  const property = fc.asyncProperty(
    fc.constantFrom(...originals),
    fc.array(mutation, { minLength: 1, maxLength: 3 }),
    async (original, mutations) => {
      const said = await outcome(mutations.reduce(mutate, original));
      if (said !== undefined) accepted += 1;
      return said === undefined || said === expected.get(original);
    },
  );
  await fc.assert(property, { numRuns: runs(400, 100_000), seed: SEED });
  t.ok(accepted > 0, 'changes that mean nothing are among them');
});

interface DomNode {
  readonly nodeType: number;
  readonly namespaceURI: string | null;
  readonly localName: string;
  readonly data: string;
  readonly name: string;
  readonly value: string;
  readonly documentElement: DomNode;
  readonly childNodes: ArrayLike<DomNode>;
  readonly attributes: ArrayLike<DomNode>;
}

/** The parser by which signatures are verified. Its types would bring a browser's into every file. */
const require = createRequire(import.meta.url);
const { DOMParser } = require('@xmldom/xmldom') as {
  DOMParser: new (options: object) => { parseFromString(xml: string, type: string): DomNode };
};

const ELEMENT = 1;
const TEXT = 3;

function elementOf(node: DomNode): XmlElement {
  const nodes = Array.from(node.childNodes);
  const attributes = Array.from(node.attributes)
    .filter(({ name }) => !/^xmlns(:|$)/.test(name))
    .map(({ namespaceURI, localName, name, value }): [string, string] => [
      name.includes(':') ? `{${namespaceURI}}${localName}` : name,
      value,
    ]);
  return {
    namespace: node.namespaceURI ?? '',
    name: node.localName,
    attributes: new Map(attributes),
    children: nodes.filter(({ nodeType }) => nodeType === ELEMENT).map(elementOf),
    text: nodes.map(({ nodeType, data }) => (nodeType === TEXT ? data : '')).join(''),
  };
}

t.test('what our reader accepts, the parser behind the signatures reads alike', async (t) => {
  let accepted = 0;
  const property = fc.property(fc.array(mutation, { maxLength: 2 }), (mutations) => {
    const xml = mutations.reduce(mutate, make({ signed: 'none' }));
    let ours: XmlElement;
    try {
      ours = readXml(xml);
    } catch (error) {
      if (error instanceof AssertionError) return;
      throw error;
    }
    accepted += 1;
    const complain = (message: string) => {
      throw new Error(message);
    };
    const errorHandler = { warning: complain, error: complain, fatalError: complain };
    const parsed = new DOMParser({ errorHandler }).parseFromString(xml.replace(/\r\n?/g, '\n'), 'text/xml');
    const difference = firstDifference(ours, elementOf(parsed.documentElement));
    if (difference !== undefined) throw new Error(difference);
  });
  fc.assert(property, { numRuns: runs(1_000, 100_000), seed: SEED });
  t.ok(accepted > 100, 'enough of them are accepted to compare');
});

interface Plain {
  readonly [key: string]: unknown;
}

/** Where the two readings part, in ASCII: a test's report ends at a line separator. */
function firstDifference(ours: XmlElement, theirs: XmlElement): string | undefined {
  const [one, other] = [JSON.stringify(plain(ours)), JSON.stringify(plain(theirs))];
  if (one === other) return undefined;
  let at = 0;
  while (one[at] === other[at]) at += 1;
  const around = (text: string) =>
    text
      .slice(Math.max(0, at - 40), at + 60)
      .replace(/[^ -~]/g, (unit) => `U+${unit.charCodeAt(0).toString(16)}`);
  return `${around(one)} / ${around(other)}`;
}

const plain = ({ attributes, children, ...own }: XmlElement): Plain => ({
  ...own,
  attributes: [...attributes],
  children: children.map(plain),
});
