import t from 'tap';
import { verifySaml } from '../../../src/assertions/saml/verify.ts';
import { keyPair } from '../../support/certificates.ts';
import { type Responding, respond } from '../../support/samlp.ts';
import {
  ACS,
  AUDIENCE,
  IDP,
  ISSUER,
  make,
  makeEncrypted,
  NOW,
  OTHER,
  OURS,
  PROVIDER,
  posted,
  SUBJECT,
  swap,
  verdict,
} from './identity-provider.ts';

const GCM = 'http://www.w3.org/2009/xmlenc11#aes256-gcm';
const CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';

const verify = (xml: string, provider = PROVIDER) => verifySaml(provider, posted(xml), { now: NOW });

t.test('what a verified assertion says is the person, the attributes and how long it holds', async (t) => {
  const verified = await verify(make());
  t.equal(verified.subject, SUBJECT);
  t.equal(verified.id, '_assertion');
  t.same(Object.fromEntries(verified.attributes), {
    email: [SUBJECT],
    groups: ['R&D', 'Analysts'],
    none: [],
  });
  t.equal(verified.groupOverage, false);
  t.same(
    verified.expiresAt,
    new Date('2026-02-03T10:06:00Z'),
    'the first bound, and a minute for the clocks',
  );
  t.ok(verified.checks.every(({ passed }) => passed));
  t.equal(verified.checks[0]?.check, 'document');
  t.equal(verified.checks.at(-1)?.check, 'attributes');
});

for (const signed of ['assertion', 'response', 'both'] as const) {
  t.test(`accepted: signed ${signed}`, async (t) => {
    t.equal((await verify(make({ signed }))).subject, SUBJECT);
  });
  for (const algorithm of [GCM, CBC]) {
    t.test(`accepted: signed ${signed}, encrypted with ${algorithm.split('#')[1]}`, async (t) => {
      t.equal((await verify(await makeEncrypted({ signed, algorithm }))).subject, SUBJECT);
    });
  }
}

t.test('accepted: RSA with SHA-512, and RSA-PSS', async (t) => {
  const digest = 'http://www.w3.org/2001/04/xmlenc#sha512';
  const methods = [
    'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
    'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
  ];
  for (const method of methods) {
    t.equal((await verify(make({ signed: 'both', signing: { method, digest } }))).subject, SUBJECT, method);
  }
});

t.test('while certificates are rolled over, the old and the new one hold, in any order', async (t) => {
  const fresh = keyPair();
  for (const certificates of [
    [fresh.certificate, ...PROVIDER.certificates],
    [...PROVIDER.certificates, fresh.certificate],
  ]) {
    for (const signing of [{ key: fresh }, {}]) {
      const verified = await verify(make({ signing, signed: 'both' }), { ...PROVIDER, certificates });
      t.equal(verified.subject, SUBJECT);
    }
  }
});

t.test('what identity providers write differently is read alike', async (t) => {
  const variants: Record<string, (xml: string) => string> = {
    'an XML declaration': (xml) => `<?xml version="1.0" encoding="UTF-8"?>\n${xml}\n`,
    'carriage returns': (xml) => swap(xml, '<samlp:Status>', '\r\n<samlp:Status>'),
    'single quotes': (xml) => swap(xml, 'Version="2.0"', "Version='2.0'"),
    'white space in tags': (xml) => swap(xml, '<samlp:Status>', '<samlp:Status >'),
    'no Destination, and the response not signed': (xml) => swap(xml, ` Destination="${ACS}"`, ''),
    'no Issuer of the response, and it is not signed': (xml) =>
      swap(xml, `<saml:Issuer>${ISSUER}</saml:Issuer><samlp`, '<samlp'),
    'no InResponseTo: the sign-in began at the identity provider': (xml) =>
      swap(swap(xml, ' InResponseTo="_request"', ''), ' InResponseTo="_request"', ''),
    'OneTimeUse and ProxyRestriction': (xml) =>
      swap(
        xml,
        '</saml:Conditions>',
        '<saml:OneTimeUse/><saml:ProxyRestriction Count="0"/></saml:Conditions>',
      ),
    'two audiences of which one is ours': (xml) =>
      swap(xml, '<saml:Audience>', '<saml:Audience>https://other.example.com</saml:Audience><saml:Audience>'),
    'character references': (xml) => swap(xml, '>ada@', '>&#97;d&#x61;@'),
    'seven digits of a second': (xml) => swap(xml, '09:59:58Z', '09:59:58.1234567Z'),
    'a second confirmation of another method': (xml) =>
      swap(
        xml,
        '<saml:SubjectConfirmation ',
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/><saml:SubjectConfirmation ',
      ),
  };
  for (const [name, before] of Object.entries(variants)) {
    t.equal((await verify(make({ before }))).subject, SUBJECT, name);
  }
});

t.test('base64 in lines, as RFC 2045 writes it, is read', async (t) => {
  const lines = posted(make()).replace(/.{76}/g, '$&\r\n');
  t.equal((await verifySaml(PROVIDER, lines, { now: NOW })).subject, SUBJECT);
});

t.test('the request that the gateway names must be the one that is answered', async (t) => {
  const verified = await verifySaml(PROVIDER, posted(make()), { now: NOW, requestId: '_request' });
  t.equal(verified.subject, SUBJECT);
});

t.test("Entra ID's link in place of groups is an overage", async (t) => {
  const link = 'http://schemas.microsoft.com/claims/groups.link';
  const verified = await verify(make({ before: (xml) => swap(xml, 'Name="groups"', `Name="${link}"`) }));
  t.equal(verified.groupOverage, true);
});

const TEXT = '<saml:AttributeValue>Hunters</saml:AttributeValue>';
const ELEMENT = '<saml:AttributeValue>a<saml:NameID>b</saml:NameID></saml:AttributeValue>';
const CONTENTS: readonly (readonly [what: string, content: string, read: readonly string[] | undefined])[] = [
  ['no value', '', []],
  ['an empty value', '<saml:AttributeValue/>', []],
  ['a nil value', '<saml:AttributeValue xsi:nil="true"/>', []],
  ['an empty value beside a text', `<saml:AttributeValue></saml:AttributeValue>${TEXT}`, ['Hunters']],
  ['a value made of elements', ELEMENT, undefined],
  ['a value made of elements beside a text', TEXT + ELEMENT, undefined],
  ['a nil value with a text in it', '<saml:AttributeValue xsi:nil="1">x</saml:AttributeValue>', undefined],
  [
    'a value of another namespace beside a text',
    `${TEXT}<AttributeValue xmlns="urn:x">a</AttributeValue>`,
    undefined,
  ],
  ['a text that is no value', 'Hunters', undefined],
];
for (const [what, content, read] of CONTENTS) {
  t.test(`an attribute with ${what} is ${read ? 'read' : 'as good as not sent'}`, async (t) => {
    const before = (xml: string) =>
      swap(xml, '<saml:Attribute Name="none"/>', `<saml:Attribute Name="none">${content}</saml:Attribute>`);
    t.same((await verify(make({ before }))).attributes.get('none'), read);
  });
}

t.test('nothing unsigned shortens the time for which a use is remembered', async (t) => {
  const older = (xml: string) => swap(xml, '"2026-02-03T09:59:59Z"', '"2026-02-03T09:50:01Z"');
  t.same((await verify(make({ after: older }))).expiresAt, new Date('2026-02-03T10:06:00Z'));
});

t.test('the clocks may differ by 59 seconds, and not by 61', async (t) => {
  const document = posted(make());
  const at = (time: string, seconds: number) => new Date(Date.parse(time) + seconds * 1_000);
  const bounds: readonly [string, string, number][] = [
    ['expired', '2026-02-03T10:05:00Z', 1],
    ['not_yet_valid', '2026-02-03T09:59:59Z', -1],
  ];
  for (const [reason, bound, direction] of bounds) {
    t.equal((await verifySaml(PROVIDER, document, { now: at(bound, 59 * direction) })).subject, SUBJECT);
    t.equal(await verdict(verifySaml(PROVIDER, document, { now: at(bound, 61 * direction) })), reason);
  }
  const expiry = (await verifySaml(PROVIDER, document, { now: NOW })).expiresAt;
  t.equal(await verdict(verifySaml(PROVIDER, document, { now: expiry })), 'expired', 'expiresAt is exact');
  t.ok(await verifySaml(PROVIDER, document, { now: new Date(expiry.getTime() - 1) }));
});

function samlpResponse(options: Responding = {}) {
  const to = { audience: AUDIENCE, acsUrl: ACS, encryptionCertificate: OURS.certificate };
  const person = { nameId: 'u1', attributes: { email: SUBJECT } };
  return respond({ issuer: ISSUER, keys: IDP }, to, person, options);
}

t.test('samlp: signed response, signed assertion, both, and encrypted', async (t) => {
  for (const options of [
    {},
    { signResponse: true },
    { signResponse: true, signAssertion: false },
    { encrypted: GCM },
    { encrypted: CBC },
    { encrypted: GCM, signResponse: true },
    { encrypted: CBC, signResponse: true, signAssertion: false },
  ] as const) {
    const document = await samlpResponse(options);
    const { subject, attributes } = await verifySaml(PROVIDER, document, { now: new Date() });
    t.same([subject, attributes.get('email')], ['u1', [SUBJECT]], JSON.stringify(options));
  }
  const weak = await samlpResponse({ signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' });
  t.equal(await verdict(verifySaml(PROVIDER, weak, { now: new Date() })), 'algorithm');
});

t.test('samlp: another key signs nobody in', async (t) => {
  const document = await samlpResponse();
  const provider = { ...PROVIDER, certificates: [OTHER.certificate] };
  t.equal(await verdict(verifySaml(provider, document, { now: new Date() })), 'signature');
});
