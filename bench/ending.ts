/** Ends what the benchmark has started, in reverse order: at its end, after an error, and at a signal. */

export interface Ending {
  /** Aborts at the first signal. */
  readonly asked: AbortSignal;
  /** Says how to end what has just been started. */
  onEnd(stop: Stop): void;
  /** Says what to remove when everything has ended, also what was only being started. */
  atLast(remove: Stop): void;
}

type Stop = () => Promise<unknown> | unknown;

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** For everything to end by itself after a signal, in milliseconds. */
const PATIENCE = 60_000;

/**
 * Runs `work` and ends what it started. A signal breaks it off, and the process then ends as that signal says; so does
 * an error that nobody waits for, which ends it with 1.
 */
export async function untilEnded(work: (ending: Ending) => Promise<void>): Promise<void> {
  const asked = new AbortController();
  const stops: Stop[] = [];
  const removals: Stop[] = [];
  const worked = work({
    asked: asked.signal,
    onEnd: (stop) => stops.push(stop),
    atLast: (remove) => removals.push(remove),
  });
  const breakOff = (reason: string, code: number) => {
    // One Ctrl-C arrives twice, from the terminal and from npm; and what is ended may fail.
    if (asked.signal.aborted) return;
    asked.abort(new Error(`Ended by ${reason}`));
    process.stderr.write(`\n${reason}: ending what was started\n`);
    setTimeout(() => process.exit(code), PATIENCE).unref();
    void stopAll(stops)
      // What was just being started is registered late.
      .then(() => worked.catch(() => undefined))
      .then(() => stopAll([...removals, ...stops]))
      .then(() => process.exit(code));
  };
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => breakOff(signal, 128 + number));
  }
  process.on('uncaughtException', (error) => breakOff(error.stack ?? String(error), 1));
  try {
    await worked;
  } catch (error) {
    if (!asked.signal.aborted) throw error;
  } finally {
    // Once it is broken off, `breakOff` ends the process.
    if (asked.signal.aborted) await new Promise(() => {});
    await stopAll([...removals, ...stops]);
  }
}

async function stopAll(stops: Stop[]): Promise<void> {
  for (let stop = stops.pop(); stop; stop = stops.pop()) {
    await Promise.resolve(stop()).catch((error: unknown) => {
      process.stderr.write(`did not end cleanly: ${error}\n`);
    });
  }
}
