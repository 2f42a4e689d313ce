import t from 'tap';
import { lockMembers, lockOwners, type MemberLock } from '../../../src/db/locks.ts';
import { noteUsers } from '../../../src/db/noted.ts';
import type { Step } from '../../../src/db/statement.ts';
import { runAlone } from '../../../src/db/transaction.ts';
import { updateGroups } from '../../../src/directory/group-write.ts';
import { readGroups } from '../../../src/directory/groups.ts';
import { storeMapping } from '../../../src/reconcile/mapping.ts';
import { reconcileLocked } from '../../../src/reconcile/reconcile.ts';
import { BUILT_IN_ROLES } from '../../../src/reconcile/roles.ts';
import { startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';

/** What a write of one member costs must not depend on how many others there are. */

const SIZE = 100_000;
const app = await startApp(t);
const { db } = app.context;
const tenant = await app.createTenant();
const client = clientOf(app, await app.scimKey(tenant));
const { id: groupId } = await client.group('Everybody');
const { id: userId } = await client.user('newcomer');
const { rows: owners } = await db.pool.query('select directory_id from scim_group where id = $1', [groupId]);
const viewer = { tenantId: tenant.id, directoryId: owners[0].directory_id as string, seesUnmanaged: true };

await db.pool.query(
  `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at,
                          body, search, lookup)
   select $1, gen_random_uuid(), $2, 'seed-' || n, true, 1, now(), now(),
          '{"schemas":[],"userName":"seed-' || n || '"}', '{}', '{}'
   from generate_series(1, ${SIZE}) n`,
  [tenant.id, viewer.directoryId],
);
await db.pool.query(
  `insert into group_member select tenant_id, $1, id from scim_user where user_name_folded like 'seed-%'`,
  [groupId],
);
await db.pool.query('analyze');

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly PlanNode[];
}

/** The plan of a step as it ran, under the generic plan that a prepared statement ends up with; undone. */
async function planOf(
  { statement, values }: Step<unknown>,
  before: readonly Step<unknown>[] = [],
): Promise<PlanNode[]> {
  const session = await db.pool.connect();
  try {
    await session.query('begin; set local plan_cache_mode = force_generic_plan');
    for (const step of before) await session.query(step.statement.text, [...step.values]);
    const { rows } = await session.query(`explain (analyze, format json) ${statement.text}`, [...values]);
    return flattened(rows[0]['QUERY PLAN'][0].Plan);
  } finally {
    await session.query('rollback');
    session.release();
  }
}

const flattened = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flattened)];

/** Rows that a plan read of a table. */
function rowsRead(plan: readonly PlanNode[], table: string): number {
  const scans = plan.filter((node) => node['Relation Name'] === table && node['Node Type'].includes('Scan'));
  return scans.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0);
}

/** A change of members: what finds and locks them, and what writes. */
function change(difference: Partial<MemberLock>) {
  const told = { changeId: groupId, requestId: 'plan' };
  const lock = { id: groupId, reset: false, add: [], remove: [], ...difference };
  return {
    lock: lockMembers(tenant.id, [lock]),
    write: updateGroups(viewer, { at: new Date(), actor: '{}' }, [
      { id: groupId, version: null, attributes: null, ...told },
    ]),
  };
}

const firstMember = async (): Promise<string> => {
  const { rows } = await db.pool.query('select user_id from group_member limit 1');
  return rows[0].user_id;
};

t.test(`adding one to and removing one from ${SIZE} members reads no other member`, async (t) => {
  for (const difference of [{ add: [userId] }, { remove: [await firstMember()] }]) {
    const { lock, write } = change(difference);
    for (const plan of [await planOf(lock), await planOf(write, [lock])]) {
      // Who leaves is found, and taken from the place that was found.
      t.ok(rowsRead(plan, 'group_member') <= 2, JSON.stringify(difference));
      t.ok(rowsRead(plan, 'scim_user') <= 1);
    }
  }
});

t.test('members who leave a group that the mapping does not name are not even locked', async (t) => {
  const plan = await planOf(change({ remove: [await firstMember()] }).lock);
  t.equal(rowsRead(plan, 'scim_user'), 0);
});

t.test('a replacement by the same members compares them once, and writes without reading any', async (t) => {
  const { rows } = await db.pool.query('select user_id from group_member');
  const { lock, write } = change({ reset: true, add: rows.map(({ user_id }) => user_id) });
  t.equal(rowsRead(await planOf(lock), 'group_member'), SIZE);
  const plan = await planOf(write, [lock]);
  t.equal(rowsRead(plan, 'group_member'), 0);
  t.equal(rowsRead(plan, 'scim_user'), 0);
});

t.test(
  `reconciling one of ${SIZE} members, whom the group makes a member of a team and an owner, reads no other`,
  async (t) => {
    const document = {
      tenant_owners_groups: ['Everybody'],
      mappings: [{ group_name: 'Everybody', team_name: 'All', role_name: 'VIEWER' }],
    };
    const version = { version: 1, document, cause: { kind: 'put' }, author: '{}', at: new Date() } as const;
    await runAlone(db, storeMapping(tenant.id, version, BUILT_IN_ROLES));
    const { rows } = await db.pool.query('select user_id from group_member limit 1');
    const noted = [noteUsers([rows[0].user_id])];
    const told = { changeId: groupId, requestId: 'plan' };
    const steps = {
      lockOwners: lockOwners(tenant.id),
      reconcile: reconcileLocked(tenant.id, { at: new Date(), actor: '{}' }, told, { users: 1 }),
    };
    for (const [name, step] of Object.entries(steps)) {
      const plan = await planOf(step, noted);
      t.ok(rowsRead(plan, 'group_member') <= 3, `${name}: ${rowsRead(plan, 'group_member')} members`);
      t.ok(rowsRead(plan, 'scim_user') <= 3, `${name}: ${rowsRead(plan, 'scim_user')} users`);
    }
  },
);

t.test('reading the group without its members touches none of them', async (t) => {
  const plan = await planOf(readGroups(viewer, [groupId], { members: false }));
  t.notOk(plan.some((node) => node['Relation Name'] === 'group_member'));
  const { body, text } = await client.ask('GET', `/Groups/${groupId}?excludedAttributes=members`);
  t.notOk('members' in body);
  t.ok(text.length < 1_000);
});

t.test('the whole membership is read and replaced in one request', async (t) => {
  const { body } = await client.ask('GET', `/Groups/${groupId}`);
  t.equal(body.members?.length, SIZE);
  const members = body.members?.slice(1).map(({ value }) => ({ value })) ?? [];
  const put = await client.ask('PUT', `/Groups/${groupId}?excludedAttributes=members`, {
    displayName: 'Everybody',
    members: [...members, { value: userId }],
  });
  t.equal(put.status, 200);
  const { rows } = await db.pool.query('select count(*) from group_member where group_id = $1', [groupId]);
  t.equal(rows[0].count, SIZE);
  const events = await db.pool.query(
    `select type, jsonb_array_length(coalesce(before, after) -> 'members') as members
     from event where resource_id = $1 and type like 'group.members%' order by type`,
    [groupId],
  );
  t.same(events.rows, [
    { type: 'group.members_added', members: 1 },
    { type: 'group.members_removed', members: 1 },
  ]);
});
