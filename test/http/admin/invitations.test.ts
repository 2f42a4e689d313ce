import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { type AnyBody, startApp } from '../../support/app.ts';

const START = Date.parse('2026-03-04T05:06:07.000Z');
const DAY = 24 * 60 * 60 * 1_000;
const clock = { now: START };
const app = await startApp(t, { now: () => new Date(clock.now) });
t.beforeEach(() => {
  clock.now = START;
});

interface InvitationBody {
  readonly id: string;
  readonly email: string;
  readonly state: string;
  readonly grants: readonly unknown[];
  readonly expiresAt: string;
  readonly endedAt: string | null;
  readonly userId: string | null;
}

interface UserBody {
  readonly id: string;
  readonly memberships: readonly {
    readonly team: { readonly id: string };
    readonly role: string;
    readonly origin: string;
  }[];
}

const at = (time: number) => new Date(time).toISOString();
const rootOf = ({ id }: Pick<Tenant, 'id'>) => `/tenants/${id}`;
const pathOf = (tenant: Tenant) => `${rootOf(tenant)}/invitations`;
const invite = (tenant: Tenant, body: object) =>
  app.admin<InvitationBody>('POST', pathOf(tenant), { email: 'ada@acme.example', grants: [], ...body });
const accept = (tenant: Tenant, id: string, userId: string) =>
  app.admin<InvitationBody>('POST', `${pathOf(tenant)}/${id}/accept`, { userId });
const read = async (tenant: Tenant, id: string) =>
  (await app.admin<InvitationBody>('GET', `${pathOf(tenant)}/${id}`)).body;
const user = async (tenant: Tenant, userName = 'ada', more = {}) =>
  (await app.admin<UserBody>('POST', `${rootOf(tenant)}/users`, { userName, ...more })).body.id;
const heldBy = async (tenant: Tenant, id: string) =>
  (await app.admin<UserBody>('GET', `${rootOf(tenant)}/users/${id}`)).body.memberships;
const team = async (tenant: Tenant, name: string) =>
  (await app.admin<{ id: string }>('POST', `${rootOf(tenant)}/teams`, { name })).body.id;

async function told(tenant: Tenant) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `${rootOf(tenant)}/events?limit=1000`);
  return body.events;
}

t.test('who is invited gets what the invitation has once it is accepted, and it is told', async (t) => {
  const tenant = await app.createTenant();
  const [blue, red] = [await team(tenant, 'Blue'), await team(tenant, 'Red')];
  const { status, body: invited } = await invite(tenant, {
    email: 'Ada@Acme.example',
    grants: [
      { team: 'Blue', role: 'editor' },
      { team: red, role: 'VIEWER' },
    ],
  });
  t.equal(status, 201);
  t.match(invited, {
    email: 'Ada@Acme.example',
    state: 'pending',
    grants: [
      { team: { id: blue, name: 'Blue', kind: 'team' }, role: 'EDITOR' },
      { team: { id: red }, role: 'VIEWER' },
    ],
    expiresAt: at(START + 7 * DAY),
    createdBy: { kind: 'operator' },
    endedAt: null,
    userId: null,
  });

  clock.now += DAY;
  const userId = await user(tenant);
  const { body: accepted } = await accept(tenant, invited.id, userId);
  t.same(accepted, { ...invited, state: 'accepted', endedAt: at(clock.now), userId });
  t.same(
    (await heldBy(tenant, userId)).map((held) => [held.team.id, held.role, held.origin]).sort(),
    [
      [blue, 'EDITOR', 'invitation'],
      [red, 'VIEWER', 'invitation'],
    ].sort(),
  );
  const events = (await told(tenant)).length;
  t.same((await accept(tenant, invited.id, userId)).body, accepted, 'the same again changes nothing');
  const all = await told(tenant);
  t.equal(all.length, events);
  const ours = all.filter(({ type }) => type.startsWith('invitation.'));
  t.same(
    ours.map(({ type, resource }) => [type, resource.id]),
    [
      ['invitation.created', invited.id],
      ['invitation.accepted', invited.id],
    ],
  );
  t.match(ours[1]?.after, { state: 'accepted', userId });
  const changes = all.filter(({ changeId }) => changeId === ours[1]?.changeId).map(({ type }) => type);
  t.ok(changes.includes('membership.added'), 'what it gave is of the same change');
});

t.test('of one address one invitation is pending, however it is written, whoever comes first', async (t) => {
  const tenant = await app.createTenant();
  const answers = await Promise.all(
    ['ada@acme.example', 'ADA@acme.example', 'Ada@Acme.Example'].map((email) => invite(tenant, { email })),
  );
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  const refused = answers.find(({ status }) => status === 409);
  t.match(refused?.body, { reason: 'already_invited', pointer: '/email' });

  const [first] = answers.filter(({ status }) => status === 201);
  t.equal((await app.admin('DELETE', `${pathOf(tenant)}/${first?.body.id}`)).status, 204);
  t.equal(
    (await app.admin('DELETE', `${pathOf(tenant)}/${first?.body.id}`)).status,
    204,
    'again is no fault',
  );
  t.equal((await invite(tenant, {})).status, 201, 'a revoked one makes room');
  clock.now += 7 * DAY;
  t.equal((await invite(tenant, {})).status, 201, 'an expired one too');
  const states = await app.admin<{ invitations: InvitationBody[] }>('GET', pathOf(tenant));
  t.same(
    states.body.invitations.map(({ state }) => state),
    ['revoked', 'expired', 'pending'],
  );
});

t.test('an invitation expires by itself: nobody accepts or revokes it then', async (t) => {
  const tenant = await app.createTenant();
  const userId = await user(tenant);
  const { body: invited } = await invite(tenant, { expiresAt: at(START + 1_000) });
  const inState = async (state: string) =>
    (await app.admin<{ invitations: AnyBody[] }>('GET', `${pathOf(tenant)}?state=${state}`)).body.invitations;
  clock.now = START + 999;
  t.match([await inState('pending'), await inState('expired')], [[{ id: invited.id }], []]);
  clock.now = START + 1_000;
  t.match([await inState('pending'), await inState('expired')], [[], [{ id: invited.id, endedAt: null }]]);
  t.match(await accept(tenant, invited.id, userId), { status: 409, body: { reason: 'not_pending' } });
  t.match(await app.admin('DELETE', `${pathOf(tenant)}/${invited.id}`), {
    status: 409,
    body: { reason: 'not_pending', detail: /expired/ },
  });
  t.same(await heldBy(tenant, userId), []);
});

t.test('an invitation lives for 90 days at most, and is not dead from its birth', async (t) => {
  const tenant = await app.createTenant();
  for (const expiresAt of [START, START - 1, START + 90 * DAY + 1]) {
    const refused = { status: 400, body: { reason: 'expiry', pointer: '/expiresAt' } };
    t.match(await invite(tenant, { expiresAt: at(expiresAt) }), refused);
  }
  t.match(await invite(tenant, { expiresAt: '2026-03-31T23:59:60Z' }), { status: 400 });
  t.match(await invite(tenant, { expiresAt: at(START + 90 * DAY) }), { status: 201 });
  for (const email of ['ada', '@acme.example', 'ada@', 'a da@acme.example', 'ada@x@y']) {
    t.match(await invite(tenant, { email }), { status: 400, body: { pointer: '/email' } }, email);
  }
  t.match(await invite(tenant, { email: 'b@acme.example', grants: [{ team: 'No', role: 'VIEWER' }] }), {
    status: 400,
    body: { reason: 'unknown_team', pointer: '/grants/0/team' },
  });
});

t.test('an invitation is accepted by active people of the tenant whom no directory manages', async (t) => {
  const tenant = await app.createTenant();
  await team(tenant, 'Blue');
  const { body: invited } = await invite(tenant, { grants: [{ team: 'Blue', role: 'VIEWER' }] });
  const managed = await app.send<{ id: string }>('POST', '/api/scim/v2/Users', {
    key: await app.scimKey(tenant),
    body: { userName: 'managed' },
  });
  const elsewhere = await user(await app.createTenant());
  const refused = async (userId: string, answer: object) => {
    t.match(await accept(tenant, invited.id, userId), answer);
    t.equal((await read(tenant, invited.id)).state, 'pending', 'it is left pending');
  };
  await refused(managed.body.id, { status: 409, body: { reason: 'managed_user', pointer: '/userId' } });
  await refused(await user(tenant, 'gone', { active: false }), {
    status: 409,
    body: { reason: 'inactive_user' },
  });
  await refused(randomUUID(), { status: 400, body: { reason: 'unknown_user' } });
  await refused(elsewhere, { status: 400, body: { reason: 'unknown_user' } });
  const [first, second] = [await user(tenant, 'first'), await user(tenant, 'second')];
  const answers = await Promise.all([accept(tenant, invited.id, first), accept(tenant, invited.id, second)]);
  t.same(answers.map(({ status }) => status).sort(), [200, 409], 'and by one of them');
  const held = [...(await heldBy(tenant, first)), ...(await heldBy(tenant, second))];
  t.equal(held.length, 1);
});

t.test('a team that was deleted is not given; a role that is to be given is not deleted', async (t) => {
  const tenant = await app.createTenant();
  const [gone] = [await team(tenant, 'Gone'), await team(tenant, 'Stays')];
  await app.admin('POST', `${rootOf(tenant)}/roles`, { name: 'LEAD', rank: 150 });
  const remove = () => app.admin('DELETE', `${rootOf(tenant)}/roles/LEAD`);
  const { body: invited } = await invite(tenant, {
    grants: [
      { team: 'Gone', role: 'LEAD' },
      { team: 'Stays', role: 'VIEWER' },
    ],
  });
  const domain = { name: 'acme.example', grants: [{ team: 'Stays', role: 'lead' }] };
  await app.admin('POST', `${rootOf(tenant)}/domains`, domain);
  await app.admin('DELETE', `${rootOf(tenant)}/teams/${gone}`);
  const uses = { rows: [], users: 0, ways: ['acme.example', 'ada@acme.example'] };
  t.match(await remove(), { status: 409, body: { reason: 'in_use', uses } });

  const userId = await user(tenant);
  t.equal((await accept(tenant, invited.id, userId)).status, 200);
  t.match(await heldBy(tenant, userId), [{ role: 'VIEWER', origin: 'invitation' }]);
  t.match(await remove(), { status: 409, body: { uses: { ways: ['acme.example'] } } });
  await app.admin('PATCH', `${rootOf(tenant)}/domains/acme.example`, { grants: [] });
  await invite(tenant, { grants: [{ team: 'Stays', role: 'LEAD' }], expiresAt: at(START + 1) });
  clock.now += 1;
  t.equal((await remove()).status, 204, 'an expired invitation gives nothing');
});
