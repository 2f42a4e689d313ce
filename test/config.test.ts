import t from 'tap';
import { ConfigError, isExposedPlainly, readConfig, SETTINGS } from '../src/config.ts';

const operatorKey = 'o'.repeat(32);
const secretKey = Buffer.alloc(32, 7).toString('base64');
const noFiles = (path: string): string => {
  throw new Error(`ENOENT: no such file or directory, open '${path}'`);
};

function problems(environment: Record<string, string>, readFile = noFiles): readonly string[] {
  try {
    readConfig(environment, readFile);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

t.test('nothing set: this machine only, embedded server, keys to be made', async (t) => {
  const config = readConfig({}, noFiles);
  t.strictSame(config, {
    host: '127.0.0.1',
    port: 8080,
    publicUrl: 'http://127.0.0.1:8080',
    databaseUrl: undefined,
    poolSize: 10,
    dataDir: './data',
    trustedProxies: [],
    operatorKey: undefined,
    secretKey: undefined,
    drainSeconds: 2,
    dailyResync: 'report',
    allowLoopbackIdentityProviders: false,
    rate: { perSecond: 500, burst: 2_000 },
    logLevel: 'info',
  });
  t.ok(Object.isFrozen(config));
  t.strictSame(readConfig({ PORT: '', DATABASE_URL: '', ROLLCALL_SECRET_KEY_FILE: '' }, noFiles), config);
});

t.test('every setting is read', async (t) => {
  const environment = {
    HOST: '::1',
    PORT: '80',
    PUBLIC_URL: 'https://id.example.com/rollcall/',
    TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::/32,192.0.2.7',
    DATABASE_URL: 'postgresql://u:p@db/rollcall',
    DATABASE_POOL_SIZE: '3',
    DATA_DIR: '/var/lib/rollcall',
    ROLLCALL_OPERATOR_KEY: operatorKey,
    ROLLCALL_SECRET_KEY: secretKey,
    DRAIN_SECONDS: '5',
    ROLLCALL_DAILY_RESYNC: 'off',
    ALLOW_LOOPBACK_IDENTITY_PROVIDERS: 'true',
    RATE_LIMIT: '25',
    RATE_BURST: '100',
    LOG_LEVEL: 'warn',
  };
  t.strictSame(Object.keys(environment), Object.keys(SETTINGS), 'the test names every setting');
  t.strictSame(readConfig(environment, noFiles), {
    host: '::1',
    port: 80,
    publicUrl: 'https://id.example.com/rollcall',
    databaseUrl: 'postgresql://u:p@db/rollcall',
    poolSize: 3,
    dataDir: '/var/lib/rollcall',
    trustedProxies: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'],
    operatorKey,
    secretKey: Buffer.alloc(32, 7),
    drainSeconds: 5,
    dailyResync: 'off',
    allowLoopbackIdentityProviders: true,
    rate: { perSecond: 25, burst: 100 },
    logLevel: 'warn',
  });
});

t.test('the public URL follows from where we listen', async (t) => {
  const cases = [
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://127.0.0.1:8080'],
    ['::1', 'http://[::1]:8080'],
    ['rollcall.internal', 'http://rollcall.internal:8080'],
  ] as const;
  for (const [HOST, expected] of cases) t.equal(readConfig({ HOST }, noFiles).publicUrl, expected, HOST);
});

t.test('all faults are reported at once, and say what to do', async (t) => {
  const found = problems({
    PORT: '65536',
    PUBLIC_URL: 'id.example.com',
    TRUSTED_PROXIES: '10.0.0.0/8,proxy',
    DATABASE_POOL_SIZE: '0',
    DATABASE_URL: 'mysql://u:hunter2@db',
    ROLLCALL_OPERATOR_KEY: 'hunter2',
    DRAIN_SECONDS: 'soon',
    LOG_LEVEL: 'loud',
  });
  t.strictSame(found, [
    'PORT must be a whole number from 1 to 65535 (it is "65536")',
    'PUBLIC_URL must be a URL such as https://rollcall.example.com, without credentials, query or fragment (it is "id.example.com")',
    'TRUSTED_PROXIES must be addresses or CIDR ranges, separated by commas, such as 10.0.0.0/8,192.0.2.7 (it is "10.0.0.0/8,proxy")',
    'DATABASE_URL must begin with postgres://, such as postgres://user:password@host:5432/database',
    'DATABASE_POOL_SIZE must be a whole number from 1 to 1000 (it is "0")',
    'ROLLCALL_OPERATOR_KEY must have at least 32 visible ASCII characters, such as openssl rand -hex 32 prints',
    'DRAIN_SECONDS must be a whole number from 0 to 600 (it is "soon")',
    'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent (it is "loud")',
    'ROLLCALL_SECRET_KEY is required with DATABASE_URL: set it, or ROLLCALL_SECRET_KEY_FILE, to what openssl rand -base64 32 prints',
  ]);
  t.notMatch(found.join('\n'), 'hunter2', 'a secret is never echoed');
});

t.test('values that are refused', async (t) => {
  const cases: [keyof typeof SETTINGS, string[]][] = [
    ['PORT', ['0', '-1', '1.5', '0x50', ' 80', '1e3']],
    ['PUBLIC_URL', ['ftp://a', 'https://u@a', 'https://a?b', 'https://a#b', '//a']],
    ['TRUSTED_PROXIES', ['10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', '::/129', 'true']],
    ['ROLLCALL_OPERATOR_KEY', ['o'.repeat(31), `${'o'.repeat(32)} `, `é${'o'.repeat(32)}`]],
    ['ROLLCALL_SECRET_KEY', [Buffer.alloc(31).toString('base64'), 'f'.repeat(64), `${secretKey}\n`]],
  ];
  for (const [name, values] of cases) {
    for (const value of values) t.equal(problems({ [name]: value }).length, 1, `${name}=${value}`);
  }
});

t.test('secrets may come from files', async (t) => {
  const files: Record<string, string> = { '/run/operator': `${operatorKey}\n`, '/run/empty': '\n' };
  const readFile = (path: string) => files[path] ?? noFiles(path);
  t.equal(readConfig({ ROLLCALL_OPERATOR_KEY_FILE: '/run/operator' }, readFile).operatorKey, operatorKey);
  const cases: [Record<string, string>, string][] = [
    [
      { ROLLCALL_OPERATOR_KEY_FILE: '/run/operator', ROLLCALL_OPERATOR_KEY: operatorKey },
      'ROLLCALL_OPERATOR_KEY and ROLLCALL_OPERATOR_KEY_FILE are both given: unset one of them',
    ],
    [
      { ROLLCALL_OPERATOR_KEY_FILE: '/run/empty' },
      'ROLLCALL_OPERATOR_KEY cannot be read from ROLLCALL_OPERATOR_KEY_FILE: /run/empty is empty',
    ],
    [
      { ROLLCALL_SECRET_KEY_FILE: '/run/none' },
      "ROLLCALL_SECRET_KEY cannot be read from ROLLCALL_SECRET_KEY_FILE: ENOENT: no such file or directory, open '/run/none'",
    ],
  ];
  for (const [environment, problem] of cases) t.strictSame(problems(environment, readFile), [problem]);
});

t.test('a database server asks for both keys, also when its URL is at fault', async (t) => {
  const names = (found: readonly string[]) => found.map((problem) => problem.split(' ')[0]);
  const keys = ['ROLLCALL_OPERATOR_KEY', 'ROLLCALL_SECRET_KEY'];
  t.strictSame(names(problems({ DATABASE_URL: 'postgres://db/rollcall' })), keys);
  t.strictSame(names(problems({ DATABASE_URL_FILE: '/run/none' })), ['DATABASE_URL', ...keys]);
});

t.test('a public URL without TLS is only fine on this machine', async (t) => {
  const cases = [
    ['https://id.example.com', false],
    ['http://127.0.0.1:8080', false],
    ['http://localhost:8080', false],
    ['http://[::1]:8080', false],
    ['http://id.example.com', true],
    ['http://127.0.0.1.example.com', true],
  ] as const;
  for (const [url, expected] of cases) t.equal(isExposedPlainly(url), expected, url);
});
