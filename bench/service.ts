import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask, type Contestant, type Directory } from './contestant.ts';
import { fillTenant } from './fill-tenant.ts';
import type { Population } from './population.ts';
import { type Postgres, query } from './postgres.ts';
import { launch, type Running, type Scratch } from './processes.ts';

/** The service as it runs in production: built, a process of its own, on a database that waits for the disk. */

/** What is set beside the way to the database and the keys, and nothing else: the rest is as in production. */
const SETTINGS: Readonly<Record<string, string>> = {
  // The OIDC provider of the sign-ins publishes its keys on this machine.
  ALLOW_LOOPBACK_IDENTITY_PROVIDERS: 'true',
  // Nobody balances the load, so nobody has to notice that it ends.
  DRAIN_SECONDS: '0',
};

/** Limits that hold a client back have to be lifted, because the load is more than any client's. */
const UNLIMITED = { RATE_LIMIT: '1000000', RATE_BURST: '1000000' };

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const SCIM = '/api/scim/v2';
const ADMIN = '/api/admin/v1/tenants';

export interface Service extends Contestant {
  readonly origin: string;
  /** How pg reaches its database. */
  readonly connectionString: string;
  /** Asks the admin API as the operator. @throws where the answer is no success */
  administer<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  /** Another instance on the same database, whose clients are limited as by default. */
  limited(): Promise<Limited>;
}

export interface Limited {
  readonly origin: string;
  readonly pid: number;
  readonly scratch: Scratch;
}

export async function startService(scratch: Scratch, postgres: Postgres): Promise<Service> {
  const connectionString = await postgres.createDatabase('rollcall');
  const operatorKey = randomBytes(32).toString('base64url');
  const env = {
    ...SETTINGS,
    DATABASE_URL: connectionString,
    ROLLCALL_OPERATOR_KEY: operatorKey,
    ROLLCALL_SECRET_KEY: randomBytes(32).toString('base64'),
  };
  const { origin, running } = await startInstance(scratch, 'rollcall', { ...env, ...UNLIMITED });
  let limited: Promise<Limited> | undefined;
  return {
    name: 'rollcall',
    kind: 'service',
    pid: running.pid,
    usesPostgres: true,
    origin,
    connectionString,
    administer: async <Body>(method: string, path: string, body?: unknown) => {
      const answer = await ask<Body>({ origin, key: operatorKey }, method, `${ADMIN}${path}`, body);
      if (answer.status < 300) return answer.body;
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    },
    limited() {
      limited ??= startInstance(scratch, 'rollcall-limited', env).then((instance) => {
        return { origin: instance.origin, pid: instance.running.pid, scratch };
      });
      return limited;
    },
  };
}

async function startInstance(scratch: Scratch, name: string, env: Readonly<Record<string, string>>) {
  const port = await freePort();
  const flags = ['--disable-proto=delete', '--max-semi-space-size=8'];
  const running = await launch(scratch, { name, file: MAIN, flags, env: { ...env, PORT: port } });
  const origin = `http://127.0.0.1:${port}`;
  await ready(origin, running);
  return { origin, running };
}

/** A tenant of the service. */
export interface Tenant extends Directory {
  readonly contestant: Service;
  readonly id: string;
  isMember(groupId: string, userId: string): Promise<boolean>;
}

/**
 * Makes a tenant with these people in its directory.
 * @param settles whether the database is vacuumed then; of many tenants the last one does for all
 */
export async function makeTenant(
  service: Service,
  name: string,
  population: Population,
  settles = true,
): Promise<Tenant> {
  const { id } = await service.administer<{ id: string }>('POST', '', { name });
  const key = await keyOf(service, id, 'scim');
  await fillTenant(service.connectionString, id, population);
  if (settles) await query(service.connectionString, 'vacuum (analyze)');
  await changeMapping(service, id, mappingOf());
  const { origin } = service;
  const base = { contestant: service, id, population, origin, path: SCIM, key, cannot: {} };
  return {
    ...base,
    isMember: async (groupId, userId) => {
      const { body } = await ask<{ groups?: { value: string }[] }>(base, 'GET', `${SCIM}/Users/${userId}`);
      return body.groups?.some(({ value }) => value === groupId) ?? false;
    },
  };
}

/** The group claims of the sign-ins, and the teams that they give. */
const CLAIMED = { groups: 1_000, teams: 200 };

export const claimedGroup = (n: number) => `Claim ${n % CLAIMED.groups}`;

/** The mapping in which each claim gives one team, with these rows in addition: what every write goes past. */
export function mappingOf(...rows: readonly object[]) {
  const claims = Array.from({ length: CLAIMED.groups }, (_, n) => ({
    group_name: claimedGroup(n),
    team_name: `Team ${n % CLAIMED.teams}`,
    role_name: 'EDITOR',
  }));
  const mapped = { group_name: 'Mapped', team_name: 'Mapped', role_name: 'EDITOR' };
  return { mappings: [mapped, ...rows, ...claims] };
}

interface Changed {
  readonly state: 'active' | 'applying' | 'superseded';
  readonly job?: string;
}

/** Changes the mapping of a tenant, and waits until everybody holds what follows from it. */
export async function changeMapping(service: Service, tenantId: string, document: object): Promise<void> {
  const path = `/${tenantId}/group-mapping`;
  let { state } = await service.administer<Changed>('PUT', `${path}?createTeams=true`, document);
  while (state === 'applying') {
    await sleep(20);
    ({ state } = await service.administer<Changed>('GET', path));
  }
  if (state !== 'active') throw new Error(`The mapping is ${state}`);
}

/** A new key of the tenant with these scopes. */
export async function keyOf(service: Service, tenantId: string, ...scopes: string[]): Promise<string> {
  const asked = { name: `Bench ${scopes}`, scopes };
  return (await service.administer<{ key: string }>('POST', `/${tenantId}/api-keys`, asked)).key;
}

async function ready(origin: string, { ended }: Running): Promise<void> {
  for (;;) {
    const asked = fetch(`${origin}/readyz`).catch(() => undefined);
    const response = await Promise.race([asked, ended]);
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
