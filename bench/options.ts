import { parseArgs } from 'node:util';

/** How much is measured. */
export interface Scale {
  /** Sizes of directories. */
  readonly users: readonly number[];
  /** Sizes of those in which only the mapping is changed. */
  readonly mapped: readonly number[];
  /** Sizes of groups; those larger than the largest directory are left out. */
  readonly members: readonly number[];
  /** Connections at a time. */
  readonly connections: readonly number[];
  /** Rounds that count; one more goes before them and does not. */
  readonly rounds: number;
  /** Of a slice, in milliseconds. */
  readonly slice: number;
}

export type Mode = 'quick' | 'targets' | 'standard' | 'full';

export interface Options {
  readonly scale: Scale;
  readonly mode: Mode;
  /** Names of cases, or their beginnings; none: all. */
  readonly only: readonly string[];
}

/** The command line does not hold; the message says why, and what would. */
export class OptionsError extends Error {}

const STANDARD: Scale = {
  users: [1_000, 100_000],
  mapped: [1_000_000],
  members: [10, 1_000, 100_000],
  connections: [1, 8, 32],
  rounds: 3,
  slice: 600,
};

const SCALES: Readonly<Record<Mode, Scale>> = {
  quick: { users: [1_000], mapped: [], members: [1_000], connections: [8], rounds: 2, slice: 300 },
  targets: { ...STANDARD, slice: 1_000 },
  standard: STANDARD,
  full: { ...STANDARD, users: [1_000, 100_000, 1_000_000], mapped: [], rounds: 5, slice: 1_000 },
};

const MOST_ROUNDS = 99;

const USAGE = 'npm run bench -- [--quick | --targets | --full] [--rounds N] [--only case…]';

/** Reads the command line. @throws OptionsError where it does not hold */
export function readOptions(args: readonly string[], cases: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const modes = (['quick', 'targets', 'full'] as const).filter((mode) => values[mode]);
  if (modes.length > 1) throw wrong(`Only one of --${modes.join(' and --')} is possible`);
  const mode = modes[0] ?? 'standard';
  const only = [...values.only, ...positionals];
  const unknown = only.filter((wanted) => wanted === '' || !isWanted(cases, wanted));
  if (unknown.length > 0) {
    const named = unknown.map((name) => JSON.stringify(name)).join(', ');
    throw wrong(`No case is called ${named}, or begins so. Cases:\n  ${cases.join('\n  ')}`);
  }
  const rounds = values.rounds === undefined ? SCALES[mode].rounds : Number(values.rounds);
  if (!/^\d+$/.test(values.rounds ?? '1') || rounds < 1 || rounds > MOST_ROUNDS) {
    throw wrong(`--rounds is a whole number from 1 to ${MOST_ROUNDS}, not ${JSON.stringify(values.rounds)}`);
  }
  return { mode, only, scale: { ...SCALES[mode], rounds } };
}

const isWanted = (cases: readonly string[], wanted: string) => cases.some((name) => name.startsWith(wanted));

const wrong = (problem: string) => new OptionsError(`${problem}\n${USAGE}`);

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const only = { type: 'string', multiple: true, default: [] as string[] } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { quick: flag, targets: flag, full: flag, rounds: { type: 'string' }, only },
    });
  } catch (error) {
    // What Node.js says of an option that is unknown, or has no value, is one clear line.
    throw wrong((error as Error).message);
  }
}

/** Whether a case is one that the run measures, which names some, or else measures those of its mode. */
export function isOfRun(
  { name, quick, target }: { readonly name: string; readonly quick?: boolean; readonly target: boolean },
  { only, mode }: Pick<Options, 'only' | 'mode'>,
): boolean {
  if (only.length > 0) return only.some((wanted) => name.startsWith(wanted));
  return mode === 'quick' ? quick === true : mode === 'targets' ? target : true;
}
