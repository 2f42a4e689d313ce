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

t.test('a key sees a new definition within a second', async (t) => {
  const { stale, fresh, replace } = await tenantWith([{ name: 'a' }]);
  await replace([{ name: 'a' }, { name: 'b' }]);
  const create = async (client: typeof stale, userName: string) =>
    (await client.ask('POST', '/Users', { schemas: [USER], userName, [URN]: { a: 'x', b: 'y' } })).body[URN];
  t.same(await create(fresh, 'at-once'), { a: 'x', b: 'y' });
  t.same(await create(stale, 'too-early'), { a: 'x' }, 'until then the new attribute is an unknown one');
  clock.now += 900;
  t.same(await create(stale, 'in-time'), { a: 'x', b: 'y' });
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
for (const [sentence, before, value, after] of CHANGES) {
  t.test(`${sentence}, written in the last second of the old definition, breaks nothing`, async (t) => {
    const { stale, fresh, replace } = await tenantWith([before, { name: 'kept' }]);
    await replace([...(after ? [after] : []), { name: 'kept' }]);
    const { id } = await stale.user('late', { [URN]: { x: value, kept: 'k' } });
    t.ok(id);
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

t.test('what was written for an extension that is gone leaves with the next write', async (t) => {
  const { tenant, stale, fresh, path } = await tenantWith([{ name: 'x' }]);
  t.equal((await app.admin('DELETE', `${path}/${URN}`)).status, 204);
  const { id } = await stale.user('late', { [URN]: { x: 'abc' } });
  t.equal((await fresh.ask('GET', `/Users/${id}`)).status, 200);
  t.equal((await fresh.list('/Users', 'userName eq "late"')).status, 200);
  const { body } = await fresh.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'Engineer' }]);
  t.same([body.schemas, Object.hasOwn(body, URN)], [[USER], false]);
  const again = { id: URN, name: 'Again', attributes: [{ name: 'x', type: 'integer' }] };
  t.equal((await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, again)).status, 201);
  clock.now += 900;
  t.equal((await fresh.list('/Users', `${URN}:x gt 1`)).status, 200);
});

t.test('writers and a change of the definition wait for each other', async (t) => {
  const { tenant, stale, path } = await tenantWith([{ name: 'x' }, { name: 'y' }]);
  const [removed, ...created] = await Promise.all([
    app.admin('PUT', `${path}/${URN}`, { name: 'Custom', attributes: [{ name: 'y' }] }),
    ...Array.from({ length: 8 }, (_, index) => stale.user(`user-${index}`, { [URN]: { x: 'abc' } })),
  ]);
  t.ok([200, 409].includes(removed.status), removed.text);
  t.equal(created.filter(({ id }) => id !== undefined).length, 8, 'every write is done');
  clock.now += 900;
  const key = await app.scimKey(tenant);
  t.equal((await app.send('GET', `${SCIM}/Users`, { key })).status, 200);
  t.equal((await app.send('GET', `${SCIM}/Schemas/${URN}`, { key })).status, 200);
});
