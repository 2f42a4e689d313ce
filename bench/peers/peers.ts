import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask, type Contestant, type Directory } from '../contestant.ts';
import type { Population } from '../population.ts';
import type { Postgres } from '../postgres.ts';
import { launch, messageOf, type Scratch } from '../processes.ts';

/**
 * What somebody would use in place of the service, each as its own process. They come from npm, by the lock file of
 * `bench/peers/`, and into that folder; the service never sees them. Without a network the benchmark goes on without.
 */

const FOLDER = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));

interface Peer {
  readonly name: string;
  readonly usesPostgres: boolean;
}

export const PEERS: readonly Peer[] = [
  { name: 'saml-jackson', usesPostgres: true },
  { name: 'better-auth', usesPostgres: true },
  { name: 'scimmy', usesPostgres: false },
];

/** What a peer says when its people are loaded. */
interface Ready {
  readonly port: number;
  readonly directories: readonly { readonly users: number; readonly path: string; readonly key: string }[];
  readonly cannot: Readonly<Record<string, string>>;
  /** Whether the members of a group can be read. */
  readonly showsMembers: boolean;
}

interface PeerOptions {
  readonly populations: readonly Population[];
  say(line: string): void;
}

/** Starts those peers that can be installed and started; says which cannot. */
export async function startPeers(
  scratch: Scratch,
  postgres: Postgres,
  { populations, say }: PeerOptions,
): Promise<Directory[]> {
  say('installing the peers');
  const fault = await install(scratch);
  scratch.ending.asked.throwIfAborted();
  if (fault !== undefined) {
    say(`The peers are left out, because npm could not install them:\n${fault}`);
    return [];
  }
  const directories: Directory[] = [];
  for (const peer of PEERS) {
    say(`starting ${peer.name}`);
    try {
      directories.push(...(await startPeer(scratch, postgres, { peer, populations })));
    } catch (error) {
      scratch.ending.asked.throwIfAborted();
      say(`${peer.name} is left out: ${(error as Error).message}`);
    }
  }
  return directories;
}

/** How long npm may take, and a peer to load its people, in milliseconds. */
const PATIENCE = { npm: 300_000, start: 600_000 };

/** Installs what the lock file says, unless it is there; answers what npm said where that fails. */
async function install({ ending }: Scratch): Promise<string | undefined> {
  const installed = await readFile(`${FOLDER}node_modules/.package-lock.json`, 'utf8').catch(() => '');
  const wanted = JSON.parse(await readFile(`${FOLDER}package-lock.json`, 'utf8')) as Lock;
  if (installed !== '' && isSame(JSON.parse(installed) as Lock, wanted)) return undefined;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error'];
  const npm = spawn('npm', args, { cwd: FOLDER, stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE.npm });
  ending.onEnd(() => npm.kill());
  let said = '';
  npm.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const [code] = await once(npm, 'close').catch((error: Error) => [error.message]);
  return code === 0 ? undefined : `${said.slice(0, 1_000)}\n(npm has ended: ${code})`;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
}

/** Whether everything is installed as locked; what is optional may be missing on a platform. */
function isSame(installed: Lock, wanted: Lock): boolean {
  return Object.entries(wanted.packages).every(
    ([path, { version, optional }]) =>
      path === '' || optional || installed.packages[path]?.version === version,
  );
}

interface StartOptions {
  readonly peer: Peer;
  readonly populations: readonly Population[];
}

async function startPeer(
  scratch: Scratch,
  postgres: Postgres,
  { peer: { name, usesPostgres }, populations }: StartOptions,
): Promise<Directory[]> {
  const database = usesPostgres && (await postgres.createDatabase(name.replace('-', '_')));
  const running = await launch(scratch, {
    name,
    file: `${FOLDER}${name}.mjs`,
    env: {
      NODE_ENV: 'production',
      USERS: populations.map(({ users }) => users).join(),
      ...(database && { DATABASE_URL: database }),
    },
  });
  const timer = new AbortController();
  const late = sleep(PATIENCE.start, undefined, { signal: timer.signal }).catch(() => undefined);
  const ready = await Promise.race([messageOf<Ready>(running), late]).finally(() => timer.abort());
  if (!ready) throw new Error(`it is not ready after ${PATIENCE.start / 1_000} s:\n${await running.said()}`);
  const contestant: Contestant = { name, kind: 'peer', pid: running.pid, usesPostgres };
  return ready.directories.flatMap(({ users, path, key }) => {
    const population = populations.find((each) => each.users === users);
    if (!population) return [];
    const origin = `http://127.0.0.1:${ready.port}`;
    const directory = { contestant, population, origin, path, key, cannot: ready.cannot };
    return [ready.showsMembers ? { ...directory, isMember: memberReader(directory) } : directory];
  });
}

const memberReader = (directory: Directory) => async (groupId: string, userId: string) => {
  const path = `${directory.path}/Groups/${groupId}`;
  const { body } = await ask<{ members?: { value: string }[] }>(directory, 'GET', path);
  return body.members?.some(({ value }) => value === userId) ?? false;
};
