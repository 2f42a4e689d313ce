import { randomUUID } from 'node:crypto';
import { advanceJob } from '../actions/advance-job.ts';
import { queueDailyResync } from '../actions/queue-daily-resync.ts';
import type { ClientRecords } from '../clients/client-records.ts';
import type { DailyResync } from '../config.ts';
import type { Context } from '../context.ts';
import { forgetAnswers, SWEPT_PER_TURN, sweepConsumed } from '../directory/consumed-assertions.ts';
import { EVENTS_PER_TURN, releaseSealing, seal } from '../events/seal.ts';
import type { JobKind } from '../reconcile/jobs.ts';
import { openPace } from './job-pace.ts';
import { startLoop } from './loop.ts';

interface Workers {
  /** Ends every loop after its current turn, and hands over what other instances can take over at once. */
  stop(): Promise<void>;
}

interface WorkerOptions {
  /** Writes down when each key was last used. */
  flushUsage(): Promise<void>;
  /** What requests leave in memory. */
  readonly clients: ClientRecords;
  readonly dailyResync: DailyResync;
}

/** Starts what this process does beside answering requests. */
export function startWorkers(context: Context, options: WorkerOptions): Workers {
  const { db, log } = context;
  const { flushUsage, clients, dailyResync } = options;
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
    advancedJobs(context),
    ...resyncedDaily(context, dailyResync),
    startLoop({
      name: 'sweep assertions',
      idle: { shortest: 1_000, longest: 60_000 },
      log,
      async turn() {
        const now = context.now();
        const swept = Math.max(await sweepConsumed(db, now), await forgetAnswers(db, now));
        return swept === SWEPT_PER_TURN ? 'more' : swept > 0 ? 'some' : 'none';
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

/** By chunks that are as large as this process and its database do in half a second. */
function advancedJobs(context: Context) {
  const pace = openPace();
  let kind: JobKind = 'mapping';
  return startLoop({
    name: 'jobs',
    idle: { shortest: 200, longest: 2_000 },
    log: context.log,
    async turn() {
      const begun = performance.now();
      const advanced = await advanceJob(context, { kind, chunkOf: pace.chunkOf });
      kind = kind === 'mapping' ? 'resync' : 'mapping';
      if (advanced === undefined) return 'none';
      pace.note(advanced, performance.now() - begun);
      return 'more';
    },
  });
}

/** A tenant a second at most, so that their resyncs spread. */
function resyncedDaily(context: Context, mode: DailyResync) {
  if (mode === 'off') return [];
  return [
    startLoop({
      name: 'daily resync',
      idle: { shortest: 1_000, longest: 60_000 },
      log: context.log,
      turn: async () => ((await queueDailyResync(context, mode)) ? 'some' : 'none'),
    }),
  ];
}
