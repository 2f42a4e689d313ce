import { type DestinationStream, destination as file, type Logger, pino, stdTimeFunctions } from 'pino';

interface LoggerOptions {
  /** The least severe level that is written: `debug`, `info`, `warn`, `error`. */
  readonly level: string;
  /** Where the lines go; standard output by default. */
  readonly destination?: DestinationStream;
}

/**
 * One JSON object a line. Who logs chooses ids and counts, never bodies, names or credentials; the serializers
 * and the redaction here are the second line, for what slips through.
 */
export function makeLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: errorJson, req: ({ method }: { method?: string }) => ({ method }) },
    redact: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  };
  return pino(options, destination ?? standardOutput());
}

/** So many characters are written together, or what came in so many milliseconds: one by one they would be a sixth of a read. */
const GATHERED = { characters: 8_192, milliseconds: 100 };

/** Lines are written together, some milliseconds later; `fatal` ones at once, and what is left when the process ends. */
function standardOutput(): DestinationStream & { flushSync(): void } {
  const output = file({ dest: process.stdout.fd, sync: true });
  let lines = '';
  const flushSync = () => {
    const gathered = lines;
    lines = '';
    if (gathered !== '') output.write(gathered);
  };
  setInterval(flushSync, GATHERED.milliseconds).unref();
  process.once('exit', flushSync);
  return {
    write(line) {
      lines += line;
      if (lines.length > GATHERED.characters) flushSync();
    },
    flushSync,
  };
}

const SECRETS = ['authorization', 'cookie', 'password', 'secret', 'key', 'connectionString'];

interface ErrorJson {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
  readonly table?: unknown;
  readonly constraint?: unknown;
  readonly stack: readonly string[];
  readonly cause?: ErrorJson;
}

/**
 * An error without the values that it may quote: PostgreSQL names rows in `detail` and input in its message,
 * `JSON.parse` the text that it could not read. The type, the code, the constraint and the stack stay.
 */
function errorJson(error: unknown): ErrorJson | { type: string } {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, table, constraint } = error as { code?: unknown; table?: unknown; constraint?: unknown };
  return {
    type: error.constructor.name,
    message: error.message.replace(/(["'`]).*\1/gs, '$1…$1'),
    ...(code !== undefined && { code }),
    ...(table !== undefined && { table }),
    ...(constraint !== undefined && { constraint }),
    stack: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^ {4}at .*:\d+:\d+\)?$/.test(line))
      .map((line) => line.trim()),
    ...(error.cause instanceof Error && { cause: errorJson(error.cause) as ErrorJson }),
  };
}
