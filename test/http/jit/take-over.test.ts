import t from 'tap';
import { startApp } from '../../support/app.ts';
import { makeProvider } from '../../support/gateway.ts';
import { ADA, newSignInWorld } from '../../support/sign-in.ts';

/** Ways to become somebody else, or to come back, each shut. The names tell the story. */

const app = await startApp(t);
const prove = (tenantId: string, domain = 'acme.test') =>
  app.context.db.pool.query(
    `insert into domain values ($1, $2, 'x', now(), 'operator', false, '[]', now())`,
    [tenantId, domain],
  );
const UNVERIFIED = { ...ADA, email_verified: false };

t.test('an address that is not verified names nobody, so that no directory adopts its bearer', async (t) => {
  const { post, user, holds, group } = await newSignInWorld(app);
  const mallory = await post({ ...UNVERIFIED, sub: 'mallory', groups: [] });
  t.match(mallory, { status: 201, body: { user: { userName: 'mallory' } } });
  const id = await user('ada@acme.test');
  await group('Hunters', [id]);
  t.match(await post(ADA), { status: 200, body: { outcome: 'linked', user: { id } } });
  t.same(await holds(mallory.body.user.id), []);
});

t.test('whom a directory adopts after a sign-in made them must be the same person to it', async (t) => {
  const { post, scim, group, byHand } = await newSignInWorld(app);
  const { id } = (await post({ sub: 'mallory', email: 'ada@acme.test' })).body.user;
  await group('Hunters', [id]);
  t.match((await scim.ask('GET', `/Users/${id}`)).body, { userName: 'ada@acme.test' });
  t.match(await post({ sub: 'mallory', email: 'ada@acme.test' }), {
    status: 409,
    body: { reason: 'link_conflict', conflict: 'adopted_by_directory' },
  });
  const mallory = await post({ sub: 'mallory', email: 'ada@acme.test', email_verified: true });
  t.equal(mallory.status, 200, 'whoever proves the address is');
  t.equal((await post({ sub: 'mallory' })).status, 200, 'and is known from then on');
  await byHand('bob');
});

t.test('an identity provider finds the users of its own directory, where one is set', async (t) => {
  const { post, user, tenant, ask, directory } = await newSignInWorld(app);
  await user('boss', { externalId: '1001' });
  await directory('partners');
  const contractors = { name: 'contractors', kind: 'claims', jit: 'standard', matchDirectory: 'partners' };
  t.equal((await ask('POST', '/identity-providers', contractors)).status, 201);
  t.equal((await post({ sub: '1001' }, { provider: 'contractors' })).body.outcome, 'created');
  t.match(await ask('POST', '/identity-providers', { ...contractors, name: 'x', matchDirectory: 'none' }), {
    status: 400,
    body: { reason: 'unknown_directory', pointer: '/matchDirectory' },
  });
  await makeProvider(app, tenant.id, { name: 'any' });
  t.equal((await post({ sub: '1001' }, { provider: 'any' })).body.outcome, 'linked');
});

t.test('Google vouches for everybody: who is created has an address in a proved domain', async (t) => {
  const { post, tenant, ask } = await newSignInWorld(app, { settings: { preset: 'google' } });
  await prove(tenant.id);
  t.match(await post({ ...ADA, sub: 'm', email: 'mallory@gmail.test' }), {
    status: 403,
    body: { reason: 'foreign_domain' },
  });
  t.match(await post(UNVERIFIED), { status: 403, body: { reason: 'foreign_domain' } });
  t.equal((await post(ADA)).status, 201);
  await ask('POST', '/invitations', { email: 'bob@else.test', grants: [] });
  t.equal((await post({ ...ADA, sub: 'bob', email: 'bob@else.test' })).status, 201, 'or is invited');
});

t.test('a domain that is bound to one identity provider opens nothing by another', async (t) => {
  const { post, tenant, ask, byHand } = await newSignInWorld(app, {}, { linkByEmail: 'verified_domains' });
  await prove(tenant.id);
  await makeProvider(app, tenant.id, { name: 'other', domain: 'acme.test' });
  await byHand('ada@acme.test');
  t.match(await post(ADA), { status: 409, body: { conflict: 'user_name_taken' } });
  t.equal((await post(ADA, { provider: 'other' })).body.outcome, 'linked');
  await ask('POST', '/invitations', { email: 'bob@acme.test', grants: [] });
  const bob = { ...ADA, sub: 'bob', email: 'bob@acme.test' };
  const pending = async () =>
    (await ask<{ invitations: { state: string }[] }>('GET', '/invitations')).body.invitations[0]?.state;
  t.equal((await post(bob)).status, 201, 'its JIT switch says so');
  t.equal(await pending(), 'pending');
});

t.test('who is deactivated does not come back as a second user of the same address', async (t) => {
  const { post, user, count, ask } = await newSignInWorld(app);
  await user('carol', { emails: [{ value: 'ada@acme.test', primary: true }], active: false });
  for (const claims of [ADA, UNVERIFIED]) {
    t.match(await post(claims), { status: 403, body: { reason: 'deactivated' } });
  }
  t.equal(await count('scim_user'), 1);
  await ask('POST', '/invitations', { email: 'ada@acme.test', grants: [] });
  t.equal((await post(ADA)).status, 201, 'unless an admin invites them');
});

t.test('who has what a deleted person had does not bring them back', async (t) => {
  const { post, user, scim, directory } = await newSignInWorld(app);
  const id = await user('ada@acme.test', {
    externalId: '1001',
    emails: [{ value: 'sales@acme.test', primary: true }],
  });
  t.equal((await post({ sub: '00u1', email: 'ada@acme.test', email_verified: true })).status, 200);
  t.equal((await scim.ask('DELETE', `/Users/${id}`)).status, 204);
  await (await directory('partners')).user('stranger', { externalId: '1001' });
  await user('bob', { emails: [{ value: 'sales@acme.test', primary: true }] });
  await user('ada@acme.test');
  t.match(await post({ sub: '00u1', email: 'nobody@acme.test' }), {
    status: 403,
    body: { reason: 'deprovisioned', deletedUser: id },
  });
  await user('ada-again', { externalId: '1001' });
  t.equal((await post({ sub: '00u1', email: 'nobody@acme.test' })).status, 201, 'the same externalId does');
});

t.test('an address that a living user has too speaks of them, and not of who was deleted', async (t) => {
  const { post, byHand, tenant, ask } = await newSignInWorld(app, {}, { linkByEmail: 'verified_domains' });
  await prove(tenant.id);
  const [id, double] = [
    await byHand('ada', { email: ADA.email }),
    await byHand('ada2', { email: ADA.email }),
  ];
  t.match(await post(ADA), { status: 409, body: { conflict: 'ambiguous' } });
  await ask('DELETE', `/users/${double}`);
  t.match(await post(ADA), { status: 200, body: { outcome: 'linked', user: { id } } });
});

t.test('who was deleted comes back if an admin invites them', async (t) => {
  const { post, ask } = await newSignInWorld(app);
  const { id } = (await post(ADA)).body.user;
  await ask('DELETE', `/users/${id}`);
  t.match(await post(ADA), { status: 403, body: { reason: 'deprovisioned' } });
  await ask('POST', '/invitations', { email: ADA.email, grants: [] });
  t.equal((await post(ADA)).status, 201);
});

t.test('the feed says who was deleted, so that an admin knows whom to allow', async (t) => {
  const { post, ask, eventsOf } = await newSignInWorld(app);
  const { id } = (await post(ADA)).body.user;
  await ask('DELETE', `/users/${id}`);
  const events = await eventsOf(() => post(ADA));
  t.match(events, [{ type: 'sign_in.refused', after: { reason: 'deprovisioned', deletedUser: id } }]);
});

t.test('a retry does not get in who has been shut out since', async (t) => {
  const { post, ask } = await newSignInWorld(app);
  const retried = { requestId: 'r', headers: { 'idempotency-key': 'k' } };
  const { id } = (await post(ADA, retried)).body.user;
  t.equal((await post(ADA, retried)).status, 201);
  await ask('PATCH', `/users/${id}`, { active: false });
  t.match(await post(ADA, retried), { status: 409, body: { reason: 'replayed' } });
});

t.test('whoever is linked has no conflict left, and is not rejected by one', async (t) => {
  const { post, byHand, ask, scim } = await newSignInWorld(app);
  const id = await byHand(ADA.email);
  t.equal((await post(ADA)).status, 409);
  const conflicts = async () =>
    (await ask<{ conflicts: { id: string; state: string }[] }>('GET', '/conflicts')).body.conflicts;
  await ask('PATCH', `/users/${id}`, { userName: 'somebody', email: null });
  t.equal((await post(ADA)).status, 201);
  const [conflict] = await conflicts();
  t.equal(conflict?.state, 'settled');
  t.match(await ask('POST', `/conflicts/${conflict?.id}/resolve`, { action: 'reject' }), {
    status: 409,
    body: { reason: 'already_linked' },
  });
  t.equal((await post(ADA)).status, 200);
  t.ok(scim);
});

t.test('an invitation whose address is not verified waits, and the answer says so', async (t) => {
  const { post, ask } = await newSignInWorld(app);
  await ask('POST', '/invitations', { email: 'Ada@acme.test', grants: [] });
  t.match((await post({ ...UNVERIFIED, sub: 'x' })).body.warnings, [{ code: 'email_unverified' }]);
  t.same((await post(ADA)).body.warnings, []);
});

t.test('the trial of a disabled identity provider says that it is disabled', async (t) => {
  const { post, setProvider } = await newSignInWorld(app);
  await setProvider({ enabled: false });
  const { body } = await post(ADA, { query: '?dryRun=true' });
  t.match(body, {
    warnings: [{ code: 'identity_provider_disabled' }],
    trace: [{ check: 'identity_provider_enabled', passed: false }],
  });
  t.match(await post(ADA), { status: 403, body: { reason: 'identity_provider_disabled' } });
});

t.test('sign-ins beside changes of their identity provider are read anew, and not refused', async (t) => {
  const { post, setProvider } = await newSignInWorld(app);
  const changes = Array.from({ length: 5 }, () => setProvider({}));
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => post({ ...ADA, sub: `s${n}`, email: `s${n}@acme.test` })),
  );
  await Promise.all(changes);
  t.same([...new Set(answers.map(({ status }) => status))], [201]);
});
