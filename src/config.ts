import { isIP } from 'node:net';
import { StartError } from './start-error.ts';

/** The settings, read once and frozen. Only `main.ts` reads the environment. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** What the outside sees, without a trailing slash. */
  readonly publicUrl: string;
  /** Absent: the embedded server, with its data in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly poolSize: number;
  readonly dataDir: string;
  readonly trustedProxies: readonly string[];
  /** Absent only with the embedded server: then made once and kept in `dataDir`. */
  readonly operatorKey: string | undefined;
  readonly secretKey: Buffer | undefined;
  readonly drainSeconds: number;
  readonly dailyResync: DailyResync;
  readonly allowLoopbackIdentityProviders: boolean;
  /** How often a key, and all keys of a tenant together, may ask. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
  readonly logLevel: string;
}

/** What the resync of each day does with what it finds; `off`: there is none. */
export type DailyResync = (typeof DAILY_RESYNC)[number];

/** Every setting at fault, one a line. */
export class ConfigError extends StartError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['The settings do not hold:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

interface Setting<Value> {
  /** @throws Fault whose message completes the sentence "NAME …". */
  read(text: string): Value;
  /** What an unset or empty variable stands for; without it, the setting is undefined then. */
  fallback?: string;
  /** Never echoed, and may be given as a file: `NAME_FILE` holds its path. */
  secret?: true;
  doc: string;
}

const DAILY_RESYNC = ['report', 'fix', 'off'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The only list of settings: README's table is checked against it. */
export const SETTINGS = {
  HOST: { read: String, fallback: '127.0.0.1', doc: 'Address to listen on' },
  PORT: { read: integer(1, 65_535), fallback: '8080', doc: 'Port to listen on' },
  PUBLIC_URL: {
    read: readUrl,
    doc: 'What identity providers see, `https://…`; `http://HOST:PORT` when unset',
  },
  TRUSTED_PROXIES: {
    read: readNetworks,
    fallback: '',
    doc: 'Proxies whose `X-Forwarded-*` headers are believed: addresses and CIDR ranges, separated by commas',
  },
  DATABASE_URL: {
    read: readDatabaseUrl,
    secret: true,
    doc: 'PostgreSQL 14 or newer, `postgres://…`; the embedded server when unset',
  },
  DATABASE_POOL_SIZE: {
    read: integer(1, 1_000),
    fallback: '10',
    doc: 'The most connections for requests; administration has three more, and `/readyz` one',
  },
  DATA_DIR: {
    read: String,
    fallback: './data',
    doc: 'Folder of the embedded server and of the keys that it makes',
  },
  ROLLCALL_OPERATOR_KEY: {
    read: readOperatorKey,
    secret: true,
    doc: "The operator's credential, at least 32 characters; required with `DATABASE_URL`, else made once",
  },
  ROLLCALL_SECRET_KEY: {
    read: readSecretKey,
    secret: true,
    doc: '32 bytes in base64, which encrypt cursors and the private keys to which SAML assertions are encrypted; required with `DATABASE_URL`, else made once',
  },
  DRAIN_SECONDS: {
    read: integer(0, 600),
    fallback: '2',
    doc: 'How long, once asked to stop, requests are still served while `/readyz` says no, so that balancers notice',
  },
  ROLLCALL_DAILY_RESYNC: {
    read: oneOf(DAILY_RESYNC),
    fallback: 'report',
    doc: 'What is done each day about access that is not as it should be: `report`, `fix` (unless somebody has to confirm it), or `off`',
  },
  ALLOW_LOOPBACK_IDENTITY_PROVIDERS: {
    read: readSwitch,
    fallback: 'false',
    doc: 'For tests only: `true` also fetches from `localhost` and loopback addresses, by http and on any port, what identity providers publish',
  },
  RATE_LIMIT: {
    read: integer(25, 1_000_000),
    fallback: '500',
    doc: 'Requests a second that a key may make, and that all keys of a tenant may make together, at each instance; beyond 429. A `/Bulk` counts as its operations, an answer of more than 64 KiB as one for each 32 KiB. Entra ID wants 25 at least',
  },
  RATE_BURST: {
    read: integer(25, 1_000_000),
    fallback: '2000',
    doc: 'How many of them may come at once',
  },
  LOG_LEVEL: { read: oneOf(LOG_LEVELS), fallback: 'info', doc: 'One of `trace` … `fatal`, `silent`' },
} satisfies Record<string, Setting<unknown>>;

type Settings = typeof SETTINGS;
type SettingName = keyof Settings;
/** What reading gives; a setting that has a fallback always has a value. */
type Values = {
  [Name in SettingName]:
    | ReturnType<Settings[Name]['read']>
    | (Settings[Name] extends { fallback: string } ? never : undefined);
};
type Environment = Readonly<Record<string, string | undefined>>;
type ReadFile = (path: string) => string;

/**
 * Reads the settings. Pure: `readFile` gives the text of the files that hold secrets, and throws where it cannot.
 * @throws ConfigError with every fault, so that one start shows them all.
 */
export function readConfig(environment: Environment, readFile: ReadFile): Config {
  const problems: string[] = [];
  const entries = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    try {
      return [name, readSetting(name, setting, { environment, readFile })];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      problems.push(`${name} ${error.message}`);
      return [name, undefined];
    }
  });
  problems.push(...missingKeys(environment));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(toConfig(Object.fromEntries(entries) as Values));
}

interface Sources {
  environment: Environment;
  readFile: ReadFile;
}

function readSetting(name: string, setting: Setting<unknown>, sources: Sources): unknown {
  const given = setting.secret ? secretText(name, sources) : sources.environment[name];
  const text = given || setting.fallback;
  try {
    return text === undefined ? undefined : setting.read(text);
  } catch (error) {
    if (!(error instanceof Fault) || setting.secret) throw error;
    throw new Fault(`${error.message} (it is ${JSON.stringify(text)})`);
  }
}

function secretText(name: string, { environment, readFile }: Sources): string | undefined {
  const path = environment[`${name}_FILE`];
  if (!path) return environment[name];
  if (environment[name]) throw new Fault(`and ${name}_FILE are both given: unset one of them`);
  let text: string;
  try {
    text = readFile(path).trim();
  } catch (error) {
    throw new Fault(`cannot be read from ${name}_FILE: ${(error as Error).message}`);
  }
  if (text === '') throw new Fault(`cannot be read from ${name}_FILE: ${path} is empty`);
  return text;
}

/** A server that several instances share gives none of them a place to keep keys that it made itself. */
function missingKeys(environment: Environment): string[] {
  const isGiven = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`]);
  if (!isGiven('DATABASE_URL')) return [];
  const keys = {
    ROLLCALL_OPERATOR_KEY: 'openssl rand -hex 32',
    ROLLCALL_SECRET_KEY: 'openssl rand -base64 32',
  };
  return Object.entries(keys)
    .filter(([name]) => !isGiven(name))
    .map(
      ([name, command]) =>
        `${name} is required with DATABASE_URL: set it, or ${name}_FILE, to what ${command} prints`,
    );
}

function toConfig(values: Values): Config {
  return {
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? localUrl(values.HOST, values.PORT),
    databaseUrl: values.DATABASE_URL,
    poolSize: values.DATABASE_POOL_SIZE,
    dataDir: values.DATA_DIR,
    trustedProxies: Object.freeze(values.TRUSTED_PROXIES),
    operatorKey: values.ROLLCALL_OPERATOR_KEY,
    secretKey: values.ROLLCALL_SECRET_KEY,
    drainSeconds: values.DRAIN_SECONDS,
    dailyResync: values.ROLLCALL_DAILY_RESYNC,
    allowLoopbackIdentityProviders: values.ALLOW_LOOPBACK_IDENTITY_PROVIDERS,
    rate: Object.freeze({ perSecond: values.RATE_LIMIT, burst: values.RATE_BURST }),
    logLevel: values.LOG_LEVEL,
  };
}

/** How this machine reaches what listens on `host`. */
function localUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
}

/** Whether what the outside sees is neither encrypted nor this machine alone. */
export function isExposedPlainly(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol !== 'https:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** What is wrong with a setting, as the end of a sentence that its name begins, without its value. */
class Fault extends Error {}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new Fault(`must be a whole number from ${least} to ${most}`);
  };
}

function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((each) => each === text);
    if (word !== undefined) return word;
    throw new Fault(`must be one of ${words.join(', ')}`);
  };
}

function readSwitch(text: string): boolean {
  return oneOf(['true', 'false'])(text) === 'true';
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && !url.username && !url.password && !url.search && !url.hash;
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new Fault(
      'must be a URL such as https://rollcall.example.com, without credentials, query or fragment',
    );
  }
  return url.href.replace(/\/+$/, '');
}

function readNetworks(text: string): string[] {
  const networks = text.split(',').map((network) => network.trim());
  for (const network of networks.filter(Boolean)) {
    const [address = '', bits = '0'] = network.split('/');
    const version = isIP(address);
    const longest = version === 6 ? 128 : 32;
    if (version === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > longest || network.split('/').length > 2) {
      throw new Fault('must be addresses or CIDR ranges, separated by commas, such as 10.0.0.0/8,192.0.2.7');
    }
  }
  return networks.filter(Boolean);
}

function readDatabaseUrl(text: string): string {
  if (/^postgres(ql)?:\/\/./.test(text)) return text;
  throw new Fault('must begin with postgres://, such as postgres://user:password@host:5432/database');
}

function readOperatorKey(text: string): string {
  if (/^[\x21-\x7e]{32,}$/.test(text)) return text;
  throw new Fault('must have at least 32 visible ASCII characters, such as openssl rand -hex 32 prints');
}

function readSecretKey(text: string): Buffer {
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64');
  throw new Fault('must be 32 bytes in base64, such as openssl rand -base64 32 prints');
}
