import { parseArgs } from 'node:util';

/** How much is measured. */
export interface Scale {
  /** Sizes of directories. */
  readonly users: readonly number[];
  /** Sizes of groups; those larger than the largest directory are left out. */
  readonly members: readonly number[];
  /** Connections at a time. */
  readonly connections: readonly number[];
  /** Rounds that count; one more goes before them and does not. */
  readonly rounds: number;
  /** Of a slice, in milliseconds. */
  readonly slice: number;
}

export interface Options {
  readonly scale: Scale;
  readonly mode: 'quick' | 'standard' | 'full';
  /** Names of cases, or their beginnings; none: all. */
  readonly only: readonly string[];
}

const SCALES: Readonly<Record<Options['mode'], Scale>> = {
  quick: { users: [1_000], members: [1_000], connections: [8], rounds: 2, slice: 300 },
  standard: {
    users: [1_000, 100_000],
    members: [10, 1_000, 100_000],
    connections: [1, 8, 32],
    rounds: 3,
    slice: 1_000,
  },
  full: {
    users: [1_000, 100_000, 1_000_000],
    members: [10, 1_000, 100_000],
    connections: [1, 8, 32],
    rounds: 5,
    slice: 1_000,
  },
};

const USAGE = `npm run bench [-- --quick | --full] [--rounds N] [--only case…]`;

/** Reads the command line. @throws with the usage where it does not hold */
export function readOptions(args: readonly string[], cases: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  if (values.quick && values.full) throw new Error(`Either --quick or --full: ${USAGE}`);
  const mode = values.quick ? 'quick' : values.full ? 'full' : 'standard';
  const only = [...values.only, ...positionals];
  const unknown = only.filter((wanted) => !cases.some((name) => name.startsWith(wanted)));
  if (unknown.length > 0) {
    throw new Error(`There is no case ${unknown}. Cases: ${cases.join(', ')}`);
  }
  const rounds = values.rounds === undefined ? SCALES[mode].rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is a number from 1: ${USAGE}`);
  return { mode, only, scale: { ...SCALES[mode], rounds } };
}

export const isWanted = (only: readonly string[], name: string): boolean =>
  only.some((wanted) => name.startsWith(wanted));
