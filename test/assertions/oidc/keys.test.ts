import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import {
  claims,
  JWKS_URI,
  makeKey,
  makeToken,
  OKTA,
  openWorld,
  PROVIDER,
  refusalOf,
  type World,
} from '../../support/id-tokens.ts';

/** When an identity provider is asked for its keys, and with which of them tokens are verified meanwhile. */

const DISCOVERY = `${PROVIDER.issuer}/.well-known/openid-configuration`;
const [first, second, third] = [makeKey('ES256', 'k1'), makeKey('ES256', 'k2'), makeKey('ES256', 'k3')];

/** A token for whatever time it is. */
function tokenOf(world: World, key = first, header = {}) {
  const seconds = world.now.getTime() / 1_000;
  return makeToken(key, claims({ iat: seconds, exp: seconds + 300 }), header);
}

/** A provider with these keys, and how a sign-in by one of them goes: `ok`, or why not. */
function openProvider(keys = [first]) {
  const { world, verifier } = openWorld(keys.map(({ jwk }) => jwk));
  return {
    world,
    verifier,
    signIn: (key = first, header = {}) =>
      verifier.verify(OKTA, PROVIDER, tokenOf(world, key, header)).then(
        () => 'ok',
        ({ reason }) => reason,
      ),
    publish: (...jwks: readonly (typeof first)[]) =>
      void world.documents.set(JWKS_URI, { keys: jwks.map(({ jwk }) => jwk) }),
    breakDown: () => world.documents.clear(),
    later: (seconds: number) => {
      world.now = new Date(world.now.getTime() + seconds * 1_000);
    },
    /** How many documents were fetched since the last time this was asked. */
    fetches: () => world.fetched.splice(0).length,
  };
}

const DAY = 86_400;

t.test('a hundred first sign-ins at once fetch the keys once', async (t) => {
  const { world, signIn } = openProvider();
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => signIn()));
  t.strictSame([...new Set(outcomes)], ['ok']);
  t.strictSame(world.fetched, [DISCOVERY, JWKS_URI]);
  t.equal(await signIn(), 'ok');
  t.equal(world.fetched.length, 2);
});

t.test('a configured key set is fetched without discovery', async (t) => {
  const { world, verifier } = openProvider();
  await verifier.verify(OKTA, { ...PROVIDER, jwksUri: JWKS_URI }, tokenOf(world));
  t.strictSame(world.fetched, [JWKS_URI]);
});

t.test('a rotated key is known at once, or 10 seconds after the last fetch', async (t) => {
  const { signIn, publish, later, fetches } = openProvider();
  t.equal(await signIn(), 'ok');
  publish(first, second);
  t.equal(fetches(), 2);
  later(9.999);
  t.equal(await signIn(second), 'signature');
  t.equal(fetches(), 0, 'asked a moment ago');
  later(0.001);
  t.equal(await signIn(second), 'ok');
  t.equal(fetches(), 2);
  later(60);
  publish(second, third);
  t.equal(await signIn(third), 'ok');
  t.equal(fetches(), 2);
  t.equal(await signIn(first), 'signature', 'a key that was withdrawn went with the others');
});

t.test('a storm of unknown keys fetches once in 10 seconds, and stops nobody', async (t) => {
  const { signIn, later, fetches } = openProvider();
  await signIn();
  later(60);
  fetches();
  for (const [wait, expected] of [
    [0, 2],
    [9, 0],
    [1, 2],
  ] as const) {
    later(wait);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => signIn(index % 2 ? first : third)),
    );
    t.strictSame(new Set(outcomes), new Set(['signature', 'ok']));
    t.equal(fetches(), expected);
  }
});

t.test('a forged token under a known key asks nobody for keys', async (t) => {
  const { signIn, later, fetches } = openProvider();
  await signIn();
  later(60);
  fetches();
  t.equal(await signIn(second, { kid: 'k1' }), 'signature');
  t.equal(fetches(), 0);
});

t.test('the only key, which tokens do not name, may be replaced', async (t) => {
  const { signIn, publish, later } = openProvider();
  t.equal(await signIn(first, { kid: undefined }), 'ok');
  publish(second);
  later(10);
  t.equal(await signIn(second, { kid: undefined }), 'ok');
  t.equal(await signIn(first, { kid: undefined }), 'signature');
});

t.test('while the provider is down, known keys hold for a day', async (t) => {
  const { world, signIn, breakDown, later, fetches } = openProvider();
  await signIn();
  breakDown();
  fetches();
  later(599);
  t.equal(await signIn(), 'ok');
  t.equal(fetches(), 0, 'ten minutes nobody is asked');
  later(1);
  t.equal(await signIn(), 'ok');
  await setImmediate();
  t.equal(fetches(), 1, 'then beside the sign-in');
  t.equal(await signIn(), 'ok');
  t.equal(fetches(), 0, 'and once in 10 seconds');
  t.strictSame(world.missed, [`okta: ${DISCOVERY} answered with status 503`]);
  t.equal(await signIn(second), 'keys_unavailable', 'an unknown key may be a new one');
  later(DAY - 601);
  t.equal(await signIn(), 'ok');
  await setImmediate();
  later(11);
  t.equal(await signIn(), 'keys_unavailable');
});

t.test('a provider that is back is used again', async (t) => {
  const { world, signIn, breakDown, later, fetches } = openProvider();
  const documents = [...world.documents];
  breakDown();
  t.equal(await signIn(), 'keys_unavailable');
  t.equal(fetches(), 1);
  for (const [url, document] of documents) world.documents.set(url, document);
  later(9);
  t.equal(await signIn(), 'keys_unavailable', 'not asked again for 10 seconds');
  t.equal(fetches(), 0);
  later(1);
  t.equal(await signIn(), 'ok');
});

t.test('a withdrawn key ends ten minutes later, with the sign-in after the one that asks', async (t) => {
  const { signIn, publish, later } = openProvider();
  await signIn();
  publish(second);
  later(600);
  t.equal(await signIn(), 'ok');
  await setImmediate();
  t.equal(await signIn(), 'signature');
});

t.test('keys of yesterday are asked for anew before they are used', async (t) => {
  const { signIn, publish, later } = openProvider();
  await signIn();
  publish(second);
  later(DAY);
  t.equal(await signIn(), 'signature');
});

t.test('a clock that is set back makes no key young', async (t) => {
  const { signIn, publish, later, fetches } = openProvider();
  await signIn();
  fetches();
  publish(second);
  later(-DAY);
  t.equal(await signIn(), 'signature');
  t.equal(fetches(), 2);
});

t.test('each provider of each tenant has keys of its own, and each of its settings', async (t) => {
  const { world, verifier, publish, fetches } = openProvider();
  await verifier.verify(OKTA, PROVIDER, tokenOf(world));
  fetches();
  publish(second);
  const others: [typeof OKTA, typeof PROVIDER][] = [
    [{ ...OKTA, tenantId: 'tenant-2' }, PROVIDER],
    [{ ...OKTA, id: 'okta-2' }, PROVIDER],
    [OKTA, { ...PROVIDER, jwksUri: JWKS_URI }],
  ];
  for (const [key, provider] of others) {
    t.equal((await refusalOf(verifier.verify(key, provider, tokenOf(world)))).reason, 'signature');
    t.ok(fetches() > 0);
    t.ok(await verifier.verify(key, provider, tokenOf(world, second)));
  }
  t.ok(await verifier.verify(OKTA, PROVIDER, tokenOf(world)), 'whose keys are as they were fetched');
  t.ok(await verifier.verify(OKTA, { ...PROVIDER, algorithms: ['ES256'] }, tokenOf(world)));
  t.equal(fetches(), 0, 'other settings leave the keys as they are');
});

t.test('the keys of a thousand providers are kept', async (t) => {
  const { world, verifier, fetches } = openProvider();
  const token = tokenOf(world);
  const verify = (id: string) => verifier.verify({ tenantId: 'tenant-1', id }, PROVIDER, token);
  for (let index = 0; index < 1_000; index += 1) await verify(`provider-${index}`);
  fetches();
  await verify('provider-0');
  t.equal(fetches(), 0);
  await verify('one more');
  fetches();
  await verify('provider-0');
  t.equal(fetches(), 0, 'used lately');
  await verify('provider-1');
  t.equal(fetches(), 2, 'the one not used for longest made room');
});

t.test('a document that is none says so', async (t) => {
  const jwk = first.jwk;
  const cases: [url: string, document: unknown, detail: RegExp][] = [
    [DISCOVERY, null, /the discovery document is no JSON object/],
    [DISCOVERY, [], /no JSON object/],
    [DISCOVERY, { jwks_uri: JWKS_URI }, /names another issuer/],
    [DISCOVERY, { issuer: `${PROVIDER.issuer}/`, jwks_uri: JWKS_URI }, /names another issuer/],
    [DISCOVERY, { issuer: [PROVIDER.issuer], jwks_uri: JWKS_URI }, /names another issuer/],
    [DISCOVERY, { issuer: PROVIDER.issuer }, /names no jwks_uri/],
    [DISCOVERY, { issuer: PROVIDER.issuer, jwks_uri: 7 }, /names no jwks_uri/],
    [JWKS_URI, null, /no list "keys"/],
    [JWKS_URI, { keys: { k1: jwk } }, /no list "keys"/],
    [JWKS_URI, { keys: Array.from({ length: 101 }, () => jwk) }, /more than 100 keys/],
  ];
  for (const [url, document, detail] of cases) {
    const { world, verifier } = openProvider();
    world.documents.set(url, document);
    const refusal = await refusalOf(verifier.verify(OKTA, PROVIDER, tokenOf(world)));
    t.equal(refusal.reason, 'keys_unavailable');
    t.match(refusal.message, detail);
  }
});

t.test('keys that are none are left out, and the others hold', async (t) => {
  const { world, signIn } = openProvider();
  const keys = [
    null,
    'k1',
    [],
    {},
    { kty: 'RSA', kid: 'k1' },
    { kty: 'constructor' },
    first.jwk,
    { kty: 'EC' },
  ];
  world.documents.set(JWKS_URI, { keys });
  t.equal(await signIn(), 'ok');
});

t.test('an issuer with a slash at its end is discovered too', async (t) => {
  const issuer = 'https://idp.example/realm/';
  const { world, verifier } = openWorld([first.jwk], issuer);
  const token = makeToken(first, claims({ iss: issuer }));
  t.ok(await verifier.verify(OKTA, { ...PROVIDER, issuer }, token));
  t.strictSame(world.fetched[0], 'https://idp.example/realm/.well-known/openid-configuration');
});
