import t from 'tap';
import { changeFewMembers, type MemberDifference } from '../../src/actions/change-members.ts';
import { createUsers } from '../../src/actions/create-users.ts';
import { deleteUsers } from '../../src/actions/delete-users.ts';
import type { Outcome } from '../../src/actions/outcome.ts';
import { patchGroups } from '../../src/actions/patch-groups.ts';
import { patchUsers } from '../../src/actions/patch-users.ts';
import { replaceGroups } from '../../src/actions/replace-groups.ts';
import type { ScimActor } from '../../src/context.ts';
import { readPatch } from '../../src/scim/patch.ts';
import { BASE_TYPES, GROUP_TYPE, USER_TYPE } from '../../src/scim/resource-types.ts';
import type { Resource } from '../../src/scim/types.ts';
import { startApp } from '../support/app.ts';
import { clientOf, GROUP, USER } from '../support/client.ts';
import { reading } from '../support/scim.ts';

/** Hot actions take lists: one outcome each, in order, and one that is refused harms no other. */

const app = await startApp(t);
const tenant = await app.createTenant();
const client = clientOf(app, await app.scimKey(tenant));
const { rows } = await app.context.db.pool.query('select id, name from directory where tenant_id = $1', [
  tenant.id,
]);
const actor: ScimActor = {
  principal: {
    kind: 'api_key',
    id: tenant.id,
    name: 'list',
    scopes: ['scim'],
    tenant: { id: tenant.id, name: tenant.name, settings: tenant.settings, extensions: [], schemaVersion: 0 },
    directory: rows[0],
  },
  requestId: 'list',
  tenantId: tenant.id,
  directoryId: rows[0].id,
  settings: tenant.settings,
  types: BASE_TYPES,
  schemaVersion: 0,
};

const requestId = 'list';
const resource = (userName: string): Resource => ({ schemas: [USER], userName });
const patchOf = (type: typeof USER_TYPE, ...operations: object[]) =>
  readPatch({ Operations: operations } as never, type, reading());
const retitle = (title: string) => patchOf(USER_TYPE, { op: 'add', path: 'title', value: title });

/** `ok`, or why not. */
const said = (outcomes: readonly Outcome<unknown>[]) =>
  outcomes.map((outcome) => ('value' in outcome ? 'ok' : outcome.refusal.message.replace(/;.*| \(.*/, '')));

t.test('of equal names in one list the first is created', async (t) => {
  const names = ['ann', 'bob', 'ANN', 'eve'];
  const outcomes = await createUsers(
    app.context,
    actor,
    names.map((name) => ({ requestId, resource: resource(name) })),
  );
  const taken = 'A user with this userName exists in this tenant';
  t.same(said(outcomes), ['ok', 'ok', taken, 'ok']);
});

t.test('several writes of one user come in their order, and one that fails harms no other', async (t) => {
  const ids = await Promise.all(['u1', 'u2'].map(async (name) => (await client.user(name)).id));
  const [first = '', second = ''] = ids;
  const outcomes = await patchUsers(app.context, actor, [
    { id: first, requestId, operations: retitle('A') },
    {
      id: second,
      requestId,
      operations: patchOf(USER_TYPE, { op: 'replace', path: 'userName', value: 'U1' }),
    },
    { id: first, requestId, operations: retitle('B') },
    { id: first, requestId, operations: retitle('C'), ifMatch: [1] },
    { id: 'nobody', requestId, operations: retitle('D') },
    { id: second, requestId, operations: retitle('E') },
  ]);
  t.same(said(outcomes), [
    'ok',
    'A user with this userName exists in this tenant',
    'ok',
    'The resource has another version than If-Match names',
    'User not found',
    'ok',
  ]);
  const read = async (id: string) => (await client.ask('GET', `/Users/${id}`)).body;
  t.match(await read(first), { title: 'B', meta: { version: 'W/"3"' } });
  t.match(await read(second), { userName: 'u2', title: 'E' });
});

const together = (by: ScimActor, few: readonly MemberDifference[]) => changeFewMembers(app.context, by, few);

t.test('writes of several groups, and of one group many times', async (t) => {
  const members = await Promise.all(
    Array.from({ length: 70 }, async (_, index) => (await client.user(`m${index}`)).id),
  );
  const one = await client.group('One');
  const two = await client.group('Two');
  const adding = members.map((value) => ({
    id: one.id,
    requestId,
    operations: patchOf(GROUP_TYPE, { op: 'add', path: 'members', value: [{ value }] }),
  }));
  const rename = { op: 'replace', path: 'displayName', value: 'ONE' };
  const outcomes = await patchGroups(
    app.context,
    actor,
    [...adding, { id: two.id, requestId, operations: patchOf(GROUP_TYPE, rename) }],
    { members: false, baseUrl: 'http://rollcall.test/api/scim/v2', together },
  );
  t.same(said(outcomes), [
    ...members.map(() => 'ok'),
    'A group with this displayName exists in this directory',
  ]);
  t.equal((await client.ask('GET', `/Groups/${one.id}`)).body.members?.length, members.length);

  const replaced = await replaceGroups(
    app.context,
    actor,
    [
      {
        id: one.id,
        requestId,
        resource: { schemas: [GROUP], displayName: 'One' },
        members: members.slice(0, 2),
      },
      { id: two.id, requestId, resource: { schemas: [GROUP], displayName: 'Two' }, members: [tenant.id] },
    ],
    { members: true },
  );
  t.match(said(replaced), ['ok', /^"members" names/]);
});

t.test('a list of deletions says of each whether it was there', async (t) => {
  const { id } = await client.user('leaver');
  const outcomes = await deleteUsers(app.context, actor, [
    { id, requestId },
    { id, requestId },
    { id: tenant.id, requestId },
  ]);
  t.same(said(outcomes), ['ok', 'User not found', 'User not found']);
});
