import { type Case, sizesOf } from './cases/case.ts';
import { CASES } from './cases/cases.ts';
import { type Ending, untilEnded } from './ending.ts';
import { countSlices, measurePoint } from './measure.ts';
import { isWanted, type Options, readOptions } from './options.ts';
import { makeScratch } from './processes.ts';
import { openProgress } from './progress.ts';
import { report } from './report/report.ts';
import type { Row } from './report/rows.ts';
import { startWorld } from './world.ts';

/**
 * `npm run bench`: what the service does in a second and what it takes for it, beside the least that the same stack can
 * do and beside its peers, on one PostgreSQL server, a slice each and round by round. What is measured: `cases/`.
 */
async function main(ending: Ending): Promise<void> {
  const names = CASES.map(({ name }) => name);
  const options = readOptions(process.argv.slice(2), names);
  const { scale } = options;
  const cases = CASES.filter((each) => isOfRun(each, options));
  let slices = 0;
  const progress = openProgress(() => slices);
  const sizes = sizesOf(cases, scale);
  const world = await startWorld(await makeScratch(ending), { scale, sizes, say: progress.say });
  slices = countSlices(world, cases, scale);
  const rows: Row[] = [];
  for (const each of cases) {
    for (const point of each.points(scale)) {
      rows.push(...(await measurePoint(world, { each, point, scale, progress, asked: ending.asked })));
    }
  }
  progress.end();
  await report(rows, options);
}

const isOfRun = ({ name, quick }: Case, { only, mode }: Options) =>
  only.length > 0 ? isWanted(only, name) : mode !== 'quick' || quick === true;

await untilEnded(main);
