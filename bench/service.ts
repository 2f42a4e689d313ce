import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { startEmbedded } from '../src/db/embedded/server.ts';

/** The service as it runs in production: a process of its own, and a PostgreSQL server that waits for the disk. */

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
  /** From sending to the last byte. */
  readonly milliseconds: number;
}

export interface Service {
  /** For fixtures: how pg reaches the database. */
  readonly connectionString: string;
  /** Asks by HTTP, as the operator unless a key is given. */
  ask<Body>(method: string, path: string, body?: unknown, key?: string): Promise<Answer<Body>>;
  stop(): Promise<void>;
}

/** @param settings further settings of the service */
export async function startService(settings: Readonly<Record<string, string>> = {}): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  const server = await startEmbedded({ dataDir, log: pino({ level: 'warn' }) });
  const { user, database, host } = server.connection;
  const connectionString = `postgres://${user}@/${database}?host=${host}`;
  const [operatorKey, port] = [randomBytes(32).toString('base64url'), await freePort()];
  const child = spawn(process.execPath, ['--disable-proto=delete', MAIN], {
    env: {
      PATH: process.env.PATH,
      PORT: port,
      DATABASE_URL: connectionString,
      ROLLCALL_OPERATOR_KEY: operatorKey,
      ROLLCALL_SECRET_KEY: randomBytes(32).toString('base64'),
      LOG_LEVEL: 'warn',
      DRAIN_SECONDS: '0',
      ...settings,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(url);
  return {
    connectionString,
    ask: (method, path, body, key = operatorKey) => ask(method, `${url}${path}`, body, key),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function ask<Body>(method: string, url: string, body: unknown, key: string): Promise<Answer<Body>> {
  const begin = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const milliseconds = performance.now() - begin;
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), milliseconds };
}

async function ready(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    await sleep(50);
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return String(port);
}
