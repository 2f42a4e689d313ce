import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row, type World } from '../support/world.ts';

/** What is as it should be is written by nobody: no row, no event, no version. */

const app = await startApp(t);

/** Every row of what a tenant has, with the transaction that wrote it and the place where it lies. */
async function stored({ tenant }: World): Promise<Record<string, unknown[]>> {
  const tables = [
    ...['access_grant', 'access_grant_history', 'event', 'group_mapping', 'group_mapping_version'],
    ...['mapping_row', 'group_member', 'scim_group', 'scim_user', 'team', 'job'],
  ];
  const found = tables.map(async (table) => {
    const { rows } = await app.context.db.pool.query(
      `select xmin::text, ctid::text from ${table} where tenant_id = $1 order by 1, 2`,
      [tenant.id],
    );
    return [table, rows];
  });
  return Object.fromEntries(await Promise.all(found));
}

const DOCUMENT = {
  tenant_owners_groups: ['IT Admins'],
  tenant_permission: [{ group_name: 'Analysts', permissions: ['AUDIT_LOG_READ'] }],
  mappings: [row('Analysts', 'Incident Response', 'EDITOR'), row('IT Admins', 'Forensics', 'VIEWER')],
};

/** A tenant in which all kinds of grants are held. */
async function settled() {
  const world = await newWorld(app);
  const [ada, bob] = [await world.user('ada'), await world.user('bob', { active: false })];
  const cleo = await world.byHand('cleo');
  for (const user of [ada, bob, cleo]) {
    await world.ask('PUT', `/teams/${world.fraud}/members/${user}`, { role: 'VIEWER' });
  }
  await world.put(DOCUMENT);
  const analysts = await world.group('Analysts', [ada, bob]);
  const admins = await world.group('IT Admins', [ada]);
  t.same(await world.holds(ada), [
    'Forensics VIEWER scim:default',
    'Fraud VIEWER manual',
    'Incident Response EDITOR scim:default',
    'owner',
    'AUDIT_LOG_READ',
  ]);
  return { ...world, ada, bob, cleo, analysts, admins };
}

t.test('nothing to change: nothing written, no event, no version', async (t) => {
  const world = await settled();
  const { scim, ada, bob, cleo, analysts, admins, fraud } = world;
  const members = [{ value: bob }, { value: ada }];
  const repeated: Record<string, () => Promise<{ status: number }>> = {
    'PUT of a group': () => scim.ask('PUT', `/Groups/${analysts}`, { displayName: 'Analysts', members }),
    'PATCH that adds who is there': () => world.join(analysts, ada, bob),
    'PATCH that removes who is not there': () => world.leave(admins, bob),
    'PATCH that replaces the members by themselves': () =>
      scim.patch(`/Groups/${analysts}`, [{ op: 'replace', path: 'members', value: members }]),
    'PATCH of a group to the name that it has': () => world.rename(analysts, 'Analysts'),
    'PUT of a user': () => scim.ask('PUT', `/Users/${ada}`, { userName: 'ada', active: true }),
    'PATCH that activates who is active': () => world.activate(ada, true),
    'PATCH that deactivates who is not': () => world.activate(bob, false),
    'PUT of the mapping': () => world.put(DOCUMENT),
    'PUT of the mapping by its aliases': () =>
      world.put({
        user_group_mapping: {
          ...DOCUMENT,
          mappings: DOCUMENT.mappings.map(({ group_name: sso_group, ...rest }) => ({ ...rest, sso_group })),
        },
      }),
    'a dry run of another mapping': () => world.put({ mappings: DOCUMENT.mappings.slice(1) }, '?dryRun=true'),
    'PUT of a manual grant': () => world.ask('PUT', `/teams/${fraud}/members/${cleo}`, { role: 'viewer' }),
    'DELETE of a manual grant that is not there': () => world.ask('DELETE', `/owners/${cleo}`),
    'PATCH of a user by hand': () => world.ask('PATCH', `/users/${cleo}`, { active: true }),
    'PATCH of a team': () => world.ask('PATCH', `/teams/${fraud}`, { name: 'Fraud' }),
    'PATCH of the tenant': () => world.ask('PATCH', '', { settings: { takeover: false } }),
  };
  for (const [what, repeat] of Object.entries(repeated)) {
    const before = await stored(world);
    for (let times = 0; times < 2; times += 1) {
      const { status } = await repeat();
      t.ok([200, 204].includes(status), `${what} succeeds: ${status}`);
    }
    t.same(await stored(world), before, `${what} writes nothing`);
  }
});

t.test('a version of the mapping that changes nobody is stored, and touches no grant', async (t) => {
  const world = await settled();
  const before = await stored(world);
  const { plan, version } = await world.map([...DOCUMENT.mappings, row('Nobody', 'Fraud', 'VIEWER')], {
    tenant_owners_groups: DOCUMENT.tenant_owners_groups,
    tenant_permission: DOCUMENT.tenant_permission,
  });
  t.match(plan, { add: 0, change: 0, remove: 0 });
  t.equal(version, 2);
  const after = await stored(world);
  t.same(after.access_grant, before.access_grant);
  t.same(after.access_grant_history, before.access_grant_history);
  t.equal(after.event?.length, (before.event?.length ?? 0) + 1, 'only the version itself is told');
});
