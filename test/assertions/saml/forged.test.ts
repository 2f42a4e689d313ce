import t from 'tap';
import { verifySaml } from '../../../src/assertions/saml/verify.ts';
import type { AssertionReason } from '../../../src/assertions/types.ts';
import {
  ACS,
  ASSERTION,
  AUDIENCE,
  C14N,
  ENVELOPED,
  IDP,
  ISSUER,
  type Making,
  make,
  makeEncrypted,
  NOW,
  OTHER,
  PROVIDER,
  part,
  posted,
  responseAround,
  STATUS,
  SUBJECT,
  sign,
  swap,
  verdict,
} from './identity-provider.ts';
import { wrappings } from './wrapping.ts';

/** Forged and broken documents, each with the reason for which it must be refused. None may be accepted. */

type Corpus = readonly (readonly [reason: AssertionReason, name: string, document: Making | string])[];

const before = (from: string | RegExp, to: string, signed: Making['signed'] = 'assertion'): Making => ({
  signed,
  before: (xml) => swap(xml, from, to),
});
const after = (from: string | RegExp, to: string, signed: Making['signed'] = 'assertion'): Making => ({
  signed,
  after: (xml) => swap(xml, from, to),
});

const SIGNATURE = /<ds:Signature .*?<\/ds:Signature>/s;
const CONDITIONS = /<saml:Conditions.*<\/saml:Conditions>/;
const CONFIRMATION = /<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/;
const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

function refuses(corpus: Corpus): void {
  for (const [reason, name, document] of corpus) {
    t.test(`refused for ${reason}: ${name}`, async (t) => {
      const xml = typeof document === 'string' ? document : make(document);
      t.equal(await verdict(verifySaml(PROVIDER, posted(xml), { now: NOW })), reason);
    });
  }
}

const wrapped = wrappings().map(([name, document]) => ['structure', name, document] as const);
refuses(wrapped);

refuses([
  ['signature', 'no signature at all', { signed: 'none' }],
  ['signature', 'signed by another key', { signing: { key: OTHER } }],
  ['signature', 'the response signed by another key', { signed: 'response', signing: { key: OTHER } }],
  ['signature', 'a name changed after signing', after('>ada@', '>eve@')],
  ['signature', 'an attribute changed after signing', after('>Analysts<', '>Owners<')],
  [
    'signature',
    'the response changed after it was signed',
    after('InResponseTo="_request"', 'InResponseTo="_x"', 'both'),
  ],
  ['signature', 'the digest of other bytes', after(/DigestValue>..../, 'DigestValue>AAAA')],
  [
    'signature',
    'a good assertion in a response whose own signature does not hold',
    sign(make(), '_response', { key: OTHER }),
  ],
  [
    'signature',
    'a good response around an assertion whose own signature does not hold',
    sign(sign(responseAround(ASSERTION), '_assertion', { key: OTHER }), '_response'),
  ],
  ['signature', 'signed with the key that KeyInfo brings along', { signing: { key: OTHER } }],
  [
    'structure',
    'two SignedInfo',
    {
      after: (xml) =>
        swap(xml, '<ds:SignedInfo>', `${part(xml, /<ds:SignedInfo>.*<\/ds:SignedInfo>/)}<ds:SignedInfo>`),
    },
  ],
  [
    'structure',
    'two References',
    {
      after: (xml) =>
        swap(xml, '<ds:Reference ', `${part(xml, /<ds:Reference .*<\/ds:Reference>/)}<ds:Reference `),
    },
  ],
  ['structure', 'an element in DigestValue', after('<ds:DigestValue>', '<ds:DigestValue><x/>')],
  ['structure', 'an element in SignatureValue', after('<ds:SignatureValue>', '<ds:SignatureValue><x/>')],
  ['structure', 'a reference to the whole document', after('URI="#_assertion"', 'URI=""')],
  [
    'structure',
    'a reference to another document',
    after('URI="#_assertion"', 'URI="https://evil.example/x"'),
  ],
  ['structure', 'an assertion without an ID', after(' ID="_assertion"', '')],
  [
    'structure',
    'a second signature of one assertion',
    {
      after: (xml) => swap(xml, SIGNATURE, part(xml, SIGNATURE).repeat(2)),
    },
  ],
  [
    'structure',
    'a signature of another namespace',
    after('xmlns:ds="http://www.w3.org/2000/09/xmldsig#"', 'xmlns:ds="urn:x"'),
  ],
  ['structure', 'a ds:Object', after('</ds:Signature>', '<ds:Object/></ds:Signature>')],
]);

const ALGORITHM = 'http://www.w3.org/2000/09/xmldsig#';
refuses([
  ['algorithm', 'RSA with SHA-1', { signing: { method: `${ALGORITHM}rsa-sha1` } }],
  ['algorithm', 'a SHA-1 digest', { signing: { digest: `${ALGORITHM}sha1` } }],
  [
    'algorithm',
    'a SHA-1 digest of the response',
    { signed: 'response', signing: { digest: `${ALGORITHM}sha1` } },
  ],
  [
    'algorithm',
    'HMAC with the certificate for its key',
    after('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', `${ALGORITHM}hmac-sha1`),
  ],
  ['algorithm', 'no known method', after('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'constructor')],
  [
    'algorithm',
    'SignedInfo canonicalized with comments',
    { signing: { canonicalization: `${C14N}WithComments` } },
  ],
  [
    'algorithm',
    'the assertion canonicalized with comments',
    { signing: { transforms: [ENVELOPED, `${C14N}WithComments`] } },
  ],
  [
    'algorithm',
    'inclusive canonicalization',
    { signing: { transforms: [ENVELOPED, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'] } },
  ],
  ['algorithm', 'no canonicalization', { signing: { transforms: [ENVELOPED] } }],
  [
    'algorithm',
    'an XSLT transform',
    after(`Algorithm="${ENVELOPED}"`, 'Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"'),
  ],
  [
    'algorithm',
    'three transforms',
    after('<ds:Transforms>', `<ds:Transforms><ds:Transform Algorithm="${C14N}"/>`),
  ],
]);

refuses([
  [
    'issuer',
    'another issuer of the assertion',
    { before: (xml) => swap(xml, ASSERTION, swap(ASSERTION, ISSUER, 'https://evil.example')) },
  ],
  ['issuer', 'another issuer of the response', before(ISSUER, 'https://evil.example')],
  [
    'issuer',
    'no issuer of a signed response',
    before(`<saml:Issuer>${ISSUER}</saml:Issuer><samlp:`, '<samlp:', 'response'),
  ],
  ['issuer', 'an element in the issuer', before(`>${ISSUER}<`, `>${ISSUER}<x xmlns="urn:x"/><`, 'both')],
  ['audience', 'another audience', before(`>${AUDIENCE}<`, '>https://other.example<')],
  ['audience', 'an audience that begins like ours', before(`>${AUDIENCE}<`, `>${AUDIENCE}.evil.example<`)],
  [
    'audience',
    'no AudienceRestriction',
    before(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/, ''),
  ],
  [
    'audience',
    'a second restriction that leaves us out',
    before(
      '</saml:Conditions>',
      '<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
    ),
  ],
  ['recipient', 'another recipient', before(`Recipient="${ACS}"`, 'Recipient="https://evil.example/acs"')],
  ['recipient', 'no recipient', before(` Recipient="${ACS}"`, '')],
  [
    'destination',
    'another destination',
    before(`Destination="${ACS}"`, 'Destination="https://evil.example/acs"'),
  ],
  ['destination', 'an empty destination', before(`Destination="${ACS}"`, 'Destination=""')],
  ['destination', 'no destination of a signed response', before(` Destination="${ACS}"`, '', 'response')],
  ['status', 'a failing status around a signed assertion', before('status:Success', 'status:Responder')],
  ['status', 'no status', before(STATUS, '')],
  ['status', 'two statuses', before(STATUS, STATUS.repeat(2))],
  [
    'status',
    'a failure without an assertion',
    swap(responseAround(''), 'status:Success', 'status:AuthnFailed'),
  ],
  [
    'malformed',
    'SAML 1.1',
    before(
      'Version="2.0" IssueInstant="2026-02-03T09:59:58Z"',
      'Version="1.1" IssueInstant="2026-02-03T09:59:58Z"',
    ),
  ],
]);

refuses([
  ['subject', 'an empty NameID', before(`>${SUBJECT}</saml:NameID>`, '></saml:NameID>')],
  ['subject', 'a blank NameID', before(`>${SUBJECT}</saml:NameID>`, '> \n</saml:NameID>')],
  [
    'subject',
    'an element in the NameID',
    before('>ada@example.com</saml:NameID>', '>ada@example.com<x xmlns="urn:x"/>.evil.example</saml:NameID>'),
  ],
  ['subject', 'two NameIDs', before('</saml:NameID>', '</saml:NameID><saml:NameID>eve</saml:NameID>')],
  ['subject', 'no NameID', before(/<saml:NameID.*<\/saml:NameID>/, '')],
  ['subject', 'no Subject', before(/<saml:Subject>.*<\/saml:Subject>/, '')],
  [
    'malformed',
    'a comment in the NameID',
    after('>ada@example.com</saml:NameID>', '>ada@example.com<!---->.evil.example</saml:NameID>'),
  ],
  ['subject_confirmation', 'no SubjectConfirmation', before(CONFIRMATION, '')],
  [
    'subject_confirmation',
    'two bearer confirmations',
    { before: (xml) => swap(xml, CONFIRMATION, part(xml, CONFIRMATION).repeat(2)) },
  ],
  ['subject_confirmation', 'holder of key', before('cm:bearer', 'cm:holder-of-key')],
  ['subject_confirmation', 'no SubjectConfirmationData', before(/<saml:SubjectConfirmationData[^>]*>/, '')],
  [
    'subject_confirmation',
    'a confirmation without an end',
    before(' NotOnOrAfter="2026-02-03T10:05:00Z"', ''),
  ],
  [
    'expired',
    'a confirmation that has ended',
    before('NotOnOrAfter="2026-02-03T10:05:00Z"', 'NotOnOrAfter="2026-02-03T09:58:00Z"'),
  ],
  [
    'expired',
    'conditions that have ended',
    before('NotOnOrAfter="2026-02-03T10:55:00Z"', 'NotOnOrAfter="2026-02-03T09:58:00Z"'),
  ],
  ['expired', 'issued a quarter of an hour ago', before('"2026-02-03T09:59:58Z"', '"2026-02-03T09:45:00Z"')],
  [
    'not_yet_valid',
    'conditions that begin later',
    before('NotBefore="2026-02-03T09:55:00Z"', 'NotBefore="2026-02-03T10:02:00Z"'),
  ],
  ['not_yet_valid', 'issued in the far future', before('"2026-02-03T09:59:58Z"', '"2036-02-03T09:59:58Z"')],
  [
    'lifetime',
    'conditions for ten years',
    before('NotOnOrAfter="2026-02-03T10:55:00Z"', 'NotOnOrAfter="2036-02-03T10:55:00Z"'),
  ],
  [
    'lifetime',
    'a confirmation for ten years',
    before('NotOnOrAfter="2026-02-03T10:05:00Z"', 'NotOnOrAfter="2036-02-03T10:05:00Z"'),
  ],
  ['malformed', 'a time in another zone', before('"2026-02-03T09:59:58Z"', '"2026-02-03T11:59:58+02:00"')],
  ['malformed', 'a time that is none', before('NotOnOrAfter="2026-02-03T10:55:00Z"', 'NotOnOrAfter="never"')],
  ['malformed', 'no IssueInstant', before(' IssueInstant="2026-02-03T09:59:58Z"', '')],
  ['conditions', 'no Conditions', before(CONDITIONS, '')],
  [
    'conditions',
    'Conditions twice',
    { before: (xml) => swap(xml, CONDITIONS, part(xml, CONDITIONS).repeat(2)) },
  ],
  [
    'conditions',
    'a condition that is not known',
    before('</saml:Conditions>', `<saml:Condition ${XSI} xsi:type="Delegation"/></saml:Conditions>`),
  ],
  [
    'in_response_to',
    'two requests in one document',
    before('InResponseTo="_request" Not', 'InResponseTo="_another" Not'),
  ],
  [
    'duplicate_attribute',
    'one attribute twice',
    before('<saml:Attribute Name="none"/>', '<saml:Attribute Name="groups"/>'),
  ],
  [
    'duplicate_attribute',
    'one attribute twice, in two statements',
    before(
      '<saml:Attribute Name="none"/>',
      '</saml:AttributeStatement><saml:AttributeStatement><saml:Attribute Name="email"/>',
    ),
  ],
  [
    'duplicate_attribute',
    'one attribute twice, once with elements for a value',
    before(
      '<saml:Attribute Name="none"/>',
      '<saml:Attribute Name="none"><saml:AttributeValue><x/></saml:AttributeValue></saml:Attribute><saml:Attribute Name="none"/>',
    ),
  ],
  ['malformed', 'an attribute without a name', before('<saml:Attribute Name="none"/>', '<saml:Attribute/>')],
  [
    'too_many_groups',
    '2,001 values',
    before(
      '<saml:Attribute Name="none"/>',
      `<saml:Attribute Name="none">${'<saml:AttributeValue>g</saml:AttributeValue>'.repeat(2_001)}</saml:Attribute>`,
    ),
  ],
]);

const ENTITIES = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>';
refuses([
  ['malformed', 'an empty DOCTYPE', after(/^/, '<!DOCTYPE Response>')],
  ['malformed', 'entities that multiply', after(/^/, ENTITIES)],
  ['malformed', 'an external entity', after(/^/, '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>')],
  [
    'malformed',
    'a parameter entity',
    after(/^/, '<!DOCTYPE r [<!ENTITY % x SYSTEM "https://evil.example/x">%x;]>'),
  ],
  [
    'malformed',
    'an ID by default of ATTLIST',
    after(/^/, '<!DOCTYPE r [<!ATTLIST Assertion ID CDATA "_x">]>'),
  ],
  ['malformed', 'an entity that is not declared', after('>ada@', '>&ada;@')],
  ['malformed', 'a comment in DigestValue', after('<ds:DigestValue>', '<ds:DigestValue><!--AAAA-->')],
  ['malformed', 'a processing instruction', after('<samlp:Status>', '<?php x?><samlp:Status>')],
  [
    'malformed',
    'CDATA',
    after('>ada@example.com</saml:NameID>', '><![CDATA[ada@example.com]]></saml:NameID>'),
  ],
  ['malformed', 'text behind the document', after(/$/, 'x')],
  ['malformed', 'an element behind the document', after(/$/, '<x/>')],
  ['malformed', 'a second document behind the first', make().repeat(2)],
  [
    'malformed',
    'a relative namespace',
    before('<saml:AttributeStatement', '<saml:AttributeStatement xmlns:r="relative/path"'),
  ],
  ['malformed', 'a prefix without a namespace', after('<samlp:Status>', '<nope:x/><samlp:Status>')],
  ['malformed', 'one attribute twice in an element', after(' Version="2.0"', ' Version="2.0" Version="2.0"')],
  [
    'malformed',
    'an attribute twice by two prefixes',
    before('<saml:AuthnContext>', '<saml:AuthnContext xmlns:a="urn:x" xmlns:b="urn:x" a:y="1" b:y="2">'),
  ],
  ['malformed', 'an end tag that does not fit', after('</samlp:Status>', '</samlp:Statu>')],
  ['malformed', 'half a document', make().slice(0, 2_000)],
  ['malformed', 'no XML', 'hello'],
  ['malformed', 'a byte order mark', after(/^/, '\uFEFF')],
  ['malformed', 'another encoding declared', after(/^/, '<?xml version="1.0" encoding="UTF-16"?>')],
  ['malformed', 'a character that XML does not have', after('>ada@', '>ada&#0;@')],
  ['malformed', 'a control character', after('>ada@', '>ada\u0001@')],
  ['malformed', 'a line separator, a line end to some', after('>ada@', '>ada\u2028@')],
  ['malformed', 'a next line, a line end to some', after('>ada@', '>\u0085ada@')],
  [
    'structure',
    'another root',
    responseAround(ASSERTION).replaceAll('samlp:Response', 'samlp:ArtifactResponse'),
  ],
  ['structure', 'a Response of another namespace', swap(make(), 'SAML:2.0:protocol', 'SAML:1.0:protocol')],
  ['structure', 'no assertion, and yet success', responseAround('')],
  ['structure', 'two assertions', before(ASSERTION, ASSERTION + ASSERTION.replace('_assertion', '_second'))],
  [
    'structure',
    'an assertion beside an encrypted one',
    after('</samlp:Response>', '<saml:EncryptedAssertion/></samlp:Response>'),
  ],
  [
    'structure',
    'an assertion of another namespace',
    after('<saml:Assertion ', '<Assertion xmlns="urn:x"/><saml:Assertion '),
  ],
  [
    'structure',
    'an assertion in Advice',
    before(
      '<saml:AuthnStatement',
      `<saml:Advice>${ASSERTION.replace('_assertion', '_second')}</saml:Advice><saml:AuthnStatement`,
    ),
  ],
  ['structure', 'Extensions', before('<samlp:Status>', '<samlp:Extensions/><samlp:Status>')],
  ['structure', 'one ID twice', before('<samlp:Status>', '<samlp:Status ID="_assertion">')],
  ['structure', 'one ID twice, once spelled Id', before('<samlp:Status>', '<samlp:Status Id="_assertion">')],
  [
    'structure',
    'one ID twice, once as xml:id',
    before('<samlp:Status>', '<samlp:Status xml:id="_assertion">'),
  ],
  [
    'structure',
    'an ID with a quote',
    { after: (xml) => xml.replaceAll('_assertion"', '_assertion&apos; or 1"') },
  ],
  [
    'too_large',
    'elements 33 deep',
    after('<samlp:Status>', `${'<x>'.repeat(32)}${'</x>'.repeat(32)}<samlp:Status>`),
  ],
  [
    'too_large',
    '20,000 elements inside each other',
    after('<samlp:Status>', `${'<x>'.repeat(20_000)}${'</x>'.repeat(20_000)}<samlp:Status>`),
  ],
  ['too_large', '5,001 elements', after('<samlp:Status>', `${'<x/>'.repeat(5_001)}<samlp:Status>`)],
  [
    'too_large',
    '101 attributes',
    after('<samlp:Status>', `<samlp:Status ${Array.from({ length: 101 }, (_, i) => `a${i}=""`).join(' ')}>`),
  ],
  ['too_large', 'a byte over 256 KiB', make().padEnd(256 * 1024 + 1, ' ')],
]);

t.test('refused: what is not base64 of UTF-8', async (t) => {
  const good = posted(make());
  const bytes = (...texts: Buffer[]) => Buffer.concat(texts).toString('base64');
  const inputs: Record<string, string> = {
    nothing: '',
    'no base64': '%%%',
    'URL-safe base64': `${good.slice(0, 8)}-_${good.slice(10)}`,
    'a tail that a lenient decoder drops': `${good}!`,
    'spaces for plus signs': ` ${good}`,
    'UTF-16': bytes(Buffer.from([0xff, 0xfe]), Buffer.from(make(), 'utf16le')),
    'UTF-16 without a mark': bytes(Buffer.from(make(), 'utf16le')),
    'a broken sequence': bytes(Buffer.from(make()), Buffer.from([0xc3])),
    'an overlong sequence': bytes(Buffer.from([0xc0, 0xbc]), Buffer.from(make())),
  };
  for (const [name, input] of Object.entries(inputs)) {
    t.equal(await verdict(verifySaml(PROVIDER, input, { now: NOW })), 'malformed', name);
  }
  t.equal(await verdict(verifySaml(PROVIDER, 'A'.repeat(600_000), { now: NOW })), 'too_large');
});

t.test('refused: what another provider signed for itself, also with the same key', async (t) => {
  const document = posted(make({ signed: 'both' }));
  const others = {
    issuer: { ...PROVIDER, issuer: 'https://idp.example.com/another-tenant' },
    audience: { ...PROVIDER, audience: 'https://product.example.com/another-tenant' },
    destination: { ...PROVIDER, acsUrl: 'https://product.example.com/another-tenant/acs' },
    signature: { ...PROVIDER, certificates: [OTHER.certificate] },
  };
  for (const [reason, provider] of Object.entries(others)) {
    t.equal(await verdict(verifySaml(provider, document, { now: NOW })), reason);
  }
});

t.test('refused: an answer to another request than the gateway made', async (t) => {
  const cases: Record<string, string> = {
    both: make(),
    'the response does not say': make({ before: (xml) => swap(xml, ' InResponseTo="_request"', '') }),
    'the assertion does not say': make({
      before: (xml) => swap(xml, ' InResponseTo="_request" Not', ' Not'),
    }),
  };
  for (const [name, xml] of Object.entries(cases)) {
    const requestId = name === 'both' ? '_mine' : '_request';
    t.equal(
      await verdict(verifySaml(PROVIDER, posted(xml), { now: NOW, requestId })),
      'in_response_to',
      name,
    );
  }
});

t.test('refused: encrypted documents', async (t) => {
  const GCM = 'http://www.w3.org/2009/xmlenc11#aes256-gcm';
  const CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';
  const BEFORE_THE_END = /.(?=.{100}<\/xenc:CipherValue>)/;
  const flip = (xml: string) => swap(xml, BEFORE_THE_END, part(xml, BEFORE_THE_END) === 'A' ? 'B' : 'A');
  const corpus: readonly [string, string, Promise<string>][] = [
    ['decryption', 'no signature inside or outside', makeEncrypted({ signed: 'none' })],
    ['decryption', 'the same in CBC', makeEncrypted({ signed: 'none', algorithm: CBC })],
    ['decryption', 'changed ciphertext', makeEncrypted().then(flip)],
    ['decryption', 'changed ciphertext in CBC', makeEncrypted({ algorithm: CBC }).then(flip)],
    [
      'algorithm',
      'a key by RSA 1.5',
      makeEncrypted({ keyAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-1_5' }),
    ],
    [
      'algorithm',
      'triple DES',
      makeEncrypted({ algorithm: 'http://www.w3.org/2001/04/xmlenc#tripledes-cbc' }),
    ],
    ['decryption', 'a comment inside', makeEncrypted({ inner: (xml) => swap(xml, '>ada@', '><!---->ada@') })],
    ['decryption', 'a DOCTYPE inside', makeEncrypted({ inner: (xml) => `<!DOCTYPE x>${xml}` })],
    [
      'decryption',
      'another assertion inside the Advice inside',
      makeEncrypted({
        inner: (xml) =>
          swap(xml, '<saml:AuthnStatement', `<saml:Advice>${ASSERTION}</saml:Advice><saml:AuthnStatement`),
      }),
    ],
    ['decryption', 'a Response inside', makeEncrypted({ inner: responseAround })],
    ['decryption', 'a name changed inside', makeEncrypted({ inner: (xml) => swap(xml, '>ada@', '>eve@') })],
  ];
  for (const [reason, name, making] of corpus) {
    t.equal(await verdict(verifySaml(PROVIDER, posted(await making), { now: NOW })), reason, name);
  }
  const keyless = { issuer: ISSUER, certificates: [IDP.certificate], audience: AUDIENCE, acsUrl: ACS };
  const document = posted(await makeEncrypted({ algorithm: GCM }));
  t.equal(await verdict(verifySaml(keyless, document, { now: NOW })), 'decryption', 'we have no key');
  const wrongKey = { ...PROVIDER, decryptionKey: OTHER.privateKey };
  t.equal(await verdict(verifySaml(wrongKey, document, { now: NOW })), 'decryption', 'we have another key');
});

t.test('a refusal lists the checks that passed before it, and quotes nothing of the document', async (t) => {
  const document = posted(make(before(`>${AUDIENCE}<`, '>https://secret.example<')));
  const error = await verifySaml(PROVIDER, document, { now: NOW }).catch((caught) => caught);
  t.same(error.checks.map((check: { check: string }) => check.check).slice(0, 3), [
    'document',
    'signature',
    'version',
  ]);
  t.match(error.checks.at(-1), { check: 'audience', passed: false, detail: error.message });
  t.notMatch(JSON.stringify(error.checks), /secret|ada@/);
});
