import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

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
  /** Null when the program could not be spawned, or was killed. */
  exitCode: number | null;
  /** The end of what it wrote. */
  stdout: string;
  stderr: string;
}

/** A running program whose output can be read. */
export type Program = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Spawns one of PostgreSQL's programs in a session of its own, because Ctrl-C goes to the terminal's whole
 * process group and the database must outlive the requests that drain. The environment is all but empty:
 * `PG*`, `LD_*` and locale variables would change what the programs do.
 */
export function spawnProgram(program: string, args: string[], options: RunOptions): Program {
  return spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe', options.folder ?? 'ignore'],
    ...options.account,
  }) as Program;
}

/** Runs a program to its end; one that cannot be spawned is a failed run like another. */
export async function run(program: string, args: string[], options: RunOptions): Promise<Run> {
  const child = spawnProgram(program, args, options);
  const [stdout, stderr] = [tail(child.stdout), tail(child.stderr)];
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, stdout: '', stderr: error.message }));
    child.once('close', (exitCode) => resolve({ exitCode, stdout: stdout(), stderr: stderr() }));
  });
}

/** Keeps the end of what a program writes; returns the function that reads it. */
export function tail(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-2_000);
  });
  return () => text.trim();
}
