import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { startApp } from '../../support/app.ts';
import { runs, SEED } from '../../support/runs.ts';
import { ADA, newSignInWorld } from '../../support/sign-in.ts';

/** What claims say in texts that a User cannot hold (`profileFits` in src/scim/profile.ts). */

const app = await startApp(t);
const MARKS = `e${'\u0301'.repeat(40)}`;
/** In NFKC 18 letters each. */
const LONG_WHEN_COMPARED = '\ufdfa'.repeat(600);

t.test('nobody is refused for the sake of a text of their profile', async (t) => {
  const { post, setProvider } = await newSignInWorld(app);
  const { family_name } = ADA;
  const claims = { ...ADA, name: MARKS, given_name: MARKS, picture: `https://acme.test/${MARKS}` };
  const profile = { givenName: null, familyName: family_name, displayName: null, avatar: null };
  t.match(await post(claims), { status: 201, body: { outcome: 'created', user: profile } });
  await setProvider({ settings: { profileSync: 'always' } });
  const named = { ...ADA, name: 'Ada King' };
  t.match(await post(named), { status: 200, body: { user: { displayName: 'Ada King' } } });
  t.match(await post(claims), { status: 200, body: { user: { displayName: 'Ada King' } } }, 'it stays');
});

t.test('a subject that cannot be kept is refused as such, and kept for the admin', async (t) => {
  const { post, ask, count } = await newSignInWorld(app);
  for (const sub of [MARKS, LONG_WHEN_COMPARED, 'é'.repeat(1_001)]) {
    t.match(await post({ sub }), { status: 422, body: { code: 'assertion_refused', reason: 'subject' } });
  }
  const subject = '\u{1f600}'.repeat(500);
  t.match(
    await post({ sub: subject }),
    { status: 201, body: { user: { userName: subject } } },
    '2,000 bytes',
  );
  t.equal(await count('scim_user'), 1);
  await app.flushClients();
  const { body } = await ask<{ refusedRequests: { hint: string }[] }>('GET', '/refused-requests');
  t.equal(body.refusedRequests.filter(({ hint }) => hint.includes('subject')).length, 3);
});

t.test('an address or another name that cannot be kept counts as none', async (t) => {
  const { post, set } = await newSignInWorld(app);
  const email = `${'\ufdfa'.repeat(100)}@acme.test`;
  t.match(await post({ sub: 'a', email, preferred_username: LONG_WHEN_COMPARED }), {
    status: 201,
    body: { user: { userName: 'a', email: null } },
  });
  await set({ userNameMustBeEmail: true });
  t.match(await post({ sub: 'b', email }), { status: 422, body: { reason: 'attribute_missing' } });
});

t.test('who has no name that can be kept is called by their subject', async (t) => {
  const { post, setProvider } = await newSignInWorld(app);
  await setProvider({ settings: { attributeMapping: { subject: 'uid' } } });
  for (const [uid, rest] of [
    ['u1', {}],
    ['u2', { sub: MARKS }],
  ] as const) {
    t.match(await post({ uid, ...rest }), { status: 201, body: { user: { userName: uid } } });
  }
});

/** Texts as JSON may hold them here: the body's parser refuses NUL, and half of a surrogate pair. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc
      .tuple(
        fc.constantFrom('\ufdfa', '\u0301', 'İ', 'ß', '\u{1f600}', '﷽', 'a', '@', '\u200d'),
        fc.constantFrom(1, 31, 100, 254, 600, 1_000, 2_000),
      )
      .map(([unit, times]) => unit.repeat(times)),
  )
  .map((each) => each.replaceAll('\0', ''));

t.test('whatever texts the claims have, somebody comes in or is refused with a reason', async () => {
  const { post, setProvider } = await newSignInWorld(app);
  await setProvider({ settings: { profileSync: 'always' } });
  const address = fc.oneof(
    text,
    fc.tuple(text, text).map((parts) => parts.join('@')),
  );
  const claims = fc.record(
    {
      sub: fc.oneof(text, fc.constant('known')),
      email: address,
      email_verified: fc.boolean(),
      preferred_username: address,
      given_name: text,
      family_name: text,
      name: text,
      picture: fc.oneof(
        text,
        text.map((path) => `https://acme.test/${path}`),
      ),
      groups: fc.array(text, { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(claims, async (said) => {
      const { status, body } = await post(said, { requestId: randomUUID() });
      const isRefused = [403, 409, 422].includes(status) && body.reason !== undefined;
      if (status !== 200 && status !== 201 && !isRefused) throw new Error(`${status} ${body.detail}`);
    }),
    { seed: SEED, numRuns: runs(150, 5_000) },
  );
});
