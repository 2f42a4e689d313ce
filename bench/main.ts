import { sizesOf } from './cases/case.ts';
import { CASES } from './cases/cases.ts';
import { type Ending, untilEnded } from './ending.ts';
import { countSlices, estimate } from './estimate.ts';
import { measureCases } from './measure.ts';
import { isOfRun, type Options, OptionsError, readOptions } from './options.ts';
import { PEERS } from './peers/peers.ts';
import { makeScratch } from './processes.ts';
import { clock, openProgress } from './progress.ts';
import { keepPartial, partialName, type Results, report } from './report/report.ts';
import { TARGET_CASES } from './report/targets.ts';
import { startWorld } from './world.ts';

/**
 * `npm run bench`: what the service does in a second and what it takes for it, beside the least that the same stack can
 * do and beside its peers, on one PostgreSQL server, a slice each and round by round. What is measured: `cases/`.
 * Ends with 1 where a case failed or the service answered wrongly, and with 2 where the command line does not hold.
 */
async function main(ending: Ending, options: Options): Promise<void> {
  const { scale } = options;
  const cases = CASES.filter((each) => isOfRun({ ...each, target: TARGET_CASES.has(each.name) }, options));
  let slices = 0;
  const progress = openProgress(() => slices);
  const sizes = sizesOf(cases, scale);
  const expected = estimate({ cases, scale, peers: PEERS.length }, sizes);
  progress.say(`${cases.length} cases, about ${clock(expected)} in all`);
  progress.say(`what is measured is kept in bench/results/${partialName(options)}.md until it is all`);
  const world = await startWorld(await makeScratch(ending), { scale, say: progress.say });
  slices = countSlices({ cases, scale, peers: world.peers.length / scale.users.length });
  let results: Results | undefined;
  for await (results of measureCases(world, { cases, scale, progress, asked: ending.asked })) {
    await keepPartial(results, options);
  }
  progress.end();
  if (results) await report(results, options);
  if (!results || hasFailed(results)) process.exitCode = 1;
}

/** What peers and anchors do wrong is told, and no failure of the run. */
const hasFailed = ({ rows, failed }: Results) =>
  failed.length > 0 || rows.some(({ kind, fault }) => kind === 'service' && fault !== undefined);

function optionsOf(args: readonly string[]): Options | undefined {
  try {
    const names = CASES.map(({ name }) => name);
    return readOptions(args, names);
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

const options = optionsOf(process.argv.slice(2));
if (options) await untilEnded((ending) => main(ending, options));
else process.exitCode = 2;
