import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { makeKey, makeKeyReader, readKey, sameHash, sha256 } from '../../src/tenants/key-format.ts';
import { runs } from '../support/runs.ts';

const KEY_ID = '0198c0de-0000-7000-8000-00000000002a';
const TENANT_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

t.test(
  'a key leads with its own id, then that of its tenant, then the secret, then the checksum',
  async (t) => {
    t.match(makeKey({ keyId: KEY_ID }).key, /^rc_[0-9A-Za-z]{22}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    const { key, prefix } = makeKey({ keyId: KEY_ID, tenantId: TENANT_ID });
    t.match(key, /^rc_[0-9A-Za-z]{44}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    t.equal(prefix.length, 25);
    t.ok(key.startsWith(prefix));
  },
);

t.test('the secret is new each time, and only its hash is kept', async (t) => {
  const [one, other] = [makeKey({ keyId: KEY_ID }), makeKey({ keyId: KEY_ID })];
  t.not(one.key, other.key);
  t.equal(one.prefix, other.prefix);
  const [, , secret = ''] = one.key.split('_');
  t.ok(sameHash(one.secretHash, sha256(secret)));
  t.notOk(sameHash(one.secretHash, other.secretHash));
});

t.test('hashes of different lengths are different, and no error', async (t) => {
  t.equal(sameHash(sha256('a'), Buffer.alloc(0)), false);
});

t.test('whatever ids a key is made for are read back from it', async () => {
  const ids = fc.record({ keyId: fc.uuid(), tenantId: fc.uuid() }, { requiredKeys: ['keyId'] });
  fc.assert(
    fc.property(ids, (ids) => {
      const { key, secretHash } = makeKey(ids);
      return isDeepStrictEqual(readKey(key), { ...ids, secretHash });
    }),
    { numRuns: runs(200, 20_000) },
  );
});

t.test('a key with one character changed is none', async () => {
  const { key } = makeKey({ keyId: KEY_ID, tenantId: TENANT_ID });
  const change = fc.record({
    at: fc.nat({ max: key.length - 1 }),
    character: fc.string({ minLength: 1, maxLength: 1 }),
  });
  fc.assert(
    fc.property(change, ({ at, character }) => {
      fc.pre(key[at] !== character);
      return readKey(key.slice(0, at) + character + key.slice(at + 1)) === undefined;
    }),
    { numRuns: runs(500, 50_000) },
  );
});

const { key } = makeKey({ keyId: KEY_ID, tenantId: TENANT_ID });
const service = makeKey({ keyId: KEY_ID }).key;
// 62^22 - 1 is more than 128 bits hold; the checksum fits, so that only the id is at fault.
const tooGreat = `rc_${'z'.repeat(22)}_${'0'.repeat(43)}`;
const tooGreatTenant = `rc_${'0'.repeat(22)}${'z'.repeat(22)}_${'0'.repeat(43)}`;

const NO_KEYS: readonly (readonly [why: string, text: string])[] = [
  ['empty', ''],
  ['only the prefix', 'rc_'],
  ['another prefix', key.replace('rc_', 'rk_')],
  ['the prefix in upper case', key.replace('rc_', 'RC_')],
  ['without the checksum', key.slice(0, key.lastIndexOf('_'))],
  ['with an empty checksum', key.slice(0, key.lastIndexOf('_') + 1)],
  ['one character short', key.slice(0, -1)],
  ['one character long', `${key}0`],
  ['a space before', ` ${key}`],
  ['a line break behind', `${key}\n`],
  ['the checksum of another key', `${key.slice(0, -6)}${service.slice(-6)}`],
  ['a tenant key without its tenant', key.slice(0, 25) + key.slice(47)],
  ['an id beyond 128 bits', `${tooGreat}_495Her`],
  ['a tenant beyond 128 bits', `${tooGreatTenant}_1bvQ2u`],
  ['a digit that is none in base62', key.replace(/.$/, '-')],
  ['very long', `rc_${'0'.repeat(100_000)}`],
];

for (const [why, text] of NO_KEYS) {
  t.test(`no key: ${why}`, async (t) => t.equal(readKey(text), undefined));
}

t.test('keys that hold are not taken apart again, and the oldest make room', async (t) => {
  const reader = makeKeyReader(2);
  const keys = ['1', '2', '3'].map((n) => makeKey({ keyId: KEY_ID.replace(/.$/, n) }).key);
  const read = (key = '') => reader.read(key, sha256(key));
  for (const key of keys) {
    const presented = read(key);
    t.same(presented, readKey(key));
    t.not(read(key), presented, 'one that was read only is read anew');
    if (presented) reader.remember(presented, sha256(key));
    t.same(read(key), { ...presented, hasHeld: true });
    t.equal(read(key), read(key));
  }
  t.not(read(keys[0]), read(keys[0]));
  t.equal(read(keys[1]), read(keys[1]));
  t.equal(read('rc_nonsense'), undefined);
});
