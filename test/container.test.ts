import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SETTINGS } from '../src/config.ts';
import { createDatabase } from './support/database.ts';
import { freePort, startService } from './support/service.ts';
import { pathWithCurl, shell } from './support/shell.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');

t.test('Dockerfile', async (t) => {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  const of = (instruction: string) => lines.filter((line) => line.startsWith(`${instruction} `));
  const last = lines.slice(lines.lastIndexOf(of('FROM').at(-1) ?? ''));

  for (const line of of('FROM'))
    t.match(line, /:[\w.-]*24|nodejs24[\w-]*:(?!latest)\w/, `a fixed Node 24: ${line}`);
  t.match(last[0], /gcr\.io\/distroless\//, 'the image has no shell and no package manager');
  t.ok(last.includes('USER 65532:65532'), 'not root');
  t.notOk(
    last.some((line) => line.startsWith('RUN ')),
    'nothing is run in the image itself',
  );
  for (const line of of('RUN').filter((each) => each.includes('npm ci'))) t.match(line, '--ignore-scripts');
  t.match(of('RUN').at(-1), '--omit=dev');
  t.notOk(
    lines.some((line) => /^(ADD|COPY \.)/.test(line)),
    'what goes in is named',
  );
  t.match(of('ENV').join(' '), /HOST=0\.0\.0\.0/);
  const set = of('ENV').flatMap((line) => [...line.matchAll(/ (\w+)=/g)].map(([, name]) => name ?? ''));
  t.strictSame(
    set.filter((name) => !(name in SETTINGS)),
    [],
    'only settings that exist',
  );
});

t.test('.dockerignore lets in only what the Dockerfile copies', async (t) => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  const copied = read('Dockerfile')
    .split('\n')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
    .flatMap((line) => line.split(' ').slice(1, -1));
  t.equal(lines[0], '*');
  t.strictSame(lines.slice(1).sort(), [...new Set(copied)].map((name) => `!${name}`).sort());
});

t.test('docker-compose.yml', async (t) => {
  const [services = '', secrets = ''] = read('docker-compose.yml').split(/^secrets:$/m);
  const [postgres = '', rollcall = ''] = services.split(/^ {2}rollcall:$/m);
  t.match(postgres, /image: postgres:17[\w.-]*\n/);
  for (const [name, service] of Object.entries({ postgres, rollcall }))
    t.match(service, /healthcheck:/, name);
  for (const wanted of [
    'read_only: true',
    'cap_drop: [ALL]',
    'no-new-privileges:true',
    'user: "65532:65532"',
  ]) {
    t.ok(rollcall.includes(wanted), wanted);
  }
  t.match(rollcall, /condition: service_healthy/);
  t.match(rollcall, /ports: \["127\.0\.0\.1:8080:8080"\]/, 'not open to the network by itself');
  t.notMatch(services, /:latest/);

  const variables = [...rollcall.matchAll(/^ {6}([A-Z_]+): /gm)].map(([, name]) => name ?? '');
  const settings = variables.map((name) => name.replace(/_FILE$/, ''));
  t.strictSame(
    settings.filter((name) => !(name in SETTINGS)),
    [],
    'only settings that exist',
  );
  for (const [name, setting] of Object.entries(SETTINGS)) {
    if ('secret' in setting) t.ok(variables.includes(`${name}_FILE`), `${name} comes from a file`);
  }
  const mounted = [...services.matchAll(/\/run\/secrets\/([\w-]+)/g)].map(([, name]) => name);
  const defined = [...secrets.matchAll(/^ {2}([\w-]+): \{ file/gm)].map(([, name]) => name);
  t.strictSame(mounted.sort(), defined.sort());
});

t.test(
  'docker/first-call.sh gets from secrets that it made to a first user, also when run again',
  async (t) => {
    const { connectionString } = await createDatabase(t);
    // No container engine is at hand: `docker` does nothing, and the service runs beside it with the same secrets.
    const folder = t.testdir({ bin: { docker: '#!/bin/sh\n' } });
    chmodSync(join(folder, 'bin', 'docker'), 0o755);
    const secrets = join(folder, 'secrets');
    const port = await freePort();
    const env = {
      PATH: `${join(folder, 'bin')}:${pathWithCurl(t)}`,
      ROLLCALL_SECRETS: secrets,
      ROLLCALL_BASE: `http://127.0.0.1:${port}`,
    };
    const firstCall = () => shell(`'${join(root, 'docker', 'first-call.sh')}'`, env);

    await t.rejects(firstCall(), 'nothing runs yet');
    t.equal(statSync(secrets).mode & 0o777, 0o700);
    t.match(
      readFileSync(join(secrets, 'database-url'), 'utf8'),
      /^postgres:\/\/rollcall:[0-9a-f]{48}@postgres:5432\/rollcall$/,
    );
    writeFileSync(join(secrets, 'database-url'), connectionString);
    const service = startService(t, {
      env: {
        PORT: port,
        DATABASE_URL_FILE: join(secrets, 'database-url'),
        ROLLCALL_OPERATOR_KEY_FILE: join(secrets, 'operator-key'),
        ROLLCALL_SECRET_KEY_FILE: join(secrets, 'secret-key'),
      },
    });
    await service.says(/Server listening/);
    const first = await firstCall();
    t.match(first, /Provision a user:\n\{.*"userName":"ada@example\.com"/);
    t.match(first, /Read it back:\n\{.*"totalResults":1,/);
    const second = await firstCall();
    t.match(second, /Provision a user:\n\{.*"scimType":"uniqueness"/);
    t.match(second, /Read it back:\n\{.*"totalResults":1,/);
  },
);
