import t from 'tap';
import { startApp } from '../../support/app.ts';
import { makeGateway, makeProvider } from '../../support/sign-in.ts';
import { newWorld, row } from '../../support/world.ts';

/** Sign-ins through the door, by claims: who comes in, and what they hold then. */

const app = await startApp(t);

const ADA = {
  sub: '00u1',
  email: 'ada@acme.test',
  given_name: 'Ada',
  family_name: 'King',
  groups: ['Analysts'],
};

async function start(options: Parameters<typeof makeProvider>[3] = {}, settings = {}) {
  const world = await newWorld(app, settings);
  await world.map([row('Analysts', 'Incident Response', 'EDITOR'), row('Hunters', 'Forensics', 'VIEWER')]);
  const providerId = await makeProvider(app, world.tenant.id, 'okta', options);
  return { ...world, providerId, ...(await makeGateway(app, world.tenant)) };
}

t.test('somebody unknown is created, with what their groups give', async (t) => {
  const { post, response, holds } = await start();
  const { status, body } = await post(ADA);
  t.equal(status, 201);
  t.match(body, {
    outcome: 'created',
    user: {
      userName: 'ada@acme.test',
      givenName: 'Ada',
      familyName: 'King',
      email: 'ada@acme.test',
      active: true,
      managedBy: 'jit:okta',
    },
    access: {
      signIn: 'allow',
      tenantOwner: false,
      permissions: [],
      teams: [
        {
          id: response,
          name: 'Incident Response',
          kind: 'team',
          role: 'EDITOR',
          managedBy: 'jit:okta',
          via: ['Analysts'],
        },
      ],
    },
    identityProviderGroups: { state: 'list', groups: ['Analysts'] },
    changes: [{ change: 'add', team: 'Incident Response', role: 'EDITOR' }],
    warnings: [],
  });
  t.same(await holds(body.user.id), ['Incident Response EDITOR jit:okta']);
});
