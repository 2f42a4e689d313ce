import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { AnyBody } from './support/app.ts';
import { createDatabase } from './support/database.ts';
import { freePort, main, startService } from './support/service.ts';
import { pathWithCurl, shell } from './support/shell.ts';

const PATH = pathWithCurl(t);
/** The JSON that a pasted line answers with. */
const paste = async (line: string): Promise<AnyBody> => JSON.parse(await shell(line, { PATH }));
const READY = /Rollcall is ready/;

/** A folder for the service's data, in one that only we can enter; what still runs in it is stopped at the end. */
function makeDataDir(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-start-'));
  t.teardown(() => {
    const server = serverOf(folder);
    if (server && isAlive(server)) process.kill(server, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  return folder;
}

/** The process id of the database server, as its data folder tells. */
function serverOf(dataDir: string): number | undefined {
  try {
    return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The `curl` lines that a start has printed. */
const curlLines = (output: string) => output.split('\n').filter((line) => line.startsWith('  curl '));

t.test(
  'the first start prints lines that provision a user and read it back; a restart keeps it',
  async (t) => {
    const env = { DATA_DIR: makeDataDir(t), PORT: await freePort() };
    const first = startService(t, { env });
    await first.says(READY);
    const [provision = '', readBack = ''] = curlLines(first.output());
    const created = await paste(provision);
    t.match(created, { id: String, userName: 'ada@example.com', active: true });
    const found = await paste(readBack);
    t.match(found, { totalResults: 1, Resources: [{ id: created.id }] });
    for (const name of ['operator-key', 'secret-key']) {
      t.equal(statSync(join(env.DATA_DIR, name)).mode & 0o777, 0o600, `${name} is for its owner only`);
    }
    first.child.kill('SIGTERM');
    t.equal(await first.exit(), 0);
    t.equal(serverOf(env.DATA_DIR), undefined, 'the database server has stopped');

    const second = startService(t, { env });
    await second.says(READY);
    t.notMatch(second.output(), /shown only now/);
    t.strictSame(await paste(readBack), found);
    const [another = ''] = curlLines(second.output());
    t.match(await paste(another), { key: /^rc_/, scopes: ['scim'], directory: 'default' });
  },
);

t.test('SIGTERM: not ready any more, and what has begun is finished', async (t) => {
  const env = { DATA_DIR: makeDataDir(t), PORT: await freePort(), DRAIN_SECONDS: '2' };
  const service = startService(t, { env });
  await service.says(READY);
  const operatorKey = readFileSync(join(env.DATA_DIR, 'operator-key'), 'utf8').trim();
  const body = '{"name":"acme"}';
  const socket = connect(Number(env.PORT), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(
    `POST /api/admin/v1/tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorKey}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  );
  t.equal((await fetch(`http://127.0.0.1:${env.PORT}/readyz`)).status, 200);
  service.child.kill('SIGTERM');
  await service.says(/"msg":"stopping"/);
  const ready = await fetch(`http://127.0.0.1:${env.PORT}/readyz`);
  t.equal(ready.status, 503);
  t.equal(ready.headers.get('connection'), 'close');
  await t.rejects(
    (async () => {
      for (;;) await fetch(`http://127.0.0.1:${env.PORT}/healthz`);
    })(),
    'after the drain nobody listens',
  );
  t.equal(answer, '', 'the request still runs');
  socket.write(body.slice(5));
  await once(socket, 'close');
  t.match(answer, /^HTTP\/1.1 201 /);
  t.match(answer, /\r\nconnection: close\r\n/i);
  t.equal(await service.exit(), 0);
  t.equal(serverOf(env.DATA_DIR), undefined);
});

t.test('Ctrl-C, which the whole process group gets, twice: a clean end, without a stack', async (t) => {
  const env = { DATA_DIR: makeDataDir(t), PORT: await freePort() };
  const service = startService(t, { env });
  await service.says(READY);
  const server = serverOf(env.DATA_DIR) as number;
  const group = -(service.child.pid as number);
  process.kill(group, 'SIGINT');
  await service.says(/"msg":"stopping"/);
  process.kill(group, 'SIGINT');
  t.equal(await service.exit(), 0);
  t.notOk(isAlive(server));
  t.notMatch(service.output(), /\n\s+at /);
});

t.test('SIGTERM in the middle of the first start ends it, and the next start recovers', async (t) => {
  const env = { DATA_DIR: makeDataDir(t), PORT: await freePort() };
  const service = startService(t, { env });
  await service.says(/creating the database/);
  service.child.kill('SIGTERM');
  t.equal(await service.exit(), 0);
  t.equal(serverOf(env.DATA_DIR), undefined);
  await startService(t, { env }).says(READY);
});

t.test('kill -9: the server that stays is stopped by the next start, and nothing is lost', async (t) => {
  const env = { DATA_DIR: makeDataDir(t), PORT: await freePort() };
  const first = startService(t, { env });
  await first.says(READY);
  const [provision = '', readBack = ''] = curlLines(first.output());
  await paste(provision);
  const orphan = serverOf(env.DATA_DIR) as number;
  first.child.kill('SIGKILL');
  t.equal(await first.exit(), 'SIGKILL');
  t.ok(isAlive(orphan), 'the database server outlives the service');
  const second = startService(t, { env });
  await second.says(READY);
  t.not(serverOf(env.DATA_DIR), orphan, 'another server has taken its place');
  t.match(await paste(readBack), { totalResults: 1 });

  const server = serverOf(env.DATA_DIR) as number;
  process.kill(server, 'SIGKILL');
  t.equal(await second.exit(), 1, 'without its database server the service ends');
  const third = startService(t, { env });
  await third.says(READY);
  t.match(await paste(readBack), { totalResults: 1 });
});

t.test('a second start on the same data is refused, and names the process that has it', async (t) => {
  const env = { DATA_DIR: makeDataDir(t), PORT: await freePort() };
  const first = startService(t, { env });
  await first.says(READY);
  const second = startService(t, { env: { ...env, PORT: await freePort() } });
  t.equal(await second.exit(), 1);
  t.match(second.output(), `is in use by Rollcall, process ${first.child.pid}.`);
  t.equal((await fetch(`http://127.0.0.1:${env.PORT}/readyz`)).status, 200, 'the first goes on');

  const taken = startService(t, { env: { ...env, DATA_DIR: makeDataDir(t) } });
  t.equal(await taken.exit(), 1);
  t.match(taken.output(), `Cannot listen on 127.0.0.1 port ${env.PORT}: it is taken.`);
});

t.test('what a person can mend stops the start with words, not with a stack', async (t) => {
  const file = join(makeDataDir(t), 'file');
  writeFileSync(file, '');
  const { connectionString } = await createDatabase(t);
  const keys = {
    ROLLCALL_OPERATOR_KEY: 'o'.repeat(32),
    ROLLCALL_SECRET_KEY: Buffer.alloc(32).toString('base64'),
  };
  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: 'http', LOG_LEVEL: 'loud' }, /PORT must be .*\n.*LOG_LEVEL must be /],
    [{ DATA_DIR: join(file, 'data') }, /^DATA_DIR .*file\/data cannot be used: .* DATABASE_URL/m],
    [
      { ...keys, DATABASE_URL: `${connectionString}`.replace(/rollcall_test_\w+/, 'absent') },
      /Check DATABASE_URL/,
    ],
  ];
  for (const [env, expected] of cases) {
    const service = startService(t, { env });
    t.equal(await service.exit(), 1);
    t.match(service.output(), expected);
    t.notMatch(service.output(), /\n\s+at /);
  }
});

t.test('as a user who cannot write the program, as in a container', async (t) => {
  // Run by anybody but root, every test here is this one.
  if (process.getuid?.() !== 0) return;
  const nobody = 65_534;
  const asNobody = { uid: nobody, gid: nobody };
  const canRead = await promisify(execFile)(process.execPath, ['--check', main], asNobody).then(
    () => true,
    () => false,
  );
  if (!canRead) return;
  const env = { DATA_DIR: makeDataDir(t), PORT: await freePort() };
  chownSync(env.DATA_DIR, nobody, nobody);
  const service = startService(t, { env, uid: nobody });
  await service.says(READY);
  const [provision = ''] = curlLines(service.output());
  t.match(await paste(provision), { userName: 'ada@example.com' });
  t.equal(statSync(join(env.DATA_DIR, 'postgres')).uid, nobody);
});

t.test('with DATABASE_URL it runs on that server, and prints no key', async (t) => {
  const { connectionString } = await createDatabase(t);
  const env = {
    DATABASE_URL: connectionString,
    PORT: await freePort(),
    ROLLCALL_OPERATOR_KEY: 'o'.repeat(32),
    ROLLCALL_SECRET_KEY: Buffer.alloc(32).toString('base64'),
  };
  const service = startService(t, { env });
  await service.says(/Server listening/);
  t.equal((await fetch(`http://127.0.0.1:${env.PORT}/readyz`)).status, 200);
  t.notMatch(service.output(), READY);
  service.child.kill('SIGTERM');
  t.equal(await service.exit(), 0);
});
