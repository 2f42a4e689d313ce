import { isDeepStrictEqual } from 'node:util';
import { currentMapping, desired, effective, OWNER, type State } from '../oracle/reconcile.ts';
import type { TestApp } from './app.ts';
import type { Stored } from './reconcile-stored.ts';

/** What holds at the end of a tenant's history, whatever it was. */

interface Period {
  readonly target_id: string;
  readonly user_id: string;
  readonly origin: string;
  readonly role: string | null;
  readonly suspended: boolean;
  readonly since: string;
  /** null: it holds still. */
  readonly until: string | null;
}

interface Told {
  readonly type: string;
  readonly target: string;
  readonly before: Side | null;
  readonly after: Side | null;
}

interface Side {
  readonly origin?: string;
  readonly role?: string;
  readonly suspended?: boolean;
  readonly users: readonly string[];
}

/** What was stored at a moment. */
export interface Moment {
  readonly at: Date;
  readonly grants: Stored['grants'];
}

/** Fails unless history, events and the admin API agree with what is stored, now and at each of the moments. */
export async function requireConsistent(
  app: TestApp,
  tenantId: string,
  { state, moments }: { readonly state: State; readonly moments: readonly Moment[] },
): Promise<void> {
  const stored = moments.at(-1)?.grants ?? [];
  const periods = await readPeriods(app, tenantId);
  requireApart(periods);
  for (const { at, grants } of moments)
    same(`the grants at ${at.toISOString()}`, heldAt(periods, at), texts(grants));
  const told = fold(await readTold(app, tenantId));
  same('the grants that the events tell', told.grants, texts(stored));
  same('what the events tell is held', told.effects, await effectsShown(app, tenantId));
  same('what the admin API shows', await accessShown(app, tenantId), accessWanted(state));
  await requireSteady(app, tenantId, state);
}

function same(what: string, found: readonly string[], wanted: readonly string[]): void {
  if (isDeepStrictEqual(found.toSorted(), wanted.toSorted())) return;
  throw new Error(
    `${what}: ${JSON.stringify({ found: found.toSorted(), wanted: wanted.toSorted() }, null, 1)}`,
  );
}

async function readPeriods({ context }: TestApp, tenantId: string): Promise<Period[]> {
  const columns = 'target_id, user_id, origin, role, suspended, since';
  const { rows } = await context.db.pool.query<Period>(
    `select ${columns}, until from access_grant_history where tenant_id = $1
     union all select ${columns}, null from access_grant where tenant_id = $1
     order by since, until nulls last`,
    [tenantId],
  );
  return rows;
}

type Place = Pick<Period, 'target_id' | 'user_id' | 'origin'>;
const placeOf = ({ target_id, user_id, origin }: Place) => `${target_id} ${user_id} ${origin}`;
const textOf = (grant: Place & Pick<Period, 'role' | 'suspended'>) =>
  `${placeOf(grant)} ${grant.role ?? ''}${grant.suspended ? ' suspended' : ''}`;
const texts = (grants: readonly Parameters<typeof textOf>[0][]) => grants.map(textOf);

/** No two periods of one grant overlap, and only the last one is open. */
function requireApart(periods: readonly Period[]): void {
  const ends = new Map<string, Date>();
  for (const period of periods) {
    const since = new Date(period.since);
    const until = period.until === null ? new Date(8.64e15) : new Date(period.until);
    const before = ends.get(placeOf(period));
    if (until < since || (before !== undefined && before > since))
      throw new Error(`periods overlap: ${JSON.stringify(period)}`);
    ends.set(placeOf(period), until);
  }
}

function heldAt(periods: readonly Period[], at: Date): string[] {
  return texts(
    periods.filter(({ since, until }) => new Date(since) <= at && (until === null || at < new Date(until))),
  );
}

async function readTold({ context }: TestApp, tenantId: string): Promise<Told[]> {
  const { rows } = await context.db.pool.query<Told>(
    `select type, resource_id as target, before, after from event
     where tenant_id = $1 and type ~ '^(grant|membership|owner|permission)[.](added|changed|removed|ended)$'
     order by position`,
    [tenantId],
  );
  return rows.map((row) => ({ ...row, target: row.target === tenantId ? NIL : row.target }));
}

const NIL = '00000000-0000-0000-0000-000000000000';

/** The state that the events make of nothing: each grant, and what is held of each target. */
function fold(events: readonly Told[]): { grants: string[]; effects: string[] } {
  const grants = new Map<string, string>();
  const effects = new Map<string, string>();
  for (const { type, target, before, after } of events) {
    const side = after ?? before;
    for (const user of side?.users ?? []) {
      const place = { target_id: target, user_id: user, origin: side?.origin ?? '' };
      const [held, key] = type.startsWith('grant.')
        ? [grants, placeOf(place)]
        : [effects, `${user} ${target}`];
      const isNew = type.endsWith('.added');
      if (held.has(key) === isNew) throw new Error(`${type} of ${key}, which was${isNew ? '' : ' not'} held`);
      if (after === null) held.delete(key);
      else if (held === effects) held.set(key, `${key} ${after.role ?? ''}`);
      else held.set(key, textOf({ ...place, role: after.role ?? null, suspended: after.suspended === true }));
    }
  }
  return { grants: [...grants.values()], effects: [...effects.values()] };
}

interface ShownUser {
  readonly id: string;
  readonly userName: string;
  readonly tenantOwner: boolean;
  readonly permissions: readonly string[];
  readonly memberships: readonly {
    readonly team: { readonly id: string; readonly kind: string; readonly name: string };
    readonly role: string;
    readonly origin: string;
  }[];
}

async function readUsers(app: TestApp, tenantId: string): Promise<readonly ShownUser[]> {
  const { body } = await app.admin<{ users: ShownUser[] }>('GET', `/tenants/${tenantId}/users`);
  return body.users;
}

/** What the admin API shows, as the events name it. */
async function effectsShown(app: TestApp, tenantId: string): Promise<string[]> {
  const { rows } = await app.context.db.pool.query<{ id: string; name: string }>(
    'select id, name from permission where tenant_id = $1',
    [tenantId],
  );
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  return (await readUsers(app, tenantId)).flatMap(({ id, tenantOwner, permissions, memberships }) => [
    ...(tenantOwner ? [`${id} ${NIL} `] : []),
    ...permissions.map((name) => `${id} ${ids.get(name)} `),
    ...memberships.map(({ team, role }) => `${id} ${team.id} ${role}`),
  ]);
}

async function accessShown(app: TestApp, tenantId: string): Promise<string[]> {
  return (await readUsers(app, tenantId)).flatMap(({ userName, tenantOwner, permissions, memberships }) => [
    ...(tenantOwner ? [`${userName}: ${OWNER}`] : []),
    ...permissions.map((name) => `${userName}: permission:${name}`),
    ...memberships.map(
      ({ team, role, origin }) => `${userName}: ${team.kind} ${team.name} ${role} by ${origin}`,
    ),
  ]);
}

function accessWanted(state: State): string[] {
  return effective(desired(state)).map(({ user, target, role, origin }) => {
    const team = state.teams[target];
    return team ? `${user}: ${team.kind} ${team.name} ${role} by ${origin}` : `${user}: ${target}`;
  });
}

/** The mapping that holds, put again, is no new version and no event. */
async function requireSteady(app: TestApp, tenantId: string, state: State): Promise<void> {
  const document = currentMapping(state);
  const directories = [...(document?.mappings ?? []), ...(document?.tenant_permission ?? [])].map(
    ({ directory }) => directory ?? 'default',
  );
  // One that names a directory which is gone cannot be put again.
  if (document === undefined || !directories.every((name) => state.directories.includes(name))) return;
  const before = await countEvents(app, tenantId);
  const { status, text, body } = await app.admin('PUT', `/tenants/${tenantId}/group-mapping`, document);
  const after = await countEvents(app, tenantId);
  if (status === 200 && body.version === state.versions.length && after === before) return;
  throw new Error(`the same mapping again: ${status} ${text}, ${before} events before and ${after} behind`);
}

async function countEvents({ context }: TestApp, tenantId: string): Promise<number> {
  const { rows } = await context.db.pool.query('select 1 from event where tenant_id = $1', [tenantId]);
  return rows.length;
}
