import t from 'tap';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { type AnyBody, startApp } from '../../support/app.ts';

const app = await startApp(t);
const NDJSON = 'application/x-ndjson';

interface LineBody {
  readonly line: number;
  readonly outcome: string;
  readonly userId?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}
interface Report extends AnyBody {
  readonly counts: Readonly<Record<string, number>>;
  readonly lines: readonly LineBody[];
}
interface UserBody {
  readonly memberships: readonly {
    readonly team: { readonly name: string };
    readonly role: string;
    readonly origin: string;
  }[];
}

const send = (tenant: Tenant, body: string | Buffer, { type = NDJSON, query = '' } = {}) =>
  app.send<Report>('POST', `/api/admin/v1/tenants/${tenant.id}/users/import${query}`, {
    key: app.operatorKey,
    body,
    headers: { 'content-type': type },
  });
const lines = (...entries: readonly unknown[]) =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
const outcomes = ({ body }: { readonly body: Report }) =>
  body.lines.map(({ line, outcome }) => `${line} ${outcome}`);
const errorsOf = ({ body }: { readonly body: Report }) =>
  body.lines.flatMap(({ line, errors = [] }) => errors.map(({ pointer }) => `${line} ${pointer}`));
const user = async ({ id }: Tenant, userId = '') =>
  (await app.admin<UserBody>('GET', `/tenants/${id}/users/${userId}`)).body;
const countEvents = async ({ id }: Tenant) =>
  (await app.context.db.pool.query('select count(*)::int as events from event where tenant_id = $1', [id]))
    .rows[0].events;

async function newTenant(settings = {}) {
  const tenant = await app.createTenant(settings);
  for (const name of ['Blue', 'Red: hot']) await app.admin('POST', `/tenants/${tenant.id}/teams`, { name });
  await app.admin('POST', `/tenants/${tenant.id}/permissions`, { name: 'AUDIT_LOG_READ' });
  return tenant;
}

const ADA = {
  userName: 'Ada@acme.example',
  externalId: 'x-1',
  productUserId: 'p-1',
  givenName: 'Ada',
  familyName: 'Lovelace',
  displayName: 'Ada Lovelace',
  email: 'ada@acme.example',
  teams: [{ team: 'Blue', role: 'editor' }],
  tenantOwner: true,
  permissions: ['audit_log_read'],
};

t.test('users come in with their ids, names, teams, rights and ownership, and are told', async (t) => {
  const tenant = await newTenant();
  const answer = await send(
    tenant,
    lines(ADA, { userName: 'bob', active: false, teams: [{ team: 'Blue', role: 'VIEWER' }] }),
  );
  t.equal(answer.status, 200);
  t.same(answer.body.counts, { created: 2, updated: 0, unchanged: 0, refused: 0 });
  const [ada, bob] = answer.body.lines;
  t.match(await user(tenant, ada?.userId), {
    userName: 'Ada@acme.example',
    externalId: 'x-1',
    productUserId: 'p-1',
    active: true,
    displayName: 'Ada Lovelace',
    givenName: 'Ada',
    email: 'ada@acme.example',
    managedBy: null,
    tenantOwner: true,
    permissions: ['AUDIT_LOG_READ'],
    memberships: [{ team: { name: 'Blue' }, role: 'EDITOR', origin: 'manual' }],
  });
  t.match(await user(tenant, bob?.userId), { active: false, memberships: [] });
  await app.admin('PATCH', `/tenants/${tenant.id}/users/${bob?.userId}`, { active: true });
  t.match(
    (await user(tenant, bob?.userId)).memberships,
    [{ role: 'VIEWER' }],
    'what the inactive get is kept for them',
  );
  await app.sealEvents();
  const { body } = await app.admin<{ events: { type: string; after: AnyBody }[] }>(
    'GET',
    `/tenants/${tenant.id}/events?limit=1000`,
  );
  const told = body.events.map(({ type }) => type);
  t.ok(
    ['user.created', 'membership.added', 'owner.added', 'permission.added'].every((type) =>
      told.includes(type),
    ),
  );
  t.match(
    body.events.find(({ type }) => type === 'user.created'),
    { after: { userName: 'Ada@acme.example', productUserId: 'p-1' } },
  );
});

t.test('the same again changes nothing and tells nothing; what differs is written', async (t) => {
  const tenant = await newTenant();
  const first = await send(tenant, lines(ADA, { userName: 'bob' }));
  const events = await countEvents(tenant);
  const again = await send(tenant, lines(ADA, { userName: 'BOB' }));
  t.same(
    again.body.counts,
    { created: 0, updated: 1, unchanged: 1, refused: 0 },
    'but for the spelling of a name',
  );
  t.equal(await countEvents(tenant), events + 1);
  const changed = {
    ...ADA,
    displayName: null,
    productUserId: 'p-2',
    teams: [{ team: 'Red: hot', role: 'VIEWER' }],
  };
  t.same(outcomes(await send(tenant, lines(changed))), ['1 updated']);
  const shown = await user(tenant, first.body.lines[0]?.userId);
  t.match(shown, { displayName: null, givenName: 'Ada', productUserId: 'p-2', tenantOwner: true });
  t.same(
    shown.memberships.map(({ team, role }) => `${team.name} ${role}`).sort(),
    ['Blue EDITOR', 'Red: hot VIEWER'],
    'teams that a line does not name stay',
  );
  t.same(outcomes(await send(tenant, lines({ userName: ADA.userName, active: false }))), ['1 updated']);
  t.match(await user(tenant, first.body.lines[0]?.userId), {
    active: false,
    tenantOwner: false,
    memberships: [],
  });
});

t.test('CSV says the same by its columns', async (t) => {
  const tenant = await newTenant();
  const csv = [
    '\ufeffuserName,displayName,active,teams,tenantOwner,permissions,productUserId',
    'ada,"Lovelace, ""Ada""",TRUE,"Blue:EDITOR; Red: hot:viewer",true,AUDIT_LOG_READ,p-1',
    '',
    'bob,,false,,,,',
    'eve,Eve,perhaps,Blue,,,',
    'mallory,M',
  ].join('\r\n');
  const answer = await send(tenant, csv, { type: 'text/csv; charset=utf-8' });
  t.same(outcomes(answer), ['2 created', '4 created', '5 refused', '6 refused']);
  t.same(errorsOf(answer), ['5 /active', '6 ']);
  const ada = await user(tenant, answer.body.lines[0]?.userId);
  t.match(ada, { displayName: 'Lovelace, "Ada"', tenantOwner: true, permissions: ['AUDIT_LOG_READ'] });
  t.same(ada.memberships.map(({ team, role }) => `${team.name} ${role}`).sort(), [
    'Blue EDITOR',
    'Red: hot VIEWER',
  ]);
  t.match(await user(tenant, answer.body.lines[1]?.userId), { active: false, displayName: null });
});

t.test('CSV that cannot be read as a whole is refused as a whole', async (t) => {
  const tenant = await newTenant();
  for (const [csv, reason] of [
    ['userName,nonsense\nada,1\n', 'unknown_column'],
    ['userName,userName\nada,1\n', 'unknown_column'],
    ['displayName\nAda\n', 'unknown_column'],
    ['"userName\nada\n', 'csv_syntax'],
  ]) {
    t.match(
      await send(tenant, String(csv), { type: 'text/csv' }),
      { status: 400, body: { reason } },
      String(csv),
    );
  }
  t.equal((await app.admin<{ users: unknown[] }>('GET', `/tenants/${tenant.id}/users`)).body.users.length, 0);
});

t.test('a line of CSV with a quote too many or too few is refused by itself, and not quoted', async (t) => {
  const tenant = await newTenant();
  const csv = [
    'userName,displayName',
    'q1,Secret"ive',
    'q2,"Secret" one',
    'q3,"Secret',
    'q4, "Hopper, ""Grace""" ',
    'q5,"Secret\nname"',
    `q6,${'x'.repeat(65_536)}`,
    `q7,${' '.repeat(60_000)}"`,
    'q8,""',
    ' q9 , two words ',
    'q10',
    'q11,a,b',
  ].join('\r\n');
  const answer = await send(tenant, csv, { type: 'text/csv' });
  t.equal(answer.status, 200);
  t.same(outcomes(answer), [
    ...[
      '2 refused',
      '3 refused',
      '4 refused',
      '5 created',
      '6 refused',
      '7 refused',
      '8 refused',
      '9 refused',
    ],
    ...['10 created', '11 created', '12 refused', '13 refused'],
  ]);
  t.notMatch(answer.text, /Secret/);
  t.match(answer.body.lines[0]?.errors, [{ pointer: '', detail: /^Cell 2 of the line has a quote/ }]);
  const names = await Promise.all([3, 8, 9].map((at) => user(tenant, answer.body.lines[at]?.userId)));
  t.match(names, [
    { userName: 'q4', displayName: 'Hopper, "Grace"' },
    { userName: 'q8', displayName: null },
    { userName: 'q9', displayName: 'two words' },
  ]);
  for (const end of ['\r', '\n']) {
    const ends = await send(tenant, `userName${end}r1${end}${end}r2`, {
      type: 'text/csv',
      query: '?dryRun=true',
    });
    t.same(outcomes(ends), ['2 created', '4 created']);
  }
});

t.test('a line that does not hold is refused where it is wrong, and the others are written', async (t) => {
  const tenant = await newTenant({ userNameMustBeEmail: true });
  const managed = { userName: 'managed@acme.example', productUserId: 'p-0' };
  const { body: scim } = await app.send<{ id: string }>('POST', '/api/scim/v2/Users', {
    key: await app.scimKey(tenant),
    body: { userName: managed.userName },
  });
  await app.admin('PATCH', `/tenants/${tenant.id}/users/${scim.id}`, { productUserId: 'p-0' });
  const of = (more: object, name = 'new') => ({ userName: `${name}@acme.example`, ...more });
  const body = [
    lines(of({ displayName: 'Good' }, 'good')),
    '{"userName": \n',
    '\n',
    '[]\n',
    lines(of({ nonsense: 1 }), { displayName: 'nobody' }, of({ teams: [{ team: 'Blue' }] })),
    lines(
      of({
        teams: [
          { team: 'None', role: 'VIEWER' },
          { team: 'Blue', role: 'KING' },
        ],
        permissions: ['NO'],
      }),
    ),
    lines(
      of(
        {
          teams: [
            { team: 'Blue', role: 'VIEWER' },
            { team: 'Blue', role: 'EDITOR' },
          ],
        },
        'twice',
      ),
    ),
    lines({ userName: 'no-email' }, managed, of({ productUserId: 'p-0' }, 'thief'), of({}, 'GOOD')),
    '{"userName":"dup@acme.example","userName":"dup@acme.example"}\n',
    lines(of({ productUserId: 'p-9' }, 'first'), of({ productUserId: 'p-9' }, 'second')).trimEnd(),
  ].join('');
  const answer = await send(tenant, body);
  t.same(answer.body.counts, { created: 2, updated: 0, unchanged: 0, refused: 13 });
  t.same(errorsOf(answer), [
    '2 ',
    '4 ',
    '5 /nonsense',
    '6 /userName',
    '7 /teams/0/role',
    '8 /teams/0/team',
    '8 /teams/1/role',
    '8 /permissions/0',
    '9 /teams/1/team',
    '10 ',
    '11 /userName',
    '12 /productUserId',
    '13 /userName',
    '14 ',
    '16 /productUserId',
  ]);
  t.ok(answer.body.lines.every(({ errors = [] }) => errors.every(({ detail }) => detail.length > 10)));
});

t.test('a dry run says what would be, and does nothing', async (t) => {
  const tenant = await newTenant();
  await send(tenant, lines(ADA));
  const events = await countEvents(tenant);
  const body = lines(ADA, { userName: 'bob' }, { ...ADA, userName: 'eve' });
  const dry = await send(tenant, body, { query: '?dryRun=true' });
  t.match(dry.body, { dryRun: true, counts: { created: 1, unchanged: 1, refused: 1 } });
  t.notOk(dry.body.lines[1]?.userId, 'nobody has been given an id');
  t.equal(await countEvents(tenant), events);
  const real = await send(tenant, body);
  t.same(outcomes(real), outcomes(dry));
});

t.test(
  'an id that a line gives up is free for the next import, however far the lines are apart',
  async (t) => {
    for (const between of [0, 600]) {
      const tenant = await newTenant();
      const others = Array.from({ length: between }, (_, at) => ({ userName: `user-${at}` }));
      const before = [{ userName: 'ada', productUserId: 'p-1' }, ...others, { userName: 'bob' }];
      await send(tenant, lines(...before));
      for (const productUserId of ['p-2', null]) {
        const moved = lines({ userName: 'ada', productUserId }, ...others, {
          userName: 'bob',
          productUserId: 'p-1',
        });
        const dry = await send(tenant, moved, { query: '?dryRun=true' });
        t.match(dry.body.counts, { updated: 1, refused: 1 }, 'dry');
        const real = await send(tenant, moved);
        t.same(real.body, { ...dry.body, dryRun: false });
        t.match((await send(tenant, moved)).body.counts, { updated: 1, refused: 0 }, 'again');
        await send(tenant, lines({ userName: 'bob', productUserId: null }));
        await send(tenant, lines({ userName: 'ada', productUserId: 'p-1' }));
      }
    }
  },
);

t.test('whom sign-ins give something is given nothing by an import, but what they have stays', async (t) => {
  const tenant = await newTenant();
  const [line] = (await send(tenant, lines(ADA))).body.lines;
  await app.context.db.pool.query(
    `insert into jit_sync values ($1, $2, 'okta', 'standard', 0, '{}', now())`,
    [tenant.id, line?.userId],
  );
  t.same(outcomes(await send(tenant, lines(ADA))), ['1 unchanged']);
  const more = await send(tenant, lines({ ...ADA, teams: [{ team: 'Red: hot', role: 'VIEWER' }] }));
  t.same(errorsOf(more), ['1 /teams']);
});

t.test('thousands of lines come in, and 50,000 are the most', async (t) => {
  const tenant = await newTenant();
  const many = Array.from({ length: 1_200 }, (_, at) => ({
    userName: `user-${at}`,
    teams: [{ team: 'Blue', role: 'VIEWER' }],
  }));
  t.same((await send(tenant, lines(...many))).body.counts, {
    created: 1_200,
    updated: 0,
    unchanged: 0,
    refused: 0,
  });
  t.same((await send(tenant, lines(...many))).body.counts, {
    created: 0,
    updated: 0,
    unchanged: 1_200,
    refused: 0,
  });
  const tooMany = await send(tenant, '{}\n'.repeat(50_001));
  t.match(tooMany, { status: 400, body: { reason: 'too_many_lines' } });
  const csv = `userName\n${'x\n'.repeat(50_001)}`;
  t.match(await send(tenant, csv, { type: 'text/csv' }), { status: 400, body: { reason: 'too_many_lines' } });
});

t.test('a file that is not UTF-8 is refused, and told where', async (t) => {
  const tenant = await newTenant();
  const csv = 'userName,givenName\nada,Ada\nmüller,Jürgen\n';
  for (const [encoding, line] of [
    ['latin1', 3],
    ['utf16le', 1],
  ] as const) {
    const file = Buffer.from(encoding === 'utf16le' ? `\ufeff${csv}` : csv, encoding);
    t.match(await send(tenant, file, { type: 'text/csv' }), {
      status: 400,
      body: { reason: 'not_utf8', detail: new RegExp(`Line ${line} `), hint: /CSV UTF-8/ },
    });
  }
  const ndjson = Buffer.from('{"userName":"ada"}\n{"userName":"müller"}\n', 'latin1');
  t.same(outcomes(await send(tenant, ndjson)), ['1 created', '2 refused']);
  for (const type of [
    'text/csv; charset=iso-8859-1',
    'text/csv;charset="windows-1252"',
    `${NDJSON}; charset=utf-16`,
  ]) {
    t.match(await send(tenant, csv, { type }), {
      status: 415,
      body: { detail: /application\/x-ndjson or text\/csv, in UTF-8/ },
    });
  }
  for (const type of [
    'text/csv; charset=UTF-8',
    'text/csv; header=present; charset="utf-8"',
    'text/csv;charset=us-ascii',
  ]) {
    t.same(
      outcomes(await send(tenant, csv, { type, query: '?dryRun=true' })),
      ['2 updated', '3 created'],
      type,
    );
  }
});

t.test('other media types and bodies that are too large are refused', async (t) => {
  const tenant = await newTenant();
  t.match(await send(tenant, '{"userName": "ada"}', { type: 'application/json' }), {
    status: 415,
    body: { detail: /application\/x-ndjson or text\/csv/ },
  });
  t.equal((await send(tenant, 'x'.repeat(16 * 1024 * 1024 + 1))).status, 413);
  t.same((await send(tenant, '\n')).body.lines, []);
});
