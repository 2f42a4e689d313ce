import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import { EVENTS_PER_TURN, releaseSealing, seal } from '../events/seal.ts';
import { startLoop } from './loop.ts';

interface Workers {
  /** Ends every loop after its current turn, and hands over what other instances can take over at once. */
  stop(): Promise<void>;
}

/**
 * Starts what this process does beside answering requests.
 * @param flushUsage writes down when each key was last used.
 */
export function startWorkers(
  { db, log }: Context,
  { flushUsage }: { flushUsage: () => Promise<void> },
): Workers {
  const holder = randomUUID();
  const loops = [
    startLoop({
      name: 'seal events',
      idle: { shortest: 100, longest: 500 },
      log,
      async turn() {
        const sealed = await seal(db, holder);
        return sealed === EVENTS_PER_TURN ? 'more' : sealed > 0 ? 'some' : 'none';
      },
    }),
    startLoop({
      name: 'flush key usage',
      idle: { shortest: 30_000, longest: 30_000 },
      log,
      async turn() {
        await flushUsage();
        return 'some';
      },
    }),
  ];
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      const last = await Promise.allSettled([releaseSealing(db, holder), flushUsage()]);
      for (const { reason } of last.filter((each) => each.status === 'rejected')) {
        log.warn({ err: reason }, 'not handed over at the end');
      }
    },
  };
}
