import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** How a turn went: there is more to do at once; it did something; there was nothing to do. */
export type Turn = 'more' | 'some' | 'none';

interface LoopOptions {
  /** The name under which failures are logged. */
  readonly name: string;
  turn(): Promise<Turn>;
  /** Milliseconds between turns: `shortest` after work, doubled by each turn without, up to `longest`. */
  readonly idle: { readonly shortest: number; readonly longest: number };
  readonly log: Logger;
}

export interface Loop {
  /** Ends the wait for the next turn; in the middle of a turn, the next follows at once. */
  nudge(): void;
  /** Resolves when the current turn has ended; none begins after it. */
  stop(): Promise<void>;
}

/**
 * Runs `turn` over and over, never two at a time. A turn that throws is logged and runs again, after a wait that
 * grows with each failure in a row and that no nudge cuts short; it ends neither the loop nor the process.
 */
export function startLoop({ name, turn, idle, log }: LoopOptions): Loop {
  let stopped = false;
  let nudged = false;
  let failures = 0;
  let waiting = new AbortController();

  async function wait(milliseconds: number): Promise<void> {
    if (stopped) return;
    waiting = new AbortController();
    await sleep(milliseconds, undefined, { signal: waiting.signal }).catch(() => undefined);
  }

  async function repeat(): Promise<void> {
    let pause = idle.shortest;
    while (!stopped) {
      nudged = false;
      try {
        const done = await turn();
        failures = 0;
        pause = done === 'none' ? Math.min(pause * 2, idle.longest) : idle.shortest;
        if (done !== 'more' && !nudged) await wait(pause);
      } catch (error) {
        failures += 1;
        log.error({ err: error, loop: name, failures }, 'turn failed');
        await wait(backoff(failures));
      }
    }
  }

  const ended = repeat();
  return {
    nudge() {
      nudged = true;
      if (failures === 0) waiting.abort();
    },
    stop() {
      stopped = true;
      waiting.abort();
      return ended;
    },
  };
}

/** The longest wait after failures in a row, in milliseconds: so late at most a recovered database is noticed. */
const LONGEST_BACKOFF = 5_000;

/** Doubles from 200 milliseconds, and scatters, so that all instances do not come back in the same moment. */
function backoff(failures: number): number {
  return Math.min(100 * 2 ** failures, LONGEST_BACKOFF) * (0.5 + Math.random() / 2);
}
