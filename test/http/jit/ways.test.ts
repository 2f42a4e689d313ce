import t from 'tap';
import { startApp } from '../../support/app.ts';
import { ADA, newSignInWorld, type SignInWorld } from '../../support/sign-in.ts';

/** What sign-ins give besides groups: invitations, and the domain of the e-mail address. */

const app = await startApp(t);

const invite = async ({ ask, response }: SignInWorld) => {
  const grants = [{ team: response, role: 'VIEWER' }];
  return (await ask<{ id: string }>('POST', '/invitations', { email: 'Ada@acme.test', grants })).body.id;
};

t.test(
  'an invitation lets somebody in whom JIT would not create, is accepted, and gives its teams',
  async (t) => {
    const world = await newSignInWorld(app, { jit: 'off' });
    const { post, holds, ask, eventsOf } = world;
    const id = await invite(world);
    t.match(await post({ ...ADA, email_verified: false }), {
      status: 403,
      body: { reason: 'email_unverified' },
    });
    const events = await eventsOf(async () => t.equal((await post(ADA)).status, 201));
    t.match(
      events.find(({ type }) => type === 'invitation.accepted'),
      { resource: { id } },
    );
    t.match((await ask('GET', `/invitations/${id}`)).body, { state: 'accepted' });
    const { body } = await post(ADA);
    t.equal(body.outcome, 'unchanged');
    t.same(await holds(body.user.id), ['Incident Response VIEWER invitation']);
  },
);

t.test(
  'who is known accepts an invitation at the next sign-in, and what the mapping gives counts first',
  async (t) => {
    const world = await newSignInWorld(app);
    const { id } = (await world.post(ADA)).body.user;
    await invite(world);
    await world.post(ADA);
    t.same(await world.grants(id, world.response), ['invitation VIEWER', 'jit:okta EDITOR']);
    t.same(await world.holds(id), ['Incident Response EDITOR jit:okta']);
    await world.post({ ...ADA, groups: [] });
    t.same(await world.holds(id), ['Incident Response VIEWER invitation']);
  },
);

t.test('an invitation is accepted once, by the one sign-in that is let in', async (t) => {
  const world = await newSignInWorld(app, {}, { unmappedUsers: 'deny' });
  const { ask, post } = world;
  const { body } = await ask<{ id: string }>('POST', '/invitations', { email: 'ada@acme.test', grants: [] });
  t.match(await post({ ...ADA, groups: [] }), { status: 403, body: { reason: 'unmapped' } });
  t.match((await ask('GET', `/invitations/${body.id}`)).body, { state: 'pending' }, 'nobody came in by it');
  t.equal((await post(ADA)).status, 201);
  t.match((await ask('GET', `/invitations/${body.id}`)).body, { state: 'accepted' });
});

t.test(
  'a proved domain gives its teams to the new ones with a verified address, never to those who are there',
  async (t) => {
    const world = await newSignInWorld(app, { jit: 'off' });
    const { post, holds, ask, forensics } = world;
    const grants = [{ team: forensics, role: 'VIEWER' }];
    t.equal((await ask('POST', '/domains', { name: 'acme.test', jit: true, grants })).status, 201);
    t.equal((await post(ADA)).status, 403, 'not proved yet');
    t.equal((await ask('POST', '/domains/acme.test/verify', { by: 'operator' })).status, 200);
    t.equal((await post({ ...ADA, email_verified: false })).status, 403);
    const { status, body } = await post(ADA);
    t.equal(status, 201);
    t.same(await holds(body.user.id), ['Forensics VIEWER email_domain']);
    const bob = await world.user('bob@acme.test');
    t.equal((await post({ ...ADA, sub: 'bob', email: 'bob@acme.test' })).body.outcome, 'linked');
    t.same(await holds(bob), []);
  },
);
