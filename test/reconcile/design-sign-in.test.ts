import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** What sign-ins give and take: of users whom no directory manages, by the mode of their identity provider. */

const app = await startApp(t);
const ANALYSTS = row('Analysts', 'Incident Response', 'EDITOR');
const HUNTERS = row('Hunters', 'Forensics', 'VIEWER');
const EDITOR = 'Incident Response EDITOR jit:okta';
/** By the provider whose mode is standard. */
const ONCE = 'Incident Response EDITOR jit:google';

t.test('JIT changes nothing of what a SCIM-managed user holds', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.map([ANALYSTS, HUNTERS], { tenant_owners_groups: ['IT Admins'] });
  await world.group('Hunters', [ada]);
  const held = await world.holds(ada);
  for (const groups of [['Analysts', 'IT Admins'], [], null]) {
    t.match((await world.signIn(ada, groups)).body, { changes: [] });
    t.same(await world.holds(ada), held);
  }
});

t.test('everybody else follows the JIT mode of the identity provider they sign in with', async (t) => {
  const world = await newWorld(app);
  await world.map([ANALYSTS, HUNTERS]);
  for (const [provider, behind] of [
    ['google', ONCE],
    ['okta', 'Forensics VIEWER jit:okta'],
  ] as const) {
    const user = await world.byHand(provider);
    await world.signIn(user, ['Analysts'], provider);
    t.same(await world.holds(user), [`Incident Response EDITOR jit:${provider}`]);
    await world.signIn(user, ['Hunters'], provider);
    t.same(await world.holds(user), [behind]);
  }
});

t.test('a directory that adopts a user ends what sign-ins gave', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.map([ANALYSTS, HUNTERS]);
  await world.signIn(ada, ['Analysts']);
  await world.group('Hunters', [ada]);
  t.same(await world.holds(ada), ['Forensics VIEWER scim:default']);
  t.same(await world.grants(ada, world.response), []);
});

t.test('a row that is limited to a directory gives nothing to claims', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.map([{ ...ANALYSTS, directory: 'default' }, HUNTERS]);
  await world.signIn(ada, ['Analysts', 'Hunters']);
  t.same(await world.holds(ada), ['Forensics VIEWER jit:okta']);
});

t.test(
  'several origins give one team: of several sign-ins the first row in list order decides',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.byHand('ada');
    await world.map([row('Leads', 'Incident Response', 'TEAM_ADMIN'), ANALYSTS]);
    await world.signIn(ada, ['Analysts'], 'entra');
    await world.signIn(ada, ['Leads'], 'okta');
    t.same(await world.holds(ada), ['Incident Response TEAM_ADMIN jit:okta']);
    await world.signIn(ada, [], 'okta');
    t.same(await world.holds(ada), ['Incident Response EDITOR jit:entra'], 'each writes its own origin only');
  },
);

t.test(
  'when a row is removed, enhanced-JIT users lose it at their next sign-in, and the plan counts them as atNextSignIn',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.byHand('ada');
    await world.map([ANALYSTS, HUNTERS]);
    await world.signIn(ada, ['Analysts']);
    const { plan } = await world.map([HUNTERS]);
    t.match(plan, { add: 0, change: 0, remove: 0, atNextSignIn: 1, removeAtNextSignIn: 1 });
    t.same(await world.holds(ada), [EDITOR]);
    t.equal(await world.drift(), 0, 'a resync would take nothing either');
    await world.signIn(ada, null);
    t.same(await world.holds(ada), [EDITOR], 'a sign-in whose groups are unknown takes nothing');
    await world.signIn(ada, ['Analysts']);
    t.same(await world.holds(ada), []);
  },
);

t.test('when a row is removed, standard-JIT users never lose it, also not by a resync', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  await world.map([ANALYSTS, HUNTERS]);
  await world.signIn(ada, ['Analysts'], 'google');
  const { plan } = await world.map([HUNTERS]);
  t.match(plan, { remove: 0, atNextSignIn: 0 });
  t.equal(await world.drift(), 0, 'a resync would take nothing');
  await world.signIn(ada, [], 'google');
  for (const active of [false, true]) await world.ask('PATCH', `/users/${ada}`, { active });
  t.same(await world.holds(ada), [ONCE]);
});

t.test(
  '"on_unmap": "keep" turns enhanced-JIT members of a team without any row left manual at their next sign-in',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.byHand('ada');
    await world.map([ANALYSTS, HUNTERS]);
    await world.signIn(ada, ['Analysts', 'Hunters']);
    await world.map([HUNTERS], { on_unmap: 'keep' });
    t.same(await world.holds(ada), ['Forensics VIEWER jit:okta', EDITOR]);
    await world.signIn(ada, []);
    t.same(await world.holds(ada), ['Incident Response EDITOR manual']);
  },
);

t.test(
  'a manual edit of what enhanced JIT syncs is 409 managed_team, of what standard JIT gave it is not',
  async (t) => {
    const world = await newWorld(app);
    await world.map([ANALYSTS]);
    for (const [provider, status] of [
      ['okta', 409],
      ['google', 200],
    ] as const) {
      const user = await world.byHand(provider);
      await world.signIn(user, ['Analysts'], provider);
      const answer = await world.ask('PUT', `/teams/${world.response}/members/${user}`, { role: 'VIEWER' });
      t.equal(answer.status, status, provider);
      if (status === 409) t.match(answer.body, { reason: 'managed_team', heldBy: [{ row: '/mappings/0' }] });
      else t.same(await world.holds(user), ['Incident Response VIEWER manual']);
    }
  },
);

t.test('the owner list only speaks when it can: an unknown group list demotes nobody', async (t) => {
  const world = await newWorld(app);
  const [ada, bob] = [await world.byHand('ada'), await world.byHand('bob')];
  await world.map([ANALYSTS], { tenant_owners_groups: ['IT Admins'] });
  for (const user of [ada, bob]) await world.signIn(user, ['IT Admins']);
  await world.signIn(ada, null);
  t.same(await world.holds(ada), ['owner']);
  await world.signIn(ada, []);
  t.same(await world.holds(ada), []);
  await world.signIn(bob, []);
  t.same(await world.grants(bob), ['retention'], 'the last one is kept here too');
});

t.test(
  'with active: false what sign-ins gave ends, and reactivation computes it from the claims of the last',
  async (t) => {
    const world = await newWorld(app);
    const ada = await world.byHand('ada');
    await world.map([ANALYSTS]);
    await world.signIn(ada, ['Analysts']);
    await world.ask('PATCH', `/users/${ada}`, { active: false });
    t.same(await world.holds(ada), []);
    t.match(await world.signIn(ada, ['Analysts']), { status: 403, body: { reason: 'deactivated' } });
    t.same(await world.holds(ada), [], 'a sign-in does not revive');
    await world.ask('PATCH', `/users/${ada}`, { active: true });
    t.same(await world.holds(ada), [EDITOR]);
  },
);
