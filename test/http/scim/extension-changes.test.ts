import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, SCIM, USER } from '../../support/client.ts';

/** A definition changes under clients whose key still knows the old one: it is remembered for 0.9 seconds. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const app = await startApp(t, { now: () => new Date(clock.now) });
const URN = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User';

/** A tenant with these attributes, and two keys: `stale` has been looked up, `fresh` not yet. */
async function tenantWith(attributes: readonly object[]) {
  const tenant = await app.createTenant();
  const path = `/tenants/${tenant.id}/schema-extensions`;
  await app.admin('POST', path, { id: URN, name: 'Custom', attributes });
  const stale = clientOf(app, await app.scimKey(tenant));
  await stale.ask('GET', '/Users');
  const replace = async (next: readonly object[]) => {
    const { status, text } = await app.admin('PUT', `${path}/${URN}`, { name: 'Custom', attributes: next });
    if (status !== 200) throw new Error(text);
  };
  return { tenant, stale, replace, fresh: clientOf(app, await app.scimKey(tenant)), path };
}

t.test('a key sees a new definition within a second, and writes nothing by the old one', async (t) => {
  const { stale, fresh, replace } = await tenantWith([{ name: 'a' }]);
  const { id } = await fresh.user('known', { [URN]: { a: 'x' } });
  await replace([{ name: 'a' }, { name: 'b' }]);
  const create = (client: typeof stale, userName: string) =>
    client.ask('POST', '/Users', { schemas: [USER], userName, [URN]: { a: 'x', b: 'y' } });
  const retitle = [{ op: 'replace', path: 'title', value: 'Engineer' }];
  const refused = [
    await create(stale, 'too-early'),
    await stale.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'known' }),
    await stale.patch(`/Users/${id}`, retitle),
    await stale.ask('DELETE', `/Users/${id}`),
  ];
  for (const { status, headers, text } of refused) {
    t.equal(status, 503, text);
    t.match(headers, { 'retry-after': '2' });
  }
  clock.now += 900;
  t.match(await stale.ask('GET', `/Users/${id}`), { status: 200, body: { [URN]: { a: 'x' } } });
  t.equal((await stale.list('/Users', 'title pr')).body.totalResults, 0, 'nothing was written');
  t.same((await create(stale, 'in-time')).body[URN], { a: 'x', b: 'y' });
  t.equal((await stale.patch(`/Users/${id}`, retitle)).status, 200);
});

t.test('what is never returned cannot be written behind the end of its definition', async (t) => {
  for (const change of ['DELETE', 'PUT'] as const) {
    const { stale, fresh, path } = await tenantWith([
      { name: 'pin', mutability: 'writeOnly', returned: 'never' },
    ]);
    const body = { name: 'Custom', attributes: [{ name: 'pin' }] };
    const changed = await app.admin(change, `${path}/${URN}`, change === 'PUT' ? body : undefined);
    t.ok(changed.status < 300, changed.text);
    const user = { schemas: [USER], userName: 'late', [URN]: { pin: 'secret' } };
    t.equal((await stale.ask('POST', '/Users', user)).status, 503);
    t.equal((await fresh.list('/Users', 'userName pr')).body.totalResults, 0);
    clock.now += 900;
  }
});

t.test('an extension that has just been declared is lost by no writer that does not know it', async (t) => {
  const tenant = await app.createTenant();
  const stale = clientOf(app, await app.scimKey(tenant));
  await stale.ask('GET', '/Users');
  const path = `/tenants/${tenant.id}/schema-extensions`;
  await app.admin('POST', path, { id: URN, name: 'Custom', attributes: [{ name: 'a' }] });
  const fresh = clientOf(app, await app.scimKey(tenant));
  const { id } = await fresh.user('ada', { [URN]: { a: 'x' } });
  const retitle = [{ op: 'replace', path: 'title', value: 'Engineer' }];
  t.equal((await stale.patch(`/Users/${id}`, retitle)).status, 503);
  const grace = { schemas: [USER], userName: 'grace', [URN]: { a: 'y' } };
  t.equal((await stale.ask('POST', '/Users', grace)).status, 503);
  clock.now += 900;
  t.match(await stale.ask('POST', '/Users', grace), { status: 201, body: { [URN]: { a: 'y' } } });
  t.match(await stale.patch(`/Users/${id}`, retitle), {
    status: 200,
    body: { title: 'Engineer', [URN]: { a: 'x' } },
  });
});

const CHANGES: readonly (readonly [
  sentence: string,
  before: object,
  value: unknown,
  after: object | undefined,
])[] = [
  ['text that is now a number', { name: 'x' }, 'abc', { name: 'x', type: 'integer' }],
  ['text that is now a boolean', { name: 'x' }, 'abc', { name: 'x', type: 'boolean' }],
  ['one value of what has now several', { name: 'x' }, 'abc', { name: 'x', multiValued: true }],
  ['several values of what has now one', { name: 'x', multiValued: true }, ['a', 'b'], { name: 'x' }],
  [
    'text of what is now complex',
    { name: 'x' },
    'abc',
    { name: 'x', type: 'complex', subAttributes: [{ name: 'value' }] },
  ],
  [
    'a complex value of what is now text',
    { name: 'x', type: 'complex', subAttributes: [{ name: 'value' }] },
    { value: 'a' },
    { name: 'x' },
  ],
  ['an attribute that is gone', { name: 'x' }, 'abc', undefined],
];
/** Gives the tenant's extension a definition that its users' values need not fit, in the database itself. */
async function forceDefinition(
  tenant: { readonly id: string },
  attributes: readonly object[],
): Promise<void> {
  const { tenant: other } = await tenantWith(attributes);
  await app.context.db.pool.query(
    `update schema_extension set definition = (select definition from schema_extension where tenant_id = $2)
     where tenant_id = $1`,
    [tenant.id, other.id],
  );
  clock.now += 900;
}

for (const [sentence, before, value, after] of CHANGES) {
  t.test(`${sentence}, by a change behind the service's back, breaks nothing`, async (t) => {
    const { tenant, fresh } = await tenantWith([before, { name: 'kept' }]);
    const { id } = await fresh.user('early', { [URN]: { x: value, kept: 'k' } });
    t.ok(id);
    await forceDefinition(tenant, [...(after ? [after] : []), { name: 'kept' }]);
    const path = `/Users/${id}`;
    const names = after ? [`${URN}:x pr`, `${URN}:x eq null`, `${URN}:kept eq "k"`] : [`${URN}:kept eq "k"`];
    for (const filter of names) t.ok((await fresh.list('/Users', filter)).status < 500, filter);
    for (const query of ['', `?attributes=${URN}`, `?sortBy=${URN}:kept`, `?attributes=${URN}:x`]) {
      t.equal((await fresh.ask('GET', path + query)).status, 200, query);
    }
    const patched = await fresh.patch(path, [{ op: 'replace', path: `${URN}:kept`, value: 'new' }]);
    t.equal(patched.status, 200, patched.text);
    t.same(patched.body[URN], { kept: 'new' }, 'the next write leaves it out');
    const { rows } = await app.context.db.pool.query('select body from scim_user where id = $1', [id]);
    t.same(JSON.parse(rows[0].body)[URN], { kept: 'new' }, 'of what is stored too');
  });
}

t.test('writers and a change of the definition wait for each other', async (t) => {
  const { tenant, stale, path } = await tenantWith([{ name: 'x' }, { name: 'y' }]);
  const [removed, ...created] = await Promise.all([
    app.admin('PUT', `${path}/${URN}`, { name: 'Custom', attributes: [{ name: 'y' }] }),
    ...Array.from({ length: 8 }, (_, index) => stale.user(`user-${index}`, { [URN]: { x: 'abc' } })),
  ]);
  t.ok([200, 409].includes(removed.status), removed.text);
  clock.now += 900;
  const key = await app.scimKey(tenant);
  const done = created.filter(({ id }) => id !== undefined).length;
  const { body } = await app.send<{ totalResults: number }>('GET', `${SCIM}/Users`, { key });
  t.equal(body.totalResults, done, 'what was refused was not written');
  t.ok(removed.status === 409 ? done > 0 : done === 0, `${removed.status} beside ${done}`);
  t.equal((await app.send('GET', `${SCIM}/Users`, { key })).status, 200);
  t.equal((await app.send('GET', `${SCIM}/Schemas/${URN}`, { key })).status, 200);
});
