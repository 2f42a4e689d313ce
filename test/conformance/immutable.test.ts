import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** Attributes that are set once. No schema of the RFC has one for users, so a tenant declares its own. */

const URN = 'urn:example:params:scim:schemas:badge:2.0:User';

const app = await startApp(t);
const tenant = await app.createTenant({ strictScim: true });
await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, {
  id: URN,
  name: 'Badge',
  attributes: [
    { name: 'number', mutability: 'immutable' },
    { name: 'issuers', mutability: 'immutable', multiValued: true },
    { name: 'color' },
  ],
});
const client = clientOf(app, await app.scimKey(tenant));

const badge = { number: '7', issuers: ['a', 'b'], color: 'red' };
const put = (id: string, userName: string, extension?: object) =>
  client.ask('PUT', `/Users/${id}`, {
    schemas: [USER, URN],
    userName,
    ...(extension && { [URN]: extension }),
  });

meets(t, [177], 'PUT leaves an immutable value as it is, or is refused', async (t) => {
  const { id } = await client.user('set', { [URN]: badge });
  const kept = await put(id, 'set', { ...badge, color: 'blue' });
  t.match(kept, { status: 200, body: { [URN]: { ...badge, color: 'blue' } } });
  const changes = [
    { ...badge, number: '8' },
    { ...badge, issuers: ['a'] },
    { ...badge, issuers: ['a', 'b', 'c'] },
    { ...badge, number: null },
    { color: 'green' },
    undefined,
  ];
  for (const extension of changes) {
    const refused = await put(id, 'set', extension);
    t.match(refused, { status: 400, body: { scimType: 'mutability' } }, JSON.stringify(extension));
  }
  t.same((await client.ask('GET', `/Users/${id}`)).body, kept.body);
});

meets(t, [178], 'PUT sets an immutable attribute that had no value, once', async (t) => {
  const { id } = await client.user('unset', { [URN]: { color: 'red' } });
  t.match(await put(id, 'unset', badge), { status: 200, body: { [URN]: badge } });
  t.equal((await put(id, 'unset', { ...badge, number: '8' })).status, 400);
});

meets(t, [190], 'PATCH sets it once as well, and removes it never', async (t) => {
  const { id } = await client.user('patched');
  const number = (op: string, value?: string) =>
    client.patch(`/Users/${id}`, [{ op, path: `${URN}:number`, value }]);
  t.match(await number('add', '7'), { status: 200, body: { [URN]: { number: '7' } } });
  t.equal((await number('add', '7')).status, 200, 'the value that it has');
  for (const refused of [await number('add', '8'), await number('replace', '8'), await number('remove')]) {
    t.match(refused, { status: 400, body: { scimType: 'mutability' } });
  }
});
