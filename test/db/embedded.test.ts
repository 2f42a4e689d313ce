import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { prepareDataFolder } from '../../src/db/embedded/data-folder.ts';
import { settlePrevious } from '../../src/db/embedded/previous.ts';

const log = pino({ level: 'silent' });

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version']);
  await once(child, 'exit');
  return child.pid as number;
}

function writePidFile(folder: string, pid: number, socketFolder = '/nowhere'): string {
  const path = join(folder, 'postmaster.pid');
  writeFileSync(
    path,
    [pid, folder, 1_700_000_000, 5432, socketFolder, '', ' 1 2', 'ready   ', ''].join('\n'),
  );
  return path;
}

t.test(
  'a process id that now belongs to something else does not keep the server from starting',
  async (t) => {
    const folder = t.testdir();
    const pidFile = writePidFile(folder, process.pid);
    await settlePrevious(folder, log);
    t.notOk(existsSync(pidFile));
  },
);

t.test(
  'the file of a dead server is left to PostgreSQL, which looks for its shared memory too',
  async (t) => {
    const folder = t.testdir();
    const pidFile = writePidFile(folder, await deadProcess());
    await settlePrevious(folder, log);
    t.ok(existsSync(pidFile));
  },
);

t.test('what a killed start left in the temporary folder is removed, and nothing else', async (t) => {
  const folder = t.testdir({ 'rollcall-abc': { socket: {} }, 'other-abc': { socket: {} } });
  for (const runtime of ['rollcall-abc', 'other-abc']) {
    writePidFile(folder, await deadProcess(), join(folder, runtime, 'socket'));
    await settlePrevious(folder, log);
  }
  t.notOk(existsSync(join(folder, 'rollcall-abc')));
  t.ok(existsSync(join(folder, 'other-abc')));
});

t.test('a server that somebody else started on the folder is left alone', async (t) => {
  // The system names a process after its program; this one waits for input that never comes.
  const folder = t.testdir({ postgres: t.fixture('symlink', '/bin/sh') });
  const server = spawn(join(folder, 'postgres'), ['-c', 'echo started; read line'], { cwd: folder });
  t.teardown(() => server.kill());
  await once(server.stdout, 'data');
  writePidFile(folder, server.pid as number);
  await t.rejects(settlePrevious(folder, log), {
    name: 'StartError',
    message: new RegExp(`in use by another server, process ${server.pid}`),
  });
});

t.test('a data folder that cannot be used is refused, and left as it is', async (t) => {
  const binaries = { initdb: '/nowhere/initdb', postgres: '/nowhere/postgres', version: '18' };
  const cases: [string, Record<string, string>, RegExp][] = [
    ['another version', { PG_VERSION: '17\n' }, /written by PostgreSQL 17, and PostgreSQL 18 is installed/],
    ['something else', { 'notes.txt': '' }, /holds no PostgreSQL database/],
  ];
  for (const [name, postgres, message] of cases) {
    const dataDir = t.testdir({ postgres });
    const preparing = prepareDataFolder({ dataDir, account: undefined, binaries, log });
    await t.rejects(preparing, { name: 'StartError', message }, name);
    t.strictSame(readdirSync(join(dataDir, 'postgres')), Object.keys(postgres));
  }
  const foreign = { uid: (process.getuid?.() ?? 0) + 1, gid: 0 };
  const dataDir = t.testdir({ postgres: { PG_VERSION: '18\n' } });
  const preparing = prepareDataFolder({ dataDir, account: foreign, binaries, log });
  await t.rejects(preparing, { name: 'StartError', message: /belongs to uid \d+, .* chown -R/ });
});

t.test('a database is made under another name, and what killed starts left of that is removed', async (t) => {
  const [dead, living] = [
    `postgres.unfinished-${await deadProcess()}`,
    `postgres.unfinished-${process.ppid}`,
  ];
  const dataDir = t.testdir({
    [dead]: { PG_VERSION: '18' },
    [living]: {},
    initdb: '#!/bin/sh\necho "initdb: no space left" >&2; exit 1\n',
  });
  chmodSync(join(dataDir, 'initdb'), 0o755);
  const binaries = { initdb: join(dataDir, 'initdb'), postgres: '/nowhere/postgres', version: '18' };
  await t.rejects(prepareDataFolder({ dataDir, account: undefined, binaries, log }), {
    name: 'StartError',
    message: /could not make a database in .*:\ninitdb: no space left\n.*DATABASE_URL/,
  });
  t.strictSame(readdirSync(dataDir).sort(), ['initdb', living].sort());
});
