import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import type { Options } from '../options.ts';
import type { Row } from './rows.ts';
import { caseTables } from './table.ts';

/** Where results are kept, from the root of the repository. */
export const RESULTS = 'bench/results';

/** Prints the tables, and keeps everything with the machine it was measured on. */
export async function report(rows: readonly Row[], options: Options): Promise<void> {
  process.stdout.write(`\n${caseTables(rows)}\n`);
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    platform: process.platform,
  };
  await mkdir(RESULTS, { recursive: true });
  const result = { at: new Date(), machine, ...options, rows };
  await writeFile(`${RESULTS}/${options.mode}.json`, `${JSON.stringify(result, null, 2)}\n`);
}
