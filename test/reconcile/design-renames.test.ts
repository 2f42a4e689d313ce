import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** What becomes of rows and members where the names that rows go by change. */

const app = await startApp(t);
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');

t.test(
  'when a group is renamed, rows that named it follow, as a new mapping version by the system',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([ANALYSTS], {
      tenant_owners_groups: ['Analysts'],
      tenant_permission: [{ group_name: 'Analysts', permissions: ['BILLING'] }],
    });
    const analysts = await world.group('Analysts', [ada]);
    const held = await world.holds(ada);
    const events = await world.eventsOf(() => world.rename(analysts, 'Threat Analysts'));
    t.match((await world.ask('GET', '/group-mapping')).body, {
      version: 2,
      document: {
        tenant_owners_groups: ['Threat Analysts'],
        tenant_permission: [{ group_name: 'Threat Analysts' }],
        mappings: [{ group_name: 'Threat Analysts' }],
      },
      cause: { kind: 'group_renamed', before: 'Analysts', after: 'Threat Analysts' },
      updatedBy: { kind: 'system' },
    });
    t.same(await world.holds(ada), held, 'nobody gains or loses by it');
    t.same(events.map(({ type }) => type).sort(), ['group.updated', 'group_mapping.updated']);
    t.equal(await world.drift(), 0);
  },
);

t.test('where another group still bears the old name, the row stays and a copy follows', async (t) => {
  const world = await newWorld(app);
  const entra = await world.directory('entra');
  const [ada, { id: bob }] = [await world.user('ada'), await entra.user('bob')];
  await world.map([ANALYSTS]);
  const analysts = await world.group('Analysts', [ada]);
  await entra.group('Analysts', [bob]);
  await world.rename(analysts, 'Threat Analysts');
  const { mappings } = (await world.document()).document as { mappings: { group_name: string }[] };
  t.same(mappings.map(({ group_name }) => group_name).sort(), ['Analysts', 'Threat Analysts']);
  t.same(await world.holds(ada), ['Incident Response EDITOR scim:default']);
  t.same(await world.holds(bob), ['Incident Response EDITOR scim:entra']);
  t.equal(await world.drift(), 0);
});

t.test(
  'with renameFollows: false members are recomputed under the new name, and an event says which rows went dead',
  async (t) => {
    const world = await newWorld(app, { renameFollows: false });
    const ada = await world.user('ada');
    await world.map([ANALYSTS, row('Hunters', 'Forensics', 'VIEWER')]);
    const analysts = await world.group('Analysts', [ada]);
    const events = await world.eventsOf(() => world.rename(analysts, 'Hunters'));
    t.same(await world.holds(ada), ['Forensics VIEWER scim:default']);
    t.equal((await world.document()).version, 1);
    t.match(
      events.filter(({ type }) => type.startsWith('group_mapping.')),
      [
        {
          type: 'group_mapping.left_behind',
          before: { group: 'Analysts' },
          after: { rows: ['/mappings/0'] },
        },
      ],
    );
  },
);

t.test('a row that names a group by its id, or by its externalId, outlives each rename', async (t) => {
  const world = await newWorld(app, { renameFollows: false });
  const ada = await world.user('ada');
  const own = await world.group('First', [ada]);
  const { body } = await world.scim.ask('POST', '/Groups', {
    displayName: 'Second',
    externalId: 'ext-2',
    members: [{ value: ada }],
  });
  const byId = (group_id: string, team_name: string) => ({ group_id, team_name, role_name: 'VIEWER' });
  await world.map([byId(own, 'Incident Response'), byId('ext-2', 'Forensics')]);
  for (const id of [own, body.id]) await world.rename(id, `Renamed ${id}`);
  t.same(await world.holds(ada), ['Forensics VIEWER scim:default', 'Incident Response VIEWER scim:default']);
  t.equal((await world.document()).version, 1);
});

t.test('when a team is renamed, its rows follow, as a new mapping version', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([ANALYSTS, row('Analysts', 'Forensics', 'VIEWER')]);
  const analysts = await world.group('Analysts', [ada]);
  const events = await world.eventsOf(() =>
    world.ask('PATCH', `/teams/${world.response}`, { name: 'Response' }),
  );
  t.match((await world.ask('GET', '/group-mapping')).body, {
    version: 2,
    document: { mappings: [{ team_name: 'Response' }, { team_name: 'Forensics' }] },
    cause: { kind: 'team_renamed', before: 'Incident Response', after: 'Response' },
    updatedBy: { kind: 'system' },
  });
  t.same(await world.holds(ada), ['Forensics VIEWER scim:default', 'Response EDITOR scim:default']);
  t.notOk(
    events.some(({ type }) => /^(grant|membership)\./.test(type)),
    'nobody gains or loses by it',
  );
  await world.leave(analysts, ada);
  t.same(await world.holds(ada), []);
});

t.test(
  'a team that a row waits for gets its members when it is made, and its rows wait again when it goes',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.user('ada');
    await world.map([row('Analysts', 'Later', 'EDITOR')]);
    await world.group('Analysts', [ada]);
    t.same(await world.holds(ada), []);
    const later = await world.team('Later');
    t.same(await world.holds(ada), ['Later EDITOR scim:default']);
    t.equal((await world.ask('DELETE', `/teams/${later}`)).status < 500, true);
    t.equal(await world.drift(), 0);
  },
);
