import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { StartError } from '../start-error.ts';

export interface Lifecycle {
  /** Aborts at the first signal to stop. */
  readonly stopping: AbortSignal;
  /** Says how to end what has just been started. The last thing started is the first to end. */
  onStop(stop: () => Promise<unknown>): void;
}

/** Signals by which the system reports a fault: a listener would only hide where it happened. */
const FAULTS: closeWithGrace.AllEvents[] = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'];

/**
 * Runs `start`, and from the first signal on ends everything that it started: with exit status 0 when it was
 * asked to, with 1 after an error that nothing caught, or when `patience` (milliseconds) has run out.
 */
export async function runUntilStopped(
  log: Logger,
  patience: number,
  start: (lifecycle: Lifecycle) => Promise<void>,
): Promise<void> {
  for (const signal of SIGNALS) process.on(signal, stayAlive);
  const stopping = new AbortController();
  const stops: (() => Promise<unknown>)[] = [];
  const started = start({ stopping: stopping.signal, onStop: (stop) => stops.push(stop) });
  const options: closeWithGrace.Options = {
    delay: patience,
    logger: false,
    skip: [...FAULTS, 'beforeExit'],
    onTimeout: () => log.fatal({ patience }, 'did not stop in time'),
    onSecondError: (err) => log.fatal({ err }, 'unexpected error while stopping'),
  };
  closeWithGrace(options, async ({ signal, err }) => {
    ignoreFurtherSignals();
    if (err) log.fatal({ err }, 'unexpected error: stopping');
    else log.info({ signal }, 'stopping');
    stopping.abort();
    await started.catch(() => undefined);
    await stopAll(stops, log);
    log.info('stopped');
  });
  try {
    await started;
  } catch (error) {
    if (stopping.signal.aborted) return;
    process.stderr.write(`${startFailure(error)}\n`);
    await stopAll(stops, log);
    process.exit(1);
  }
}

/** What a start that failed says: words for a person where it is theirs to mend, else everything we know. */
export function startFailure(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return `Rollcall could not start: ${(error as Error).stack ?? error}`;
}

async function stopAll(stops: (() => Promise<unknown>)[], log: Logger): Promise<void> {
  for (const stop of stops.splice(0).reverse()) {
    await stop().catch((error: unknown) => log.error({ err: error }, 'did not stop cleanly'));
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does nothing, and is never taken away: for the instant in which a signal has no listener, it ends the process,
 * and the database server stays. One Ctrl-C arrives twice, from the terminal and from npm.
 */
const stayAlive = () => undefined;

/** close-with-grace would break off at the second signal. */
function ignoreFurtherSignals(): void {
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) {
      if (listener !== stayAlive) process.removeListener(signal, listener);
    }
  }
}
