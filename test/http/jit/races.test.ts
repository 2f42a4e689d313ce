import { randomBytes, randomUUID } from 'node:crypto';
import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { backendsWaiting } from '../../support/events.ts';
import { gatewayOf } from '../../support/gateway.ts';
import { ADA, newSignInWorld, type SignInWorld } from '../../support/sign-in.ts';

/** Sign-ins that meet: each other and other writers, on two instances over one database. */

const secretKey = randomBytes(32);
const app = await startApp(t, { secretKey });
const other = await startApp(t, { secretKey, connectionString: app.connectionString });
const ROUNDS = 8;

/** The same gateway at both instances. */
const gatewaysOf = ({ post, gatewayKey }: SignInWorld) => [post, gatewayOf(other, gatewayKey)] as const;

const statusesOf = (answers: readonly { readonly status: number }[]) =>
  Object.fromEntries(
    [...new Set(answers.map(({ status }) => status))]
      .sort()
      .map((status) => [status, answers.filter((each) => each.status === status).length]),
  );

t.test('of 100 parallel posts of one assertion at two instances one is accepted', async (t) => {
  const known = await newSignInWorld(app);
  await known.post(ADA);
  const refused = await newSignInWorld(app, { jit: 'off' });
  for (const [world, first, what] of [
    [await newSignInWorld(app), 201, 'somebody new'],
    [known, 200, 'somebody known'],
    [refused, 403, 'somebody who is refused'],
  ] as const) {
    const gateways = gatewaysOf(world);
    const requestId = randomUUID();
    const posts = Array.from({ length: 100 }, (_, n) => (gateways[n % 2] ?? world.post)(ADA, { requestId }));
    t.same(statusesOf(await Promise.all(posts)), { [first]: 1, 409: 99 }, what);
    t.equal(await world.count('scim_user'), first === 403 ? 0 : 1, what);
  }
});

t.test('two parallel first sign-ins of one person make one user', async (t) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const world = await newSignInWorld(app);
    const answers = await Promise.all(gatewaysOf(world).map((gateway) => gateway(ADA)));
    t.same(statusesOf(answers), { 200: 1, 201: 1 });
    t.equal(answers[0]?.body.user.id, answers[1]?.body.user.id);
    t.equal(await world.count('scim_user'), 1);
    t.equal(await world.drift(), 0);
  }
});

t.test('a first sign-in beside the SCIM create of the same person: one user, no 5xx', async (t) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const world = await newSignInWorld(app);
    const scim = clientOf(other, world.scim.key);
    const [signedIn, created] = await Promise.all([
      world.post(ADA),
      scim.ask('POST', '/Users', { userName: 'ada@acme.test', externalId: '00u1' }),
    ]);
    t.ok(
      (signedIn.status === 201 && created.status === 409) ||
        (signedIn.status === 200 && created.status === 201),
      `${signedIn.status} beside ${created.status}`,
    );
    t.equal(await world.count('scim_user'), 1);
    t.equal((await world.post(ADA)).body.user.id, signedIn.body.user.id);
  }
});

t.test('a sign-in beside a deactivation ends inactive, and holds nothing', async (t) => {
  const world = await newSignInWorld(app, {}, { provisioning: 'combined' });
  const { id } = (await world.post(ADA)).body.user;
  for (let round = 0; round < ROUNDS; round += 1) {
    const elsewhere = gatewayOf(other, world.gatewayKey);
    const groups = round % 2 ? ['Hunters'] : ['Analysts'];
    const [{ status }, deactivated] = await Promise.all([
      elsewhere({ ...ADA, groups }),
      world.ask('PATCH', `/users/${id}`, { active: false }),
    ]);
    t.ok(status === 200 || status === 403, `${status}`);
    t.equal(deactivated.status, 200);
    t.same(await world.holds(id), []);
    t.match(await world.post(ADA), { status: 403, body: { reason: 'deactivated' } });
    t.equal(await world.drift(), 0);
    await world.ask('PATCH', `/users/${id}`, { active: true });
  }
});

t.test('a sign-in beside a deletion leaves nobody, or was before it', async (t) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const world = await newSignInWorld(app);
    const { id } = (await world.post(ADA)).body.user;
    const elsewhere = gatewayOf(other, world.gatewayKey);
    const [deleted, ...signedIn] = await Promise.all([
      world.ask('DELETE', `/users/${id}`),
      elsewhere({ ...ADA, groups: ['Hunters'] }),
      elsewhere(ADA),
      elsewhere(ADA, { headers: { 'idempotency-key': 'k' } }),
    ]);
    t.equal(deleted.status, 204);
    for (const { status } of signedIn) t.ok(status === 200 || status === 403, `${status}`);
    const told = (await world.feed()).filter(({ type }) => type === 'sign_in.accepted').length;
    const accepted = signedIn.filter(({ status }) => status === 200).length;
    t.equal(told, 1 + accepted, 'each that was let in is told, and nobody else');
    t.match(await world.post(ADA), { status: 403, body: { reason: 'deprovisioned' } });
    t.same([await world.count('scim_user'), await world.count('access_grant')], [0, 0]);
  }
});

t.test(
  'a sign-in that changes nothing is decided anew when its link goes while it waits for it',
  async (t) => {
    const { pool } = app.context.db;
    for (const headers of [{}, { 'idempotency-key': 'once' }]) {
      const world = await newSignInWorld(app);
      await world.post(ADA);
      const holder = await pool.connect();
      await holder.query('begin');
      await holder.query('delete from identity_link where tenant_id = $1', [world.tenant.id]);
      const signedIn = gatewayOf(other, world.gatewayKey)(ADA, { headers: { ...headers } });
      await backendsWaiting(app.context.db, 1);
      await holder.query('commit');
      holder.release();
      t.match(await signedIn, { status: 409, body: { reason: 'link_conflict' } });
      const told = (await world.feed()).map(({ type }) => type).filter((type) => type.startsWith('sign_in.'));
      t.same(told, ['sign_in.accepted', 'sign_in.conflict_found', 'sign_in.refused']);
    }
  },
);

t.test('sign-ins beside changes of the mapping never fail, and what is held follows from both', async (t) => {
  const world = await newSignInWorld(app);
  const gateways = gatewaysOf(world);
  const { id } = (await world.post(ADA)).body.user;
  for (let round = 0; round < ROUNDS; round += 1) {
    const role_name = round % 2 ? 'EDITOR' : 'VIEWER';
    const [first, second, mapped] = await Promise.all([
      gateways[0](ADA),
      gateways[1](ADA),
      world.map([{ group_name: 'Analysts', team_name: 'Incident Response', role_name }]),
    ]);
    t.same([first.status, second.status], [200, 200]);
    t.equal(mapped.version, round + 2);
    await world.post(ADA);
    t.same(await world.holds(id), [`Incident Response ${role_name} jit:okta`]);
    t.equal(await world.drift(), 0);
  }
});

t.test('what was read and does not hold any more when it is to be written is decided anew', async (t) => {
  const world = await newSignInWorld(app);
  const { pool } = app.context.db;
  const { id } = (await world.post(ADA)).body.user;
  const changes = {
    'the user is deactivated': [`update scim_user set active = false, version = version + 1`, 403],
    'the tenant lets nobody in who holds nothing': [
      `with gone as (delete from access_grant where tenant_id = $1)
       update tenant set settings = settings || '{"unmappedUsers": "deny"}'`,
      200,
    ],
    'the link is gone': ['delete from identity_link', 409],
  } as const;
  for (const [what, [sql, status]] of Object.entries(changes)) {
    const holder = await pool.connect();
    await holder.query('begin');
    await holder.query('select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))', [
      world.tenant.id,
    ]);
    const signedIn = gatewayOf(other, world.gatewayKey)(ADA);
    await backendsWaiting(app.context.db, 1);
    await holder.query(`${sql} where tenant_id = $1`, [world.tenant.id]);
    await holder.query('commit');
    holder.release();
    t.equal((await signedIn).status, status, what);
    await pool.query('update scim_user set active = true where id = $1', [id]);
  }
});
