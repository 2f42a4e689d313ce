import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import type { Options } from '../options.ts';
import { growthChart, throughputChart } from './charts.ts';
import { growthsOf, growthTable } from './growth.ts';
import type { Row } from './rows.ts';
import { caseTables } from './table.ts';

/** Where results are kept, from the root of the repository. */
const FOLDER = 'bench/results';

const LEGEND = `Medians of the rounds. "rollcall ×": how many times the rate of this one the service reaches, side by side.
"floor": bare Fastify with one prepared statement for the least that this could be. "driver": that statement without HTTP.
CPU time is that of a request, of the process and of PostgreSQL, with what it leaves to be done behind the answer.`;

/** Prints the tables, and keeps everything with the machine that it was measured on. */
export async function report(rows: readonly Row[], { mode, only, scale }: Options): Promise<void> {
  const growths = growthsOf(rows);
  process.stdout.write(`\n${LEGEND}\n\n${caseTables(rows)}\n`);
  if (growths.length > 0) process.stdout.write(`\n${growthTable(growths)}\n`);
  if (rows.every(({ figures }) => figures?.cpu === undefined)) {
    process.stdout.write('\nCPU times are not known on this platform: they are read from /proc (Linux).\n');
  }
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    platform: process.platform,
  };
  const result = { at: new Date(), machine, mode, only, scale, rows, growths };
  // What was chosen by hand replaces no whole run.
  const name = only.length > 0 ? `${mode}-only` : mode;
  const middle = scale.connections[Math.floor(scale.connections.length / 2)] ?? 1;
  const files = {
    [`${name}.json`]: `${JSON.stringify(result, null, 2)}\n`,
    [`${name}-throughput.svg`]: throughputChart(rows, middle),
    ...(growths.length > 0 && { [`${name}-growth.svg`]: growthChart(growths) }),
  };
  await mkdir(FOLDER, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(`${FOLDER}/${file}`, text);
  process.stdout.write(`\nKept in ${FOLDER}/: ${Object.keys(files).join(', ')}\n`);
}
