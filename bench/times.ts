import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Answer } from './service.ts';

/** How long answers took, as tables and files show it. In milliseconds. */

export interface Times {
  readonly count: number;
  readonly failures: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the table shows; `overClaims`: by how much the median is above that of the same with claims. */
export type Row = { readonly measured: string; readonly overClaims?: number } & Partial<Times>;

/** @param isExpected what is no failure; times of failures count too */
export function timesOf<Body>(
  answers: readonly Answer<Body>[],
  isExpected: (answer: Answer<Body>) => boolean,
): Times {
  const sorted = answers.map(({ milliseconds }) => milliseconds).sort((left, right) => left - right);
  const at = (part: number) => rounded(sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN);
  const failures = answers.filter((answer) => !isExpected(answer)).length;
  return { count: answers.length, failures, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export const rounded = (milliseconds: number) => Math.round(milliseconds * 10) / 10;

/** Shows the rows, and keeps them with the machine under `bench/results/`. */
export async function report(name: string, size: object, rows: readonly Row[]): Promise<void> {
  console.table(rows);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const result = { at: new Date(), machine, size, milliseconds: rows };
  await mkdir('bench/results', { recursive: true });
  await writeFile(`bench/results/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}
