import { randomBytes, randomUUID } from 'node:crypto';
import t from 'tap';
import { forgetAnswers, sweepConsumed } from '../../../src/directory/consumed-assertions.ts';
import { startApp } from '../../support/app.ts';
import { gatewayOf } from '../../support/gateway.ts';
import { ADA, newSignInWorld } from '../../support/sign-in.ts';

/** Each assertion signs in once, on whichever instance; only the gateway's own retry gets its answer again. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const secretKey = randomBytes(32);
const app = await startApp(t, { now, secretKey });
const other = await startApp(t, { now, secretKey, connectionString: app.connectionString });

t.test('a second use is refused, also of an assertion whose person was refused', async (t) => {
  const { post, tenant, setProvider, count } = await newSignInWorld(app);
  const [used, refused] = [randomUUID(), randomUUID()];
  t.equal((await post(ADA, { requestId: used })).status, 201);
  await setProvider({ jit: 'off' });
  t.equal((await post({ sub: 'nobody' }, { requestId: refused })).status, 403);
  await setProvider({ jit: 'enhanced' });
  const elsewhere = gatewayOf(other, (await app.apiKey(tenant, ['jit:claims'])).key);
  for (const gateway of [post, elsewhere]) {
    for (const requestId of [used, refused]) {
      t.match(await gateway({ sub: 'nobody' }, { requestId }), {
        status: 409,
        body: { code: 'conflict', reason: 'replayed', hint: /Idempotency-Key/ },
      });
    }
  }
  t.equal(await count('scim_user'), 1);
});

t.test(
  'the retry of the gateway gets the same answer, within 60 seconds, and nothing happens twice',
  async (t) => {
    const { post, tenant, gatewayKey, eventsOf } = await newSignInWorld(app);
    const headers = { 'idempotency-key': 'try-1' };
    const elsewhere = gatewayOf(other, gatewayKey);
    for (const claims of [ADA, ADA, { sub: 'bob', email: 'ada@acme.test' }]) {
      const requestId = randomUUID();
      const first = await post(claims, { requestId, headers });
      const events = await eventsOf(async () => {
        clock.now += 59_000;
        const again = await elsewhere(claims, { requestId, headers });
        t.equal(again.status, first.status);
        t.same({ ...again.body, requestId: 0 }, { ...first.body, requestId: 0 });
      });
      t.same(events, []);
      const others = {
        'another Idempotency-Key': () => post(claims, { requestId, headers: { 'idempotency-key': 'try-2' } }),
        'no Idempotency-Key': () => post(claims, { requestId }),
        'another body': () => post({ ...claims, more: 1 }, { requestId, headers }),
        'another key': async () =>
          gatewayOf(app, (await app.apiKey(tenant, ['jit:claims'])).key)(claims, { requestId, headers }),
        'too late': async () => {
          clock.now += 1_000;
          return post(claims, { requestId, headers });
        },
      };
      for (const [what, retry] of Object.entries(others)) {
        t.match(await retry(), { status: 409, body: { reason: 'replayed' } }, what);
      }
    }
    t.match(await post(ADA, { headers: { 'idempotency-key': 'two words' } }), { status: 400 });
  },
);

t.test('what nobody would accept any more is swept away', async (t) => {
  const { post, count } = await newSignInWorld(app);
  const requestId = randomUUID();
  await post(ADA, { requestId });
  clock.now += 24 * 60 * 60_000;
  await sweepConsumed(app.context.db, now());
  t.equal((await post(ADA, { requestId })).status, 409, 'it is still known');
  clock.now += 61_000;
  await sweepConsumed(app.context.db, now());
  t.equal(await count('consumed_assertion'), 0);
});

t.test('an answer is kept no longer than it counts, and the use is remembered', async (t) => {
  const { post, tenant, ask } = await newSignInWorld(app);
  const headers = { 'idempotency-key': 'try-1' };
  const [requestId, another] = [randomUUID(), randomUUID()];
  const { id } = (await post(ADA, { requestId, headers })).body.user;
  await post(ADA, { requestId: another, headers });
  const kept = async () => {
    const { rows } = await app.context.db.pool.query(
      'select answer, retry_hash from consumed_assertion where tenant_id = $1 and num_nonnulls(answer, retry_hash) > 0',
      [tenant.id],
    );
    return rows.length;
  };
  clock.now += 59_000;
  await forgetAnswers(app.context.db, now());
  t.equal(await kept(), 2);
  t.equal((await post(ADA, { requestId, headers })).status, 201);
  await ask('DELETE', `/users/${id}`);
  clock.now += 1_000;
  await forgetAnswers(app.context.db, now());
  t.equal(await kept(), 0);
  t.match(await post(ADA, { requestId, headers }), { status: 409, body: { reason: 'replayed' } });
});

t.test(
  'what is refused before it is known who it is uses nothing up, and is kept for the admin',
  async (t) => {
    const { post, ask, setProvider, count } = await newSignInWorld(app);
    const requestId = randomUUID();
    t.match(await post({ email: 'ada@acme.test' }, { requestId }), {
      status: 422,
      body: { code: 'assertion_refused', reason: 'subject', hint: /NameID/ },
    });
    await setProvider({ enabled: false });
    t.match(await post(ADA, { requestId }), { status: 403, body: { reason: 'identity_provider_disabled' } });
    await setProvider({ enabled: true });
    t.equal(await count('consumed_assertion'), 0);
    t.equal((await post(ADA, { requestId })).status, 201);
    await app.flushClients();
    const { body } = await ask<{ refusedRequests: object[] }>('GET', '/refused-requests');
    t.match(body.refusedRequests, [
      { status: 403, path: '/jit/assert', hint: /enables/ },
      { status: 422, path: '/jit/assert', hint: /NameID/ },
    ]);
  },
);

/** How often something waits for the database: until it has answered all that was sent together. */
async function waitsOf(work: () => Promise<unknown>): Promise<number> {
  const { pool } = app.context.db;
  let waits = 0;
  const listeners = new Map<object, () => void>();
  const listen = (client: { on(event: 'drain', listener: () => void): unknown }) => {
    if (listeners.has(client)) return;
    listeners.set(client, () => {
      waits += 1;
    });
    client.on('drain', listeners.get(client) as () => void);
  };
  pool.on('acquire', listen);
  await work();
  pool.off('acquire', listen);
  for (const [client, listener] of listeners)
    (client as { off(event: string, l: () => void): void }).off('drain', listener);
  return waits;
}

t.test(
  'an unchanged enhanced sign-in waits twice behind its verification, and writes no membership',
  async (t) => {
    const { post, eventsOf, group, user, tenant } = await newSignInWorld(app);
    await post(ADA);
    const places = async () =>
      (
        await app.context.db.pool.query('select ctid, xmin from access_grant where tenant_id = $1', [
          tenant.id,
        ])
      ).rows;
    const before = await places();
    await group('Analysts', [await user('scim', { externalId: 'scim' })]);
    await post({ sub: 'scim' });
    for (const claims of [ADA, { ...ADA, groups: ['Analysts', 'Analysts'] }, { sub: 'scim' }]) {
      const events = await eventsOf(async () => {
        const waits = await waitsOf(() => post(claims));
        t.equal(waits, 3, 'one is for the identity provider, to verify by');
      });
      t.match(events, [{ type: 'sign_in.accepted', after: { outcome: 'unchanged' } }]);
    }
    t.same((await places()).slice(0, before.length), before);
  },
);
