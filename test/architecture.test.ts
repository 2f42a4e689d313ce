import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** The house rules of ARCHITECTURE.md, read off the imports. */

const ROOT = fileURLToPath(new URL('../../src/', import.meta.url));

interface Source {
  /** `scim/filter.ts`. */
  readonly path: string;
  readonly text: string;
  /** Files of src, as paths like its own. */
  readonly imports: readonly string[];
  /** Packages and node modules. */
  readonly packages: readonly string[];
}

const SOURCES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map(read);

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const named = [...text.matchAll(/^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s+['"]([^'"]+)['"]/gms)].map(
    ([, name]) => name ?? '',
  );
  return {
    path,
    text,
    imports: named.filter((name) => name.startsWith('.')).map((name) => join(dirname(path), name)),
    packages: named.filter((name) => !name.startsWith('.')),
  };
}

const ROOT_FLOORS: Record<string, number> = {
  'main.ts': 4,
  'app.ts': 4,
  'openapi.ts': 4,
  'errors.ts': 0,
  'start-error.ts': 0,
  'shares.ts': 0,
  'turns.ts': 0,
  'put-last.ts': 0,
  'config.ts': 0,
  'context.ts': 0,
};

const ROOM_FLOORS: Record<string, number> = {
  start: 4,
  http: 3,
  worker: 3,
  actions: 2,
  tenants: 1,
  directory: 1,
  events: 1,
  reconcile: 1,
  clients: 1,
  scim: 0,
  assertions: 0,
  outbound: 0,
  db: 0,
};

const roomOf = (path: string) => (path.includes('/') ? (path.split('/')[0] ?? '') : '');
const floorOf = (path: string) => (roomOf(path) === '' ? ROOT_FLOORS[path] : ROOM_FLOORS[roomOf(path)]);

/** What every floor may throw, take turns by, and keep maps small by. */
const isGround = (path: string) =>
  ['errors.ts', 'start-error.ts', 'shares.ts', 'turns.ts', 'put-last.ts'].includes(path);

t.test('every file stands on a floor, and imports only go down', async (t) => {
  for (const { path, imports } of SOURCES) {
    const floor = floorOf(path);
    if (floor === undefined) {
      t.fail(`${path} stands on no floor`);
      continue;
    }
    for (const imported of imports) {
      const below = floorOf(imported) ?? Number.POSITIVE_INFINITY;
      const sameRoom = roomOf(path) === roomOf(imported);
      // On the ground floor and at the top, files that belong to no room know the rooms beside them.
      const meetsRooms = floor === 4 || (floor === 0 && roomOf(path) === '');
      t.ok(
        below < floor || sameRoom || (below === floor && meetsRooms) || isGround(imported),
        `${path} → ${imported}`,
      );
    }
  }
});

t.test('scim/ is pure: no SQL, no HTTP, no clock, no randomness, no files', async (t) => {
  for (const { path, text, packages, imports } of SOURCES.filter(
    (source) => roomOf(source.path) === 'scim',
  )) {
    const allowed = packages.filter((name) => name !== 'scim2-parse-filter' && name !== 'node:util');
    t.same(allowed, [], path);
    t.ok(
      imports.every((imported) => roomOf(imported) === 'scim' || imported === 'errors.ts'),
      path,
    );
    t.notMatch(text, /Date\.now|new Date\(\)|Math\.random|process\./, path);
  }
});

t.test('what has one place is imported in one place', async (t) => {
  const importers = (name: string) =>
    SOURCES.filter(({ packages }) => packages.includes(name)).map(({ path }) => path);
  t.same(importers('scim2-parse-filter'), ['scim/filter.ts']);
  t.same(importers('close-with-grace'), ['start/lifecycle.ts']);
  t.same(importers('jose'), ['assertions/oidc/verify.ts']);
  t.same(importers('node:https'), ['outbound/outbound.ts']);
  // The probe of readiness must not wait for a pool that others empty.
  const probe = 'http/ops/readiness.ts';
  t.ok(importers('pg').every((path) => ['db', 'start'].includes(roomOf(path)) || path === probe));
  t.ok(importers('fastify').every((path) => ['http', 'start'].includes(roomOf(path)) || floorOf(path) === 4));
});

t.test('SQL stands on the two lowest floors, and locks in one file', async (t) => {
  for (const { path, text } of SOURCES) {
    if ((floorOf(path) ?? 0) > 1) t.notMatch(text, /\bsql`|\bstatement\(|selectFrom\(|insertInto\(/, path);
    // Migrators wait for each other before there is a tenant.
    if (!['db/locks.ts', 'db/migrate.ts'].includes(path)) t.notMatch(text, /advisory_xact_lock/, path);
  }
});

t.test('connections of requests are lent by turns, and taken past them only for a reason', async (t) => {
  const REASONS: Record<string, string> = {
    'main.ts': 'waits for the database before there are requests',
    'start/wait-for-database.ts': 'the same',
    'http/ops/readiness.ts': 'copies the settings for a connection of its own',
  };
  const takers = SOURCES.filter((source) => /\bpool\b(?!\.ts)/.test(codeOf(source))).map(({ path }) => path);
  t.same(takers.filter((path) => roomOf(path) !== 'db').sort(), Object.keys(REASONS).sort());
});

t.test('process.env is read where the process starts, and nowhere else', async (t) => {
  const readers = SOURCES.filter(({ text }) => /process\.env/.test(text)).map(({ path }) => path);
  t.ok(
    readers.every((path) => floorOf(path) === 4 || path.startsWith('db/embedded/')),
    readers.join(),
  );
});

/** A source without its comments, which may speak of anything. */
const codeOf = ({ text }: Source) => text.replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');

t.test('each table is written by one room', async (t) => {
  const OWNERS: Record<string, string> = {
    tenant: 'tenants',
    directory: 'tenants',
    api_key: 'tenants',
    service_key: 'tenants',
    scim_user: 'directory',
    scim_group: 'directory',
    group_member: 'directory',
    event: 'events',
    event_chain: 'events',
    lease: 'events',
    schema_extension: 'tenants',
    team: 'reconcile',
    role: 'reconcile',
    permission: 'reconcile',
    group_mapping_version: 'reconcile',
    group_mapping: 'reconcile',
    mapping_row: 'reconcile',
    jit_sync: 'reconcile',
    identity_provider: 'tenants',
    domain: 'tenants',
    identity_provider_domain: 'tenants',
    invitation: 'tenants',
    identity_link: 'directory',
    tombstone: 'directory',
    sign_in_conflict: 'directory',
    consumed_assertion: 'directory',
    access_grant: 'reconcile',
    access_grant_history: 'reconcile',
    job: 'reconcile',
    tolerance_use: 'clients',
    refused_request: 'clients',
    schema_migration: 'db',
  };
  const raw =
    /(?<![-\w])(?:insert\s+into|(?<!\b(?:for|key)\s)update|delete\s+from|merge\s+into|truncate)\s+(?!set\b)([a-z_]+)/gi;
  const built = /\.(?:insertInto|updateTable|deleteFrom|mergeInto)\('([a-z_]+)/g;
  for (const source of SOURCES) {
    const code = codeOf(source);
    for (const [, table = ''] of [...code.matchAll(raw), ...code.matchAll(built)]) {
      // Whoever changes state ends its statement with the one text that inserts events.
      const owner = source.path === 'db/event-row.ts' && table === 'event' ? 'db' : OWNERS[table];
      t.ok(owner, `${table}, which ${source.path} writes, has an owner`);
      t.equal(roomOf(source.path), owner, `${source.path} writes ${table}`);
    }
  }
});

t.test('rows are locked in db/locks.ts, and elsewhere only for a reason', async (t) => {
  const REASONS: Record<string, string> = {
    'tenants/tenants.ts': "the tenant's row: behind its advisory lock, or the only lock of its transaction",
    'tenants/directories.ts': "a directory's row: behind the tenant's, or the only lock of its transaction",
    'tenants/provider-domains.ts': "domains' rows: the last lock, behind the tenant's",
    'directory/sign-in-again.ts': "a link's row: the last lock, behind the tenant's",
    'reconcile/jobs.ts':
      "a job's row: the first lock, before the tenant's; a tenant's deletion takes it first too",
    'reconcile/teams.ts': "a team's row: the last lock, behind the tenant's",
    'tenants/api-keys.ts': "a key's row: the last lock, behind the tenant's",
  };
  const lock =
    /\bfor\s+(?:no\s+key\s+update|update|key\s+share|share)\b|\.for(?:NoKeyUpdate|Update|KeyShare|Share)\(/i;
  const lockers = SOURCES.filter((source) => lock.test(codeOf(source))).map(({ path }) => path);
  t.same(lockers.sort(), ['db/locks.ts', ...Object.keys(REASONS)].sort());
});

t.test('files are read in one sitting', async (t) => {
  for (const { path, text } of SOURCES) {
    if (path.startsWith('scim/schemas/')) continue;
    t.ok(text.split('\n').length <= 400, `${relative('.', path)} has at most 400 lines`);
  }
  const vague = SOURCES.filter(({ path }) =>
    /(?:utils?|helpers?|common|misc|manager|service)\.ts$/.test(path),
  );
  t.same(
    vague.map(({ path }) => path),
    [],
    'names say something',
  );
});

t.test('the process has the same flags wherever it is started', async (t) => {
  const flagsIn = (path: string, before: string, behind: string) => {
    const text = readFileSync(join(ROOT, '..', path), 'utf8');
    const end = text.indexOf(behind, text.indexOf(before));
    return text.slice(text.indexOf(before), end).match(/--[a-z][\w=-]*/g);
  };
  const flags = flagsIn('package.json', '"start": "exec node', 'dist/src/main.js');
  t.ok(flags?.length);
  t.same(flagsIn('Dockerfile', '\nCMD [', 'dist/src/main.js'), flags);
  t.same(flagsIn('bench/service.ts', 'const flags = [', ']'), flags);
  t.same(flagsIn('test/support/service.ts', 'spawn(process.execPath, [', ', main]'), flags);
});
