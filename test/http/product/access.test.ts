import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { SettingsChange } from '../../../src/tenants/settings.ts';
import { accessFixtures } from '../../support/access.ts';
import { type AnyBody, type Method, startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';

/** What a product asks of a user: who is this, may they sign in, what do they hold. */

interface AccessBody {
  readonly user: AnyBody;
  readonly signIn: string;
  readonly tenantOwner: boolean;
  readonly permissions: readonly string[];
  readonly teams: readonly AnyBody[];
}

const app = await startApp(t);
const { key: serviceKey } = await app.serviceKey(['read']);
const NOBODY = '0198c0de-0000-7000-8000-00000000002a';

/** A tenant with a mapping, a team and a case group, and two directories. */
async function makeWorld(settings: SettingsChange = {}) {
  const tenant = await app.createTenant(settings);
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
  const fixtures = accessFixtures(app, tenant);
  const response = await fixtures.team('Incident Response');
  const fraud = await fixtures.team('Fraud', 'case_group');
  await fixtures.permission('AUDIT_LOG_READ');
  await fixtures.permission('BILLING');
  await fixtures.mapping({
    tenant_owners_groups: ['IT Admins'],
    tenant_permission: [{ group_name: 'Auditors', permissions: ['BILLING', 'AUDIT_LOG_READ'] }],
    mappings: [
      { group_name: 'SecOps', team_name: 'Incident Response', role_name: 'TEAM_ADMIN' },
      { group_name: 'Analysts', team_name: 'Incident Response', role_name: 'EDITOR' },
      { group_id: 'ext-7', case_group_name: 'Fraud', role_name: 'VIEWER' },
      { group_name: 'Abroad', team_name: 'Incident Response', role_name: 'VIEWER', directory: 'okta' },
    ],
  });
  const scim = clientOf(app, await app.scimKey(tenant));
  const base = `/api/v1/tenants/${tenant.id}`;
  const ask = <Body = AccessBody>(path: string, headers = {}, method: Method = 'GET', body?: unknown) =>
    app.send<Body>(method, `${base}${path}`, {
      key: serviceKey,
      headers,
      ...(body !== undefined && { body }),
    });
  const accessOf = async (id: string) => (await ask(`/users/${id}/access`)).body;
  return { tenant, scim, ask, accessOf, response, fraud, ...fixtures };
}

t.test(
  'what a group gives is what the product reads, with who manages it and through which groups',
  async (t) => {
    const { scim, accessOf, response, fraud } = await makeWorld();
    const user = await scim.user('Ada@Example.com', {
      externalId: 'x-1',
      displayName: 'Ada L.',
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      emails: [{ value: 'home@example.com' }, { value: 'work@example.com', primary: true }],
      photos: [{ value: 'https://img.example/ada.png', type: 'photo' }],
    });
    t.match(await accessOf(user.id), { tenantOwner: false, permissions: [], teams: [], signIn: 'allow' });
    for (const name of ['Analysts', 'SecOps', 'Auditors', 'IT Admins', 'Abroad'])
      await scim.group(name, [user.id]);
    await scim.ask('POST', '/Groups', {
      displayName: 'Fraud desk',
      externalId: 'ext-7',
      members: [{ value: user.id }],
    });
    t.same(await accessOf(user.id), {
      user: {
        id: user.id,
        userName: 'Ada@Example.com',
        externalId: 'x-1',
        productUserId: null,
        active: true,
        displayName: 'Ada L.',
        givenName: 'Ada',
        familyName: 'Lovelace',
        email: 'work@example.com',
        avatar: 'https://img.example/ada.png',
        managedBy: 'scim:default',
      },
      signIn: 'allow',
      tenantOwner: true,
      permissions: ['AUDIT_LOG_READ', 'BILLING'],
      teams: [
        {
          id: fraud,
          name: 'Fraud',
          kind: 'case_group',
          role: 'VIEWER',
          managedBy: 'scim:default',
          via: ['Fraud desk'],
        },
        {
          id: response,
          name: 'Incident Response',
          kind: 'team',
          role: 'TEAM_ADMIN',
          managedBy: 'scim:default',
          // The row of "Abroad" is for another directory.
          via: ['SecOps', 'Analysts'],
        },
      ],
    });
  },
);

t.test('a user of whom nothing is known but the name has nulls', async (t) => {
  const { scim, accessOf } = await makeWorld();
  const { id } = await scim.user('bare', { emails: [{ type: 'work' }, { value: 'second@example.com' }] });
  t.same((await accessOf(id)).user, {
    id,
    userName: 'bare',
    externalId: null,
    productUserId: null,
    active: true,
    displayName: null,
    givenName: null,
    familyName: null,
    email: 'second@example.com',
    avatar: null,
    managedBy: 'scim:default',
  });
});

t.test(
  'of several grants of one team the managed one holds, then by precedence, then the manual one',
  async (t) => {
    const { scim, tenant, accessOf, grant, signIn, response } = await makeWorld();
    const { id: user } = await scim.user('ada');
    await app.context.db.pool.query('update scim_user set directory_id = null where tenant_id = $1', [
      tenant.id,
    ]);
    const holds = async () =>
      (await accessOf(user)).teams.map(({ role, managedBy, via }) => [role, managedBy, via]);
    const give = (origin: string, role: string, rest = {}) =>
      grant({ target: response, user, origin, role, ...rest });

    t.same(await holds(), []);
    await give('retention', 'WORKBENCH_USER');
    t.same(await holds(), [['WORKBENCH_USER', 'retention', []]]);
    await give('manual', 'TEAM_ADMIN');
    t.same(await holds(), [['TEAM_ADMIN', 'manual', []]]);
    await give('email_domain', 'VIEWER');
    t.same(await holds(), [['VIEWER', 'email_domain', []]]);
    await give('invitation', 'CASE_MANAGER');
    t.same(await holds(), [['CASE_MANAGER', 'invitation', []]]);
    await signIn(user, 'entra', ['Analysts', 'Strangers', 'Analysts']);
    await give('jit:entra', 'EDITOR', { precedence: 5 });
    t.same(await holds(), [['EDITOR', 'jit:entra', ['Analysts']]]);
    await signIn(user, 'okta', ['Analysts', 'SecOps']);
    await give('jit:okta', 'TEAM_ADMIN', { precedence: 4 });
    t.same(await holds(), [['TEAM_ADMIN', 'jit:okta', ['SecOps', 'Analysts']]]);
    await give('jit:ping', 'VIEWER', { precedence: 1, suspended: true });
    t.same(
      await holds(),
      [['TEAM_ADMIN', 'jit:okta', ['SecOps', 'Analysts']]],
      'a suspended grant holds nothing',
    );
    t.equal(
      (await accessOf(user)).user.managedBy,
      'jit:entra',
      'of two sign-ins at one time the first by name',
    );
  },
);

t.test(
  'sign-in is denied to who is not active, and where the tenant says so to who holds nothing',
  async (t) => {
    const cases = [
      { unmappedUsers: 'allow', active: true, held: false, signIn: 'allow' },
      { unmappedUsers: 'allow', active: false, held: false, signIn: 'deny' },
      { unmappedUsers: 'deny', active: true, held: false, signIn: 'deny' },
      { unmappedUsers: 'deny', active: true, held: true, signIn: 'allow' },
      { unmappedUsers: 'deny', active: false, held: true, signIn: 'deny' },
    ] as const;
    for (const { unmappedUsers, active, held, signIn } of cases) {
      for (const group of held ? ['SecOps', 'Auditors', 'IT Admins'] : ['Strangers']) {
        const { scim, accessOf } = await makeWorld({ unmappedUsers });
        const { id } = await scim.user('ada');
        await scim.group(group, [id]);
        if (!active) await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }]);
        const body = await accessOf(id);
        t.match(body, { signIn, user: { active } }, `${group} ${JSON.stringify({ unmappedUsers, active })}`);
        if (!active) t.match(body, { tenantOwner: false, permissions: [], teams: [] });
      }
    }
  },
);

t.test(
  'a user is found by userName in any case, by externalId, by the id of the product: by one of them',
  async (t) => {
    const { scim, ask, tenant } = await makeWorld();
    const { id } = await scim.user('Ada@Example.com', { externalId: 'Ext 1' });
    await ask(`/users/${id}/product-user-id`, {}, 'PUT', { productUserId: 'p-1' });
    for (const query of ['userName=aDA@example.com', 'externalId=Ext%201', 'productUserId=p-1']) {
      t.match(await ask(`/access?${query}`), { status: 200, body: { user: { id } } }, query);
    }
    const absent = { status: 404, body: { detail: 'User not found' } };
    for (const query of ['userName=ada', 'externalId=ext%201', 'productUserId=P-1', `userName=${id}`]) {
      t.match(await ask(`/access?${query}`), absent, query);
    }
    for (const query of ['', '?userName=a&externalId=b', '?externalId=b&productUserId=c']) {
      t.match(await ask(`/access${query}`), { status: 400, body: { detail: /Exactly one of/ } }, query);
    }
    for (const query of ['userName=', 'email=x', 'userName=a&userName=b']) {
      t.equal((await ask(`/access?${query}`)).status, 400, query);
    }
    const okta = clientOf(app, await app.scimKey(tenant, 'okta'));
    await okta.user('ada@okta.example', { externalId: 'Ext 1' });
    const ambiguous = { status: 409, body: { reason: 'ambiguous', pointer: 'externalId' } };
    t.match(await ask('/access?externalId=Ext%201'), ambiguous);
  },
);

t.test('an answer has a tag, which changes when the answer does; who has it already gets 304', async (t) => {
  const { scim, ask } = await makeWorld();
  const { id } = await scim.user('ada');
  for (const path of [`/users/${id}/access`, '/access?userName=ada']) {
    const first = await ask(path);
    const tag = String(first.headers.etag);
    t.match(tag, /^W\/"[\w-]{22}"$/);
    for (const known of [tag, tag.slice(2), `"x", ${tag}`, '*']) {
      const again = await ask(path, { 'if-none-match': known });
      t.match(again, { status: 304, text: '', headers: { etag: tag } }, known);
    }
    for (const other of ['"x"', tag.slice(3, -1), '']) {
      t.match(await ask(path, { 'if-none-match': other }), { status: 200, body: first.body }, other);
    }
  }
  const before = await ask(`/users/${id}/access`);
  await scim.group('SecOps', [id]);
  const after = await ask(`/users/${id}/access`, { 'if-none-match': String(before.headers.etag) });
  t.match(after, { status: 200, body: { teams: [{ role: 'TEAM_ADMIN' }] } });
  t.not(after.headers.etag, before.headers.etag);
});

t.test("the product's own id is noted, told, unique in the tenant, and taken away again", async (t) => {
  const { scim, ask, tenant } = await makeWorld();
  const [{ id: ada }, { id: ben }] = [await scim.user('ada'), await scim.user('ben')];
  const put = (id: string, productUserId: unknown) =>
    ask<AnyBody>(`/users/${id}/product-user-id`, {}, 'PUT', { productUserId });
  t.match(await put(ada, 'p-1'), { status: 200, body: { id: ada, productUserId: 'p-1' } });
  t.match(await put(ada, 'p-1'), { status: 200 });
  t.match(await put(ben, 'p-1'), { status: 409, body: { reason: 'product_user_id_taken' } });
  t.match(await put(ada, null), { status: 200, body: { productUserId: null } });
  t.match(await put(ben, 'p-1'), { status: 200, body: { productUserId: 'p-1' } });
  for (const wrong of ['', 7, undefined, 'a\nb', 'x'.repeat(201)]) {
    t.match(await put(ada, wrong), { status: 400, body: { pointer: '/productUserId' } }, String(wrong));
  }
  t.match(await put(NOBODY, 'p-2'), { status: 404, body: { detail: 'User not found' } });
  const other = await makeWorld();
  const { id: eve } = await other.scim.user('eve');
  const theirs = await other.ask(`/users/${eve}/product-user-id`, {}, 'PUT', { productUserId: 'p-1' });
  t.equal(theirs.status, 200, 'another tenant has ids of its own');

  await app.sealEvents();
  const { body } = await app.admin<FeedPage>(
    'GET',
    `/tenants/${tenant.id}/events?type=user.product_id_changed`,
  );
  t.match(
    body.events.map(({ resource, before, after }) => [resource.id, before, after]),
    [
      [ada, { productUserId: null }, { productUserId: 'p-1' }],
      [ada, { productUserId: 'p-1' }, { productUserId: null }],
      [ben, { productUserId: null }, { productUserId: 'p-1' }],
    ],
  );
  t.match(body.events[0], { actor: { kind: 'service_key' }, resource: { type: 'User' } });
  t.match((await scim.ask('GET', `/Users/${ada}`)).body.meta, { version: /^W\/"1"|^W\/"1\./ });
});

t.test('of many who take one product id at the same time one has it, and the events agree', async (t) => {
  const { scim, ask, tenant } = await makeWorld();
  const users = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await scim.user(name)).id));
  const answers = await Promise.all(
    users.flatMap((id) =>
      ['p-1', 'p-2'].map((productUserId) =>
        ask(`/users/${id}/product-user-id`, {}, 'PUT', { productUserId }),
      ),
    ),
  );
  t.ok(answers.every(({ status }) => status === 200 || status === 409));
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>(
    'GET',
    `/tenants/${tenant.id}/events?type=user.product_id_changed`,
  );
  const told = new Map<unknown, unknown>();
  for (const { resource, before, after } of body.events) {
    t.same(
      before,
      { productUserId: told.get(resource.id) ?? null },
      'each event begins where the last ended',
    );
    told.set(resource.id, (after as AnyBody).productUserId);
  }
  for (const id of users) {
    const { user } = (await ask(`/users/${id}/access`)).body;
    t.equal(user.productUserId, told.get(id) ?? null);
  }
});

t.test('teams are listed, and their members page by page in the order of their ids', async (t) => {
  const { scim, ask, grant, response, fraud } = await makeWorld();
  const users = await Promise.all(['a', 'b', 'c'].map(async (name) => (await scim.user(name)).id));
  users.sort();
  const [first = '', second = '', third = ''] = users;
  await scim.group('Analysts', [first, third]);
  await grant({ target: response, user: first, origin: 'manual', role: 'VIEWER' });
  await grant({ target: response, user: second, origin: 'manual', role: 'VIEWER' });
  await grant({ target: response, user: randomUUID(), origin: 'manual', role: 'VIEWER' });
  interface Members {
    readonly members: readonly { readonly user: { readonly id: string }; readonly via: unknown }[];
    readonly next?: string;
  }
  t.match((await ask<AnyBody>('/teams')).body, {
    teams: [
      { id: response, name: 'Incident Response' },
      { id: fraud, kind: 'case_group' },
    ],
  });
  t.match((await ask<AnyBody>('/teams?kind=case_group')).body, { teams: [{ id: fraud }] });
  t.same((await ask(`/teams/${fraud}/members`)).body, { members: [] });
  const { body } = await ask<Members>(`/teams/${response}/members?limit=2`);
  t.match(body, {
    members: [
      { user: { id: first }, role: 'EDITOR', managedBy: 'scim:default', via: ['Analysts'] },
      { user: { id: second }, role: 'VIEWER', managedBy: 'manual', via: [] },
    ],
    next: second,
  });
  const rest = await ask<Members>(`/teams/${response}/members?limit=2&after=${body.next}`);
  t.match(rest.body.members, [{ user: { id: third } }]);
  t.equal(rest.body.members.length, 1, 'a grant of nobody is no member');
  for (const team of [NOBODY, 'Fraud']) {
    t.match(await ask(`/teams/${team}/members`), { status: 404, body: { detail: 'Team not found' } });
  }
});

t.test("a tenant's own key reads its tenant, and what is not there answers alike everywhere", async (t) => {
  const [own, other] = [await makeWorld(), await makeWorld()];
  const { key } = await app.apiKey(own.tenant, ['read']);
  const [{ id: mine }, { id: theirs }] = [await own.scim.user('ada'), await other.scim.user('ada')];
  const get = (tenant: string, path: string) => app.send('GET', `/api/v1/tenants/${tenant}${path}`, { key });
  t.match(await get(own.tenant.name, `/users/${mine}/access`), { status: 200, body: { user: { id: mine } } });
  const absent = { status: 404, body: { detail: 'User not found' } };
  for (const id of [theirs, NOBODY, 'ada']) {
    t.match(await get(own.tenant.id, `/users/${id}/access`), absent);
  }
  const none = { status: 404, body: { detail: 'Tenant not found' } };
  t.match(await get(other.tenant.id, `/users/${theirs}/access`), none);
  t.match(await get(NOBODY, `/users/${theirs}/access`), none);
});
