import t from 'tap';
import { accessFixtures } from '../../support/access.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';

/** How admins read users, the members of teams, and the groups that identity providers told of. */

interface UserBody extends AnyBody {
  readonly id: string;
  readonly identityProviderGroups: readonly AnyBody[];
}
interface UserList {
  readonly users: readonly UserBody[];
  readonly next?: string;
}
interface GroupList {
  readonly groups: readonly (AnyBody & { readonly name: string })[];
  readonly next?: string;
}

const START = Date.parse('2026-03-04T05:06:07.000Z');
const clock = { now: START };
const app = await startApp(t, { now: () => new Date(clock.now) });
const { pool } = app.context.db;
const iso = (offset = 0) => new Date(START + offset).toISOString();
const NOBODY = '0198c0de-0000-7000-8000-00000000002a';

async function makeWorld() {
  clock.now = START;
  const tenant = await app.createTenant();
  const fixtures = accessFixtures(app, tenant);
  const response = await fixtures.team('Response');
  await fixtures.permission('BILLING');
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'x' });
  await fixtures.mapping({
    tenant_permission: [
      { group_name: 'Analysts', permissions: ['BILLING'] },
      { group_id: 'ext-7', permissions: ['BILLING'] },
    ],
    mappings: [
      { group_name: 'Analysts', team_name: 'Response', role_name: 'EDITOR' },
      { group_name: 'Analysts', team_name: 'Gone', role_name: 'VIEWER', directory: 'x' },
    ],
  });
  const scim = clientOf(app, await app.scimKey(tenant));
  const path = `/tenants/${tenant.id}`;
  const search = async (query = '') => (await app.admin<UserList>('GET', `${path}/users${query}`)).body;
  return { tenant, scim, path, search, response, ...fixtures };
}

t.test('a user is read with what they hold, from where, and what their groups are', async (t) => {
  const { scim, path, search, response } = await makeWorld();
  const { id } = await scim.user('Ada@Example.com', { name: { givenName: 'Ada' } });
  t.match((await app.admin<UserBody>('GET', `${path}/users/${id}`)).body.identityProviderGroups, [
    { source: 'scim:default', state: 'empty', groups: [], seenAt: null },
  ]);
  clock.now += 1_000;
  await scim.group('Zebras', [id]);
  clock.now += 1_000;
  await scim.group('Analysts', [id]);
  const user = {
    id,
    userName: 'Ada@Example.com',
    externalId: null,
    productUserId: null,
    active: true,
    displayName: null,
    givenName: 'Ada',
    familyName: null,
    email: null,
    avatar: null,
    managedBy: 'scim:default',
    tenantOwner: false,
    permissions: ['BILLING'],
    memberships: [
      {
        team: { id: response, name: 'Response', kind: 'team' },
        role: 'EDITOR',
        origin: 'scim:default',
        via: ['Analysts'],
      },
    ],
    identityProviderGroups: [
      { source: 'scim:default', state: 'list', groups: ['Analysts', 'Zebras'], seenAt: iso(2_000) },
    ],
    identities: [],
  };
  t.same((await app.admin('GET', `${path}/users/${id}`)).body, user);
  t.same(await search(), { users: [user] });
  for (const unknown of [NOBODY, 'Ada@Example.com']) {
    const answer = await app.admin('GET', `${path}/users/${unknown}`);
    t.match(answer, { status: 404, body: { detail: 'User not found' } }, unknown);
  }
});

t.test('a user of sign-ins is read with the claims of each identity provider', async (t) => {
  const { scim, path, tenant, signIn, grant, response } = await makeWorld();
  const { id } = await scim.user('ada');
  await pool.query('update scim_user set directory_id = null where tenant_id = $1', [tenant.id]);
  t.match((await app.admin('GET', `${path}/users/${id}`)).body, {
    managedBy: null,
    identityProviderGroups: [],
  });
  await signIn(id, 'okta', ['Analysts', 'Others']);
  await signIn(id, 'entra', []);
  const later = [tenant.id, iso(1_000)];
  await pool.query(
    `update jit_sync set synced_at = $2 where tenant_id = $1 and identity_provider = 'okta'`,
    later,
  );
  await pool.query(
    'update identity_link set groups_seen_at = $2 where tenant_id = $1 and cardinality(groups) > 0',
    later,
  );
  await grant({ target: response, user: id, origin: 'jit:okta', role: 'EDITOR', precedence: 1 });
  t.match((await app.admin('GET', `${path}/users/${id}`)).body, {
    managedBy: 'jit:okta',
    memberships: [{ origin: 'jit:okta', via: ['Analysts'] }],
    identityProviderGroups: [
      { source: 'jit:entra', state: 'empty', groups: [], seenAt: iso() },
      { source: 'jit:okta', state: 'list', groups: ['Analysts', 'Others'], seenAt: iso(1_000) },
    ],
    identities: [
      { identityProvider: 'entra', subject: id, linkedAt: iso(), lastSignInAt: iso() },
      { identityProvider: 'okta', subject: id, linkedAt: iso(), lastSignInAt: iso() },
    ],
  });
});

t.test('a search finds parts of names and addresses in any case, and whole ids', async (t) => {
  const { scim, search, tenant } = await makeWorld();
  const { id: ada } = await scim.user('Ada.Lovelace', {
    externalId: 'Ext-1',
    displayName: 'Gräfin von Ockham',
    emails: [{ value: 'first@example.com' }, { value: 'Countess@Home.example' }],
  });
  const { id: ben } = await scim.user('ben_100%', { externalId: 'ext-2' });
  await pool.query('update scim_user set product_user_id = $2 where id = $1', [ben, 'P-1']);
  const finds: readonly (readonly [text: string, ids: readonly string[]])[] = [
    ['LOVE', [ada]],
    ['GRÄFIN VON', [ada]],
    ['countess@home', [ada]],
    ['ｃｏｕｎｔｅｓｓ', [ada]],
    ['first@', [ada]],
    ['a', [ada]],
    ['e', [ada, ben]],
    ['%', [ben]],
    ['_', [ben]],
    ['Ext-1', [ada]],
    ['ext-1', []],
    ['ext-', []],
    ['P-1', [ben]],
    ['p-1', []],
    [ben, [ben]],
    [ben.toUpperCase(), [ben]],
    [NOBODY, []],
    ["' or true --", []],
  ];
  for (const [text, ids] of finds) {
    const { users } = await search(`?search=${encodeURIComponent(text)}`);
    t.same(
      users.map(({ id }) => id),
      ids,
      text,
    );
  }
  const other = await app.createTenant();
  const theirs = await app.admin<UserList>('GET', `/tenants/${other.id}/users?search=${ben}`);
  t.same(theirs.body, { users: [] }, 'nobody of another tenant');
  for (const query of ['?search=', `?search=${'x'.repeat(201)}`, '?search=a%00b', '?limit=0', '?after=x']) {
    t.equal((await app.admin('GET', `/tenants/${tenant.id}/users${query}`)).status, 400, query);
  }
});

t.test('users are listed page by page in the order of their ids, with and without a search', async (t) => {
  const { scim, search } = await makeWorld();
  const made: string[] = [];
  for (let n = 0; n < 5; n += 1) made.push((await scim.user(`user-${n}`)).id);
  for (const query of ['limit=2', 'limit=2&search=USER']) {
    const seen: string[] = [];
    let page = await search(`?${query}`);
    for (;;) {
      t.ok(page.users.length <= 2);
      seen.push(...page.users.map(({ id }) => id));
      if (page.next === undefined) break;
      page = await search(`?${query}&after=${page.next}`);
    }
    t.same(seen, [...made].sort(), query);
  }
});

t.test("a team's members are read with the origin of each membership", async (t) => {
  const { scim, path, response, grant } = await makeWorld();
  const [{ id: ada }, { id: ben }] = [await scim.user('ada'), await scim.user('ben')];
  await scim.group('Analysts', [ada]);
  await grant({ target: response, user: ben, origin: 'manual', role: 'VIEWER' });
  const members = () => app.admin<{ members: AnyBody[] }>('GET', `${path}/teams/${response}/members`);
  const { body } = await members();
  t.match(body.members, [
    { user: { id: ada, userName: 'ada' }, role: 'EDITOR', origin: 'scim:default', via: ['Analysts'] },
    { user: { id: ben }, role: 'VIEWER', origin: 'manual', via: [] },
  ]);
  t.notOk('managedBy' in (body.members[0] ?? {}));
  await scim.patch(`/Users/${ada}`, [{ op: 'replace', path: 'active', value: false }]);
  t.equal((await members()).body.members.length, 1, 'who is not active is no member');
});

t.test(
  'the groups seen are listed with members, rows of the mapping and the last push, claims too',
  async (t) => {
    const { scim, path, tenant, signIn } = await makeWorld();
    const [{ id: ada }, { id: ben }] = [await scim.user('ada'), await scim.user('ben')];
    clock.now += 1_000;
    const { id: zebras } = await scim.group('zebras');
    const { id: analysts } = await scim.group('Analysts', [ada, ben]);
    const { body: owners } = await scim.ask('POST', '/Groups', {
      displayName: 'Owners',
      externalId: 'ext-7',
    });
    clock.now += 1_000;
    await scim.patch(`/Groups/${zebras}`, [{ op: 'add', path: 'members', value: [{ value: ada }] }]);
    await pool.query('update scim_user set directory_id = null where tenant_id = $1', [tenant.id]);
    await signIn(ada, 'okta', ['Analysts', 'ext-7', 'Analysts']);
    await signIn(ben, 'okta', ['Analysts']);
    const rows = ['/tenant_permission/0/permissions/0', '/mappings/0'];
    const scimGroup = (id: string, name: string, rest: object) => ({
      source: 'scim:default',
      id,
      name,
      externalId: null,
      ...rest,
    });
    const claim = (name: string, rest: object) => ({
      source: 'jit:okta',
      id: null,
      name,
      externalId: null,
      seenAt: iso(),
      ...rest,
    });
    const expected = [
      claim('Analysts', { members: 2, rows }),
      claim('ext-7', { members: 1, rows: ['/tenant_permission/1/permissions/0'] }),
      scimGroup(analysts, 'Analysts', { members: 2, rows, seenAt: iso(1_000) }),
      scimGroup(owners.id, 'Owners', {
        externalId: 'ext-7',
        members: 0,
        rows: ['/tenant_permission/1/permissions/0'],
        seenAt: iso(1_000),
      }),
      scimGroup(zebras, 'zebras', { members: 1, rows: [], seenAt: iso(2_000) }),
    ];
    t.same((await app.admin('GET', `${path}/groups`)).body, { groups: expected });
    const seen: unknown[] = [];
    let next: string | undefined;
    do {
      const query: string = next === undefined ? '' : `&after=${next}`;
      const { body } = await app.admin<GroupList>('GET', `${path}/groups?limit=2${query}`);
      seen.push(...body.groups);
      next = body.next;
    } while (next !== undefined);
    t.same(seen, expected, 'page by page the same');
    const places = ['x', '[]', '["a"]', '["a",1]', '["a","\\u0000"]', '["a","\\ud800"]', '{"length":2}'];
    for (const place of places) {
      const after = Buffer.from(place).toString('base64url');
      const answer = await app.admin('GET', `${path}/groups?after=${after}`);
      t.match(answer, { status: 400, body: { pointer: 'after' } }, place);
    }
  },
);

t.test('a page that would be too large is refused, and a smaller one is given', async (t) => {
  const { scim, path, tenant, signIn, grant, response } = await makeWorld();
  const [{ id: ada }, { id: ben }] = [await scim.user('ada'), await scim.user('ben')];
  await grant({ target: response, user: ada, origin: 'manual', role: 'VIEWER' });
  await grant({ target: response, user: ben, origin: 'manual', role: 'VIEWER' });
  const refused = { status: 400, body: { reason: 'too_broad', hint: /smaller limit/ } };
  await signIn(
    ada,
    'okta',
    Array.from({ length: 100_000 }, (_, n) => `g${n}`),
  );
  t.equal((await app.admin('GET', `${path}/users`)).status, 200);
  await signIn(ben, 'okta', ['one more']);
  t.match(await app.admin('GET', `${path}/users`), refused);
  t.equal((await app.admin('GET', `${path}/users?limit=1`)).status, 200);

  await pool.query('delete from identity_link where tenant_id = $1', [tenant.id]);
  await pool.query(
    `update scim_user set body = (body::jsonb || jsonb_build_object('title', repeat('x', 17 * 1024 * 1024)))::text
     where tenant_id = $1`,
    [tenant.id],
  );
  for (const list of [`${path}/users`, `${path}/teams/${response}/members`]) {
    t.match(await app.admin('GET', list), refused, list);
    t.equal((await app.admin('GET', `${list}?limit=1`)).status, 200, list);
  }
});

t.test('a search that takes too long ends, and says what to do', async (t) => {
  const { scim, path, tenant } = await makeWorld();
  const { id } = await scim.user('ada');
  // Texts in which a search goes back at each character.
  await pool.query(
    `insert into scim_user (tenant_id, id, user_name_folded, active, version, created_at, updated_at, body, search, lookup)
     select tenant_id, gen_random_uuid(), 'slow-' || n, true, 1, created_at, updated_at, body,
            jsonb_build_object('displayName', repeat('a', 1000000)), '{}'
     from scim_user, generate_series(1, 300) n where tenant_id = $1`,
    [tenant.id],
  );
  const slow = `${path}/users?search=b${'a'.repeat(199)}`;
  t.match(await app.admin('GET', slow), { status: 400, body: { reason: 'too_broad', detail: /5 seconds/ } });
  t.match(await app.admin('GET', `${path}/users/${id}`), { status: 200 });
});
