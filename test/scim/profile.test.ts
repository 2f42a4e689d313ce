import t from 'tap';
import { type ProfileChange, withProfile } from '../../src/scim/profile.ts';
import { CORE_USER, USER_TYPE } from '../../src/scim/resource-types.ts';
import type { Resource } from '../../src/scim/types.ts';

/** What admins write, as parts of a User. */

const schemas = [CORE_USER];
const ADA: Resource = { schemas, userName: 'ada' };
const work = { value: 'a@work', type: 'work' };
const home = { value: 'a@home', type: 'home' };

const CASES: readonly (readonly [what: string, before: Resource, change: ProfileChange, after: object])[] = [
  ['nothing changes nothing', ADA, {}, ADA],
  [
    'plain attributes',
    ADA,
    { userName: 'Ada', displayName: 'A', active: false },
    { schemas, userName: 'Ada', displayName: 'A', active: false },
  ],
  ['null clears', { ...ADA, externalId: 'x' }, { externalId: null }, ADA],
  ['null of what is not there', ADA, { externalId: null, familyName: null, email: null, avatar: null }, ADA],
  [
    'one part of the name',
    { ...ADA, name: { familyName: 'L', formatted: 'A L' } },
    { givenName: 'A' },
    { ...ADA, name: { formatted: 'A L', familyName: 'L', givenName: 'A' } },
  ],
  ['the last part of the name', { ...ADA, name: { givenName: 'A' } }, { givenName: null }, ADA],
  [
    'a first address',
    ADA,
    { email: 'a@new' },
    { ...ADA, emails: [{ value: 'a@new', type: 'work', primary: true }] },
  ],
  [
    'the only address keeps its type',
    { ...ADA, emails: [home] },
    { email: 'a@new' },
    { ...ADA, emails: [{ value: 'a@new', type: 'home' }] },
  ],
  [
    'of several the primary one',
    { ...ADA, emails: [work, { ...home, primary: true }] },
    { email: 'a@new' },
    { ...ADA, emails: [work, { value: 'a@new', type: 'home', primary: true }] },
  ],
  [
    'without a primary one the first',
    { ...ADA, emails: [home, work] },
    { email: 'a@new' },
    { ...ADA, emails: [{ value: 'a@new', type: 'home' }, work] },
  ],
  [
    'what shows the old value goes with it',
    { ...ADA, emails: [{ ...work, display: 'a@work' }] },
    { email: 'a@new' },
    { ...ADA, emails: [{ value: 'a@new', type: 'work' }] },
  ],
  [
    'an address without a value does not count',
    { ...ADA, emails: [{ type: 'work', display: 'none' }] },
    { email: 'a@new' },
    {
      ...ADA,
      emails: [
        { type: 'work', display: 'none' },
        { value: 'a@new', type: 'work', primary: true },
      ],
    },
  ],
  [
    'the address that another one has',
    { ...ADA, emails: [home, { ...home, value: 'b@home' }] },
    { email: 'b@home' },
    { ...ADA, emails: [{ value: 'b@home', type: 'home' }] },
  ],
  ['null clears every address', { ...ADA, emails: [work, home] }, { email: null }, ADA],
  [
    'a photo',
    ADA,
    { avatar: 'https://x/a.png' },
    { ...ADA, photos: [{ value: 'https://x/a.png', type: 'photo', primary: true }] },
  ],
];

for (const [what, before, change, after] of CASES) {
  t.test(what, async (t) => {
    const frozen = JSON.stringify(before);
    t.same(withProfile(before, change, USER_TYPE), after);
    t.equal(JSON.stringify(before), frozen, 'the one given stays as it is');
  });
}

t.test('a value that no user can have is refused', async (t) => {
  const wrong: readonly (readonly [change: ProfileChange, detail: RegExp])[] = [
    [{ userName: 'x'.repeat(2_001) }, /^userName is longer than 2000 bytes/],
    [{ externalId: 'ä'.repeat(1_001) }, /^externalId is longer than 2000 bytes/],
    [{ displayName: `a${'\u0301'.repeat(31)}` }, /^displayName has more than 30 combining marks/],
    [{ email: 'a\0b' }, /^emails\[0\]\.value contains a character/],
    [{ avatar: '\ud800' }, /^photos\[0\]\.value contains a character/],
  ];
  for (const [change, detail] of wrong) t.throws(() => withProfile(ADA, change, USER_TYPE), detail);
});
