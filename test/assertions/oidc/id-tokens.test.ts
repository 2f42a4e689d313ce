import t from 'tap';
import { SIGNATURE_ALGORITHMS } from '../../../src/assertions/oidc/algorithms.ts';
import {
  base64url,
  claims,
  type Json,
  makeKey,
  makeToken,
  OKTA,
  openWorld,
  PROVIDER,
  refusalOf,
  SECONDS,
} from '../../support/id-tokens.ts';

/** What holds, and what is read from it. */

const key = makeKey('RS256', 'k1');
const { world, verifier } = openWorld([key.jwk]);
const verify = (changes: Json, header: Json = {}) =>
  verifier.verify(OKTA, PROVIDER, makeToken(key, claims(changes), header));

t.test('a token of each algorithm holds, whether or not the key set names the algorithm', async (t) => {
  for (const alg of SIGNATURE_ALGORITHMS) {
    const signing = makeKey(alg, alg);
    const { alg: _, ...unnamed } = signing.jwk;
    for (const jwk of [signing.jwk, unnamed]) {
      const { verifier } = openWorld([jwk]);
      t.equal((await verifier.verify(OKTA, PROVIDER, makeToken(signing))).subject, 'bob', alg);
    }
  }
});

t.test('what a verified token says', async (t) => {
  const verified = await verify({ email: 'bob@example.com' });
  t.equal(verified.subject, 'bob');
  t.strictSame(verified.attributes.get('email'), ['bob@example.com']);
  t.equal(verified.groupOverage, false);
  t.strictSame(
    verified.checks.map(({ check, passed }) => [check, passed]),
    ['token', 'algorithm', 'signature', 'claims', 'issuer', 'audience', 'validity', 'subject'].map(
      (check) => [check, true],
    ),
  );
});

t.test('headers and audiences that hold', async (t) => {
  const headers: Json[] = [
    { typ: 'jwt' },
    { typ: 'application/JWT' },
    { typ: undefined },
    { kid: undefined },
  ];
  for (const header of headers) t.equal((await verify({}, header)).subject, 'bob', JSON.stringify(header));
  const changes: Json[] = [
    { aud: ['rollcall'] },
    { aud: 'rollcall', azp: 'rollcall' },
    { aud: ['other', 'rollcall'], azp: 'rollcall' },
    { sub: 'b'.repeat(255) },
    { sub: 'Bob ' },
  ];
  for (const change of changes) t.ok(await verify(change), JSON.stringify(change));
});

t.test('clocks may differ by 60 seconds, and a token holds for an hour at most', async (t) => {
  const cases: [changes: Json, held: boolean][] = [
    [{ exp: SECONDS - 59 }, true],
    [{ exp: SECONDS - 61 }, false],
    [{ iat: SECONDS + 59, exp: SECONDS + 300 }, true],
    [{ iat: SECONDS + 61, exp: SECONDS + 300 }, false],
    [{ nbf: SECONDS + 59 }, true],
    [{ nbf: SECONDS + 61 }, false],
    [{ iat: SECONDS - 3_659, exp: SECONDS + 86_400 }, true],
    [{ iat: SECONDS - 3_661, exp: SECONDS + 86_400 }, false],
    [{ iat: SECONDS - 0.5, exp: SECONDS + 0.5 }, true],
  ];
  for (const [changes, held] of cases) {
    const outcome = await verify(changes).catch((error: Error) => error);
    t.equal(outcome instanceof Error, !held, JSON.stringify(changes));
  }
});

t.test('expiresAt is the first moment at which nobody accepts the token any more', async (t) => {
  const cases: [changes: Json, seconds: number][] = [
    [{ exp: SECONDS + 300 }, 360],
    [{ exp: SECONDS + 30.5 }, 90.5],
    [{ exp: SECONDS + 1e9 }, 3_660],
  ];
  for (const [changes, seconds] of cases) {
    const { world, verifier } = openWorld([key.jwk]);
    const token = makeToken(key, claims(changes));
    const { expiresAt } = await verifier.verify(OKTA, PROVIDER, token);
    t.equal(expiresAt.getTime() / 1_000, SECONDS + seconds);
    world.now = new Date(expiresAt.getTime() - 1);
    t.ok(await verifier.verify(OKTA, PROVIDER, token));
    world.now = expiresAt;
    t.equal((await refusalOf(verifier.verify(OKTA, PROVIDER, token))).reason, 'expired');
  }
});

t.test('claims are told as texts; what is no list of texts is left out whole', async (t) => {
  const { attributes } = await verify({
    text: 'é "quoted"',
    empty: '',
    empties: ['', ''],
    yes: true,
    xms_edov: true,
    number: 1.5,
    list: ['a', 'b', 'a', ''],
    mixed: ['a', 1],
    halves: ['a', false],
    none: [],
    nothing: null,
    object: { a: 1 },
    partly: ['a', { b: 1 }],
    nested: [['a']],
    gaps: ['a', null],
    'https://rollcall.example/groups': ['g'],
    constructor: 'c',
  });
  t.strictSame(
    [...attributes].filter(([name]) => !Object.hasOwn(claims(), name)),
    [
      ['text', ['é "quoted"']],
      ['xms_edov', ['true']],
      ['number', ['1.5']],
      ['list', ['a', 'b', 'a', '']],
      ['mixed', ['a', '1']],
      ['none', []],
      ['https://rollcall.example/groups', ['g']],
      ['constructor', ['c']],
    ],
  );
  t.strictSame(attributes.get('iat'), [String(SECONDS)]);
});

t.test('Entra ID says in two ways that there are too many groups to list', async (t) => {
  const cases: [changes: Json, overage: boolean][] = [
    [{ _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph' } } }, true],
    [{ hasgroups: true }, true],
    [{ hasgroups: 'true' }, true],
    [{ hasgroups: false }, false],
    [{ _claim_names: { address: 'src1' } }, false],
    [{ _claim_names: ['groups'] }, false],
    [{ _claim_names: null }, false],
    [{ groups: ['a'] }, false],
  ];
  for (const [changes, overage] of cases) {
    t.equal((await verify(changes)).groupOverage, overage, JSON.stringify(changes));
  }
});

t.test('one token has one id, however it is signed; another has another', async (t) => {
  const ecdsa = makeKey('ES256', 'ec');
  const pss = makeKey('PS256', 'pss');
  const { verifier } = openWorld([ecdsa.jwk, pss.jwk]);
  const idOf = async (token: string) => (await verifier.verify(OKTA, PROVIDER, token)).id;
  const token = makeToken(ecdsa);
  t.equal(await idOf(mirrored(token)), await idOf(token), 's and n − s sign the same');
  t.not(mirrored(token), token);
  t.not(makeToken(pss), makeToken(pss), 'PSS is salted');
  t.equal(await idOf(makeToken(pss)), await idOf(makeToken(pss)));
  t.not(await idOf(makeToken(pss)), await idOf(token));
  t.not(await idOf(makeToken(ecdsa, claims({ jti: '2' }))), await idOf(token));
  t.equal((await verify({})).id.length, 64);
  t.ok(world.fetched.length <= 2, 'all of this file fetched the keys once');
});

/** The other signature that holds for an ES256 token: (r, n − s). */
function mirrored(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const other = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
  return `${header}.${payload}.${base64url(Buffer.concat([bytes.subarray(0, 32), other]))}`;
}
