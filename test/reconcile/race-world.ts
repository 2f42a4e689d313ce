import fc from 'fast-check';
import type { Test } from 'tap';
import type { Answer, TestApp } from '../support/app.ts';
import { SEED } from '../support/runs.ts';
import { newWorld, row, type World } from '../support/world.ts';

/**
 * A small tenant in which writers meet all the time, and what everybody should hold in it, computed from what is
 * stored without a line of what is tested.
 */

export interface State {
  /** How often somebody was deactivated so far. */
  readonly deactivations: number;
  readonly users: readonly { readonly id: string; readonly active: boolean }[];
  readonly groups: readonly { readonly name: string; readonly members: readonly string[] }[];
  /** Names. */
  readonly teams: readonly string[];
  readonly document: {
    readonly tenant_owners_groups: readonly string[];
    readonly mappings: readonly { group_name: string; team_name: string; role_name: string }[];
  };
  /** Those of users who do not exist, too. */
  readonly grants: readonly StoredGrant[];
}

interface StoredGrant {
  readonly user: string;
  /** Name of a team; "owner". */
  readonly target: string;
  readonly origin: string;
  readonly role: string | null;
  readonly suspended: boolean;
}

const STATE = `select jsonb_build_object(
  'users', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'active', active)), '[]') from scim_user
            where tenant_id = $1),
  'teams', array(select name from team where tenant_id = $1),
  'groups', (select coalesce(jsonb_agg(jsonb_build_object('name', display_name, 'members', array(
               select user_id from group_member m where m.tenant_id = $1 and m.group_id = g.id))), '[]')
             from scim_group g where tenant_id = $1),
  'document', (select document from group_mapping join group_mapping_version using (tenant_id, version)
               where tenant_id = $1),
  'deactivations', (select count(*) from event where tenant_id = $1 and type = 'user.deactivated'),
  'grants', (select coalesce(jsonb_agg(jsonb_build_object(
               'user', user_id, 'target', coalesce(t.name, 'owner'), 'origin', origin, 'role', role,
               'suspended', suspended)), '[]')
             from access_grant a left join team t on t.tenant_id = $1 and t.id = a.target_id
             where a.tenant_id = $1)) as state`;

async function stateOf({ context: { db } }: TestApp, { tenant }: World): Promise<State> {
  const { rows } = await db.pool.query<{ state: State }>(STATE, [tenant.id]);
  return (rows[0] as { state: State }).state;
}

/** What groups give, as lines "user target role". */
function desired({ users, groups, teams, document }: State): string[] {
  return users.flatMap(({ id, active }) => {
    if (!active) return [];
    const own = new Set(groups.flatMap(({ name, members }) => (members.includes(id) ? [name] : [])));
    const roles = new Map<string, string>();
    for (const { group_name, team_name, role_name } of document.mappings) {
      if (own.has(group_name) && teams.includes(team_name) && !roles.has(team_name))
        roles.set(team_name, role_name);
    }
    if (document.tenant_owners_groups.some((name) => own.has(name))) roles.set('owner', '');
    return [...roles].map(([target, role]) => `${id} ${target} ${role}`);
  });
}

export const ownersOf = ({ grants }: State) =>
  grants.filter(({ target, suspended }) => target === 'owner' && !suspended);

/** Compares what is stored with what should be; `before` is the state before the writers met. */
function check(t: Test, before: State, after: State): void {
  const managed = after.grants.filter(({ origin }) => origin.startsWith('scim:'));
  t.same(
    managed.map(({ user, target, role }) => `${user} ${target} ${role ?? ''}`).sort(),
    desired(after).sort(),
    'what groups give is what their members hold',
  );
  const active = new Map(after.users.map((user) => [user.id, user.active]));
  t.same(
    after.grants.filter(({ user, suspended }) => suspended === active.get(user)),
    [],
    'what is held by who is not active is suspended, and nothing else',
  );
  const owners = ownersOf(after);
  const retained = owners.filter(({ origin }) => origin === 'retention').length;
  if (owners.length > retained) t.equal(retained, 0, 'where there is an owner, none is retained');
  else t.ok(retained <= 1, 'one is retained at most');
  // Of a crowd one may deactivate an owner and another activate them again; what they lost between is not kept.
  const gone = before.users.some(({ id }) => !active.has(id));
  const cut = gone || after.deactivations > before.deactivations;
  if (ownersOf(before).length > 0 && !cut) t.not(owners.length, 0, 'where an owner was, there is one');
}

/** Lets the writers meet, and looks at what they leave. */
export async function meet(
  t: Test,
  app: TestApp,
  world: World,
  writers: readonly (() => Promise<Answer<unknown>>)[],
): Promise<State> {
  const before = await stateOf(app, world);
  const answers = await Promise.all(writers.map((write) => write()));
  for (const { status, text } of answers) {
    // 409: a mapping that takes an owner, or the last owner by hand; 404: what was deleted beside.
    t.ok([200, 201, 204, 404, 409].includes(status), `answered: ${status} ${text}`);
  }
  const after = await stateOf(app, world);
  check(t, before, after);
  t.equal(await world.drift(), 0, 'a plan of the tenant would write nothing');
  return after;
}

const NAMES = [
  ['Analysts', 'Threat Analysts'],
  ['SecOps', 'Blue Team'],
  ['IT Admins', 'Admins'],
] as const;

const ROWS = [
  row('Analysts', 'Incident Response', 'EDITOR'),
  row('SecOps', 'Incident Response', 'TEAM_ADMIN'),
  row('Threat Analysts', 'Forensics', 'VIEWER'),
  row('Blue Team', 'Incident Response', 'VIEWER'),
  row('IT Admins', 'Forensics', 'EDITOR'),
];

/** The kinds of writers: each call writes something, chosen at random. */
export async function randomWriters(app: TestApp) {
  const world = await newWorld(app);
  const users = [await world.user('ada'), await world.user('bob'), await world.user('cleo')];
  const hand = await world.byHand('hand');
  const groups: string[] = [];
  for (const [name] of NAMES) groups.push(await world.group(name, users.slice(0, 2)));
  const owners = { tenant_owners_groups: NAMES[2] };
  await world.map(ROWS, owners);
  const random = fc.sample(fc.nat(), { seed: SEED, numRuns: 10_000 });
  let next = 0;
  const pick = <Item>(items: readonly Item[]): Item => {
    next = (next + 1) % random.length;
    return items[(random[next] as number) % items.length] as Item;
  };
  const join = (group: string) => (pick([true, false]) ? world.join : world.leave)(group, pick(users));
  const place = [0, 1, 2] as const;
  const writers = {
    'a group PATCH': () => join(groups[pick([0, 1])] as string),
    'a mapping PUT': () => {
      const turn = pick([0, 1, 2, 3, 4]);
      return world.put({
        ...owners,
        mappings: [...ROWS.slice(turn), ...ROWS.slice(0, turn)].slice(pick([0, 1])),
      });
    },
    'a deactivation': () => world.activate(pick(users), pick([true, false])),
    'a group rename': () => {
      const which = pick(place);
      return world.rename(groups[which] as string, pick(NAMES[which]));
    },
    'a gain or loss of an owner': () =>
      pick([true, true, false])
        ? join(groups[2] as string)
        : world.ask(pick(['PUT', 'DELETE']), `/owners/${hand}`),
    'an edit by hand': () =>
      world.ask('PUT', `/teams/${world.fraud}/members/${pick(users)}`, { role: pick(['EDITOR', 'VIEWER']) }),
  };
  return { world, writers };
}
