import type { IncomingMessage } from 'node:http';
import { whenGone } from './in-flight.ts';

/** How late those are refused who go on asking. In milliseconds. */
export interface LateBounds {
  /** So late at least. */
  readonly least: number;
  /** Behind the one before it in the same name. */
  readonly behind: number;
  /** So many wait at a time, each of which holds a request. Further ones do not wait. */
  readonly most: number;
}

const BOUNDS: LateBounds = { least: 500, behind: 5, most: 5_000 };

export interface LateRefusals {
  /** Waits until the next refusal in this name is due; for ever where whoever asked goes away: nobody is left to answer. */
  wait(name: string, request: IncomingMessage): Promise<void>;
  /** How many wait. */
  readonly waiting: number;
}

/**
 * Whoever goes on asking waits for its refusals, each of which is work that others wait behind: half a second at least,
 * and 5 milliseconds behind the one before, so that a tenant is refused 200 times a second and not as often as it asks.
 * Who goes away makes room at once: a flood of short connections would else be refused without waiting.
 */
export function openLateRefusals({ least, behind, most }: LateBounds = BOUNDS): LateRefusals {
  /** When the last refusal of each name that waits is due, in milliseconds of `performance.now`. */
  const due = new Map<string, number>();
  let waiting = 0;
  return {
    get waiting() {
      return waiting;
    },
    async wait(name, request) {
      if (waiting >= most) return;
      const now = performance.now();
      // Those who have gone away leave their places: nobody waits for longer than for a queue that is full.
      const behindOthers = Math.min((due.get(name) ?? 0) + behind, now + most * behind);
      const at = Math.max(now + least, behindOthers);
      due.set(name, at);
      waiting += 1;
      await new Promise<void>((resolve) => {
        const leave = () => {
          waiting -= 1;
          if (due.get(name) === at) due.delete(name);
        };
        // No `AbortSignal`: thousands wait so, and what each of them holds the collector looks through.
        const timer = setTimeout(() => {
          forget();
          leave();
          resolve();
        }, at - now);
        // Thousands go at a time too: what would answer them takes longer than the rest of their end.
        const forget = whenGone(request, () => {
          clearTimeout(timer);
          leave();
        });
      });
    },
  };
}
