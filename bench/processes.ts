import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending } from './ending.ts';

/** Everything that is measured is a process of its own. What it writes goes to a file, of which a failure shows the end. */

/** Where the run keeps what does not outlive it. */
export interface Scratch {
  readonly folder: string;
  readonly ending: Ending;
}

export async function makeScratch(ending: Ending): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  ending.atLast(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return { folder, ending };
}

export interface Launch {
  readonly name: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of Node.js itself. */
  readonly flags?: readonly string[];
}

export interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly pid: number;
  /** Rejects when the process ends, with the end of what it wrote. */
  readonly ended: Promise<never>;
  /** The end of what it has written so far. */
  said(): Promise<string>;
  /** Ends it, unless it has ended. */
  end(): Promise<void>;
}

/** How long a process may take to end, in milliseconds, before it is killed. */
const PATIENCE = 20_000;

/**
 * Starts a Node.js process; it ends with the run. It is in no terminal: Ctrl-C asks the benchmark alone, which ends the
 * others in their order and takes the end of none for a failure.
 */
export async function launch({ folder, ending }: Scratch, launched: Launch): Promise<Running> {
  ending.asked.throwIfAborted();
  const { name, file, env, flags = [] } = launched;
  const path = join(folder, `${name}.log`);
  const output = await open(path, 'a');
  const child = spawn(process.execPath, [...flags, file], {
    env: { PATH: process.env.PATH, ...env },
    detached: true,
    stdio: ['ignore', output.fd, output.fd, 'ipc'],
  });
  await output.close();
  const said = async () => (await readFile(path, 'utf8').catch(() => '')).slice(-2_000);
  const closed = once(child, 'exit');
  const ended = closed.then(async ([code, signal]) => {
    throw new Error(`${name} has ended (${code ?? signal}):\n${await said()}`);
  });
  ended.catch(() => undefined);
  const end = async () => {
    child.kill('SIGTERM');
    const timer = new AbortController();
    const late = sleep(PATIENCE, true, { signal: timer.signal }).catch(() => false);
    if (await Promise.race([closed.then(() => false), late])) child.kill('SIGKILL');
    timer.abort();
    await closed;
  };
  ending.onEnd(end);
  if (child.pid === undefined) throw new Error(`${name} cannot be started`);
  return { name, child, pid: child.pid, ended, said, end };
}

/** The next message that the process sends. */
export async function messageOf<Message>({ child, ended }: Running): Promise<Message> {
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message as Message;
}
