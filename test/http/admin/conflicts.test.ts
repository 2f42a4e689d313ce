import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';
import { makeProvider } from '../../support/gateway.ts';
import { makeConflict } from '../../support/sign-in.ts';

const NOW = new Date('2026-03-05T05:06:07.000Z');
const app = await startApp(t, { now: () => NOW });

interface ConflictBody {
  readonly id: string;
  readonly state: string;
}

const pathOf = ({ id }: Pick<Tenant, 'id'>) => `/tenants/${id}/conflicts`;
const resolve = (tenant: Tenant, id: string, action: string) =>
  app.admin<ConflictBody>('POST', `${pathOf(tenant)}/${id}/resolve`, { action });
const userOf = async ({ id }: Tenant, userName: string) =>
  (await app.admin<{ id: string }>('POST', `/tenants/${id}/users`, { userName })).body.id;

/** Who signs in by which subject. */
async function links({ id }: Tenant) {
  const { rows } = await app.context.db.pool.query(
    'select subject, user_id, last_sign_in_at from identity_link where tenant_id = $1 order by subject',
    [id],
  );
  return rows;
}

async function told({ id }: Tenant) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${id}/events?limit=1000`);
  return body.events.filter(({ type }) => /^(sign_in|identity)\./.test(type));
}

t.test('an admin links the subject to the user whom it met, and it is told', async (t) => {
  const tenant = await app.createTenant();
  const [okta, ada] = [await makeProvider(app, tenant.id, { name: 'okta' }), await userOf(tenant, 'Ada')];
  const id = await makeConflict(app, tenant.id, ada, { provider: okta, subject: '00u1' });
  const { body: open } = await app.admin('GET', `${pathOf(tenant)}/${id}`);
  t.same(open, {
    id,
    identityProvider: 'okta',
    subject: '00u1',
    email: 'ada@acme.example',
    user: { id: ada, userName: 'Ada' },
    reason: 'user_name_taken',
    state: 'open',
    seenAt: '2026-03-04T05:06:07.000Z',
    times: 2,
    createdAt: '2026-03-03T05:06:07.000Z',
    resolvedAt: null,
    resolvedBy: null,
  });
  const { status, body: linked } = await resolve(tenant, id, 'link');
  t.equal(status, 200);
  t.same(linked, {
    ...open,
    state: 'linked',
    resolvedAt: NOW.toISOString(),
    resolvedBy: { kind: 'operator' },
  });
  t.same(await links(tenant), [{ subject: '00u1', user_id: ada, last_sign_in_at: null }]);
  t.same((await resolve(tenant, id, 'link')).body, linked, 'the same again changes nothing');
  const events = await told(tenant);
  t.same(events.map(({ type }) => type).sort(), ['identity.linked', 'sign_in.conflict_resolved']);
  for (const { resource, after } of events) {
    t.match(
      { resource, after },
      { resource: { id: ada }, after: { identityProvider: 'okta', subject: '00u1' } },
    );
  }
  t.match(await resolve(tenant, id, 'reject'), { status: 409, body: { reason: 'already_linked' } });
});

t.test('who is rejected is linked to nobody, until an admin thinks better of it', async (t) => {
  const tenant = await app.createTenant();
  const id = await makeConflict(app, tenant.id, await userOf(tenant, 'ada'));
  t.match((await resolve(tenant, id, 'reject')).body, { state: 'rejected' });
  t.same(await links(tenant), []);
  t.match(await told(tenant), [
    { type: 'sign_in.conflict_resolved', after: { conflict: id, state: 'rejected' } },
  ]);
  t.match((await resolve(tenant, id, 'link')).body, { state: 'linked' });
  t.equal((await links(tenant)).length, 1);
});

t.test('one subject is one person, and one person one subject of a provider', async (t) => {
  const tenant = await app.createTenant();
  const okta = await makeProvider(app, tenant.id, { name: 'okta' });
  const [ada, bob] = [await userOf(tenant, 'ada'), await userOf(tenant, 'bob')];
  const conflict = (user: string, subject: string, provider = okta) =>
    makeConflict(app, tenant.id, user, { provider, subject });
  const [first, other, second] = [
    await conflict(ada, 's1'),
    await conflict(bob, 's1'),
    await conflict(ada, 's2'),
  ];
  t.equal((await resolve(tenant, first, 'link')).status, 200);
  for (const [id, detail, state] of [
    [other, /to a user by now/, 'settled'],
    [second, /another subject/, 'open'],
  ] as const) {
    t.match(await resolve(tenant, id, 'link'), { status: 409, body: { reason: 'already_linked', detail } });
    t.match((await app.admin('GET', `${pathOf(tenant)}/${id}`)).body, { state }, 'nothing is decided by it');
  }
  const elsewhere = await conflict(ada, 's2', await makeProvider(app, tenant.id, { name: 'entra' }));
  t.equal((await resolve(tenant, elsewhere, 'link')).status, 200, 'of another provider she has another');
});

t.test('conflicts are listed by state, page by page', async (t) => {
  const tenant = await app.createTenant();
  const user = await userOf(tenant, 'ada');
  const ids: string[] = [];
  for (let at = 0; at < 3; at += 1) ids.push(await makeConflict(app, tenant.id, user));
  ids.sort();
  const [first = '', ...others] = ids;
  await resolve(tenant, first, 'reject');
  interface List {
    readonly conflicts: readonly ConflictBody[];
    readonly next?: string;
  }
  const list = async (query: string) => {
    const { body } = await app.admin<List>('GET', `${pathOf(tenant)}?${query}`);
    return { ids: body.conflicts.map(({ id }) => id), next: body.next };
  };
  t.same(await list(''), { ids, next: undefined });
  t.same(await list('state=open'), { ids: others, next: undefined });
  t.same(await list('state=open&limit=1'), { ids: others.slice(0, 1), next: others[0] });
  t.same(await list(`state=open&limit=1&after=${others[0]}`), { ids: others.slice(1), next: undefined });
});
