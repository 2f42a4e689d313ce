import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';

interface TeamBody {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly externalId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface TeamList {
  readonly teams: readonly TeamBody[];
  readonly next?: string;
}

const START = Date.parse('2026-03-04T05:06:07.000Z');
const clock = { now: START };
const app = await startApp(t, { now: () => new Date(clock.now) });
t.beforeEach(() => {
  clock.now = START;
});

const teamsOf = async ({ id }: Tenant, query = '') =>
  (await app.admin<TeamList>('GET', `/tenants/${id}/teams${query}`)).body;
const create = (tenant: Tenant, body: unknown) =>
  app.admin<TeamBody>('POST', `/tenants/${tenant.id}/teams`, body);

/** The events of the tenant's teams. */
async function told(tenant: Tenant) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events`);
  return body.events.filter(({ resource }) => resource.type === 'Team');
}

t.test('a team is made, read, changed and deleted, and each of it is told', async (t) => {
  const tenant = await app.createTenant();
  const { status, body: made } = await create(tenant, { name: 'Incident Response' });
  t.equal(status, 201);
  const at = new Date(START).toISOString();
  t.match(made, { name: 'Incident Response', kind: 'team', externalId: null, createdAt: at, updatedAt: at });
  t.match(made.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/, 'the id is a UUID of version 7');
  const path = `/tenants/${tenant.name}/teams/${made.id}`;
  t.same((await app.admin('GET', path)).body, made);

  clock.now += 1_000;
  const change = { name: 'Response', externalId: 'ir-7' };
  const { body: changed } = await app.admin('PATCH', path, change);
  t.same(changed, { ...made, ...change, updatedAt: new Date(clock.now).toISOString() });
  t.same((await app.admin('GET', path)).body, changed);

  t.match(await app.admin('DELETE', path), { status: 204, text: '' });
  t.match(await app.admin('GET', path), { status: 404, body: { detail: 'Team not found' } });
  t.same(await teamsOf(tenant), { teams: [] });
  const resource = { type: 'Team', id: made.id };
  t.match(await told(tenant), [
    { type: 'team.created', resource, actor: { kind: 'operator' }, before: null, after: made },
    { type: 'team.updated', resource, before: made, after: changed },
    { type: 'team.deleted', resource, before: changed, after: null },
  ]);
});

t.test('a change that changes nothing is not told, and leaves the team as it was', async (t) => {
  const tenant = await app.createTenant();
  const { body: made } = await create(tenant, { name: 'SOC', externalId: 'soc' });
  clock.now += 1_000;
  for (const change of [{}, { name: 'SOC' }, { externalId: 'soc' }, { name: 'SOC', externalId: 'soc' }]) {
    const { body } = await app.admin('PATCH', `/tenants/${tenant.id}/teams/${made.id}`, change);
    t.same(body, made, JSON.stringify(change));
  }
  t.equal((await told(tenant)).length, 1);
});

t.test('null takes the externalId away, and what is not named stays', async (t) => {
  const tenant = await app.createTenant();
  const { body: made } = await create(tenant, { name: 'SOC', externalId: 'soc' });
  const path = `/tenants/${tenant.id}/teams/${made.id}`;
  t.match((await app.admin('PATCH', path, { name: 'CERT' })).body, { name: 'CERT', externalId: 'soc' });
  t.match((await app.admin('PATCH', path, { externalId: null })).body, { name: 'CERT', externalId: null });
});

t.test('names are told apart by case and by every character', async (t) => {
  const tenant = await app.createTenant();
  // The last two look alike: one character, and a letter with a combining mark.
  const names = [
    'Fraud',
    'fraud',
    'FRAUD',
    ' Fraud',
    'Fraud ',
    'Fraud/EU, "A&B" %00',
    'Z\u00fcrich',
    'Zu\u0308rich',
  ];
  for (const name of names) {
    t.match(await create(tenant, { name }), { status: 201, body: { name } });
    const { teams } = await teamsOf(tenant, `?name=${encodeURIComponent(name)}`);
    t.same(
      teams.map((team) => team.name),
      [name],
    );
  }
});

t.test('a name is taken once for each kind and tenant', async (t) => {
  const [tenant, other] = [await app.createTenant(), await app.createTenant()];
  const refused = (what: string) => ({
    status: 409,
    body: {
      code: 'conflict',
      reason: 'name_taken',
      pointer: '/name',
      detail: `The tenant has a ${what} with the name "Fraud" already`,
    },
  });
  t.equal((await create(tenant, { name: 'Fraud' })).status, 201);
  t.equal((await create(tenant, { name: 'Fraud', kind: 'case_group' })).status, 201);
  t.equal((await create(other, { name: 'Fraud' })).status, 201);
  t.match(await create(tenant, { name: 'Fraud', kind: 'team' }), refused('team'));
  t.match(await create(tenant, { name: 'Fraud', kind: 'case_group' }), refused('case group'));

  const { body: team } = await create(tenant, { name: 'Abuse' });
  const path = `/tenants/${tenant.id}/teams/${team.id}`;
  t.match(await app.admin('PATCH', path, { name: 'Fraud', externalId: 'x' }), refused('team'));
  t.same((await app.admin('GET', path)).body, team, 'nothing of a refused change stays');
  t.equal((await told(tenant)).length, 3);
  await app.admin('PATCH', path, { name: 'Abuse 2' });
  t.equal((await create(tenant, { name: 'Abuse' })).status, 201, 'a name that is given up is free');
});

t.test('of two who take one name at the same time, one has it', async (t) => {
  const tenant = await app.createTenant();
  const answers = await Promise.all(Array.from({ length: 8 }, () => create(tenant, { name: 'Fraud' })));
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
  t.equal((await teamsOf(tenant)).teams.length, 1);
  t.equal((await told(tenant)).length, 1);
});

t.test(
  'a list is of all teams in the order of their creation, page by page, or of a name and a kind',
  async (t) => {
    const tenant = await app.createTenant();
    for (const name of ['C', 'A', 'B']) await create(tenant, { name });
    await create(tenant, { name: 'A', kind: 'case_group' });
    const namesOf = ({ teams }: TeamList) => teams.map(({ name, kind }) => `${name} ${kind}`);
    const first = await teamsOf(tenant, '?limit=2');
    t.same(namesOf(first), ['C team', 'A team']);
    const second = await teamsOf(tenant, `?limit=2&after=${first.next}`);
    t.same(namesOf(second), ['B team', 'A case_group']);
    t.equal(second.next, undefined);
    t.same(namesOf(await teamsOf(tenant, '?name=A')), ['A team', 'A case_group']);
    t.same(namesOf(await teamsOf(tenant, '?kind=case_group')), ['A case_group']);
    t.same(namesOf(await teamsOf(tenant, '?name=A&kind=team')), ['A team']);
    t.same(namesOf(await teamsOf(tenant, '?name=a')), []);
  },
);

t.test('what does not hold is refused with its place', async (t) => {
  const tenant = await app.createTenant();
  const { body: team } = await create(tenant, { name: 'SOC' });
  const path = `/tenants/${tenant.id}/teams`;
  const wrong: readonly (readonly [body: unknown, pointer: string])[] = [
    [{}, '/name'],
    [{ name: '' }, '/name'],
    [{ name: 'a\nb' }, '/name'],
    [{ name: 'x'.repeat(201) }, '/name'],
    [{ name: 'A', kind: 'squad' }, '/kind'],
    [{ name: 'A', externalId: 7 }, '/externalId'],
    [{ name: 'A', members: [] }, '/members'],
  ];
  for (const [body, pointer] of wrong) {
    t.match(await app.admin('POST', path, body), { status: 400, body: { pointer } }, JSON.stringify(body));
  }
  t.match(
    await app.admin('PATCH', `${path}/${team.id}`, { kind: 'case_group' }),
    { status: 400, body: { pointer: '/kind' } },
    'a team keeps its kind',
  );
  t.match(await app.admin('GET', `${path}?kind=squad`), { status: 400, body: { pointer: 'kind' } });
});

t.test('a path names a team by its id: a name names none, nor does an id that is nowhere', async (t) => {
  const tenant = await app.createTenant();
  await create(tenant, { name: 'SOC' });
  for (const name of ['SOC', '0198c0de-0000-7000-8000-00000000002a', '%00', 'a%2Fb']) {
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const body = method === 'PATCH' ? { name: 'X' } : undefined;
      const answer = await app.admin(method, `/tenants/${tenant.id}/teams/${name}`, body);
      t.match(answer, { status: 404, body: { detail: 'Team not found' } }, `${method} ${name}`);
    }
  }
});

t.test('teams go with their tenant', async (t) => {
  const tenant = await app.createTenant();
  await create(tenant, { name: 'SOC' });
  t.equal((await app.admin('DELETE', `/tenants/${tenant.id}`)).status, 204);
  const { rows } = await app.context.db.pool.query('select from team where tenant_id = $1', [tenant.id]);
  t.same(rows, []);
});
