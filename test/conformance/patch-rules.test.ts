import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, ENTERPRISE, type ErrorBody, PATCH_OP, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';
import { patches, refuses } from './patching.ts';

/** What holds for every PATCH (RFC 7644 section 3.5.2). */

const app = await startApp(t);
const lenient = clientOf(app, await app.scimKey(await app.createTenant()));
const strict = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
const both = [lenient, strict];

const title = { op: 'replace', path: 'title', value: 'T' };
const work = { value: 'a@work.example', type: 'work' };
const home = { value: 'a@home.example', type: 'home' };

meets(t, [183, 184, 185, 186], 'a PatchOp has operations, and each of them one op', async (t) => {
  t.equal((await lenient.ask<Config>('GET', '/ServiceProviderConfig')).body.patch.supported, true);
  const wrongOnes: readonly [name: string, body: unknown][] = [
    [
      'another schema',
      { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], Operations: [title] },
    ],
    ['the schema of a User', { schemas: [USER], Operations: [title] }],
    ['no Operations', { schemas: [PATCH_OP] }],
    ['Operations that are one', { schemas: [PATCH_OP], Operations: title }],
    ['no operation', { schemas: [PATCH_OP], Operations: [] }],
    ['an operation that is text', { schemas: [PATCH_OP], Operations: ['add'] }],
    ['no op', { schemas: [PATCH_OP], Operations: [{ path: 'title', value: 'T' }] }],
    ['an op that is a list', { schemas: [PATCH_OP], Operations: [{ ...title, op: ['add', 'remove'] }] }],
    ['two ops', `{"schemas":["${PATCH_OP}"],"Operations":[{"op":"add","op":"remove","path":"title"}]}`],
    ['a list', [title]],
  ];
  const tolerated: readonly [name: string, body: unknown][] = [
    ['no schemas', { Operations: [title] }],
    ['an op in capitals', { schemas: [PATCH_OP], Operations: [{ ...title, op: 'Replace' }] }],
  ];
  for (const client of both) {
    const { id } = await client.user('ruled');
    for (const [name, body] of client === strict ? [...wrongOnes, ...tolerated] : wrongOnes) {
      const answer = await client.ask<ErrorBody>('PATCH', `/Users/${id}`, body);
      t.match(answer, { status: 400, body: { scimType: 'invalidSyntax' } }, name);
    }
    t.match((await client.ask('GET', `/Users/${id}`)).body, { meta: { version: 'W/"1"' } });
  }
});

meets(t, [187, 202, 216], 'a path may be absent, but for remove', async (t) => {
  const value = { nickName: 'N' };
  await patches(t, lenient, [
    ['add', {}, [{ op: 'add', value }], value],
    ['replace', { nickName: 'Old' }, [{ op: 'replace', value }], value],
  ]);
  for (const client of both) {
    await refuses(t, client, [['remove', { nickName: 'N' }, [{ op: 'remove', value }], 'noTarget']]);
  }
  const { id } = await strict.group('Kept');
  const listed = await strict.patch(`/Groups/${id}`, [{ op: 'remove', value: { members: [{ value: id }] } }]);
  t.match(listed, { status: 400, body: { scimType: 'noTarget' } }, 'not even with a list');
});

meets(t, [188, 191], 'paths follow the grammar: no indexes, no pointers, nothing unknown', async (t) => {
  const wrongPaths = [
    ...[
      'name.',
      '.name',
      'name..givenName',
      'name.givenName.first',
      'user name',
      'shoeSize',
      'name.shoeSize',
    ],
    ...['emails[0]', 'emails[0].value', 'emails.0', '/emails/0', 'emails[]', 'emails/value', '/title'],
    ...[
      'emails[type eq "work"',
      'emails[type eq "work"]value',
      'emails[type eq "work"].',
      'emails type eq "work"]',
    ],
    ...['emails[type eq "work"].shoeSize', 'title[value eq "T"]', 'name[givenName eq "G"]', 'urn:x:title'],
    ...[
      'emails[type is "work"]',
      'emails[shoeSize eq 4]',
      'emails[type[value eq "x"]]',
      'emails[type eq "work"][0]',
    ],
  ];
  for (const path of wrongPaths) {
    for (const op of ['add', 'remove', 'replace']) {
      const { id } = await lenient.user(`path-${Math.random()}`, { emails: [work] });
      const { status, body } = await lenient.patch(`/Users/${id}`, [{ op, path, value: 'x' }]);
      // Table 9: what stands in brackets is a filter, and may be refused as one.
      const wrong = (body as unknown as ErrorBody).scimType;
      const expected = /\[.*\]/.test(path) ? ['invalidPath', 'invalidFilter'] : ['invalidPath'];
      t.ok(status === 400 && expected.includes(String(wrong)), `${op} ${path}: ${status} ${wrong}`);
    }
  }
  const moves = ['move', 'copy', 'test'].map((op) => ({ op, from: 'title', path: 'nickName', value: 'T' }));
  await refuses(
    t,
    lenient,
    moves.map((move) => [move.op, { title: 'T' }, [move], 'invalidSyntax'] as const),
  );
});

meets(t, [189, 190], 'what the mutability or the type of an attribute forbids is refused', async (t) => {
  const readOnly = ['id', 'groups', 'meta.created', 'meta.version', 'groups[value eq "x"].display'];
  const wrongValues: readonly [path: string, value: unknown][] = [
    ['title', { value: 'T' }],
    ['title', 4],
    ['active', 'maybe'],
    ['name', 'Ann'],
    ['emails', [{ value: 4 }]],
    ['emails[type eq "work"].primary', 'perhaps'],
    ['photos', [{ value: ['x'] }]],
    [`${ENTERPRISE}:manager`, 4],
    [ENTERPRISE, 'D'],
  ];
  for (const client of both) {
    await refuses(t, client, [
      ...readOnly.map((path) => [path, {}, [{ op: 'replace', path, value: 'x' }], 'mutability'] as const),
      ...wrongValues.map(
        ([path, value]) =>
          [path, { emails: [work] }, [{ op: 'replace', path, value }], 'invalidValue'] as const,
      ),
    ]);
  }
  const keys = { id: 'x', meta: { version: 'x' }, groups: [{ value: 'x' }] };
  const before = { title: 'T' };
  await patches(t, lenient, [
    ['ignored as keys', before, [{ op: 'replace', value: keys }], { title: 'T', groups: null }],
  ]);
  await refuses(t, strict, [
    ...Object.entries(keys).map(
      ([name, key]) =>
        [
          name,
          before,
          [{ op: 'replace', value: { [name]: key } }],
          /^(?:mutability|invalidSyntax)$/,
        ] as const,
    ),
    ['an unknown key', before, [{ op: 'add', value: { shoeSize: 44 } }], 'invalidSyntax'],
    ['an unknown part', before, [{ op: 'add', path: 'name', value: { shoeSize: 44 } }], 'invalidSyntax'],
  ]);
});

meets(t, [192, 193], 'schemas follows from what the operations leave', async (t) => {
  const department = `${ENTERPRISE}:department`;
  const withExtension = { schemas: [USER, ENTERPRISE] };
  const withoutExtension = { schemas: [USER], [ENTERPRISE]: null };
  await patches(t, lenient, [
    ['without a path', {}, [{ op: 'add', value: { [ENTERPRISE]: { department: 'D' } } }], withExtension],
  ]);
  for (const client of both) {
    await patches(t, client, [
      ['add by URN', {}, [{ op: 'add', path: department, value: 'D' }], withExtension],
      ['replace by URN', {}, [{ op: 'replace', path: department, value: 'D' }], withExtension],
      [
        'add a whole extension',
        {},
        [{ op: 'add', path: ENTERPRISE, value: { department: 'D' } }],
        withExtension,
      ],
      [
        'by a sub-attribute',
        {},
        [{ op: 'add', path: `${ENTERPRISE}:manager.value`, value: 'm' }],
        withExtension,
      ],
      [
        'schemas first, then its attributes',
        {},
        [
          { op: 'add', path: 'schemas', value: [ENTERPRISE] },
          { op: 'add', path: department, value: 'D' },
        ],
        { ...withExtension, [ENTERPRISE]: { department: 'D' } },
      ],
      [
        'the last one removed',
        { [ENTERPRISE]: { department: 'D' } },
        [{ op: 'remove', path: department }],
        withoutExtension,
      ],
      [
        'the extension removed',
        { [ENTERPRISE]: { department: 'D' } },
        [{ op: 'remove', path: ENTERPRISE }],
        withoutExtension,
      ],
    ]);
  }
});

meets(
  t,
  [194, 195],
  'operations follow each other, and the last primary value is the only one',
  async (t) => {
    const primary = (value: object, is = true) => ({ ...value, primary: is });
    for (const client of both) {
      await patches(t, client, [
        [
          'each on what the one before has left',
          { title: 'A' },
          [
            { op: 'remove', path: 'title' },
            { op: 'add', path: 'emails', value: [work] },
            { op: 'replace', path: 'emails[type eq "work"].value', value: 'b@work.example' },
            { op: 'add', path: 'emails', value: [home] },
            { op: 'remove', path: 'emails[value eq "b@work.example"]' },
            { op: 'add', path: 'title', value: 'B' },
          ],
          { title: 'B', emails: [home] },
        ],
        [
          'a primary value is added',
          { emails: [primary(work)] },
          [{ op: 'add', path: 'emails', value: [primary(home)] }],
          { emails: [primary(work, false), primary(home)] },
        ],
        [
          'a value is made primary',
          { emails: [primary(work), home] },
          [{ op: 'replace', path: 'emails[type eq "home"].primary', value: true }],
          { emails: [primary(work, false), primary(home)] },
        ],
        [
          'a value is replaced by a primary one',
          { emails: [primary(work), home] },
          [{ op: 'replace', path: 'emails[type eq "home"]', value: primary(home) }],
          { emails: [primary(work, false), primary(home)] },
        ],
        [
          'the primary value is made one no longer',
          { emails: [primary(work), home] },
          [{ op: 'replace', path: 'emails[primary eq true].primary', value: false }],
          { emails: [primary(work, false), home] },
        ],
      ]);
    }
  },
);

meets(t, [196, 197], 'one wrong operation, and none of them happened', async (t) => {
  const wrongOnes: readonly [operation: object, scimType: string][] = [
    [{ op: 'replace', path: 'shoeSize', value: 4 }, 'invalidPath'],
    [{ op: 'replace', path: 'id', value: 'x' }, 'mutability'],
    [{ op: 'replace', path: 'active', value: 'maybe' }, 'invalidValue'],
    [{ op: 'remove', path: 'userName' }, 'mutability'],
    [{ op: 'remove' }, 'noTarget'],
  ];
  await refuses(
    t,
    lenient,
    wrongOnes.flatMap(([wrong, scimType]) => [
      ['behind a good one', { title: 'Old' }, [title, wrong], scimType] as const,
      ['before a good one', { title: 'Old' }, [wrong, title], scimType] as const,
    ]),
  );
  const { id: member } = await lenient.user('atomic');
  const group = await lenient.group('Atomic', [member]);
  const answer = await lenient.patch(`/Groups/${group.id}`, [
    { op: 'replace', path: 'displayName', value: 'Changed' },
    { op: 'remove', path: 'members' },
    { op: 'add', path: 'members', value: [{ value: '0190a000-0000-7000-8000-000000000000' }] },
  ]);
  t.match(answer, { status: 400, body: { status: '400', scimType: 'invalidValue' } });
  t.strictSame((await lenient.ask('GET', `/Groups/${group.id}`)).body, group);
  const { id } = await lenient.user('atomic-2');
  const taken = await lenient.patch(`/Users/${id}`, [
    title,
    { op: 'replace', path: 'userName', value: 'ATOMIC' },
  ]);
  t.match(taken, { status: 409, body: { status: '409', scimType: 'uniqueness' } });
  t.notOk('title' in (await lenient.ask('GET', `/Users/${id}`)).body);
});

meets(
  t,
  [198, 199],
  'success is 200 with the resource, or 204 with its version; 200 where attributes ask',
  async (t) => {
    const user = await lenient.user('answered');
    const whole = await lenient.patch(`/Users/${user.id}`, [title]);
    t.match(whole, {
      status: 200,
      headers: { etag: 'W/"2"' },
      body: { id: user.id, userName: 'answered', title: 'T' },
    });
    const part = await lenient.patch(`/Users/${user.id}?attributes=title`, [title]);
    t.strictSame(part.body as object, { schemas: [USER], id: user.id, title: 'T' });

    const group = await lenient.group('Answered');
    const bare = await lenient.patch(`/Groups/${group.id}`, [
      { op: 'replace', path: 'displayName', value: 'B' },
    ]);
    t.match(bare, { status: 204, headers: { etag: 'W/"2"' }, text: '' });
    const asked = await lenient.patch(`/Groups/${group.id}?attributes=displayName`, [
      { op: 'replace', path: 'displayName', value: 'C' },
    ]);
    t.match(asked, { status: 200, headers: { etag: 'W/"3"' }, body: { id: group.id, displayName: 'C' } });
  },
);

meets(t, [200], 'paths are read in any case, and with the URN of their schema', async (t) => {
  for (const client of both) {
    await patches(t, client, [
      ['in capitals', {}, [{ op: 'add', path: 'NICKNAME', value: 'N' }], { nickName: 'N' }],
      ['a part', {}, [{ op: 'add', path: 'Name.GIVENname', value: 'G' }], { name: { givenName: 'G' } }],
      ['the core URN', {}, [{ op: 'add', path: `${USER}:nickName`, value: 'N' }], { nickName: 'N' }],
      [
        'the core URN in capitals, a part of it',
        {},
        [{ op: 'add', path: `${USER.toUpperCase()}:name.givenName`, value: 'G' }],
        { name: { givenName: 'G' } },
      ],
      [
        'an extension in capitals',
        {},
        [{ op: 'add', path: `${ENTERPRISE.toUpperCase()}:MANAGER.Value`, value: 'm' }],
        { [ENTERPRISE]: { manager: { value: 'm' } } },
      ],
      [
        'a value path',
        { emails: [work, home] },
        [{ op: 'remove', path: `${USER}:EMAILS[TYPE EQ "Work"]` }],
        { emails: [home] },
      ],
    ]);
  }
});

interface Config {
  readonly patch: { readonly supported: boolean };
}
