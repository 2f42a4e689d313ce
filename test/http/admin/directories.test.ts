import t from 'tap';
import type { FeedEvent, FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { backendsWaiting } from '../../support/events.ts';

interface DirectoryBody {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly createdAt: string;
}

const app = await startApp(t);

t.test('a directory is made, read, changed and listed', async (t) => {
  const path = `/tenants/${(await app.createTenant()).name}/directories`;
  const made = await app.admin<DirectoryBody>('POST', path, { name: 'okta', displayName: 'Okta' });
  t.match(made, { status: 201, body: { name: 'okta', displayName: 'Okta' } });
  t.same((await app.admin('GET', `${path}/okta`)).body, made.body);
  const changed = await app.admin('PATCH', `${path}/okta`, { displayName: null });
  t.same(changed.body, { ...made.body, displayName: null });
  const first = await app.admin<{ directories: DirectoryBody[]; next: string }>('GET', `${path}?limit=1`);
  t.match(first.body.directories, [{ name: 'default' }]);
  const second = await app.admin('GET', `${path}?after=${first.body.next}`);
  t.same(second.body, { directories: [changed.body] });
});

t.test('a name is taken once in a tenant, and free in another', async (t) => {
  const [one, other] = [await app.createTenant(), await app.createTenant()];
  const create = (tenant: Tenant) => app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
  t.equal((await create(one)).status, 201);
  t.match(await create(one), { status: 409, body: { reason: 'name_taken', pointer: '/name' } });
  t.equal((await create(other)).status, 201);
});

t.test('a change is told; one that changes nothing is not', async (t) => {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}/directories/default`;
  const before = (await app.admin('GET', path)).body;
  const after = (await app.admin('PATCH', path, { displayName: 'Main' })).body;
  t.same((await app.admin('PATCH', path, { displayName: 'Main' })).body, after);
  t.same((await app.admin('PATCH', path, {})).body, after);
  const events = await eventsOf(tenant);
  t.match(events.slice(2), [{ type: 'directory.updated', before, after }]);
  t.equal(events.length, 3);
});

t.test('what is no directory is 404, and a wrong request is 400', async (t) => {
  const path = `/tenants/${(await app.createTenant()).id}/directories`;
  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    const answer = await app.admin(method, `${path}/none?users=release`, method === 'PATCH' ? {} : undefined);
    t.match(
      answer,
      method === 'GET' ? { status: 404 } : { status: 404, body: { detail: 'Directory not found' } },
    );
  }
  t.match(await app.admin('POST', path, { name: 'No' }), { status: 400, body: { pointer: '/name' } });
  t.match(await app.admin('PATCH', `${path}/default`, { name: 'x' }), {
    status: 400,
    body: { pointer: '/name' },
  });
});

t.test('deleting one asks what becomes of its users', async (t) => {
  const path = `/tenants/${(await app.createTenant()).id}/directories`;
  await app.admin('POST', path, { name: 'okta' });
  t.match(await app.admin('DELETE', `${path}/okta`), {
    status: 400,
    body: { code: 'invalid_request', pointer: 'users', detail: 'users is missing' },
  });
  t.match(await app.admin('DELETE', `${path}/okta?users=keep`), {
    status: 400,
    body: { pointer: 'users', hint: 'Possible: release, deactivate.' },
  });
  t.equal((await app.admin('GET', `${path}/okta`)).status, 200);
});

t.test('the directory default stays', async (t) => {
  const path = `/tenants/${(await app.createTenant()).id}/directories/default`;
  t.match(await app.admin('DELETE', `${path}?users=release`), {
    status: 409,
    body: { reason: 'default_directory' },
  });
  t.equal((await app.admin('GET', path)).status, 200);
});

t.test('release keeps its users as they were, unmanaged; its groups, members and keys go', async (t) => {
  const { tenant, directory, users, group, apiKey } = await populated();
  const before = await storedUsers(tenant);
  const answer = await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);
  t.match(answer, { status: 204, text: '' });

  t.same(
    await storedUsers(tenant),
    before.map((user) => ({ ...user, directory_id: null })),
  );
  t.same(await groupsAndMembers(tenant), []);
  t.notMatch((await app.admin('GET', `/tenants/${tenant.id}/api-keys`)).text, apiKey.id);
  t.same(await lastChange(tenant), [
    { type: 'group.deleted', id: directory.id, before: { groups: [group] }, after: null },
    {
      type: 'user.released',
      id: directory.id,
      before: null,
      after: { users: [users.active, users.inactive] },
    },
    { type: 'api_key.revoked', id: apiKey.id, before: null, after: null },
    { type: 'directory.deleted', id: directory.id, before: directory, after: null },
  ]);
  const heir = await app.send('GET', '/api/scim/v2/Users', { key: await app.scimKey(tenant) });
  t.match(heir.body, { totalResults: 2 }, 'the directory that is left may adopt them');
});

t.test('deactivate ends the access of those who had it, with a new version', async (t) => {
  const { tenant, directory, users } = await populated();
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=deactivate`);
  t.match(await storedUsers(tenant), [
    { id: users.active, directory_id: null, active: false, version: 2 },
    { id: users.inactive, directory_id: null, active: false, version: 1 },
  ]);
  t.match((await lastChange(tenant)).slice(1, 3), [
    { type: 'user.deactivated', id: directory.id, after: { users: [users.active] } },
    { type: 'user.released', id: directory.id, after: { users: [users.active, users.inactive] } },
  ]);
});

t.test('1,001 users are told in two events of one change', async (t) => {
  const { tenant, directory } = await populated();
  await app.context.db.pool.query(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at,
                            body, search, lookup)
     select $1, gen_random_uuid(), $2, 'user-' || n, true, 1, now(), now(), '{}', '{}', '{}'
     from generate_series(1, 999) n`,
    [tenant.id, directory.id],
  );
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);
  const released = (await lastChange(tenant)).filter((event) => event.type === 'user.released');
  t.same(
    released.map(({ after }) => (after as { users: string[] }).users.length),
    [1_000, 1],
  );
});

t.test('the other directories of the tenant, and other tenants, keep what is theirs', async (t) => {
  const [{ tenant }, other] = [await populated(), await populated()];
  const key = await app.scimKey(tenant);
  await app.send('POST', '/api/scim/v2/Groups', { key, body: { displayName: 'Kept' } });
  const before = await storedUsers(other.tenant);
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=deactivate`);
  t.match(await groupsAndMembers(tenant), [{ display_name: 'Kept' }]);
  t.same(await storedUsers(other.tenant), before);
  t.equal((await groupsAndMembers(other.tenant)).length, 1);
});

t.test('a deletion waits for the writes that have begun', async (t) => {
  const { tenant } = await populated();
  const writer = await app.context.db.pool.connect();
  await writer.query('begin');
  await writer.query('select pg_advisory_xact_lock_shared(hashtextextended($1::text, 0))', [tenant.id]);
  const deletion = app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);
  await backendsWaiting(app.context.db, 1);
  await writer.query('commit');
  writer.release();
  t.equal((await deletion).status, 204);
});

t.test('what is asked for while its tenant is being deleted is 404, and not an error', async (t) => {
  const tenant = await app.createTenant();
  const deletion = await app.context.db.pool.connect();
  await deletion.query('begin');
  await deletion.query('delete from tenant where tenant_id = $1', [tenant.id]);
  const answers = Promise.all([
    app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'late' }),
    app.admin('PATCH', `/tenants/${tenant.id}`, { displayName: 'Late' }),
  ]);
  await backendsWaiting(app.context.db, 2);
  await deletion.query('commit');
  deletion.release();
  for (const answer of await answers) {
    t.match(answer, { status: 404, body: { code: 'not_found', detail: 'Tenant not found' } });
  }
});

t.test('a key for a directory that is being deleted is refused like one for none', async (t) => {
  const { tenant, directory } = await populated();
  const deletion = await app.context.db.pool.connect();
  await deletion.query('begin');
  await deletion.query('update scim_user set directory_id = null where directory_id = $1', [directory.id]);
  await deletion.query('delete from directory where tenant_id = $1 and id = $2', [tenant.id, directory.id]);
  const body = { name: 'Late', scopes: ['scim'], directory: 'okta' };
  const answer = app.admin('POST', `/tenants/${tenant.id}/api-keys`, body);
  await backendsWaiting(app.context.db, 1);
  await deletion.query('commit');
  deletion.release();
  t.match(await answer, { status: 400, body: { pointer: '/directory' } });
});

/** A tenant whose directory `okta` has an active user in a group, an inactive user, and a key. */
async function populated() {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}/directories`;
  const { body: directory } = await app.admin<DirectoryBody>('POST', path, { name: 'okta' });
  const apiKey = await app.apiKey(tenant, ['scim'], { directory: 'okta' });
  const create = async (endpoint: string, body: unknown) => {
    const answer = await app.send<{ id: string }>('POST', `/api/scim/v2/${endpoint}`, {
      key: apiKey.key,
      body,
    });
    return answer.body.id;
  };
  const active = await create('Users', { userName: 'active' });
  const inactive = await create('Users', { userName: 'inactive', active: false });
  const group = await create('Groups', { displayName: 'Employees', members: [{ value: active }] });
  return { tenant, directory, apiKey, group, users: { active, inactive } };
}

async function storedUsers(tenant: Tenant): Promise<AnyBody[]> {
  const { kysely } = app.context.db;
  return kysely
    .selectFrom('scim_user')
    .selectAll()
    .where('tenant_id', '=', tenant.id)
    .orderBy('id')
    .execute();
}

async function groupsAndMembers(tenant: Tenant): Promise<AnyBody[]> {
  const { rows } = await app.context.db.pool.query(
    'select * from scim_group g full join group_member m using (tenant_id) where tenant_id = $1',
    [tenant.id],
  );
  return rows;
}

async function eventsOf(tenant: Tenant): Promise<FeedEvent[]> {
  await app.sealEvents();
  return (await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?limit=1000`)).body.events;
}

/** The events that share the change of the tenant's last one. */
async function lastChange(tenant: Tenant) {
  const events = await eventsOf(tenant);
  return events
    .filter((event) => event.changeId === events.at(-1)?.changeId)
    .map(({ type, resource, before, after }) => ({ type, id: resource.id, before, after }));
}
