import type { Advanced } from '../actions/advance-job.ts';
import { putLast } from '../put-last.ts';

/**
 * How many users a job does at once: as many as take half a second, because so long may a write wait that one of them is
 * about. Fewer would look at all groups of the tenant more often. Each job begins anew: what one tenant's users cost
 * says nothing of another's.
 */

/** In milliseconds. */
const WANTED = 500;
const [LEAST, MOST] = [500, 16_000];

export const FIRST_CHUNK = 2_000;

/** The chunk behind one of so many users, which took so many milliseconds: at most twice as many. */
export function nextChunk(users: number, took: number): number {
  return Math.round(Math.min(MOST, 2 * users, Math.max(LEAST, (users * WANTED) / took)));
}

export interface Pace {
  /** How many users of this job are done next. */
  chunkOf(job: string): number;
  /** That so much was done, in so many milliseconds. */
  note(done: Advanced, took: number): void;
}

/** Of so many jobs, those that were advanced last, it is known what they take. */
const KEPT = 100;

/** The pace of one process. */
export function openPace(): Pace {
  const chunks = new Map<string, number>();
  const chunkOf = (job: string) => chunks.get(job) ?? FIRST_CHUNK;
  return {
    chunkOf,
    note({ job, users }, took) {
      putLast(chunks, job, next(chunkOf(job), users, took), KEPT);
    },
  };
}

/** Of a chunk that failed nobody knows what it would have taken; one that ended early and soon says nothing of others. */
function next(chunk: number, users: number | undefined, took: number): number {
  if (users === undefined) return Math.max(LEAST, Math.round(chunk / 2));
  return users < chunk && took < WANTED ? chunk : nextChunk(users, took);
}
