import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import { startApp } from '../../support/app.ts';

const app = await startApp(t);
const tenant = await app.createTenant();
const path = `/tenants/${tenant.name}/events`;
for (const name of ['a', 'b', 'c']) await app.admin('POST', `/tenants/${tenant.name}/directories`, { name });
await app.sealEvents();

t.test('the feed holds what happened, in order and without a gap', async (t) => {
  const { status, body } = await app.admin<FeedPage>('GET', path);
  t.equal(status, 200);
  t.same(
    body.events.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5],
  );
  t.same(
    body.events.map(({ type }) => type),
    ['tenant.created', ...Array(4).fill('directory.created')],
  );
  t.match(body.events[4], { actor: { kind: 'operator' }, before: null, after: { name: 'c' }, reason: null });
  t.equal(body.cursor, '5');
});

t.test('an event names the request that it comes from', async (t) => {
  const quiet = await app.createTenant();
  const answer = await app.admin('PATCH', `/tenants/${quiet.id}`, { displayName: 'Acme' });
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${quiet.id}/events?type=tenant.updated`);
  t.equal(body.events[0]?.requestId, answer.headers['x-request-id']);
});

t.test('the cursor reads each event once', async (t) => {
  const types: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await app.admin<FeedPage>('GET', `${path}?limit=2${cursor}`);
    if (body.events.length === 0) break;
    types.push(...body.events.map(({ sequence }) => String(sequence)));
    cursor = `&after=${body.cursor}`;
  }
  t.same(types, ['1', '2', '3', '4', '5']);
});

t.test('type and resource choose events', async (t) => {
  const created = await app.admin<FeedPage>('GET', `${path}?type=tenant.created`);
  t.match(created.body.events, [{ sequence: 1, resource: { type: 'Tenant', id: tenant.id } }]);
  const ofTenant = await app.admin<FeedPage>('GET', `${path}?resource=${tenant.id}`);
  t.same(ofTenant.body.events, created.body.events);
});

t.test('the product reads the same feed', async (t) => {
  const [{ key: ofTenant }, { key: ofProduct }] = [
    await app.apiKey(tenant, ['read']),
    await app.serviceKey(['read']),
  ];
  const { body } = await app.admin('GET', `${path}?limit=3`);
  for (const key of [ofTenant, ofProduct]) {
    t.same((await app.send('GET', `/api/v1${path}?limit=3`, { key })).body, body);
  }
});

t.test('the service itself has a feed of the same form, for the operator only', async (t) => {
  const doomed = await app.createTenant();
  const { id } = await app.serviceKey(['read']);
  await app.admin('DELETE', `/service-keys/${id}`);
  await app.admin('DELETE', `/tenants/${doomed.id}`);
  await app.sealEvents();
  const ofKey = await app.admin<FeedPage>('GET', `/events?resource=${id}`);
  t.match(ofKey.body.events, [{ type: 'service_key.issued' }, { type: 'service_key.revoked' }]);
  const deleted = await app.admin<FeedPage>('GET', '/events?type=tenant.deleted');
  t.match(deleted.body.events, [{ resource: { type: 'Tenant', id: doomed.id } }]);
  const { body } = await app.admin<FeedPage>('GET', '/events?limit=1');
  t.equal((await app.admin('GET', `/events?after=${body.cursor}&limit=1000`)).status, 200);
  for (const { key } of [await app.apiKey(tenant, ['admin']), await app.serviceKey(['read'])]) {
    t.equal((await app.send('GET', '/api/admin/v1/events', { key })).status, 403);
  }
});

t.test('feeds are read while administration has no connection left', async (t) => {
  const { key } = await app.serviceKey(['read']);
  const { kysely } = app.context.db;
  const busy = await Promise.all(Array.from({ length: 3 }, () => kysely.startTransaction().execute()));
  const answers = await Promise.all([
    app.send('GET', `/api/v1${path}`, { key }),
    app.send('GET', `/api/v1/tenants/${tenant.id}/events?type=tenant.created`, { key }),
    app.admin('GET', path),
    app.admin('GET', `/tenants/${tenant.id}`),
    app.admin('GET', '/events'),
  ]);
  await Promise.all(busy.map((each) => each.rollback().execute()));
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
});

const REFUSED: readonly (readonly [query: string, pointer: string])[] = [
  ['limit=0', 'limit'],
  ['limit=1001', 'limit'],
  ['limit=ten', 'limit'],
  ['after=999', 'after'],
  ['after=-1', 'after'],
  ['after=%00', 'after'],
  ['type=%00', 'type'],
  ['type=', 'type'],
  ['resource=bjensen', 'resource'],
  ['change=bjensen', 'change'],
  ['resource=urn:uuid:0198c0de-0000-7000-8000-00000000002a', 'resource'],
  ['since=1', 'since'],
];
for (const [query, pointer] of REFUSED) {
  t.test(`the query ${query} is 400`, async (t) => {
    t.match(await app.admin('GET', `${path}?${query}`), {
      status: 400,
      body: { code: 'invalid_request', pointer },
    });
  });
}
