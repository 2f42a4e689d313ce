import type { Case, Point } from './cases/case.ts';
import type { Directory } from './contestant.ts';
import type { Scale } from './options.ts';
import type { Progress } from './progress.ts';
import { type Row, rowsOf } from './report/rows.ts';
import { placeOf } from './report/table.ts';
import { type Entry, runRounds } from './rounds.ts';
import type { Workload } from './workload.ts';
import type { World } from './world.ts';

interface Measurement {
  readonly each: Case;
  readonly point: Point;
  readonly scale: Scale;
  readonly progress: Progress;
  readonly asked: AbortSignal;
}

/** Measures a case at one size: everybody who can, at every number of connections. */
export async function measurePoint(world: World, measurement: Measurement): Promise<Row[]> {
  const { each, point, scale, progress, asked } = measurement;
  const { rounds, slice } = scale;
  const { entries, absent } = await prepare(world, each, point);
  const rows: Row[] = [];
  for (const connections of each.connections(scale)) {
    const place = { ...point, connections };
    progress.step(`${each.title}, ${placeOf(place)}`);
    const postgres = world.postgres.pid;
    const onSlice = progress.slice;
    const courses = await runRounds(entries, { rounds, slice, connections, postgres, asked, onSlice });
    rows.push(...rowsOf(each, place, courses), ...absent.map((row) => ({ ...row, ...place })));
  }
  await Promise.all(entries.map(({ workload }) => workload.close()));
  return rows;
}

/** A contestant without figures. */
type Absent = Pick<Row, 'case' | 'title' | 'contestant' | 'kind' | 'cannot' | 'fault'>;

interface Prepared {
  readonly entries: Entry[];
  readonly absent: Absent[];
}

async function prepare(world: World, each: Case, point: Point): Promise<Prepared> {
  const prepared: Prepared = { entries: [], absent: [] };
  const isHere = ({ population }: Directory) => population.users === point.users;
  if ('compare' in each) {
    for (const tenant of world.tenants.filter(isHere)) prepared.entries.push(...(await each.compare(tenant)));
    return prepared;
  }
  for (const tenant of world.tenants.filter(isHere)) {
    await enter(prepared, { each, point, directory: tenant, workload: () => each.prepare(tenant, point) });
  }
  if (each.of === 'rollcall') return prepared;
  for (const peer of world.peers.filter(isHere)) {
    await enter(prepared, { each, point, directory: peer, workload: () => each.prepare(peer, point) });
  }
  if (each.floor !== undefined) prepared.entries.push(...world.anchors.entries(each.floor, point.users));
  return prepared;
}

interface Entrant {
  readonly each: Case;
  readonly point: Point;
  readonly directory: Directory;
  workload(): Workload | Promise<Workload>;
}

async function enter({ entries, absent }: Prepared, entrant: Entrant): Promise<void> {
  const { each, point, directory, workload } = entrant;
  const { contestant, cannot } = directory;
  const { name, kind } = contestant;
  const row = { case: each.name, title: each.title, contestant: name, kind };
  const reason = cannot[each.name] ?? cannot[`${each.name}:${point.members}`];
  if (reason !== undefined) {
    absent.push({ ...row, cannot: reason });
    return;
  }
  try {
    entries.push({ contestant, workload: await workload() });
  } catch (error) {
    absent.push({ ...row, fault: `Not prepared: ${(error as Error).message}` });
  }
}

/** How many slices there will be, for those who wait. */
export function countSlices(world: World, cases: readonly Case[], scale: Scale): number {
  let count = 0;
  for (const each of cases) {
    const peers = each.of === 'rollcall' ? 0 : world.peers.length / scale.users.length;
    const anchors = each.of === 'scim' ? (each.floor === undefined ? 0 : 2) : 'compare' in each ? 1 : 0;
    const places = each.points(scale).length * each.connections(scale).length;
    count += places * (scale.rounds + 1) * (1 + peers + anchors);
  }
  return count;
}
