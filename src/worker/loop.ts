import type { Logger } from 'pino';

/** How a turn went: there is more to do now; it did something; there was nothing to do. */
export type Turn = 'more' | 'some' | 'none';

export interface LoopOptions {
  /** The name under which failures are logged. */
  readonly name: string;
  turn(): Promise<Turn>;
  /** The wait between turns, in milliseconds: the shortest after work, twice as long after each turn without. */
  readonly idle: { readonly shortest: number; readonly longest: number };
  readonly log: Logger;
}

export interface Loop {
  /** Ends the wait between two turns; during a turn, lets the next follow at once. */
  nudge(): void;
  /** Resolves when the current turn has ended; no turn begins after it. */
  stop(): Promise<void>;
}

/** The longest wait after failures in a row, in milliseconds. */
const LONGEST_BACKOFF = 30_000;

/**
 * Runs `turn` again and again, never two at a time. A turn that throws is logged and repeated, later after each
 * failure in a row; it ends neither the loop nor the process.
 */
export function startLoop({ name, turn, idle, log }: LoopOptions): Loop {
  let stopped = false;
  let nudged = false;
  let failures = 0;
  let wait = idle.shortest;
  let wake = () => {};

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
