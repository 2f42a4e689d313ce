import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Options } from '../options.ts';
import { growthChart, throughputChart } from './charts.ts';
import { growthsOf, growthTable } from './growth.ts';
import type { Row } from './rows.ts';
import { caseTables } from './table.ts';
import { targetTable } from './targets.ts';

/** Where results are kept, whatever folder the run was started in. */
const FOLDER = fileURLToPath(new URL('../../../bench/results/', import.meta.url));

const LEGEND = `Medians of the rounds. "rollcall ×": how many times the rate of this one the service reaches, side by side.
"p50 ×", "p99 ×": how many times this one's times the service takes. "floor": bare Fastify with one prepared statement
for the least that this could be. "driver": that statement without HTTP. CPU time is that of a request, of the process
and of PostgreSQL, with what it leaves to be done behind the answer.`;

/** What a run has measured so far. */
export interface Results {
  readonly rows: readonly Row[];
  /** Cases that ended early; what they had measured before is among the rows. */
  readonly failed: readonly { readonly case: string; readonly reason: string }[];
  /** Cases that are not measured yet. */
  readonly left: readonly string[];
}

/** Where a run keeps what it has measured so far: it takes the place of no whole run. */
export const partialName = (options: Pick<Options, 'mode' | 'only'>) => `${nameOf(options)}-partial`;

// What was chosen by hand replaces no whole run.
const nameOf = ({ mode, only }: Pick<Options, 'mode' | 'only'>) => (only.length > 0 ? `${mode}-only` : mode);

/** Keeps what there is so far, so that a run that is broken off leaves it. */
export async function keepPartial(results: Results, options: Options): Promise<void> {
  await write(filesOf(results, options, partialName(options)));
}

/** Prints the tables and keeps everything, with the machine that it was measured on. */
export async function report(results: Results, options: Options): Promise<void> {
  process.stdout.write(`\n${textOf(results)}\n\n${targetTable(results.rows)}\n`);
  const partial = partialName(options);
  const files = { ...filesOf(results, options, nameOf(options)), ...chartsOf(results.rows, options) };
  await write(files);
  for (const file of Object.keys(filesOf(results, options, partial)))
    await rm(`${FOLDER}${file}`, { force: true });
  process.stdout.write(`\nKept in bench/results/: ${Object.keys(files).join(', ')}\n`);
}

/** The tables of the cases, and what went wrong. */
function textOf({ rows, failed, left }: Results): string {
  const growths = growthsOf(rows);
  const parts = [LEGEND, caseTables(rows)];
  if (growths.length > 0) parts.push(growthTable(growths));
  if (rows.every(({ figures }) => figures?.cpu === undefined)) {
    parts.push('CPU times are not known on this platform: they are read from /proc (Linux).');
  }
  parts.push(...failed.map((each) => `FAILED: ${each.case}: ${each.reason}`));
  if (left.length > 0) parts.push(`PARTIAL: not measured: ${left.join(', ')}`);
  return parts.join('\n\n');
}

function filesOf(results: Results, { mode, only, scale }: Options, name: string) {
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    platform: process.platform,
  };
  const at = new Date();
  const state = results.left.length > 0 ? 'partial' : 'whole';
  const result = { at, state, machine, mode, only, scale, ...results, growths: growthsOf(results.rows) };
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Node.js ${machine.node}`;
  const head = `${at.toISOString()}, ${where}, \`${mode}\`${state === 'partial' ? ', **partial**' : ''}`;
  const markdown = [head, targetTable(results.rows), `\`\`\`text\n${textOf(results)}\n\`\`\``];
  return {
    [`${name}.json`]: `${JSON.stringify(result, null, 2)}\n`,
    [`${name}.md`]: `${markdown.join('\n\n')}\n`,
  };
}

function chartsOf(rows: readonly Row[], options: Options) {
  const growths = growthsOf(rows);
  const { connections } = options.scale;
  const middle = connections[Math.floor(connections.length / 2)] ?? 1;
  const name = nameOf(options);
  return {
    [`${name}-throughput.svg`]: throughputChart(rows, middle),
    ...(growths.length > 0 && { [`${name}-growth.svg`]: growthChart(growths) }),
  };
}

/** Each as a whole or not at all. */
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await writeFile(`${FOLDER}${file}.new`, text);
    await rename(`${FOLDER}${file}.new`, `${FOLDER}${file}`);
  }
}
