import fc from 'fast-check';
import t from 'tap';
import { foldDateTime, foldText, searchDocument } from '../../src/scim/fold.ts';
import { CORE_USER, ENTERPRISE_USER, GROUP_TYPE, USER_TYPE } from '../../src/scim/resource-types.ts';
import { runs } from '../support/runs.ts';

t.test('text that is equal without case folds to the same text', async (t) => {
  const equal: [name: string, ...spellings: string[]][] = [
    ['ASCII', 'BJensen@Example.com', 'bjensen@EXAMPLE.COM'],
    ['umlauts', 'MÜLLER', 'müller'],
    ['composed and decomposed', 'Müller', 'Mu\u0308ller'],
    ['a letter that is composed in lower case only', 'J\u030c', '\u01f0'],
    ['full-width letters and digits', 'ＢＪ１', 'bj1'],
    ['half-width kana', 'ｶﾞ', 'ガ'],
    ['the Kelvin sign', '273\u212a', '273k'],
    ['the dotted capital I of Turkish', 'İzmir', 'i\u0307zmir'],
    ['the sigma at the end of a word', 'ΝΊΚΟΣ', 'νίκος', 'νίκοσ'],
  ];
  for (const [name, first = '', ...others] of equal) {
    for (const other of others) t.equal(foldText(other), foldText(first), name);
  }
});

t.test('text that differs stays different', async (t) => {
  t.not(foldText('izmir'), foldText('İzmir'), 'i with and without a second dot');
  t.not(foldText('ızmir'), foldText('izmir'), 'the dotless i');
  t.not(foldText('strasse'), foldText('straße'), 'RFC 8265 maps to lower case and does not spell out');
  t.not(foldText('a b'), foldText('ab'));
});

t.test('folding a folded text changes nothing', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => foldText(foldText(text)) === foldText(text)),
    { numRuns: runs(2_000, 200_000) },
  );
  const changed: string[] = [];
  for (let code = 0; code <= 0x1_ffff; code++) {
    const folded = foldText(String.fromCodePoint(code));
    if (foldText(folded) !== folded) changed.push(code.toString(16));
  }
  t.strictSame(changed, []);
});

t.test('a part of a text folds to a part of the folded text', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'aAΣςσİßé ') }),
      fc.nat(),
      fc.nat(),
      (text, from, length) => {
        const part = text.slice(from % (text.length + 1)).slice(0, length % (text.length + 1));
        return foldText(text).includes(foldText(part));
      },
    ),
    { numRuns: runs(1_000, 50_000) },
  );
});

t.test('§2.3.5 dateTimes become one form in UTC', async (t) => {
  const folded: [text: string, folded: string][] = [
    ['2008-01-23T04:56:22Z', '2008-01-23T04:56:22.000000000Z'],
    ['2011-05-13T04:42:34.5Z', '2011-05-13T04:42:34.500000000Z'],
    ['2015-10-10T14:38:21.8617979-07:00', '2015-10-10T21:38:21.861797900Z'],
    ['2020-01-01T00:30:00+01:00', '2019-12-31T23:30:00.000000000Z'],
    ['2020-01-01T00:30:00-00:00', '2020-01-01T00:30:00.000000000Z'],
    ['2020-01-01T00:30:00', '2020-01-01T00:30:00.000000000Z'],
    ['2020-01-01T00:30:00+14:00', '2019-12-31T10:30:00.000000000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000000Z'],
    ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.999999900Z'],
    ['2020-01-01T00:00:00.1234567891234Z', '2020-01-01T00:00:00.123456789Z'],
  ];
  for (const [text, expected] of folded) t.equal(foldDateTime(text), expected, text);
});

t.test('§2.3.5 what is no dateTime is undefined', async (t) => {
  const refused = [
    ...[
      '',
      'now',
      '2020-01-01',
      '20:00:00',
      '2020-01-01 00:00:00Z',
      '2020-1-1T00:00:00Z',
      '20200101T000000Z',
    ],
    ...['2020-13-01T00:00:00Z', '2021-02-29T00:00:00Z', '2020-01-01T24:00:00Z', '2020-01-01T23:60:00Z'],
    ...[
      '2016-12-31T23:59:60Z',
      '2020-01-01T00:00:00.Z',
      '2020-01-01T00:00:00+1:00',
      '2020-01-01T00:00:00+15:00',
    ],
    ...['0000-01-01T00:00:00Z', '-0001-01-01T00:00:00Z', '10000-01-01T00:00:00Z', '2020-01-01T00:00:00z'],
    // The instant itself lies outside the years that the form can hold.
    ...['0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00', '2020-01-01T00:00:00Z\n', '1577836800'],
  ];
  for (const text of refused) t.equal(foldDateTime(text), undefined, JSON.stringify(text));
});

t.test('the order of folded dateTimes is the order of instants, whatever the offset', async () => {
  const years = {
    min: new Date('0002-01-01T00:00:00Z'),
    max: new Date('9998-12-31T00:00:00Z'),
    noInvalidDate: true,
  };
  const written = fc
    .tuple(fc.date(years), fc.integer({ min: -14 * 60, max: 14 * 60 }))
    .map(([instant, offset]) => {
      const local = new Date(instant.getTime() + offset * 60_000).toISOString().slice(0, -1);
      const two = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0');
      return { instant, text: `${local}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}` };
    });
  fc.assert(
    fc.property(written, written, (left, right) => {
      const [first = '', second = ''] = [foldDateTime(left.text), foldDateTime(right.text)];
      const exact = first === `${left.instant.toISOString().slice(0, -1)}000000Z`;
      return exact && first < second === left.instant < right.instant;
    }),
    { numRuns: runs(300, 20_000) },
  );
});

t.test('the search document folds what is compared without case and keeps the rest', async (t) => {
  const user = {
    schemas: [CORE_USER, ENTERPRISE_USER],
    id: '2819C223',
    externalId: 'Ext-7',
    userName: 'BJensen',
    name: { familyName: 'JENSEN' },
    active: true,
    password: 'Secret',
    profileUrl: 'https://example.com/Babs',
    emails: [{ value: 'Babs@Example.com', type: 'Work', primary: true }, { value: 'B@Home.org' }],
    photos: [{ value: 'https://example.com/P', type: 'Photo' }],
    groups: [{ value: 'g1' }],
    meta: { resourceType: 'User' },
    [ENTERPRISE_USER]: { department: 'R&D', manager: { value: 'M1', displayName: 'Boss' } },
    unknown: 'Left Out',
  };
  t.strictSame(searchDocument(user, USER_TYPE), {
    externalId: 'Ext-7',
    userName: 'bjensen',
    name: { familyName: 'jensen' },
    profileUrl: 'https://example.com/Babs',
    emails: [
      { primary: true, value: 'babs@example.com', type: 'work' },
      { primary: false, value: 'b@home.org' },
    ],
    photos: [{ primary: false, value: 'https://example.com/P', type: 'photo' }],
    [ENTERPRISE_USER]: { department: 'r&d', manager: { value: 'M1', displayName: 'boss' } },
  });
  const group = { id: 'g1', displayName: 'SecOps', members: [{ value: 'u1' }] };
  t.strictSame(searchDocument(group, GROUP_TYPE), { displayName: 'secops' });
});

t.test('the search document of every attribute type, also of an extension of the tenant', async (t) => {
  const base = {
    ...USER_TYPE.schema.attributes[0],
    multiValued: false,
    caseExact: false,
    returned: 'default',
  };
  const attribute = (name: string, type: string, more: object = {}) => ({ ...base, name, type, ...more });
  const attributes = [
    attribute('hired', 'dateTime'),
    attribute('tags', 'string', { multiValued: true }),
    attribute('level', 'integer'),
    attribute('remote', 'boolean'),
    attribute('secret', 'string', { returned: 'never' }),
    attribute('constructor', 'string'),
    attribute('seat', 'complex', {
      subAttributes: [attribute('primary', 'boolean'), attribute('row', 'string')],
    }),
  ];
  const schema = { id: 'urn:example:tenant:2.0:User', name: 'Tenant', description: '', attributes };
  const type = { ...USER_TYPE, extensions: [{ schema, required: false }] } as typeof USER_TYPE;
  const extension = {
    hired: '2020-01-01T00:00:00+01:00',
    tags: ['A', 'b'],
    level: 3,
    remote: false,
    secret: 'S',
    seat: { row: 'F' },
  };
  t.strictSame(searchDocument({ [schema.id]: extension }, type), {
    [schema.id]: {
      hired: '2019-12-31T23:00:00.000000000Z',
      tags: ['a', 'b'],
      level: 3,
      remote: false,
      seat: { row: 'f' },
    },
  });
});
