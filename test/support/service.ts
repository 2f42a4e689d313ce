import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

export const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface ServiceOptions {
  /** Settings; the rest of the environment stays out, and a stop does not wait for balancers. */
  env: Record<string, string>;
  /** Runs the service as this user (root only). */
  uid?: number;
}

/** The service as a process of its own, killed with the test. */
export interface Service {
  child: ChildProcess;
  /** All that it has written so far. */
  output(): string;
  /** The first match in what it writes; fails when it ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit status, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals | null>;
}

/** Starts `main.js` in a process group of its own, as a terminal does. */
export function startService(t: Test, { env, uid }: ServiceOptions): Service {
  const child = spawn(process.execPath, ['--disable-proto=delete', '--max-semi-space-size=8', main], {
    detached: true,
    env: { PATH: process.env.PATH, DRAIN_SECONDS: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    child,
    output: () => output,
    exit: () => ended,
    says: (pattern) => firstMatch(child, () => output, pattern),
  };
}

async function firstMatch(
  child: ChildProcess,
  output: () => string,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(output());
    if (match) return match;
    if (child.exitCode !== null) throw new Error(`ended before ${pattern}:\n${output()}`);
    await Promise.race([
      once(child.stdout as never, 'data'),
      once(child.stderr as never, 'data'),
      once(child, 'close'),
    ]);
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return String(port);
}
