import fc from 'fast-check';
import t from 'tap';
import { type Reading, readFacts } from '../../src/assertions/facts.ts';
import { AssertionError, type VerifiedAssertion } from '../../src/assertions/types.ts';
import { assertionOf, READING } from '../support/assertions.ts';
import { runs, SEED } from '../support/runs.ts';

/** What is read of a verified assertion by the provider's attribute mapping. */

const read = (assertion: VerifiedAssertion, reading: Partial<Reading> = {}) =>
  readFacts(assertion, { ...READING, ...reading });

const refusal = (assertion: VerifiedAssertion, reading: Partial<Reading> = {}) => {
  try {
    read(assertion, reading);
  } catch (error) {
    if (error instanceof AssertionError) return { reason: error.reason, message: error.message };
    throw error;
  }
  return undefined;
};

t.test('the common spellings are read without any setting', async (t) => {
  for (const given of ['givenname', 'givenName', 'given_name', 'firstName', 'First Name', 'first-name']) {
    t.equal(read(assertionOf('a', { [given]: ['Ada'] })).givenName, 'Ada', given);
  }
  for (const family of ['surname', 'lastName', 'family_name', 'sn', 'LASTNAME']) {
    t.equal(read(assertionOf('a', { [family]: ['Lovelace'] })).familyName, 'Lovelace', family);
  }
  for (const groups of ['groups', 'Group', 'memberOf', 'http://schemas.xmlsoap.org/claims/Group']) {
    t.same(read(assertionOf('a', { [groups]: ['G'] })).groups, { state: 'list', groups: ['G'] }, groups);
  }
  for (const subject of ['uniqueUserId', 'userUniqueId']) {
    t.equal(read(assertionOf('name', { [subject]: ['id-1'] })).subject, 'id-1', subject);
  }
});

t.test('an explicit mapping goes before the preset, and the preset before the common names', async (t) => {
  const assertion = assertionOf('name', {
    mail: ['common@example.com'],
    'User.email': ['preset@example.com'],
    workMail: ['mapped@example.com'],
  });
  t.equal(read(assertion).email, 'common@example.com');
  t.equal(read(assertion, { preset: 'onelogin' }).email, 'preset@example.com');
  const attributeMapping = { email: 'workMail' };
  t.equal(read(assertion, { preset: 'onelogin', attributeMapping }).email, 'mapped@example.com');
  t.equal(read(assertion, { attributeMapping: { email: 'none' } }).email, null, 'nothing takes its place');
});

t.test('a mapped subject that is missing is refused, with the names of what did arrive', async (t) => {
  const assertion = assertionOf('name', { firstName: ['Ada'], uniqueUserId: ['u-1'] });
  const refused = refusal(assertion, { attributeMapping: { subject: 'employeeId' } });
  t.equal(refused?.reason, 'attribute_missing');
  t.match(refused?.message, /"employeeId".*"firstName", "uniqueUserId"/);
  t.notMatch(refused?.message, /Ada|u-1/, 'no value is told');
  t.match(refusal(assertionOf('name'), { preset: 'entra' }), {
    reason: 'attribute_missing',
    message: /no object identifier.*no attributes/,
  });
});

t.test('a refusal names at most twenty attributes, each shortened', async (t) => {
  const attributes = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`${'x'.repeat(500)}${index}`, ['v']]),
  );
  const { message = '' } =
    refusal(assertionOf('a', attributes), { attributeMapping: { subject: 's' } }) ?? {};
  t.ok(message.length < 3_000);
  t.match(message, /and 980 more/);
});

t.test('a subject is one text that can be kept', async (t) => {
  t.equal(refusal(assertionOf('a', { uniqueUserId: ['1', '2'] }))?.reason, 'duplicate_attribute');
  for (const subject of ['', ' ', 'x'.repeat(1_001), 'a\0b', 'a\nb', '\ud800']) {
    t.equal(refusal(assertionOf(subject))?.reason, 'subject', JSON.stringify(subject).slice(0, 20));
  }
  t.equal(read(assertionOf(' Ada ')).subject, ' Ada ', 'as it was sent');
  t.equal(read(assertionOf('x'.repeat(1_000))).subject.length, 1_000);
});

t.test('claims of Entra ID that a gateway verified are told apart by their tid', async (t) => {
  const assertion = assertionOf('sub', { oid: ['o'], tid: ['t'] });
  t.equal(read(assertion, { preset: 'entra', kind: 'claims' }).subject, 't:o');
  t.equal(read(assertion, { preset: 'entra', kind: 'oidc' }).subject, 'o', 'the issuer names the tenant');
});

t.test('an address is verified only where a claim says so of that address', async (t) => {
  const email = ['ada@example.com'];
  const cases: readonly (readonly [
    what: string,
    attributes: Record<string, readonly string[]>,
    reading: Partial<Reading>,
    verified: boolean,
  ])[] = [
    ['email_verified true', { email, email_verified: ['true'] }, { kind: 'oidc' }, true],
    ['email_verified "True"', { email, email_verified: ['True'] }, { kind: 'claims' }, true],
    ['email_verified false', { email, email_verified: ['false'] }, { kind: 'oidc' }, false],
    ['email_verified 1', { email, email_verified: ['1'] }, { kind: 'oidc' }, false],
    ['email_verified twice', { email, email_verified: ['true', 'true'] }, { kind: 'oidc' }, false],
    ['no claim', { email }, { kind: 'oidc' }, false],
    ['xms_edov', { email, xms_edov: ['1'] }, { kind: 'oidc' }, true],
    ['xms_edov 0', { email, xms_edov: ['0'] }, { kind: 'oidc' }, false],
    ['an attribute of SAML', { email, email_verified: ['true'] }, { kind: 'saml' }, false],
    ['a provider whose addresses are trusted', { email }, { trustEmail: true }, true],
    ['another attribute', { mail: email, email_verified: ['true'] }, { kind: 'oidc' }, false],
    [
      'a mapped attribute',
      { email, second: email, email_verified: ['true'] },
      { kind: 'oidc', attributeMapping: { email: 'second' } },
      false,
    ],
    [
      'several addresses',
      { email: ['ada@example.com', 'b@example.com'], email_verified: ['true'] },
      { kind: 'oidc' },
      false,
    ],
  ];
  for (const [what, attributes, reading, emailVerified] of cases) {
    t.match(read(assertionOf('a', attributes), reading), { email: 'ada@example.com', emailVerified }, what);
  }
  t.match(read(assertionOf('a', { email: ['no address'] }), { trustEmail: true }), {
    email: null,
    emailVerified: false,
  });
});

t.test('texts of the profile that cannot be kept are left out', async (t) => {
  const facts = read(
    assertionOf('a', {
      givenName: ['x'.repeat(1_001)],
      surname: ['a\0b'],
      displayName: ['', 'Ada'],
      picture: ['javascript:alert(1)'],
    }),
  );
  t.match(facts, { givenName: null, familyName: null, displayName: 'Ada', avatar: null });
});

t.test('groups have four states, and unknown is not empty', async (t) => {
  const none = { absentGroups: 'none' } as const;
  const states: readonly (readonly [VerifiedAssertion, Partial<Reading>, string])[] = [
    [assertionOf('a', { groups: ['G'] }), {}, 'list'],
    [assertionOf('a', { groups: [] }), {}, 'empty'],
    [assertionOf('a', { groups: [''] }), {}, 'empty'],
    [assertionOf('a'), {}, 'absent'],
    [assertionOf('a'), none, 'empty'],
    [assertionOf('a', {}, true), {}, 'overage'],
    [assertionOf('a', {}, true), none, 'overage'],
    [assertionOf('a', { groups: ['G'] }, true), {}, 'overage'],
    [assertionOf('a', { groups: ['G'] }, true), { groupAttribute: 'groups' }, 'overage'],
    [assertionOf('a', { teams: ['G'] }, true), { groupAttribute: 'teams' }, 'list'],
    [assertionOf('a', {}, true), { groupAttribute: 'teams' }, 'overage'],
  ];
  for (const [assertion, reading, state] of states) {
    t.equal(read(assertion, reading).groups.state, state, JSON.stringify([...assertion.attributes]));
  }
});

t.test(
  "the provider's group attribute beats the document's, and what is set is looked for alone",
  async (t) => {
    const assertion = assertionOf('a', { groups: ['common'], Group: ['document'], teams: ['provider'] });
    t.same(read(assertion, { documentGroupAttribute: 'Group' }).groups.groups, ['document']);
    const both = { documentGroupAttribute: 'Group', groupAttribute: 'teams' };
    t.same(read(assertion, both).groups.groups, ['provider']);
    t.same(read(assertion, { groupAttribute: 'none' }).groups, { state: 'absent', groups: [] });
  },
);

t.test('groups are kept as sent, each once, in order, within limits', async (t) => {
  const groups = (values: readonly string[]) => assertionOf('a', { groups: values });
  t.same(read(groups(['/B', 'a', '/B', 'A'])).groups.groups, ['/B', 'a', 'A']);
  const many = Array.from({ length: 2_001 }, (_, index) => `G-${index}`);
  t.equal(read(groups(many.slice(1))).groups.groups.length, 2_000);
  t.equal(refusal(groups(many))?.reason, 'too_many_groups');
  t.equal(refusal(groups(['x'.repeat(1_001)]))?.reason, 'malformed');
  t.equal(refusal(groups(['a\0']))?.reason, 'malformed');
});

t.test('whatever the attributes are, facts are whole or refused for a reason', async () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '\0', '\ud800'));
  const attributes = fc.dictionary(
    fc.oneof(text, fc.constantFrom('__proto__', 'email', 'groups', 'oid')),
    fc.array(text),
  );
  const reading = fc.record({
    kind: fc.constantFrom('saml' as const, 'oidc' as const, 'claims' as const),
    preset: fc.constantFrom(null, 'entra' as const, 'okta' as const),
  });
  fc.assert(
    fc.property(text, attributes, reading, (subject, given, by) => {
      const assertion = assertionOf(subject, given);
      if (refusal(assertion, by) !== undefined) return;
      const { groups, ...facts } = read(assertion, by);
      const texts = [facts.subject, facts.email, facts.givenName, facts.displayName, ...groups.groups];
      for (const each of [...texts, ...facts.userNames]) {
        if (each !== null && (each === '' || !each.isWellFormed() || each.includes('\0')))
          throw new Error(each);
      }
    }),
    { numRuns: runs(300, 20_000), seed: SEED },
  );
});
