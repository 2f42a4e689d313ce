import fc from 'fast-check';
import t from 'tap';
import type { UserView } from '../../src/http/admin/user-shape.ts';
import type { Explanation } from '../../src/reconcile/explanation.ts';
import type { Plan } from '../../src/reconcile/plan.ts';
import { startApp } from '../support/app.ts';
import { clientOf } from '../support/client.ts';
import { signsIn } from '../support/gateway.ts';
import { runs, SEED } from '../support/runs.ts';

/**
 * Explanations agree with what is stored, and what is decided in memory with what PostgreSQL plans: after each of
 * random changes, and of every moment once all have been made.
 */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const app = await startApp(t, { now: () => new Date(clock.now) });

const NAMES = ['Analysts', 'Leads', 'IT Admins', 'Renamed'] as const;
const IDS = ['x-1', 'x-2'] as const;
const TEAMS = ['SecOps', 'Fraud'] as const;

const name = fc.constantFrom(...NAMES);
const group = fc.oneof(
  name.map((group_name) => ({ group_name })),
  fc.constantFrom(...IDS).map((group_id) => ({ group_id })),
);
const from = fc.constantFrom({}, {}, { directory: 'default' }, { directory: 'okta' });
const row = fc
  .tuple(
    group,
    from,
    fc.constantFrom({ team_name: 'SecOps' }, { case_group_name: 'Fraud' }, { team_name: 'Unknown' }),
    fc.constantFrom('TEAM_ADMIN', 'EDITOR', 'VIEWER').map((role_name) => ({ role_name })),
  )
  .map((parts) => Object.assign({}, ...parts) as object);
const document = fc.record(
  {
    conflict_strategy: fc.constantFrom('first_match', 'highest_role'),
    tenant_owners_groups: fc.uniqueArray(name, { maxLength: 2 }),
    tenant_permission: fc.array(
      fc.tuple(group, from).map(([named, source]) => ({ ...named, ...source, permissions: ['AUDIT'] })),
      { maxLength: 1 },
    ),
    mappings: fc.array(row, { minLength: 1, maxLength: 5 }),
  },
  { requiredKeys: ['mappings'] },
);

const user = fc.nat(2);
const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('map' as const), document }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), user, group: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), user, group: fc.nat(2) }) },
  fc.record({ kind: fc.constant('rename' as const), group: fc.nat(2), name }),
  fc.record({ kind: fc.constant('renumber' as const), group: fc.nat(2), id: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constant('drop' as const), group: fc.nat(2) }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('active' as const), user, active: fc.boolean() }) },
  fc.record({
    kind: fc.constant('type' as const),
    user,
    userType: fc.constantFrom('Tenant_Owner', 'Employee'),
  }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hand' as const), user, team: fc.nat(1) }) },
  fc.record({
    kind: fc.constant('team' as const),
    team: fc.nat(1),
    name: fc.constantFrom(...TEAMS, 'Unknown'),
  }),
  fc.record({
    kind: fc.constant('sign in' as const),
    user,
    provider: fc.constantFrom('google', 'entra'),
    groups: fc.uniqueArray(fc.constantFrom(...NAMES, ...IDS), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), user }),
);
type Command = (typeof command)['generate'] extends (...given: never[]) => fc.Value<infer Made>
  ? Made
  : never;

async function newWorld(settings: { readonly takeover: boolean; readonly ownersByUserType: boolean }) {
  const tenant = await app.createTenant(settings);
  const path = `/tenants/${tenant.id}`;
  const scim = clientOf(app, await app.scimKey(tenant));
  const signIn = signsIn(app, tenant);
  const create = async (what: string, body: object) =>
    (await app.admin<{ id: string }>('POST', `${path}/${what}`, body)).body.id;
  await create('directories', { name: 'okta' });
  await create('permissions', { name: 'AUDIT' });
  const teams = [
    await create('teams', { name: 'SecOps' }),
    await create('teams', { name: 'Fraud', kind: 'case_group' }),
  ];
  // The first is managed from the begin, the others when they are first added to a group.
  const users = [
    (await scim.user('ada')).id,
    await create('users', { userName: 'bob' }),
    await create('users', { userName: 'eve' }),
  ];
  const groups: string[] = [];
  for (const each of NAMES.slice(0, 3)) groups.push((await scim.group(each)).id);

  async function put(body: object): Promise<void> {
    const { body: refused } = await app.admin<{ confirm?: number }>('PUT', `${path}/group-mapping`, body);
    if (refused.confirm === undefined) return;
    await app.admin('PUT', `${path}/group-mapping?confirm=${refused.confirm}`, body);
  }

  /** Most commands do something; what does not apply is refused, and changes nothing. */
  async function run(asked: Command): Promise<void> {
    const userId = 'user' in asked ? String(users[asked.user]) : '';
    const groupPath = 'group' in asked ? `/Groups/${groups[asked.group]}` : '';
    const manual = 'team' in asked ? `${path}/teams/${teams[asked.team]}` : '';
    const patch = async (where: string, op: object) => void (await scim.patch(where, [op]));
    if (asked.kind === 'map') await put(asked.document);
    else if (asked.kind === 'join')
      await patch(groupPath, { op: 'add', path: 'members', value: [{ value: userId }] });
    else if (asked.kind === 'leave')
      await patch(groupPath, { op: 'remove', path: `members[value eq "${userId}"]` });
    else if (asked.kind === 'rename')
      await patch(groupPath, { op: 'replace', path: 'displayName', value: asked.name });
    else if (asked.kind === 'renumber')
      await patch(groupPath, { op: 'replace', path: 'externalId', value: asked.id });
    else if (asked.kind === 'drop') await scim.ask('DELETE', groupPath);
    else if (asked.kind === 'active')
      await patch(`/Users/${userId}`, { op: 'replace', path: 'active', value: asked.active });
    else if (asked.kind === 'type')
      await patch(`/Users/${userId}`, { op: 'replace', path: 'userType', value: asked.userType });
    else if (asked.kind === 'hand')
      await app.admin('PUT', `${manual}/members/${userId}`, { role: 'WORKBENCH_USER' });
    else if (asked.kind === 'team') await app.admin('PATCH', manual, { name: asked.name });
    else if (asked.kind === 'delete') await scim.ask('DELETE', `/Users/${userId}`);
    else await signIn(userId, asked.groups, asked.provider);
  }

  return {
    ...{ users, run },
    read: (id: string) => app.admin<UserView>('GET', `${path}/users/${id}`),
    explain: (id: string, at?: string) =>
      app.admin<Explanation>('GET', `${path}/users/${id}/explain${at === undefined ? '' : `?at=${at}`}`),
    tried: (body: object) => app.admin<Explanation & { plan?: Plan }>('POST', `${path}/explain`, body),
  };
}

const held = ({ memberships, tenantOwner, permissions }: Explanation | UserView) => ({
  memberships: memberships.map(({ team, role, origin }) => [team.id, role, origin]).sort(),
  owner: tenantOwner !== null && tenantOwner !== false,
  permissions: permissions.map((each) => (typeof each === 'string' ? each : each.permission)),
});

/** What a past moment cannot say: claims that a later sign-in replaced. What was held it always can. */
const comparable = (then: Explanation, { limits }: Explanation) => (limits.length > 0 ? held(then) : then);

t.test(
  'explanations agree with what is stored, what is planned, and what they said at the time',
  async (t) => {
    const property = fc.asyncProperty(
      fc.record({ takeover: fc.boolean(), ownersByUserType: fc.boolean() }),
      fc.array(command, { minLength: 5, maxLength: 20 }),
      async (settings, commands) => {
        const world = await newWorld(settings);
        const seen: { id: string; then: Explanation }[] = [];
        for (const asked of commands) {
          await world.run(asked);
          await app.sealEvents();
          for (const id of world.users) {
            const [{ status, body: stored }, { body: then }] = [
              await world.read(id),
              await world.explain(id),
            ];
            if (status === 404) continue;
            t.strictSame(held(then), held(stored), 'what is stored');
            for (const { heldBy, origin } of then.memberships) {
              if (origin !== 'manual') t.ok(heldBy, 'each managed membership has a row now');
            }
            const tried = (await world.tried({ userId: id, active: stored.active })).body;
            t.strictSame(held(tried), held(stored), 'decided as planned');
            const { plan } = (await world.tried({ userId: id })).body;
            t.match(plan, { add: 0, change: 0, remove: 0 }, 'there is nothing to do');
            seen.push({ id, then });
          }
          clock.now += 1_000;
        }
        for (const userId of world.users) {
          const { status, body } = await world.tried({ userId });
          if (status === 200) t.match(body.plan, { add: 0, change: 0, remove: 0 }, 'there is nothing to do');
        }
        for (const { id, then } of seen) {
          const { body } = await world.explain(id, String(then.at));
          t.strictSame(comparable(body, body), comparable(then, body), `as at ${then.at}`);
        }
        return t.passing();
      },
    );
    await fc.assert(property, { numRuns: runs(8, 300), seed: SEED, endOnFailure: true });
  },
);
