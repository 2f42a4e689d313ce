import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { UserView } from '../../../src/http/admin/user-shape.ts';
import { USER_TYPE } from '../../../src/scim/resource-types.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';
import { clientOf, PATCH_OP } from '../../support/client.ts';
import { backendsWaiting } from '../../support/events.ts';

/** Users whom admins write by hand: the same resources as SCIM's, of no directory. */

const app = await startApp(t);
const { pool } = app.context.db;

const pathOf = ({ id }: Tenant, userId = '') => `/tenants/${id}/users${userId && `/${userId}`}`;
const create = (tenant: Tenant, body: unknown) => app.admin<UserView>('POST', pathOf(tenant), body);
const read = async (tenant: Tenant, id: string) =>
  (await app.admin<UserView>('GET', pathOf(tenant, id))).body;
const patch = (tenant: Tenant, id: string, body: unknown) =>
  app.admin<UserView>('PATCH', pathOf(tenant, id), body);
const remove = (tenant: Tenant, id: string) => app.admin('DELETE', pathOf(tenant, id));

/** The events since the tenant was made, or those of one type. */
async function told(tenant: Tenant, type?: string) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?limit=1000`);
  return body.events.filter((event) =>
    type === undefined ? !/^(tenant|directory)\./.test(event.type) : event.type === type,
  );
}

const ADA = {
  userName: 'ada@example.com',
  externalId: 'x-1',
  productUserId: 'p-1',
  displayName: 'Ada Lovelace',
  givenName: 'Ada',
  familyName: 'Lovelace',
  email: 'ada@example.com',
  avatar: 'https://example.com/ada.png',
};

t.test('a user is created by hand: nobody manages them, they are active, and it is told', async (t) => {
  const tenant = await app.createTenant();
  const { status, body: made } = await create(tenant, ADA);
  t.equal(status, 201);
  t.match(made, {
    ...ADA,
    active: true,
    managedBy: null,
    tenantOwner: false,
    permissions: [],
    memberships: [],
  });
  t.same(await read(tenant, made.id), made);
  const bare = await create(tenant, { userName: 'bob', active: false });
  t.match(bare, {
    status: 201,
    body: { userName: 'bob', active: false, email: null, avatar: null, productUserId: null, givenName: null },
  });
  t.match(await told(tenant, 'user.created'), [
    {
      resource: { type: 'User', id: made.id },
      actor: { kind: 'operator' },
      before: null,
      after: {
        userName: ADA.userName,
        active: true,
        productUserId: 'p-1',
        emails: [{ value: ADA.email, type: 'work', primary: true }],
      },
    },
    { resource: { id: bare.body.id }, after: { userName: 'bob', active: false } },
  ]);
});

t.test('SCIM reads who was created by hand as a whole User, finds them, and adopts them', async (t) => {
  const tenant = await app.createTenant();
  const { body: made } = await create(tenant, ADA);
  const client = clientOf(app, await app.scimKey(tenant));
  const { body: resource } = await client.ask('GET', `/Users/${made.id}`);
  t.match(resource, {
    schemas: [USER_TYPE.schema.id],
    userName: ADA.userName,
    externalId: 'x-1',
    active: true,
    name: { givenName: 'Ada', familyName: 'Lovelace' },
    emails: [{ value: ADA.email, type: 'work', primary: true }],
    photos: [{ value: ADA.avatar, type: 'photo', primary: true }],
  });
  t.notOk('productUserId' in resource, 'the id of the product is none of SCIM’s');
  for (const filter of [
    'userName eq "ADA@example.com"',
    'externalId eq "x-1"',
    'displayName eq "ada lovelace"',
    'emails.value eq "ADA@EXAMPLE.COM"',
    'name.givenName sw "ad"',
  ]) {
    t.match((await client.list('/Users', filter)).body, { Resources: [{ id: made.id }] }, filter);
  }
  await client.patch(`/Users/${made.id}`, [{ op: 'replace', path: 'title', value: 'Countess' }]);
  t.match(await read(tenant, made.id), { managedBy: 'scim:default', productUserId: 'p-1' });
});

t.test('a change names what it changes; null clears; the event tells the difference', async (t) => {
  const tenant = await app.createTenant();
  const { body: made } = await create(tenant, ADA);
  const { status, body } = await patch(tenant, made.id, {
    userName: 'Ada',
    familyName: null,
    email: 'countess@example.com',
    avatar: null,
    externalId: null,
    productUserId: 'p-2',
  });
  t.equal(status, 200);
  t.same(body, {
    ...made,
    userName: 'Ada',
    familyName: null,
    email: 'countess@example.com',
    avatar: null,
    externalId: null,
    productUserId: 'p-2',
  });
  t.same(await read(tenant, made.id), body);
  const events = (await told(tenant)).slice(1);
  t.match(events, [
    { type: 'user.product_id_changed', before: { productUserId: 'p-1' }, after: { productUserId: 'p-2' } },
    {
      type: 'user.updated',
      before: { userName: ADA.userName, name: { familyName: 'Lovelace' }, photos: [{}], externalId: 'x-1' },
      after: { userName: 'Ada', name: { givenName: 'Ada' }, photos: null, externalId: null },
    },
  ]);
  t.equal(events[0]?.changeId, events[1]?.changeId);
  await patch(tenant, made.id, { userName: 'Ada', familyName: null, productUserId: 'p-2', active: true });
  t.equal((await told(tenant)).length, 3, 'where nothing differs, nothing is written');
});

t.test('what an admin does not name stays: other addresses, extensions, what SCIM wrote', async (t) => {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}`;
  const urn = 'urn:example:badge';
  await app.admin('POST', `${path}/schema-extensions`, {
    id: urn,
    name: 'Badge',
    attributes: [
      { name: 'badge', required: true },
      { name: 'pin', mutability: 'writeOnly', returned: 'never' },
    ],
  });
  await app.admin('POST', `${path}/directories`, { name: 'okta' });
  const okta = clientOf(app, await app.scimKey(tenant, 'okta'));
  const emails = [
    { value: 'home@example.com', type: 'home' },
    { value: 'work@example.com', type: 'work', primary: true, display: 'Work' },
  ];
  const { id } = await okta.user('ada', {
    name: { givenName: 'Ada', formatted: 'Ada L.' },
    emails,
    [urn]: { badge: '7', pin: 'secret-pin' },
  });
  t.equal((await app.admin('DELETE', `${path}/directories/okta?users=release`)).status, 204);
  t.match(await patch(tenant, id, { givenName: 'Augusta', email: 'new@example.com' }), {
    status: 200,
    body: { givenName: 'Augusta', email: 'new@example.com' },
  });
  const client = clientOf(app, await app.scimKey(tenant));
  const { body } = await client.ask('GET', `/Users/${id}`);
  t.match(body, { name: { givenName: 'Augusta', formatted: 'Ada L.' }, [urn]: { badge: '7' } });
  t.same(body.emails, [emails[0], { value: 'new@example.com', type: 'work', primary: true }]);
  t.match((await client.list('/Users', `${urn}:badge eq "7"`)).body, { totalResults: 1 });
  t.notMatch(JSON.stringify(await told(tenant)), 'secret-pin', 'what is never returned is in no event');
  t.match((await patch(tenant, id, { email: null })).body, { email: null }, 'no other address comes forward');
});

t.test('a name and a product id are taken once in a tenant', async (t) => {
  const [tenant, other] = [await app.createTenant(), await app.createTenant()];
  const { body: made } = await create(tenant, ADA);
  const { body: bob } = await create(tenant, { userName: 'bob' });
  t.equal((await create(other, ADA)).status, 201);
  const name = { status: 409, body: { reason: 'name_taken', pointer: '/userName' } };
  const productId = { status: 409, body: { reason: 'product_user_id_taken', pointer: '/productUserId' } };
  t.match(await create(tenant, { userName: 'ADA@example.com' }), name);
  t.match(await patch(tenant, bob.id, { userName: 'Ada@example.com' }), name);
  t.match(await create(tenant, { userName: 'carol', productUserId: 'p-1' }), productId);
  t.match(await patch(tenant, bob.id, { productUserId: 'p-1', displayName: 'Bob' }), productId);
  t.match(await read(tenant, bob.id), { displayName: null }, 'a refused change is not half done');
  t.equal((await patch(tenant, made.id, { productUserId: null })).status, 200);
  t.equal((await patch(tenant, bob.id, { productUserId: 'p-1' })).status, 200);
});

t.test('what no user can have is refused with its place', async (t) => {
  const tenant = await app.createTenant({ userNameMustBeEmail: true });
  const { body: made } = await create(tenant, { userName: 'ada@example.com' });
  const wrong: readonly (readonly [body: object, detail: RegExp])[] = [
    [{ userName: '' }, /\/userName/],
    [{ userName: null }, /\/userName/],
    [{ userName: 'ada' }, /must be an e-mail address/],
    [{ userName: `${'ä'.repeat(1_001)}@example.com` }, /userName is longer than 2000 bytes/],
    [{ userName: `a${'\u0301'.repeat(31)}@example.com` }, /combining marks/],
    [{ active: null }, /\/active/],
    [{ active: 'true' }, /\/active/],
    [{ displayName: '' }, /\/displayName/],
    [{ displayName: 'a\nb' }, /\/displayName/],
    [{ email: 'x'.repeat(321) }, /\/email/],
    [{ productUserId: 7 }, /\/productUserId/],
    [{ managedBy: 'scim:okta' }, /\/managedBy/],
    [{ id: made.id }, /\/id/],
  ];
  for (const [body, detail] of wrong) {
    const refusal = { status: 400, body: { code: 'invalid_request', detail } };
    t.match(await create(tenant, { userName: 'new@example.com', ...body }), refusal, JSON.stringify(body));
    t.match(await patch(tenant, made.id, body), refusal, JSON.stringify(body));
  }
  t.match(await create(tenant, {}), { status: 400, body: { pointer: '/userName' } });
  t.equal((await told(tenant)).length, 1);
});

t.test('what a directory manages is refused, and the refusal names the directory', async (t) => {
  const tenant = await app.createTenant();
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
  const okta = clientOf(app, await app.scimKey(tenant, 'okta'));
  const { id } = await okta.user('ada');
  const refusal = {
    status: 409,
    body: { code: 'conflict', reason: 'managed_user', detail: /directory "okta"/, managedBy: 'scim:okta' },
  };
  for (const body of [{ displayName: 'Ada' }, { active: false }, { productUserId: 'p-1', userName: 'eve' }]) {
    t.match(await patch(tenant, id, body), refusal, JSON.stringify(body));
  }
  t.match(await remove(tenant, id), refusal);
  t.match(await read(tenant, id), { displayName: null, active: true, productUserId: null });
  const { meta } = (await okta.ask('GET', `/Users/${id}`)).body;
  t.match(await patch(tenant, id, { productUserId: 'p-1' }), { status: 200, body: { productUserId: 'p-1' } });
  t.same((await okta.ask('GET', `/Users/${id}`)).body.meta, meta, 'the SCIM resource is as it was');
  t.equal((await patch(tenant, id, {})).status, 200);
});

t.test(
  'who is deactivated by hand loses all access at once, and gets it back when active again',
  async (t) => {
    const tenant = await app.createTenant();
    const path = `/tenants/${tenant.id}`;
    const { body: team } = await app.admin<{ id: string }>('POST', `${path}/teams`, { name: 'T' });
    await app.admin('POST', `${path}/permissions`, { name: 'AUDIT' });
    const { body: ada } = await create(tenant, { userName: 'ada' });
    await app.admin('PUT', `${path}/teams/${team.id}/members/${ada.id}`, { role: 'EDITOR' });
    await app.admin('PUT', `${path}/permissions/AUDIT/${ada.id}`);
    const held = await read(tenant, ada.id);
    t.match(held, { permissions: ['AUDIT'], memberships: [{ role: 'EDITOR', origin: 'manual' }] });
    const before = (await told(tenant)).length;
    const away = await patch(tenant, ada.id, { active: false });
    t.match(away.body, { active: false, permissions: [] });
    t.same(away.body.memberships, []);
    t.same((await patch(tenant, ada.id, { active: true })).body, held);
    const events = (await told(tenant)).slice(before);
    const types = events.map(({ type }) => type).filter((type) => !type.startsWith('grant.'));
    t.same(
      [types.slice(0, 3), types.slice(3)].map(([first, ...others]) => [first, ...others.sort()]),
      [
        ['user.deactivated', 'membership.removed', 'permission.removed'],
        ['user.activated', 'membership.added', 'permission.added'],
      ],
    );
    const changes = new Set(events.map(({ changeId }) => changeId));
    t.equal(changes.size, 2, 'each with what follows from it is one change');
  },
);

t.test('who is deleted by hand is gone with all that they held; the name is free', async (t) => {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}`;
  const { body: team } = await app.admin<{ id: string }>('POST', `${path}/teams`, { name: 'T' });
  const { body: ada } = await create(tenant, ADA);
  await app.admin('PUT', `${path}/teams/${team.id}/members/${ada.id}`, { role: 'EDITOR' });
  await app.admin('PUT', `${path}/owners/${ada.id}`);
  t.match(await remove(tenant, ada.id), { status: 204, text: '' });
  t.equal((await app.admin('GET', pathOf(tenant, ada.id))).status, 404);
  t.match(await remove(tenant, ada.id), { status: 404, body: { detail: 'User not found' } });
  t.match(await patch(tenant, ada.id, { displayName: 'x' }), { status: 404 });
  const { rows } = await pool.query('select from access_grant where tenant_id = $1', [tenant.id]);
  t.same(rows, [], 'no grant is left behind');
  t.match(await told(tenant, 'user.deleted'), [
    { resource: { id: ada.id }, before: { userName: ADA.userName, active: true }, after: null },
  ]);
  t.match(await told(tenant, 'membership.removed'), [
    { resource: { id: team.id }, before: { users: [ada.id] } },
  ]);
  t.equal((await create(tenant, ADA)).status, 201);
});

t.test('of two who take one name at once, one is refused', async (t) => {
  const tenant = await app.createTenant();
  const client = await pool.connect();
  await client.query('begin; lock table scim_user in share mode');
  const racing = ['ada', 'ADA'].map((userName) => create(tenant, { userName }));
  await backendsWaiting(app.context.db, 2);
  await client.query('commit');
  client.release();
  t.same((await Promise.all(racing)).map(({ status }) => status).sort(), [201, 409]);
});

t.test('who is adopted while an admin edits is refused, not written over', async (t) => {
  const tenant = await app.createTenant();
  const { body: ada } = await create(tenant, { userName: 'ada' });
  const scim = clientOf(app, await app.scimKey(tenant));
  const client = await pool.connect();
  await client.query('begin');
  await client.query('select from scim_user where tenant_id = $1 and id = $2 for update', [
    tenant.id,
    ada.id,
  ]);
  const adopting = scim.ask('PATCH', `/Users/${ada.id}`, {
    schemas: [PATCH_OP],
    Operations: [{ op: 'replace', path: 'displayName', value: 'By SCIM' }],
  });
  await backendsWaiting(app.context.db, 1);
  const editing = patch(tenant, ada.id, { displayName: 'By hand' });
  await backendsWaiting(app.context.db, 2);
  await client.query('commit');
  client.release();
  t.equal((await adopting).status, 200);
  t.match(await editing, { status: 409, body: { reason: 'managed_user' } });
  t.match(await read(tenant, ada.id), { displayName: 'By SCIM', managedBy: 'scim:default' });
});
