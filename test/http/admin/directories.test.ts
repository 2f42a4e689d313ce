import t from 'tap';
import type { FeedEvent, FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { clientOf, GROUP } from '../../support/client.ts';
import { backendsWaiting } from '../../support/events.ts';
import { runs } from '../../support/runs.ts';

interface DirectoryBody {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly createdAt: string;
}

const app = await startApp(t);

/** Texts that no directory can be called, and some that PostgreSQL cannot even be asked for. */
const NO_NAMES = ['%00', 'a%00', '%F0%9F%98%80', 'Okta', '-a', 'a%2Fb', "'", 'a'.repeat(64), '%EF%BF%BF'];

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
  for (const name of ['none', ...NO_NAMES]) {
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const query = method === 'DELETE' ? '?users=release' : '';
      const answer = await app.admin(method, `${path}/${name}${query}`, method === 'PATCH' ? {} : undefined);
      t.match(answer, { status: 404, body: { detail: 'Directory not found' } }, `${method} ${name}`);
    }
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
  const released = { type: 'user.released', before: { directory: directory.id }, after: null };
  t.same(await lastChange(tenant), [
    {
      type: 'group.deleted',
      resource: { type: 'Group', id: group },
      before: { schemas: [GROUP], displayName: 'Employees' },
      after: null,
    },
    { ...released, resource: { type: 'User', id: users.active } },
    { ...released, resource: { type: 'User', id: users.inactive } },
    { type: 'api_key.revoked', resource: { type: 'ApiKey', id: apiKey.id }, before: null, after: null },
    {
      type: 'directory.deleted',
      resource: { type: 'Directory', id: directory.id },
      before: directory,
      after: null,
    },
  ]);
  const heir = await app.send('GET', '/api/scim/v2/Users', { key: await app.scimKey(tenant) });
  t.match(heir.body, { totalResults: 2 }, 'the directory that is left may adopt them');
});

t.test('a directory stays while rows of the mapping are restricted to it', async (t) => {
  const { tenant } = await populated();
  const row = { group_name: 'A', team_name: 'T', role_name: 'VIEWER' };
  const put = (mappings: object[]) => app.admin('PUT', `/tenants/${tenant.id}/group-mapping`, { mappings });
  const remove = () => app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);
  await put([row, { ...row, directory: 'okta' }]);
  t.match(await remove(), {
    status: 409,
    body: { reason: 'in_use', uses: { rows: ['/mappings/1'], users: 0 } },
  });
  await put([row]);
  t.equal((await remove()).status, 204);
});

t.test('deactivate is confirmed with the number of those who could not sign in any more', async (t) => {
  const { tenant, users } = await populated();
  const path = `/tenants/${tenant.id}/directories/okta?users=deactivate`;
  const tried = await app.admin('DELETE', `${path}&dryRun=true`);
  t.match(tried, { status: 200, body: { shutOut: 1, plan: { remove: 0 } } });
  const refused = await app.admin('DELETE', path);
  t.match(refused, { status: 409, body: { reason: 'confirm_required', confirm: 1 } });
  t.match(await storedUsers(tenant), [{ id: users.active, active: true }, { id: users.inactive }]);
  t.equal((await app.admin('DELETE', `${path}&confirm=1`)).status, 204);
});

t.test('deactivate ends the access of those who had it, with a new version', async (t) => {
  const { tenant, users } = await populated();
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=deactivate&confirm=1`);
  t.match(await storedUsers(tenant), [
    { id: users.active, directory_id: null, active: false, version: 2 },
    { id: users.inactive, directory_id: null, active: false, version: 1 },
  ]);
  t.match((await lastChange(tenant)).slice(1, 4), [
    {
      type: 'user.deactivated',
      resource: { type: 'User', id: users.active },
      before: { active: true },
      after: { active: false },
    },
    { type: 'user.released', resource: { id: users.active } },
    { type: 'user.released', resource: { id: users.inactive } },
  ]);
});

t.test('the feed of one user shows who ended their access, and when', async (t) => {
  const { tenant, users } = await populated();
  const { headers } = await app.admin(
    'DELETE',
    `/tenants/${tenant.id}/directories/okta?users=deactivate&confirm=1`,
  );
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?resource=${users.active}`);
  t.match(
    body.events.map(({ type }) => type),
    ['user.created', 'user.deactivated', 'user.released'],
  );
  t.match(body.events.at(1), { actor: { kind: 'operator' }, requestId: headers['x-request-id'] });
});

t.test('a released user stays a member of another directory’s group, which keeps its version', async (t) => {
  const { tenant, users } = await populated();
  const other = clientOf(app, await app.scimKey(tenant));
  const { id: kept } = await other.group('Kept');
  // No request does this: it is what a mistake elsewhere could have left behind.
  await app.context.db.pool.query(
    'insert into group_member (tenant_id, group_id, user_id) values ($1, $2, $3)',
    [tenant.id, kept, users.active],
  );
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=deactivate&confirm=1`);
  t.match(await groupsAndMembers(tenant), [{ id: kept, version: 1, user_id: users.active }]);
  t.match((await other.ask('GET', `/Groups/${kept}`)).body.members, [{ value: users.active }]);
});

t.test('the other directories of the tenant, and other tenants, keep what is theirs', async (t) => {
  const [{ tenant }, other] = [await populated(), await populated()];
  const key = await app.scimKey(tenant);
  await app.send('POST', '/api/scim/v2/Groups', { key, body: { displayName: 'Kept' } });
  const before = await storedUsers(other.tenant);
  await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=deactivate&confirm=1`);
  t.match(await groupsAndMembers(tenant), [{ display_name: 'Kept' }]);
  t.same(await storedUsers(other.tenant), before);
  t.equal((await groupsAndMembers(other.tenant)).length, 1);
});

t.test('users pushed while their directory is deleted are created and released, or refused', async (t) => {
  const tenant = await app.createTenant();
  for (let round = 0; round < runs(40, 500); round += 1) {
    const name = `round-${round}`;
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name });
    const client = clientOf(app, await app.scimKey(tenant, name));
    const push = (index: number) => client.ask('POST', '/Users', { userName: `${round}-${index}` });
    const [deleted, ...pushed] = await Promise.all([
      app.admin('DELETE', `/tenants/${tenant.id}/directories/${name}?users=release`),
      ...Array.from({ length: 8 }, (_, index) => push(index)),
    ]);
    t.equal(deleted.status, 204, deleted.text);
    for (const { status, text } of pushed) t.ok([201, 401, 404].includes(status), `${status} ${text}`);
    const created = pushed.filter(({ status }) => status === 201).map(({ body }) => body.id);
    const events = (await lastChange(tenant)).filter(({ type }) => type === 'user.released');
    t.same(events.map(({ resource }) => resource.id).sort(), created.sort(), 'who was created was released');
  }
  const left = (await storedUsers(tenant)).filter((user) => user.directory_id !== null);
  t.same(left, [], 'nobody is left to a directory that is not there');
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
  const events: FeedEvent[] = [];
  let cursor = '0';
  for (;;) {
    const path = `/tenants/${tenant.id}/events?limit=1000&after=${cursor}`;
    const { body } = await app.admin<FeedPage>('GET', path);
    if (body.events.length === 0) return events;
    events.push(...body.events);
    cursor = body.cursor;
  }
}

/** The events that share the change of the tenant's last one. */
async function lastChange(tenant: Tenant) {
  const events = await eventsOf(tenant);
  return events
    .filter((event) => event.changeId === events.at(-1)?.changeId)
    .map(({ type, resource, before, after }) => ({ type, resource, before, after }));
}
