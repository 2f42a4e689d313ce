import { NIL } from 'uuid';
import type { FeedEvent, FeedPage } from '../../src/events/feed.ts';
import type { UserView } from '../../src/http/admin/user-shape.ts';
import type { MembershipChange } from '../../src/reconcile/difference.ts';
import type { Plan } from '../../src/reconcile/plan.ts';
import { ALL_USERS } from '../../src/reconcile/plan-sql.ts';
import { compareRange } from '../../src/reconcile/range.ts';
import type { SettingsChange } from '../../src/tenants/settings.ts';
import type { AnyBody, Method, TestApp } from './app.ts';
import { type Client, clientOf } from './client.ts';
import { signsIn } from './gateway.ts';

/** What tests of reconciliation start from: a tenant with teams, what pushes into it, and what is seen of it. */

/** What a change of the mapping, or of what else is reviewed, answers. */
export interface Changed {
  readonly version: number;
  readonly state: string;
  readonly plan: Plan & { readonly changes: readonly MembershipChange[] };
  readonly warnings: readonly { readonly code: string; readonly pointer: string }[];
}

/** A row: the group, the team, the role. */
export const row = (group_name: string, team_name: string, role_name: string) => ({
  group_name,
  team_name,
  role_name,
});

export type World = Awaited<ReturnType<typeof newWorld>>;

/** A tenant with the teams "Incident Response" and "Forensics", the case group "Fraud" and two permissions. */
export async function newWorld(app: TestApp, settings: SettingsChange = {}) {
  const tenant = await app.createTenant(settings);
  const path = `/tenants/${tenant.id}`;
  const ask = <Body = AnyBody>(method: Method, rest: string, body?: unknown) =>
    app.admin<Body>(method, `${path}${rest}`, body);
  const team = async (name: string, kind = 'team') =>
    (await ask<{ id: string }>('POST', '/teams', { name, kind })).body.id;
  for (const name of ['AUDIT_LOG_READ', 'BILLING']) await ask('POST', '/permissions', { name });
  const scim = clientOf(app, await app.scimKey(tenant));
  return {
    tenant,
    scim,
    ask,
    team,
    response: await team('Incident Response'),
    forensics: await team('Forensics'),
    fraud: await team('Fraud', 'case_group'),
    ...mapping(ask),
    ...sight(app, tenant.id, ask),
    ...writes(scim),
    /** A client of another directory, which is made. */
    async directory(name: string): Promise<Client> {
      await ask('POST', '/directories', { name });
      return clientOf(app, await app.scimKey(tenant, name));
    },
    signIn: signsIn(app, tenant),
    /** A user whom no directory manages. */
    byHand: async (userName: string, attributes: object = {}) =>
      (await ask<{ id: string }>('POST', '/users', { userName, ...attributes })).body.id,
  };
}

type AskTenant = <Body = AnyBody>(
  method: Method,
  rest: string,
  body?: unknown,
) => ReturnType<TestApp['admin']> & Promise<{ body: Body; status: number }>;

function mapping(ask: AskTenant) {
  return {
    /** Replaces the mapping; `query` begins with a question mark. */
    put: (document: object, query = '') => ask<Changed>('PUT', `/group-mapping${query}`, document),
    /** The same with rows, losing whatever is lost. */
    async map(mappings: readonly object[], rest: object = {}): Promise<Changed> {
      const document = { mappings, ...rest };
      const { body: first, status } = await ask<Changed & { confirm?: number }>(
        'PUT',
        '/group-mapping',
        document,
      );
      if (status !== 409) return first;
      return (await ask<Changed>('PUT', `/group-mapping?confirm=${first.confirm}`, document)).body;
    },
    document: async () => (await ask<{ document: AnyBody; version: number }>('GET', '/group-mapping')).body,
  };
}

/** What can be seen of a tenant, in words. */
function sight({ context: { db }, sealEvents }: TestApp, tenantId: string, ask: AskTenant) {
  const feed = async () => {
    await sealEvents();
    return (await ask<FeedPage>('GET', '/events?limit=1000')).body.events;
  };
  return {
    /** What a user holds: memberships as "team role origin", "owner", permissions. */
    async holds(userId: string): Promise<string[]> {
      const { body } = await ask<UserView>('GET', `/users/${userId}`);
      const memberships = body.memberships.map(({ team, role, origin }) => `${team.name} ${role} ${origin}`);
      return [...memberships, ...(body.tenantOwner ? ['owner'] : []), ...body.permissions];
    },
    /** The tenant's grants of a user and target, suspended ones too: "origin role", the ownership's without role. */
    async grants(userId: string, targetId: string = NIL): Promise<string[]> {
      const { rows } = await db.pool.query<{ text: string }>(
        `select concat_ws(' ', origin, role, case when suspended then 'suspended' end) as text from access_grant
         where tenant_id = $1 and user_id = $2 and target_id = $3 order by origin`,
        [tenantId, userId, targetId],
      );
      return rows.map(({ text }) => text);
    },
    /** The tenant's events so far. */
    feed,
    /** The events that `work` causes. */
    async eventsOf(work: () => Promise<unknown>): Promise<FeedEvent[]> {
      const before = (await feed()).length;
      await work();
      return (await feed()).slice(before);
    },
    /** How many grants a plan of the whole tenant would write. */
    async drift(): Promise<number> {
      const { statement, values } = compareRange(tenantId, ALL_USERS, 0);
      // By a name: planning it anew takes longer than a small tenant.
      const query = { name: 'drift', text: statement.text, values: [...values] };
      const { rows } = await db.pool.query<{ grants: number }>(query);
      return rows[0]?.grants ?? Number.NaN;
    },
  };
}

/** What identity providers do most. */
function writes(scim: Client) {
  const user = async (userName: string, attributes: object = {}) =>
    (await scim.user(userName, attributes)).id;
  const group = async (name: string, members: readonly string[] = []) => (await scim.group(name, members)).id;
  const membersOf = (ids: readonly string[]) => ids.map((value) => ({ value }));
  return {
    user,
    group,
    join: (groupId: string, ...ids: string[]) =>
      scim.patch(`/Groups/${groupId}`, [{ op: 'add', path: 'members', value: membersOf(ids) }]),
    leave: (groupId: string, ...ids: string[]) =>
      scim.patch(`/Groups/${groupId}`, [{ op: 'remove', path: 'members', value: membersOf(ids) }]),
    rename: (groupId: string, displayName: string) =>
      scim.patch(`/Groups/${groupId}`, [{ op: 'replace', path: 'displayName', value: displayName }]),
    activate: (userId: string, value: boolean) =>
      scim.patch(`/Users/${userId}`, [{ op: 'replace', path: 'active', value }]),
    userType: (userId: string, value: string | null) =>
      scim.patch(`/Users/${userId}`, [
        value === null ? { op: 'remove', path: 'userType' } : { op: 'replace', path: 'userType', value },
      ]),
  };
}
