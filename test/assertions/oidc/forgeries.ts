import { createHash, createHmac, type KeyObject } from 'node:crypto';
import type { AssertionReason } from '../../../src/assertions/types.ts';
import {
  base64url,
  claims,
  type Json,
  makeKey,
  makeToken,
  makeTokenOf,
  SECONDS,
  signatureOf,
  type TestKey,
} from '../../support/id-tokens.ts';

/** Tokens that must not hold, each with the reason (RFC 8725; OpenID Connect Core section 3.1.3.7). */

export const rsa = makeKey('RS256', 'rsa');
const second = makeKey('RS256', 'second');
export const pss = makeKey('PS256', 'pss');
export const p256 = makeKey('ES256', 'p256');
export const p384 = makeKey('ES384', 'p384');
export const ed = makeKey('EdDSA', 'ed');
const foreign = makeKey('RS256', 'rsa');
const short = makeKey('RS256', 'short', 1_024);
const forEncryption = makeKey('RS256', 'enc');
const onlySigns = makeKey('RS256', 'signs');
const otherAlgorithm = makeKey('RS512', 'rs512');
const published = makeKey('RS256', 'published');

/** Everybody signs by it: the signature to the power of 1 is the padded digest itself. */
const exponentOne = { kty: 'RSA', kid: 'one', n: base64url(Buffer.alloc(256, 0xff)), e: 'AQ' };

export const KEYS = [
  ...[rsa, second, pss, p256, p384, ed, short, otherAlgorithm].map(({ jwk }) => jwk),
  { ...forEncryption.jwk, use: 'enc' },
  { ...onlySigns.jwk, key_ops: ['sign'] },
  published.privateKey.export({ format: 'jwk' }),
  { ...published.privateKey.export({ format: 'jwk' }), kid: 'published', use: 'sig' },
  exponentOne,
  { kty: 'oct', kid: 'oct', k: base64url('secret') },
  { kty: 'EC', kid: 'broken', crv: 'P-256', x: 'AA', y: 'AA' },
];

export const genuine = makeToken(rsa);
const [HEADER = '', PAYLOAD = '', SIGNATURE = ''] = genuine.split('.');

/** A token whose signature is made of the text that is signed. */
export function signedBy(
  header: Json,
  sign: (signed: string) => Uint8Array | string,
  payload: Json = claims(),
): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${base64url(sign(signed))}`;
}

export const hmac = (alg: string, secret: string | Buffer) =>
  signedBy({ alg, kid: 'rsa' }, (signed) =>
    createHmac(`sha${alg.slice(2)}`, secret)
      .update(signed)
      .digest(),
  );

function paddedDigest(signed: string): Buffer {
  const info = Buffer.from('3031300d060960864801650304020105000420', 'hex');
  const digest = createHash('sha256').update(signed).digest();
  const padding = Buffer.alloc(256 - 3 - info.length - digest.length, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info, digest]);
}

/** The same number of bits, the last of which no encoder sets. */
function slack(part: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = part.at(-1) ?? '';
  return part.slice(0, -1) + letters[letters.indexOf(last) + 1];
}

/** A payload whose last letter has bits that count for nothing. */
const padded = (key: TestKey) => {
  const texts = ['', 'x', 'xx'].map((jti) => makeToken(key, claims({ jti })));
  return texts.find((text) => (text.split('.')[1]?.length ?? 0) % 4 === 2) ?? '';
};

const publicSpellings = (key: KeyObject): [string, string | Buffer][] => [
  ['SPKI PEM', key.export({ type: 'spki', format: 'pem' })],
  ['SPKI PEM without its last line feed', String(key.export({ type: 'spki', format: 'pem' })).trimEnd()],
  ['SPKI DER', key.export({ type: 'spki', format: 'der' })],
  ['PKCS #1 PEM', key.export({ type: 'pkcs1', format: 'pem' })],
  ['PKCS #1 DER', key.export({ type: 'pkcs1', format: 'der' })],
  ['JWK', JSON.stringify(rsa.jwk)],
  ['modulus', Buffer.from(String(rsa.jwk.n), 'base64url')],
  ['empty text', ''],
];

type Forgery = readonly [name: string, token: string];

const algorithms: Forgery[] = [
  ...[
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'rs256',
    'RS256 ',
    'RS1',
    'constructor',
    '__proto__',
    'dir',
  ].flatMap((alg): Forgery[] => [
    [`alg ${JSON.stringify(alg)} without a signature`, signedBy({ alg }, () => '')],
    [`alg ${JSON.stringify(alg)} with one`, `${base64url({ alg })}.${PAYLOAD}.${SIGNATURE}`],
  ]),
  ...[undefined, null, 256, true, ['RS256'], { toString: 'RS256' }].map(
    (alg): Forgery => [`alg ${JSON.stringify(alg)}`, makeToken(rsa, claims(), { alg })],
  ),
  ...['HS256', 'HS384', 'HS512'].flatMap((alg) =>
    publicSpellings(rsa.publicKey).map(
      ([spelling, secret]): Forgery => [`${alg} with the public key as ${spelling}`, hmac(alg, secret)],
    ),
  ),
  ['HS256 with the symmetric key of the set', hmac('HS256', 'secret')],
];

const attacker = makeKey('RS256', 'attacker');
const signatures: Forgery[] = [
  ['a key of its own in "jwk"', makeToken(attacker, claims(), { jwk: attacker.jwk })],
  ['the same under a known kid', makeToken(attacker, claims(), { kid: 'rsa', jwk: attacker.jwk })],
  ['the same without a kid', makeToken(attacker, claims(), { kid: undefined, jwk: attacker.jwk })],
  ['"jku"', makeToken(attacker, claims(), { jku: 'https://attacker.example/jwks' })],
  ['"x5u"', makeToken(attacker, claims(), { kid: 'rsa', x5u: 'https://attacker.example/certificate' })],
  ['"x5c"', makeToken(attacker, claims(), { kid: 'rsa', x5c: ['MIIB'] })],
  ...[
    '../../../dev/null',
    "x' or '1'='1",
    'https://attacker.example/key',
    '__proto__',
    'RSA',
    ' rsa',
    '',
  ].map((kid): Forgery => [`kid ${kid}`, makeToken(attacker, claims(), { kid })]),
  ...[null, 1, ['rsa'], { rsa: 1 }].map(
    (kid): Forgery => [`kid ${JSON.stringify(kid)}`, makeToken(rsa, claims(), { kid })],
  ),
  ['an unknown kid, and a known key', makeToken(rsa, claims(), { kid: 'other' })],
  ['no kid beside several keys', makeToken(rsa, claims(), { kid: undefined })],
  ["another tenant's key under the same kid", makeToken(foreign)],
  ['other claims', `${HEADER}.${base64url(claims({ sub: 'alice' }))}.${SIGNATURE}`],
  ['another header', `${base64url({ alg: 'RS256', kid: 'rsa' })}.${PAYLOAD}.${SIGNATURE}`],
  ['no signature', `${HEADER}.${PAYLOAD}.`],
  [
    'half a signature',
    `${HEADER}.${PAYLOAD}.${base64url(Buffer.from(SIGNATURE, 'base64url').subarray(0, 128))}`,
  ],
  ['a signature of zeros', signedBy({ alg: 'RS256', kid: 'rsa' }, () => Buffer.alloc(256))],
  [
    'an HMAC called RS256',
    signedBy({ alg: 'RS256', kid: 'rsa' }, (text) => createHmac('sha256', '').update(text).digest()),
  ],
  [
    'PKCS #1 padding called PS256',
    signedBy({ alg: 'PS256', kid: 'pss' }, (text) => signatureOf('RS256', pss.privateKey, text)),
  ],
  [
    'PSS padding called RS256',
    signedBy({ alg: 'RS256', kid: 'rsa' }, (text) => signatureOf('PS256', rsa.privateKey, text)),
  ],
  ['zeros for ES256 (psychic signatures)', signedBy({ alg: 'ES256', kid: 'p256' }, () => Buffer.alloc(64))],
  ['DER for ES256', signedBy({ alg: 'ES256', kid: 'p256' }, () => Buffer.from('3006020100020100', 'hex'))],
  [
    'ES256 by a key of P-384',
    signedBy({ alg: 'ES256', kid: 'p384' }, (text) => signatureOf('ES384', p384.privateKey, text)),
  ],
  [
    'ES256 by an RSA key',
    signedBy({ alg: 'ES256', kid: 'rsa' }, (text) => signatureOf('RS256', rsa.privateKey, text)),
  ],
  [
    'EdDSA by a key of P-256',
    signedBy({ alg: 'EdDSA', kid: 'p256' }, (text) => signatureOf('ES256', p256.privateKey, text)),
  ],
  ['zeros for EdDSA', signedBy({ alg: 'EdDSA', kid: 'ed' }, () => Buffer.alloc(64))],
  ['a broken key', makeToken(p256, claims(), { kid: 'broken' })],
  ['an RSA key of 1,024 bits', makeToken(short)],
  ['an RSA key with the exponent 1', signedBy({ alg: 'RS256', kid: 'one' }, paddedDigest)],
  ['a key for encryption', makeToken(forEncryption)],
  ['a key that may only sign', makeToken(onlySigns)],
  [
    'a key for another algorithm',
    signedBy({ alg: 'RS256', kid: 'rs512' }, (text) => signatureOf('RS256', otherAlgorithm.privateKey, text)),
  ],
  ['a key whose private half is published', makeToken(published)],
];

const texts: Forgery[] = [
  ['empty', ''],
  ['no JWT', 'bob'],
  ['two parts', `${HEADER}.${PAYLOAD}`],
  ['four parts', `${genuine}.${SIGNATURE}`],
  ['a JWE', `${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AAAA.AAAA.AAAA.AAAA`],
  ['JSON, flattened', JSON.stringify({ protected: HEADER, payload: PAYLOAD, signature: SIGNATURE })],
  [
    'JSON, general',
    JSON.stringify({ payload: PAYLOAD, signatures: [{ protected: HEADER, signature: SIGNATURE }] }),
  ],
  [
    'JSON with dots for the compact reader',
    JSON.stringify({ protected: `${HEADER}.`, payload: `${PAYLOAD}.` }),
  ],
  ...['.', '=', '==', ' ', '\n', '\0', '%00', ';', '"'].map(
    (end): Forgery => [`${JSON.stringify(end)} behind it`, genuine + end],
  ),
  ...[' ', '\n', '"', '.', 'Bearer '].map(
    (begin): Forgery => [`${JSON.stringify(begin)} before it`, begin + genuine],
  ),
  ['a line feed in the signature', `${HEADER}.${PAYLOAD}.${SIGNATURE.slice(0, 9)}\n${SIGNATURE.slice(9)}`],
  ['letters of plain base64', `${HEADER}.${PAYLOAD}.${'+/'.repeat(171)}`],
  ['slack bits in the payload', padded(rsa).replace(/\.([^.]+)\./, (_, part: string) => `.${slack(part)}.`)],
  ['slack bits in the signature', `${HEADER}.${PAYLOAD}.${slack(SIGNATURE)}`],
  ['no payload', `${HEADER}..${SIGNATURE}`],
  ['no header', `.${PAYLOAD}.${SIGNATURE}`],
  ['a header that is no JSON', makeTokenOf(rsa, claims(), 'alg=RS256')],
  ['a header that is a list', makeTokenOf(rsa, claims(), '[{"alg":"RS256","kid":"rsa"}]')],
  ['a header with two alg', makeTokenOf(rsa, claims(), '{"alg":"none","alg":"RS256","kid":"rsa"}')],
  [
    'the same, one of them escaped',
    makeTokenOf(rsa, claims(), '{"\\u0061lg":"none","alg":"RS256","kid":"rsa"}'),
  ],
  ['a header with a byte order mark', makeTokenOf(rsa, claims(), '\ufeff{"alg":"RS256","kid":"rsa"}')],
  ['two sub', makeToken(rsa, `{"sub":"alice",${JSON.stringify(claims()).slice(1)}`)],
  ['two names within a claim', makeToken(rsa, `{"x":[{"a":1,"a":2}],${JSON.stringify(claims()).slice(1)}`)],
  ['claims that are a list', makeToken(rsa, JSON.stringify([claims()]))],
  ['claims that are null', makeToken(rsa, 'null')],
  ['claims that are a text', makeToken(rsa, '"sub"')],
  ['claims that are cut off', makeToken(rsa, JSON.stringify(claims()).slice(0, -1))],
  ['a signed token in the place of claims', makeToken(rsa, genuine, { cty: 'JWT' })],
  [
    'an unsecured token in the place of claims',
    makeToken(rsa, `${base64url({ alg: 'none' })}.${PAYLOAD}.`, { cty: 'JWT' }),
  ],
  ['claims nested very deep', makeToken(rsa, `{"x":${'['.repeat(4_000)}${']'.repeat(4_000)}}`)],
  [
    'claims that are no UTF-8',
    makeToken(rsa, Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])),
  ],
  ['NUL in a claim', makeToken(rsa, claims({ sub: 'bob\0' }))],
  ['half a surrogate pair in a claim', makeToken(rsa, claims({ name: '\ud800' }))],
  ['NUL in the name of a claim', makeToken(rsa, claims({ 'a\0': 1 }))],
  ['a number beyond all', makeToken(rsa, `{"x":1e999,${JSON.stringify(claims()).slice(1)}`)],
];

const structures: Forgery[] = [
  ...[['exp'], ['b64'], [], 'exp', null].map(
    (crit): Forgery => [
      `crit ${JSON.stringify(crit)}`,
      makeToken(rsa, claims(), { crit, b64: crit?.[0] === 'b64' ? false : undefined }),
    ],
  ),
  ['b64 false', makeToken(rsa, claims(), { b64: false })],
  ['b64 true', makeToken(rsa, claims(), { b64: true })],
  ...['at+jwt', 'application/at+jwt', 'logout+jwt', 'dpop+jwt', 'JOSE', '', null, ['JWT']].map(
    (typ): Forgery => [`typ ${JSON.stringify(typ)}`, makeToken(rsa, claims(), { typ })],
  ),
  [
    'a logout token',
    makeToken(rsa, claims({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })),
  ],
  ...['exp', 'iat', 'nbf'].flatMap((name) =>
    [null, String(SECONDS + 60), [SECONDS], -1, 1e300].map(
      (value): Forgery => [`${name} ${JSON.stringify(value)}`, makeToken(rsa, claims({ [name]: value }))],
    ),
  ),
  ['no exp', makeToken(rsa, claims({ exp: undefined }))],
  ['no iat', makeToken(rsa, claims({ iat: undefined }))],
];

const withClaims = (name: string, values: readonly unknown[], more: Json = {}): Forgery[] =>
  values.map((value) => [
    `${name} ${JSON.stringify(value)}`,
    makeToken(rsa, claims({ ...more, [name]: value })),
  ]);

const issuers = withClaims('iss', [
  undefined,
  null,
  'https://idp.example/',
  'https://IDP.example',
  'https://idp.example.attacker.example',
  'https://other.example',
  ['https://idp.example'],
]);

const audiences: Forgery[] = [
  ...withClaims('aud', [
    undefined,
    null,
    '',
    'other',
    'rollcall2',
    'Rollcall',
    [],
    ['other'],
    [['rollcall']],
    { rollcall: 1 },
    1,
  ]),
  ...withClaims('azp', ['other', '', null, ['rollcall']]),
  ...withClaims('aud', [
    ['rollcall', 'other'],
    ['other', 'rollcall'],
  ]),
  ...withClaims('aud', [['rollcall', 'other'], ['other']], { azp: 'other' }),
  ...withClaims('aud', ['other'], { azp: 'rollcall' }),
];

export const CORPUS: readonly (readonly [AssertionReason, readonly Forgery[]])[] = [
  ['algorithm', algorithms],
  ['signature', signatures],
  ['malformed', texts],
  ['structure', structures],
  ['issuer', issuers],
  ['audience', audiences],
  [
    'expired',
    [...withClaims('exp', [SECONDS - 60, SECONDS - 86_400, 0]), ...withClaims('iat', [SECONDS - 3_660, 0])],
  ],
  [
    'not_yet_valid',
    [...withClaims('iat', [SECONDS + 61], { exp: SECONDS + 900 }), ...withClaims('nbf', [SECONDS + 61])],
  ],
  ['subject', withClaims('sub', [undefined, null, '', ' ', 7, ['bob'], { bob: 1 }, 'b'.repeat(256)])],
  [
    'too_large',
    [
      ['more than 16 KiB', makeToken(rsa, claims({ x: 'x'.repeat(16_384) }))],
      ['a megabyte of dots', '.'.repeat(2 ** 20)],
    ],
  ],
];
