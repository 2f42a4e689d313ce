import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, ENTERPRISE } from '../support/client.ts';
import { meets, withEach } from '../support/conformance.ts';
import { patches, refuses } from './patching.ts';

/**
 * What add, remove and replace do to a User (RFC 7644 sections 3.5.2.1 to 3.5.2.3), lenient and strict alike; only
 * values without a path are none for strict tenants.
 */

const app = await startApp(t);
const lenient = clientOf(app, await app.scimKey(await app.createTenant()));
const strict = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
const both = { lenient, strict };

const work = { value: 'a@work.example', type: 'work' };
const home = { value: 'a@home.example', type: 'home' };
const office = { type: 'work', streetAddress: '1 Main', locality: 'Here', country: 'US' };
const depot = { type: 'work', streetAddress: '2 Side', locality: 'There', country: 'US' };
const flat = { type: 'home', streetAddress: '3 Back', locality: 'Home', country: 'US' };

meets(t, [201], 'add needs a value', (t) =>
  withEach(t, both, (t, client) =>
    refuses(t, client, [
      ['no value, with a path', {}, [{ op: 'add', path: 'title' }], 'invalidValue'],
      ['no value, without a path', {}, [{ op: 'add' }], 'invalidValue'],
    ]),
  ),
);

meets(t, [203, 204, 205, 206], 'add sets, merges and appends by what the target is', (t) =>
  withEach(t, both, (t, client) =>
    patches(t, client, [
      ['no value yet', {}, [{ op: 'add', path: 'title', value: 'T' }], { title: 'T' }],
      ['no values yet', {}, [{ op: 'add', path: 'emails', value: [work] }], { emails: [work] }],
      [
        'no complex value yet',
        {},
        [{ op: 'add', path: 'name.givenName', value: 'G' }],
        { name: { givenName: 'G' } },
      ],
      [
        'a complex target: merged',
        { name: { familyName: 'F', givenName: 'G' } },
        [{ op: 'add', path: 'name', value: { givenName: 'H', middleName: 'M' } }],
        { name: { familyName: 'F', givenName: 'H', middleName: 'M' } },
      ],
      [
        'a sub-attribute',
        { name: { familyName: 'F' } },
        [{ op: 'add', path: 'name.givenName', value: 'G' }],
        { name: { familyName: 'F', givenName: 'G' } },
      ],
      [
        'a multi-valued target: appended, each of an array',
        { emails: [work] },
        [{ op: 'add', path: 'emails', value: [home, { value: 'third@x.example' }] }],
        { emails: [work, home, { value: 'third@x.example' }] },
      ],
      [
        'a multi-valued target: one value',
        { emails: [work] },
        [{ op: 'add', path: 'emails', value: home }],
        { emails: [work, home] },
      ],
      [
        'a value path: its values get the sub-attributes',
        { addresses: [office, flat] },
        [{ op: 'add', path: 'addresses[type eq "work"]', value: { region: 'CA' } }],
        { addresses: [{ ...office, region: 'CA' }, flat].map(inOrder) },
      ],
      ['a single value', { title: 'Old' }, [{ op: 'add', path: 'title', value: 'New' }], { title: 'New' }],
      ['a boolean', { active: true }, [{ op: 'add', path: 'active', value: false }], { active: false }],
    ]),
  ),
);

meets(t, [204], 'add to a complex attribute takes an object and nothing else', (t) =>
  withEach(t, both, (t, client) =>
    refuses(t, client, [
      ['text', {}, [{ op: 'add', path: 'name', value: 'Ann' }], 'invalidValue'],
      ['a number', {}, [{ op: 'add', path: 'addresses', value: [4] }], 'invalidValue'],
    ]),
  ),
);

meets(t, [210, 211, 212, 213], 'remove unassigns what the target names, and no more', (t) =>
  withEach(t, both, (t, client) =>
    patches(t, client, [
      ['a single value', { title: 'T', nickName: 'N' }, remove('title'), { title: null, nickName: 'N' }],
      ['a boolean', { active: true }, remove('active'), { active: null }],
      ['a complex value', { name: { givenName: 'G' } }, remove('name'), { name: null }],
      [
        'a sub-attribute',
        { name: { givenName: 'G', familyName: 'F' } },
        remove('name.givenName'),
        { name: { familyName: 'F' } },
      ],
      ['all values', { emails: [work, home], title: 'T' }, remove('emails'), { emails: null, title: 'T' }],
      ['values by filter', { emails: [work, home] }, remove('emails[type eq "work"]'), { emails: [home] }],
      ['the last by filter', { emails: [work] }, remove('emails[value ew ".example"]'), { emails: null }],
      [
        'both terms of a filter hold for one value',
        { emails: [work, { ...work, value: 'b@other.net' }, home] },
        remove('emails[type eq "work" and value ew "example"]'),
        { emails: [{ value: 'b@other.net', type: 'work' }, home] },
      ],
      [
        'a sub-attribute of the values that match',
        { addresses: [office, depot, flat] },
        remove('addresses[type eq "work"].locality'),
        { addresses: [without(office), without(depot), flat] },
      ],
      [
        'an attribute of an extension',
        { [ENTERPRISE]: { department: 'D', division: 'V' } },
        remove(`${ENTERPRISE}:department`),
        { [ENTERPRISE]: { division: 'V' } },
      ],
      ['nothing that is there', { title: 'T' }, remove('nickName'), { title: 'T', nickName: null }],
      ['no value that matches', { emails: [work] }, remove('emails[type eq "home"]'), { emails: [work] }],
    ]),
  ),
);

meets(t, [209, 214], 'remove needs a path, and takes nothing that must stay', (t) =>
  withEach(t, both, (t, client) =>
    refuses(t, client, [
      ['no path', { title: 'T' }, [{ op: 'remove' }], 'noTarget'],
      [
        'no path, an attribute as value',
        { title: 'T' },
        [{ op: 'remove', value: { title: 'T' } }],
        'noTarget',
      ],
      ['a required attribute', {}, remove('userName'), 'mutability'],
      ['null for a required one', {}, [{ op: 'replace', path: 'userName', value: null }], 'mutability'],
      ...['id', 'meta', 'meta.created', 'groups', 'schemas', 'groups[value eq "x"]'].map(
        (path) => [`read-only: ${path}`, {}, remove(path), 'mutability'] as const,
      ),
    ]),
  ),
);

meets(t, [215], 'who is not a member can be removed: nothing changes', (t) =>
  withEach(t, both, async (t, client) => {
    const [inside, outside] = [await client.user('inside'), await client.user('outside')];
    const group = await client.group('Kept', [inside.id]);
    for (const id of [outside.id, '0190a000-0000-7000-8000-000000000000', 'nobody']) {
      const answer = await client.patch(`/Groups/${group.id}`, remove(`members[value eq "${id}"]`));
      t.match(answer, { status: 204, headers: { etag: group.meta.version } }, id);
    }
    t.same((await client.ask('GET', `/Groups/${group.id}`)).body, group);
  }),
);

meets(t, [217, 218, 219, 220, 221], 'replace writes what the target names, and no more', (t) =>
  withEach(t, both, (t, client) =>
    patches(t, client, [
      ['a single value', { title: 'Old' }, replace('title', 'New'), { title: 'New' }],
      [
        'all values',
        { emails: [work, home] },
        replace('emails', [{ value: 'c@x.example' }]),
        {
          emails: [{ value: 'c@x.example' }],
        },
      ],
      ['none: added', {}, replace('title', 'T'), { title: 'T' }],
      ['no values: added', {}, replace('emails', [work]), { emails: [work] }],
      ['no part: added', {}, replace('name.givenName', 'G'), { name: { givenName: 'G' } }],
      [
        'no extension: added',
        {},
        replace(`${ENTERPRISE}:department`, 'D'),
        { [ENTERPRISE]: { department: 'D' } },
      ],
      [
        'a complex value: the other parts stay',
        { name: { familyName: 'F', givenName: 'G' } },
        replace('name', { givenName: 'H', middleName: 'M' }),
        { name: { familyName: 'F', givenName: 'H', middleName: 'M' } },
      ],
      [
        'every value that matches, as a whole',
        { addresses: [office, depot, flat] },
        replace('addresses[type eq "work"]', { streetAddress: '9 New', type: 'other' }),
        { addresses: [{ streetAddress: '9 New', type: 'other' }, flat] },
      ],
      [
        'a part of every value that matches',
        { addresses: [office, depot, flat] },
        replace('addresses[type eq "work"].streetAddress', '9 New'),
        {
          addresses: [office, depot]
            .map((address) => inOrder({ ...address, streetAddress: '9 New' }))
            .concat(inOrder(flat)),
        },
      ],
    ]),
  ),
);

meets(t, [202, 216], 'without a path the keys of the value are the targets', (t) =>
  patches(t, lenient, [
    [
      'add: each attribute of the value by its own rule',
      { emails: [work], nickName: 'Old', title: 'Kept' },
      [{ op: 'add', value: { emails: [home], nickName: 'Babs' } }],
      { emails: [work, home], nickName: 'Babs', title: 'Kept' },
    ],
    [
      'add: an extension in the value',
      { [ENTERPRISE]: { department: 'D' } },
      [{ op: 'add', value: { [ENTERPRISE]: { costCenter: 'C' } } }],
      { [ENTERPRISE]: { costCenter: 'C', department: 'D' } },
    ],
    [
      'replace: each attribute of the value, and no other',
      { emails: [work], nickName: 'Old', title: 'Kept' },
      [{ op: 'replace', value: { emails: [home], nickName: 'New' } }],
      { emails: [home], nickName: 'New', title: 'Kept' },
    ],
  ]),
);

meets(t, [49, 207, 208], 'what is there already is added without a change of version or time', async (t) => {
  const clock = { now: Date.UTC(2030, 0, 1) };
  const timed = await startApp(t, { now: () => new Date(clock.now) });
  const client = clientOf(timed, await timed.scimKey(await timed.createTenant()));
  const user = await client.user('same', { title: 'T', name: { givenName: 'G' }, emails: [work, home] });
  clock.now += 60_000;
  const repeated = [
    { op: 'add', path: 'title', value: 'T' },
    { op: 'add', path: 'emails', value: [home] },
    { op: 'add', path: 'name', value: { givenName: 'G' } },
    { op: 'add', value: { title: 'T', emails: [work] } },
  ];
  for (const operations of [...repeated.map((operation) => [operation]), repeated]) {
    const answer = await client.patch(`/Users/${user.id}`, operations);
    t.equal(answer.status, 200);
    t.strictSame(answer.body, user, JSON.stringify(operations));
  }
  const changed = await client.patch(`/Users/${user.id}`, [
    ...repeated,
    { op: 'add', path: 'title', value: 'U' },
  ]);
  t.equal(changed.body.meta.lastModified, new Date(clock.now).toISOString(), 'unless something else changes');
});

meets(
  t,
  [222],
  'in strict mode, a replace behind a value path that matches nothing is noTarget',
  async (t) => {
    const missing = [
      replace('emails[type eq "home"]', home),
      replace('emails[type eq "home"].value', home.value),
    ];
    await refuses(
      t,
      strict,
      missing.map((operations) => ['no such value', { emails: [work] }, operations, 'noTarget']),
    );
    await patches(
      t,
      lenient,
      missing.map((operations) => ['made', { emails: [work] }, operations, { emails: [work, home] }]),
    );
  },
);

function remove(path: string): readonly object[] {
  return [{ op: 'remove', path }];
}

function replace(path: string, value: unknown): readonly object[] {
  return [{ op: 'replace', path, value }];
}

/** An address in the order of the schema, as resources are kept. */
function inOrder({ type, ...address }: Readonly<Record<string, string>>): object {
  return { ...address, type };
}

function without({ locality: _removed, ...address }: typeof office): object {
  return inOrder(address);
}
