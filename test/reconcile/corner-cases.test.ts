import t from 'tap';
import { startApp } from '../support/app.ts';
import { newWorld, row } from '../support/world.ts';

/** Where two rules meet. */

const app = await startApp(t);
const EDITOR = row('Analysts', 'Incident Response', 'EDITOR');

t.test('of several identity providers the row counts that is first in the list now', async (t) => {
  const world = await newWorld(app);
  const ada = await world.byHand('ada');
  const viewer = row('Guests', 'Incident Response', 'VIEWER');
  const signIn = async () => {
    await world.signIn(ada, ['Analysts'], 'a');
    await world.signIn(ada, ['Guests'], 'b');
  };
  await world.map([EDITOR, viewer]);
  await signIn();
  t.same(await world.holds(ada), ['Incident Response EDITOR jit:a']);
  await world.map([viewer, EDITOR]);
  await signIn();
  t.same(await world.holds(ada), ['Incident Response VIEWER jit:b']);
  t.equal(await world.drift(), 0);
  t.match((await world.signIn(ada, ['Guests'], 'b')).body, { outcome: 'unchanged', changes: [] });
});

t.test('a team that is renamed to what a row names is taken over at once', async (t) => {
  const world = await newWorld(app, { takeover: true });
  const ada = await world.user('ada');
  const elsewhere = await world.team('X');
  await world.map([row('Analysts', 'Y', 'EDITOR')]);
  await world.ask('PUT', `/teams/${elsewhere}/members/${ada}`, { role: 'VIEWER' });
  t.same(await world.holds(ada), ['X VIEWER manual']);
  await world.ask('PATCH', `/teams/${elsewhere}`, { name: 'Y' });
  t.same(await world.holds(ada), []);
  t.equal(await world.drift(), 0);
});

t.test('who is kept by on_unmap is nobody’s loss, and is kept once', async (t) => {
  const world = await newWorld(app);
  const users = await Promise.all(Array.from({ length: 12 }, (_, index) => world.byHand(`user-${index}`)));
  await world.map([EDITOR, row('Others', 'Forensics', 'VIEWER')]);
  for (const user of users) await world.signIn(user, ['Analysts']);
  const document = { mappings: [row('Others', 'Forensics', 'VIEWER')], on_unmap: 'keep' };
  const { status, body } = await world.put(document);
  t.match({ status, body }, { status: 200, body: { plan: { remove: 0, removeAtNextSignIn: 0 } } });
  const [ada = ''] = users;
  const typesOf = async (groups: readonly string[] | null) =>
    (await world.eventsOf(() => world.signIn(ada, groups))).map(({ type }) => type);
  t.same(await typesOf(null), ['sign_in.accepted'], 'unknown groups take nothing');
  await world.signIn(ada, ['Analysts']);
  t.same(await world.holds(ada), ['Incident Response EDITOR manual']);
  t.same(await typesOf(['Analysts']), ['sign_in.accepted']);
});

t.test('the digest of a plan names what is lost, not only what comes', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.group('Analysts', [ada]);
  const first = await world.put({ mappings: [EDITOR] }, '?dryRun=true');
  await world.ask('PUT', `/teams/${world.response}/members/${ada}`, { role: 'TEAM_ADMIN' });
  const second = await world.put({ mappings: [EDITOR] }, '?dryRun=true');
  t.match(second.body.plan.changes, [{ change: 'change', was: 'TEAM_ADMIN', role: 'EDITOR' }]);
  t.not(second.body.plan.digest, first.body.plan.digest);
});

t.test('what a mapping that does not follow leaves behind is told row by row', async (t) => {
  const world = await newWorld(app, { renameFollows: false });
  const okta = await world.directory('okta');
  await okta.group('IT');
  const group = await world.group('IT');
  await world.map([{ ...row('IT', 'Forensics', 'VIEWER'), directory: 'okta' }], {
    tenant_owners_groups: ['IT'],
    tenant_permission: [{ group_name: 'IT', permissions: ['BILLING'] }],
  });
  const events = await world.eventsOf(() => world.rename(group, 'Admins'));
  const left = events.find(({ type }) => type === 'group_mapping.left_behind');
  t.match(left, { after: { rows: ['/tenant_owners_groups/0', '/tenant_permission/0'] } });
});

t.test('owners do not follow to a name that others bear, and that is told', async (t) => {
  const world = await newWorld(app);
  const okta = await world.directory('okta');
  await okta.group('Admins');
  const group = await world.group('IT', [await world.user('ada')]);
  await world.map([EDITOR], { tenant_owners_groups: ['IT'] });
  const events = await world.eventsOf(() => world.rename(group, 'Admins'));
  const left = events.find(({ type }) => type === 'group_mapping.left_behind');
  t.match(left, { after: { rows: ['/tenant_owners_groups/0'] } });
  t.ok(events.some(({ type }) => type === 'owner.retained'));
});

t.test('a plan says who stays owner only because nobody else is one', async (t) => {
  const world = await newWorld(app);
  const ada = await world.user('ada');
  await world.group('IT', [ada]);
  await world.map([EDITOR], { tenant_owners_groups: ['IT'] });
  const { body } = await world.put({ mappings: [EDITOR] }, '?dryRun=true');
  t.same(body.plan.owners, { gained: [], lost: [], retained: [ada] });
});

t.test('a dry run of what has none is refused, and not done', async (t) => {
  const world = await newWorld(app);
  const { status, body } = await world.ask('DELETE', `/teams/${world.forensics}?dryRun=true`);
  t.match({ status, body }, { status: 400, body: { code: 'invalid_request', pointer: 'dryRun' } });
  t.equal((await world.ask('GET', `/teams/${world.forensics}`)).status, 200);
});

t.test('a role that a sign-in may give again is in use', async (t) => {
  const world = await newWorld(app);
  await world.ask('POST', '/roles', { name: 'CUSTOM', rank: 50 });
  const ada = await world.byHand('ada');
  await world.map([row('Analysts', 'Incident Response', 'CUSTOM')]);
  await world.signIn(ada, ['Analysts'], 'google');
  await world.ask('PATCH', `/users/${ada}`, { active: false });
  await world.map([EDITOR]);
  t.match(await world.ask('DELETE', '/roles/CUSTOM'), { status: 409, body: { reason: 'in_use' } });
});
