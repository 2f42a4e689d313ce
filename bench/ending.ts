/** Ends what the benchmark has started, in reverse order: at its end, after an error, and at a signal. */

export interface Ending {
  /** Aborts at the first signal. */
  readonly asked: AbortSignal;
  /** Says how to end what has just been started. */
  onEnd(stop: () => Promise<unknown> | unknown): void;
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** For everything to end by itself after a signal, in milliseconds. */
const PATIENCE = 60_000;

/** Runs `work` and ends what it started. A signal breaks it off, and the process then ends as that signal says. */
export async function untilEnded(work: (ending: Ending) => Promise<void>): Promise<void> {
  const asked = new AbortController();
  const stops: (() => Promise<unknown> | unknown)[] = [];
  const worked = work({ asked: asked.signal, onEnd: (stop) => stops.push(stop) });
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      // One Ctrl-C arrives twice, from the terminal and from npm.
      if (asked.signal.aborted) return;
      asked.abort(new Error(`Ended by ${signal}`));
      process.stderr.write(`\n${signal}: ending what was started\n`);
      setTimeout(() => process.exit(128 + number), PATIENCE).unref();
      void stopAll(stops)
        // What was just being started is registered late.
        .then(() => worked.catch(() => undefined))
        .then(() => stopAll(stops))
        .then(() => process.exit(128 + number));
    });
  }
  try {
    await worked;
  } catch (error) {
    if (!asked.signal.aborted) throw error;
    await new Promise(() => {}); // The listener above ends the process.
  } finally {
    await stopAll(stops);
  }
}

async function stopAll(stops: (() => Promise<unknown> | unknown)[]): Promise<void> {
  for (let stop = stops.pop(); stop; stop = stops.pop()) {
    await Promise.resolve(stop()).catch((error: unknown) => {
      process.stderr.write(`did not end cleanly: ${error}\n`);
    });
  }
}
