import { type ChildProcess, spawn } from 'node:child_process';

/** The unprivileged account that the database runs as when we are root, which PostgreSQL refuses to be. */
export interface Account {
  uid: number;
  gid: number;
}

export interface RunOptions {
  account: Account | undefined;
  /** An open folder that the program finds at `inheritedFolder`, though its path may be closed to it. */
  folder?: number;
}

/** Where a program finds `RunOptions.folder`: a descriptor needs no right to walk the path (Linux). */
export const inheritedFolder = '/proc/self/fd/3';

export interface Run {
  exitCode: number | null;
  /** The last lines of what it wrote, trimmed. */
  output: string;
}

/**
 * Spawns one of PostgreSQL's programs in a session of its own, because Ctrl-C goes to the terminal's whole
 * process group and the database must outlive the requests that drain. The environment is all but empty:
 * `PG*`, `LD_*` and locale variables would change what the programs do.
 */
export function spawnProgram(program: string, args: string[], options: RunOptions): ChildProcess {
  return spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe', options.folder ?? 'ignore'],
    ...options.account,
  });
}

/** Runs a program to its end. A program that cannot be spawned is a run with exit code null. */
export async function run(program: string, args: string[], options: RunOptions): Promise<Run> {
  const child = spawnProgram(program, args, options);
  const lines = tail(child);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, output: error.message }));
    child.once('close', (exitCode) => resolve({ exitCode, output: lines().trim() }));
  });
}

/** Keeps the end of what a program writes; returns the function that reads it. */
export function tail(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: string) => {
    text = (text + chunk).slice(-2_000);
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  return () => text;
}
