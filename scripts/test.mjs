// npm test [-- files or folders]: compiles, starts one PostgreSQL server for all test files (or uses the one
// that TEST_DATABASE_URL names), runs them with tap, and ends with the line `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
process.chdir(fileURLToPath(root));
const scratch = mkdtempSync(join(tmpdir(), 'rollcall-test-'));
// Ctrl-C reaches the tests by themselves; this process stays to stop the server.
process.on('SIGINT', () => {});
const preloaded = `--import=${new URL('lean-tap.mjs', import.meta.url)}`;
process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, preloaded].filter(Boolean).join(' ');

const compiled = await run('node_modules/.bin/tsc', ['-p', '.']);
const server = process.env.TEST_DATABASE_URL ? undefined : await startServer();
let tested;
try {
  tested = await runTap(testFiles(process.argv.slice(2)));
} finally {
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true });
}
if (compiled !== 0) console.log('The sources have type errors (above): counted as one failure.');
const failed = tested.failed + (compiled === 0 ? 0 : 1);
console.log(`\n${tested.passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && tested.passed > 0 && tested.exitCode === 0 ? 0 : 1;

/** The sources decide what is run: a compiled test without one is left over. */
function testFiles(wanted) {
  const sources = wanted.length > 0 ? wanted : ['test'];
  return sources
    .flatMap((path) => {
      if (!statSync(path).isDirectory()) return [path];
      return readdirSync(path, { recursive: true }).map((name) => join(path, name));
    })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('dist', path.replace(/\.ts$/, '.js')));
}

/** Nothing here is to be kept, so the server need not write as if it were. None of this changes a plan. */
async function startServer() {
  const { startEmbedded } = await import('../dist/src/db/embedded/server.js');
  const { default: pino } = await import('pino');
  const log = pino({ level: 'warn' });
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '4GB',
    max_connections: '200',
  };
  const server = await startEmbedded({ dataDir: scratch, log, settings });
  const { user, database, host } = server.connection;
  process.env.TEST_DATABASE_URL = `postgres://${user}@/${database}?host=${host}`;
  return server;
}

/** Without a terminal only failures are written out. */
async function runTap(files) {
  const output = join(scratch, 'output.tap');
  const reporter = process.stdout.isTTY ? 'base' : 'min';
  const exitCode = await run('node_modules/.bin/tap', [
    `--reporter=${reporter}`,
    `--output-file=${output}`,
    ...files,
  ]);
  const report = readFileSync(output, 'utf8');
  // The reporters leave comments out; a seed is wanted also when nothing failed.
  for (const [line] of report.matchAll(/ROLLCALL_SEED=\d+.*/g)) console.log(line);
  for (const line of slowest(report)) console.log(line);
  for (const line of failures(report)) console.log(line);
  const totals = /^# \{ total: .*\}$/m.exec(report)?.[0] ?? '';
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
  // A run that broke off without a count has failed.
  return { exitCode, passed: count('pass'), failed: count('fail') || (exitCode === 0 ? 0 : 1) };
}

/** What failed, once more where the totals are: what the reporter wrote of it is far above. */
function failures(report) {
  return [...report.matchAll(/^ *((?:not ok \d+ -|# uncaught:) .*)$/gm)].map(([, line]) =>
    line.slice(0, 500),
  );
}

/** Where the time of the suite goes. */
function slowest(report) {
  const milliseconds = { ms: 1, s: 1_000, m: 60_000 };
  return [...report.matchAll(/^(?:not )?ok \d+ - (\S+) # time=([\d.]+)(ms|s|m)$/gm)]
    .map(([, file, time, unit]) => ({ file, seconds: (Number(time) * milliseconds[unit]) / 1_000 }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, 10)
    .map(({ file, seconds }) => `${seconds.toFixed(1).padStart(6)} s ${file}`);
}

function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
