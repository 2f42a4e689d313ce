import type { Case, Point } from './cases/case.ts';
import { CASES } from './cases/cases.ts';
import type { Contestant, Directory } from './contestant.ts';
import { type Ending, untilEnded } from './ending.ts';
import { isWanted, type Options, readOptions } from './options.ts';
import { makeScratch } from './processes.ts';
import { openProgress, type Progress } from './progress.ts';
import { report } from './report/report.ts';
import { type Row, rowsOf } from './report/rows.ts';
import { placeOf } from './report/table.ts';
import { type Entry, runRounds } from './rounds.ts';
import type { Workload } from './workload.ts';
import { startWorld, type World } from './world.ts';

/**
 * `npm run bench`: what the service does in a second and what it takes for it, beside the least that the same stack can
 * do and beside its peers, on one PostgreSQL server, a slice each and round by round.
 */
async function main(ending: Ending): Promise<void> {
  const options = readOptions(
    process.argv.slice(2),
    CASES.map(({ name }) => name),
  );
  const cases = CASES.filter(({ name }) => isWanted(options.only, name));
  let slices = 0;
  const progress = openProgress(() => slices);
  const world = await startWorld(await makeScratch(ending), options.scale, progress.say);
  slices = countSlices(world, cases, options);
  const rows: Row[] = [];
  for (const each of cases) {
    for (const point of each.points(options.scale)) {
      rows.push(...(await measurePoint(world, { each, point, options, progress, asked: ending.asked })));
    }
  }
  progress.end();
  await report(rows, options);
}

interface Measurement {
  readonly each: Case;
  readonly point: Point;
  readonly options: Options;
  readonly progress: Progress;
  readonly asked: AbortSignal;
}

/** Everybody who can, at every number of connections. */
async function measurePoint(world: World, measurement: Measurement): Promise<Row[]> {
  const { each, point, options, progress, asked } = measurement;
  const { scale } = options;
  const { entries, absent } = await entriesOf(world, each, point);
  const rows: Row[] = [];
  for (const connections of each.connections(scale)) {
    const place = { ...point, connections };
    progress.step(`${each.title}, ${placeOf(place)}`);
    const { rounds, slice } = scale;
    const postgres = world.postgres.pid;
    const onSlice = progress.slice;
    const courses = await runRounds(entries, { rounds, slice, connections, postgres, asked, onSlice });
    rows.push(...rowsOf(each, place, courses), ...absent.map((row) => ({ ...row, ...place })));
  }
  await Promise.all(entries.map(({ workload }) => workload.close()));
  return rows;
}

type Absent = Pick<Row, 'case' | 'title' | 'contestant' | 'kind' | 'cannot'>;

async function entriesOf(world: World, each: Case, point: Point) {
  const entries: Entry[] = [];
  const absent: Absent[] = [];
  const add = async (contestant: Contestant, workload: Workload | Promise<Workload>) =>
    void entries.push({ contestant, workload: await workload });
  const isHere = ({ population }: Directory) => population.users === point.users;
  for (const tenant of world.tenants.filter(isHere))
    await add(tenant.contestant, each.prepare(tenant, point));
  if (each.of === 'rollcall') return { entries, absent };
  for (const peer of world.peers.filter(isHere)) {
    const cannot = peer.cannot[each.name] ?? peer.cannot[`${each.name}:${point.members}`];
    const { name, kind } = peer.contestant;
    if (cannot === undefined) await add(peer.contestant, each.prepare(peer, point));
    else absent.push({ case: each.name, title: each.title, contestant: name, kind, cannot });
  }
  if (each.floor !== undefined) entries.push(...world.anchors.entries(each.floor, point.users));
  return { entries, absent };
}

/** How many slices there will be, for those who wait. */
function countSlices(world: World, cases: readonly Case[], { scale }: Options): number {
  let count = 0;
  for (const each of cases) {
    const others = each.of === 'rollcall' ? 0 : world.peers.length / scale.users.length;
    const anchors = each.of === 'scim' && each.floor !== undefined ? 2 : 0;
    const places = each.points(scale).length * each.connections(scale).length;
    count += places * (scale.rounds + 1) * (1 + others + anchors);
  }
  return count;
}

await untilEnded(main);
