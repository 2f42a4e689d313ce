import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { AppError } from '../../errors.ts';

export interface ThreadOptions {
  readonly log: Logger;
  /** How many run at most. They start when they are needed. */
  readonly threads: number;
  /** Milliseconds that one task may take before its thread is ended. */
  readonly patience: number;
  /** How many tasks may wait for a thread. */
  readonly waiting: number;
}

/** Threads that answer tasks, one at a time each. */
export interface Threads<Task, Answer> {
  /**
   * What the thread answers. Rejects with `unavailable` (503) when too many wait, when the task takes too long, when
   * its thread dies, and once it is closed: no other task notices.
   */
  run(task: Task): Promise<Answer>;
  /** Ends the threads; what they were at is refused. */
  close(): Promise<void>;
}

interface Job<Task, Answer> {
  readonly task: Task;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: AppError) => void;
}

interface Thread<Task, Answer> {
  readonly worker: Worker;
  job: Job<Task, Answer> | undefined;
  timer: NodeJS.Timeout | undefined;
}

const unavailable = (message: string) => new AppError('unavailable', `${message} Try again.`);

/** Memory of a thread, in MiB: a response within the limits takes a few, and one that finds a way around them ends. */
const MEMORY = 256;

/** Opens threads on a module that answers each message of its `parentPort` with one message. */
export function openThreads<Task, Answer>(module: URL, options: ThreadOptions): Threads<Task, Answer> {
  const { log, patience } = options;
  const threads = new Set<Thread<Task, Answer>>();
  const queue: Job<Task, Answer>[] = [];
  let closed = false;

  /** Takes the job off its thread, which is then free. */
  function finish(thread: Thread<Task, Answer>): Job<Task, Answer> | undefined {
    const { job } = thread;
    clearTimeout(thread.timer);
    thread.job = undefined;
    return job;
  }

  function start(): Thread<Task, Answer> {
    // Without environment and flags: NODE_DEBUG and DEBUG would have libraries print what they verify.
    const isolated = { env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MEMORY } };
    const worker = new Worker(module, isolated);
    const thread: Thread<Task, Answer> = { worker, job: undefined, timer: undefined };
    threads.add(thread);
    // Whoever waits for an answer keeps the process; an idle thread does not.
    worker.unref();
    worker.on('message', (answer: Answer) => {
      finish(thread)?.resolve(answer);
      next();
    });
    worker.on('error', (error) => log.error({ err: error }, 'a verification thread failed'));
    worker.once('exit', () => {
      threads.delete(thread);
      finish(thread)?.reject(unavailable('The thread that verified this ended.'));
      next();
    });
    return thread;
  }

  function give(thread: Thread<Task, Answer>, job: Job<Task, Answer>): void {
    thread.job = job;
    thread.timer = setTimeout(() => {
      log.warn({ patience }, 'a verification took too long: its thread is ended');
      finish(thread)?.reject(unavailable('The verification took too long.'));
      threads.delete(thread);
      void thread.worker.terminate();
      next();
    }, patience);
    thread.worker.postMessage(job.task);
  }

  function next(): void {
    while (!closed && queue.length > 0) {
      const idle = [...threads].find(({ job }) => job === undefined);
      const thread = idle ?? (threads.size < options.threads ? start() : undefined);
      const job = thread && queue.shift();
      if (thread === undefined || job === undefined) return;
      give(thread, job);
    }
  }

  return {
    run(task) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(unavailable('The service is stopping.'));
        if (queue.length >= options.waiting) return reject(unavailable('Too many sign-ins are waiting.'));
        queue.push({ task, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      for (const { reject } of queue.splice(0)) reject(unavailable('The service is stopping.'));
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
