import { randomUUID } from 'node:crypto';
import type { ClientRecords } from '../clients/client-records.ts';
import type { Context } from '../context.ts';
import { EVENTS_PER_TURN, releaseSealing, seal } from '../events/seal.ts';
import { startLoop } from './loop.ts';

interface Workers {
  /** Ends every loop after its current turn, and hands over what other instances can take over at once. */
  stop(): Promise<void>;
}

interface Kept {
  /** Writes down when each key was last used. */
  flushUsage(): Promise<void>;
  readonly clients: ClientRecords;
}

/** Starts what this process does beside answering requests: `kept` is what requests leave in memory. */
export function startWorkers({ db, log }: Context, { flushUsage, clients }: Kept): Workers {
  const holder = randomUUID();
  const { toleranceUses, refusedRequests } = clients;
  const flushed = (name: string, milliseconds: number, flush: () => Promise<void>) =>
    startLoop({
      name,
      idle: { shortest: milliseconds, longest: milliseconds },
      log,
      async turn() {
        await flush();
        return 'some';
      },
    });
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
    flushed('flush key usage', 30_000, flushUsage),
    flushed('flush tolerance uses', 3_000, toleranceUses.flush),
    flushed('flush refused requests', 1_000, refusedRequests.flush),
  ];
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      const last = await Promise.allSettled([
        releaseSealing(db, holder),
        flushUsage(),
        toleranceUses.flush(),
        refusedRequests.flush(),
      ]);
      for (const { reason } of last.filter((each) => each.status === 'rejected')) {
        log.warn({ err: reason }, 'not handed over at the end');
      }
    },
  };
}
