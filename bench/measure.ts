import type { Floor } from './anchors/statements.ts';
import { type Case, type Point, sizesOf } from './cases/case.ts';
import type { Directory } from './contestant.ts';
import type { Scale } from './options.ts';
import type { Progress } from './progress.ts';
import type { Results } from './report/report.ts';
import { type Row, rowsOf } from './report/rows.ts';
import { placeOf } from './report/table.ts';
import { type Entry, runRounds } from './rounds.ts';
import type { Workload } from './workload.ts';
import type { World } from './world.ts';

interface Run {
  readonly cases: readonly Case[];
  readonly scale: Scale;
  readonly progress: Progress;
  readonly asked: AbortSignal;
}

/** Measures case by case, and tells after each what there is so far; one that fails takes nothing from the others. */
export async function* measureCases(world: World, { cases, ...run }: Run): AsyncGenerator<Results> {
  const rows: Row[] = [];
  const failed: { case: string; reason: string }[] = [];
  for (const [index, each] of cases.entries()) {
    try {
      await world.load(sizesOf([each], run.scale));
      for (const point of each.points(run.scale)) {
        for await (const row of measurePoint(world, { each, point, ...run })) rows.push(row);
      }
    } catch (error) {
      run.asked.throwIfAborted();
      failed.push({ case: each.name, reason: (error as Error).message });
    }
    run.asked.throwIfAborted();
    yield { rows, failed, left: cases.slice(index + 1).map(({ name }) => name) };
  }
}

interface Measurement extends Omit<Run, 'cases'> {
  readonly each: Case;
  readonly point: Point;
}

/** Measures a case at one size: everybody who can, at every number of connections. */
async function* measurePoint(world: World, measurement: Measurement): AsyncGenerator<Row> {
  const { each, point, scale, progress, asked } = measurement;
  const { rounds, slice } = scale;
  const { entries, absent } = await prepare(world, each, point);
  try {
    let warmUp = true;
    for (const connections of each.connections(scale)) {
      const place = { ...point, connections };
      progress.step(`${each.title}, ${placeOf(place)}`);
      const postgres = world.postgres.pid;
      const onSlice = progress.slice;
      const options = { rounds, warmUp, slice, connections, postgres, asked, onSlice };
      yield* rowsOf(each, place, await runRounds(entries, options));
      yield* absent.map((row) => ({ ...row, ...place }));
      // The code is warm then, whoever asks it how often.
      warmUp = false;
    }
  } finally {
    await Promise.all(entries.map(({ workload }) => workload.close()));
  }
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
    const tenant = world.tenants.find(isHere);
    if (!tenant) throw new Error(`There is no tenant of ${point.users} users`);
    prepared.entries.push(...(await each.compare(tenant, world.tenants)));
    return withFloor(prepared, world, { floor: each.floor, point });
  }
  for (const tenant of world.tenants.filter(isHere)) {
    await enter(prepared, { each, point, directory: tenant, workload: () => each.prepare(tenant, point) });
  }
  if (each.of === 'rollcall') return prepared;
  for (const peer of world.peers.filter(isHere)) {
    await enter(prepared, { each, point, directory: peer, workload: () => each.prepare(peer, point) });
  }
  return withFloor(prepared, world, { floor: each.floor, point });
}

function withFloor(
  prepared: Prepared,
  { anchors }: World,
  { floor, point }: { readonly floor: Floor | undefined; readonly point: Point },
): Prepared {
  if (floor !== undefined) prepared.entries.push(...anchors.entries(floor, point));
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
