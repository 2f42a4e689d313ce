import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Service, startService } from './service.ts';
import { fillTenant, GROUPS_PER_USER, groupId, mappingOf, type Size, userId } from './tenant.ts';
import { type Row, report, rounded, timesOf } from './times.ts';

/**
 * What reconciliation costs where there is much: a change of the mapping that touches everybody, and what others feel
 * of it. Everything measured is asked by HTTP. `npm run bench:reconcile [-- --quick]`.
 */

const QUICK = process.argv.includes('--quick');
const SIZE: Size = QUICK
  ? { users: 10_000, groups: 1_000, teams: 200 }
  : { users: 100_000, groups: 1_000, teams: 200 };
const IDLE_PATCHES = 400;
const DRY_RUNS = 5;
const SCIM = '/api/scim/v2';

interface Changed {
  readonly plan: { readonly add: number; readonly change: number; readonly remove: number };
}

interface World extends Service {
  /** Of the tenant, in the admin API. */
  readonly path: string;
  readonly scimKey: string;
}

async function newWorld(service: Service): Promise<World> {
  const admin = '/api/admin/v1/tenants';
  const { body: tenant } = await service.ask<{ id: string }>('POST', admin, { name: 'bench' });
  const path = `${admin}/${tenant.id}`;
  const asked = { name: 'Bench', scopes: ['scim'] };
  const { body: key } = await service.ask<{ key: string }>('POST', `${path}/api-keys`, asked);
  await fillTenant(service.connectionString, tenant.id, SIZE);
  return { ...service, path, scimKey: key.key };
}

/** Adds a user to a group that they are not in, or takes them out again: one membership of a team comes or goes. */
function patchGroup({ ask, scimKey }: World, turn: number): Promise<Answer<unknown>> {
  const index = Math.floor(turn / 2);
  const user = (index * 7_919) % SIZE.users;
  const group = (user + 18) % SIZE.groups;
  const Operations = [
    { op: turn % 2 === 0 ? 'add' : 'remove', path: 'members', value: [{ value: userId(user) }] },
  ];
  return ask('PATCH', `${SCIM}/Groups/${groupId(group)}`, { Operations }, scimKey);
}

async function times(count: number, expected: number, work: (turn: number) => Promise<Answer<unknown>>) {
  const answers: Answer<unknown>[] = [];
  for (let turn = 0; turn < count; turn += 1) answers.push(await work(turn));
  return timesOf(answers, ({ status }) => status === expected);
}

const putMapping = ({ ask, path }: World, role: string, query = '') =>
  ask<Changed>('PUT', `${path}/group-mapping${query}`, mappingOf(SIZE, role));

/** Changes the mapping for everybody, and sends PATCH after PATCH until it is applied. */
async function changeMapping(world: World, role: string) {
  const begin = performance.now();
  const answer = await putMapping(world, role);
  if (answer.status !== 202) throw new Error(`202 expected: ${answer.status} ${JSON.stringify(answer.body)}`);
  const applied = untilActive(world).then(() => performance.now() - begin);
  let isApplied = false;
  void applied.finally(() => {
    isApplied = true;
  });
  const answers: Answer<unknown>[] = [];
  while (!isApplied) answers.push(await patchGroup(world, answers.length));
  return {
    answer,
    patches: timesOf(answers, ({ status }) => status === 204),
    untilActive: rounded(await applied),
  };
}

async function untilActive({ ask, path }: World): Promise<void> {
  for (;;) {
    const { body } = await ask<{ state: string; job?: string }>('GET', `${path}/group-mapping`);
    if (body.state === 'active') return;
    const { body: job } = await ask<{ done: number; total: number }>('GET', `${path}/jobs/${body.job}`);
    process.stderr.write(`  ${job.done} of ${job.total} users\n`);
    await sleep(1_000);
  }
}

async function measure(world: World): Promise<Row[]> {
  const first = await changeMapping(world, 'EDITOR');
  const idle = await times(IDLE_PATCHES, 204, (turn) => patchGroup(world, turn));
  const dryRuns = await times(DRY_RUNS, 200, () => putMapping(world, 'VIEWER', '?dryRun=true'));
  const { body } = await putMapping(world, 'VIEWER', '?dryRun=true');
  const second = await changeMapping(world, 'VIEWER');
  const resync = await times(DRY_RUNS, 200, () => world.ask('POST', `${world.path}/resync?dryRun=true`));
  const once = (measured: string, milliseconds: number) => ({
    measured,
    count: 1,
    p50: rounded(milliseconds),
  });
  return [
    { measured: 'one group PATCH, nothing else', ...idle },
    { measured: `mapping dry run, ${body.plan.change} memberships change`, ...dryRuns },
    once('first mapping: until the answer (202)', first.answer.milliseconds),
    once('first mapping: until active', first.untilActive),
    { measured: 'first mapping: one group PATCH meanwhile', ...first.patches },
    once('changed mapping: until the answer (202)', second.answer.milliseconds),
    once('changed mapping: until active', second.untilActive),
    { measured: 'changed mapping: one group PATCH meanwhile', ...second.patches },
    { measured: 'resync dry run', ...resync },
  ];
}

async function main(): Promise<void> {
  const service = await startService();
  try {
    const members = SIZE.users * GROUPS_PER_USER;
    process.stderr.write(`${SIZE.users} users, ${SIZE.groups} groups, ${members} members\n`);
    const rows = await measure(await newWorld(service));
    await report(QUICK ? 'reconcile-quick' : 'reconcile', { ...SIZE, members }, rows);
  } finally {
    await service.stop();
  }
}

await main();
