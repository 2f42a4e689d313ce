import t from 'tap';
import { type Reading, readFacts } from '../../src/assertions/facts.ts';
import { assertionOf, READING } from '../support/assertions.ts';

/** By which names somebody is found, and what the newly created are called. */

const read = (attributes: Readonly<Record<string, readonly string[]>>, reading: Partial<Reading> = {}) =>
  readFacts(assertionOf('s', attributes), { ...READING, kind: 'oidc', ...reading });

const EMAIL = { email: ['ada@acme.test'] };
const NAME = { preferred_username: ['ada'] };

t.test('what people may choose finds nobody', async (t) => {
  const cases: readonly (readonly [
    what: string,
    attributes: Readonly<Record<string, readonly string[]>>,
    reading: Partial<Reading>,
    vouched: readonly string[],
  ])[] = [
    ['the subject is given by the provider', {}, {}, ['s']],
    ['a user name is chosen by the person', NAME, {}, ['s']],
    ['at Keycloak too', NAME, { preset: 'keycloak' }, ['s']],
    ['at Okta by an admin', NAME, { preset: 'okta' }, ['s', 'ada']],
    ['in SAML by whoever set the attribute up', NAME, { kind: 'saml' }, ['s', 'ada']],
    [
      'an address is one where it is verified',
      { ...EMAIL, email_verified: ['true'] },
      {},
      ['s', 'ada@acme.test'],
    ],
    ['and else is none', { ...EMAIL, email_verified: ['false'] }, {}, ['s']],
    ['nor where nothing is said of it', EMAIL, {}, ['s']],
    ['what only looks like a name is none', { preferred_username: ['\uff21da'] }, { kind: 'saml' }, ['s']],
  ];
  for (const [what, attributes, reading, vouched] of cases) {
    t.same(read(attributes, reading).vouchedNames, vouched, what);
  }
});

t.test(
  'a new user is called by an address that is not denied, else by a name that is vouched for',
  async (t) => {
    const cases: readonly (readonly [
      what: string,
      attributes: Readonly<Record<string, readonly string[]>>,
      reading: Partial<Reading>,
      userName: string,
    ])[] = [
      ['the address', { ...EMAIL, ...NAME }, {}, 'ada@acme.test'],
      ['not where it is not verified', { ...EMAIL, ...NAME, email_verified: ['false'] }, {}, 's'],
      ['nor by what Entra ID says of it', { ...EMAIL, xms_edov: ['0'] }, {}, 's'],
      [
        'of Entra ID only where it says so',
        { ...EMAIL, oid: ['o'], upn: ['ada@corp.test'] },
        { preset: 'entra' },
        'ada@corp.test',
      ],
      [
        'as it does here',
        { ...EMAIL, oid: ['o'], upn: ['ada@corp.test'], xms_edov: ['1'] },
        { preset: 'entra' },
        'ada@acme.test',
      ],
      [
        'in SAML whatever it says',
        { ...EMAIL, email_verified: ['false'] },
        { kind: 'saml' },
        'ada@acme.test',
      ],
      ['a name that an admin gives', NAME, { preset: 'okta' }, 'ada'],
      ['not one that the person chooses', NAME, {}, 's'],
      ['the subject', {}, {}, 's'],
    ];
    for (const [what, attributes, reading, userName] of cases) {
      t.equal(read(attributes, reading).userName, userName, what);
    }
  },
);

t.test('the externalId is the subject as directories have it', async (t) => {
  const attributes = { oid: ['o'], tid: ['t'] };
  t.match(read(attributes, { preset: 'entra', kind: 'claims' }), { subject: 't:o', externalId: 'o' });
  t.match(read(attributes, { preset: 'entra' }), { subject: 'o', externalId: 'o' });
  t.match(read({}), { subject: 's', externalId: 's' });
});
