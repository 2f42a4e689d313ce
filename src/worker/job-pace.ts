/**
 * How many users a job does at once: as many as take half a second, because so long may a write wait that one of them is
 * about. Fewer would look at all groups of the tenant more often.
 */

/** In milliseconds. */
const WANTED = 500;
const [LEAST, MOST] = [500, 16_000];

export const FIRST_CHUNK = 2_000;

/** The chunk behind one of so many users, which took so many milliseconds: half of it to twice as many. */
export function nextChunk(users: number, took: number): number {
  const factor = Math.min(2, Math.max(0.5, WANTED / took));
  return Math.round(Math.min(MOST, Math.max(LEAST, users * factor)));
}
