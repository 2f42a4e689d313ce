import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/**
 * Plays recorded client flows (`test/wire/*.json`) at a SCIM base URL. A file is an array of steps, played in
 * order; later steps use what earlier ones captured. Each step names the client and the source of its form.
 */

interface Step {
  readonly id: string;
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query?: Record<string, string>;
    readonly rawQuery?: string;
    readonly headers?: Record<string, string>;
    readonly auth?: 'none' | 'step';
    readonly body?: unknown;
    readonly rawBody?: string;
  };
  readonly expect: {
    readonly status: readonly number[];
    readonly headers?: Record<string, unknown>;
    readonly body?: Record<string, unknown>;
  };
  readonly capture?: Record<string, string>;
}

type Variables = Map<string, unknown>;

export interface StepResult {
  readonly title: string;
  readonly problems: readonly string[];
}

/** Plays one file; a step's problems are what it expected and did not get. */
export async function playWire(file: URL, baseUrl: string, token: string): Promise<StepResult[]> {
  const steps = JSON.parse(readFileSync(file, 'utf8')) as Step[];
  const variables: Variables = new Map<string, unknown>([
    ['run', randomBytes(4).toString('hex')],
    ['uuid', randomUUID()],
    ['token', token],
  ]);
  const results: StepResult[] = [];
  for (const step of steps) {
    const problems = await playStep(step, baseUrl, variables);
    results.push({ title: `${step.id} ${step.name}`, problems });
  }
  return results;
}

async function playStep(step: Step, baseUrl: string, variables: Variables): Promise<string[]> {
  const request = filled(step.request, variables) as Step['request'];
  const expected = filled(step.expect, variables) as Step['expect'];
  const response = await fetch(`${baseUrl}${request.path}${queryOf(request)}`, {
    method: request.method,
    headers: {
      ...request.headers,
      ...(request.auth === undefined && { authorization: `Bearer ${variables.get('token')}` }),
    },
    ...bodyOf(request),
  });
  const text = await response.text();
  if (!expected.status.includes(response.status)) return [`status ${response.status}: ${text.slice(0, 300)}`];
  const body = text === '' ? undefined : (JSON.parse(text) as unknown);
  for (const [name, path] of Object.entries(step.capture ?? {})) {
    if (response.ok) variables.set(name, select(body, path)[0]);
  }
  const headers = Object.entries(expected.headers ?? {}).map(([name, rule]) =>
    broken(
      name,
      [response.headers.get(name)].filter((value) => value !== null),
      rule,
    ),
  );
  const parts = Object.entries(expected.body ?? {}).map(([path, rule]) =>
    body === undefined ? undefined : broken(path, select(body, path), rule),
  );
  return [...headers, ...parts].filter((problem) => problem !== undefined);
}

function queryOf({ query, rawQuery }: Step['request']): string {
  if (rawQuery !== undefined) return `?${rawQuery}`;
  const pairs = Object.entries(query ?? {}).map((pair) => pair.map(encodeURIComponent).join('='));
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

/** As bytes, so that no Content-Type is added. */
function bodyOf({ body, rawBody }: Step['request']): { body?: Uint8Array<ArrayBuffer> } {
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  return text === undefined ? {} : { body: new TextEncoder().encode(text) };
}

/** Puts the variables in; a text that is one variable alone becomes its value. */
function filled(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') {
    const whole = /^\{\{(\w+)\}\}$/.exec(value)?.[1];
    if (whole !== undefined) return variables.get(whole);
    return value.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(variables.get(name)));
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [String(filled(name, variables)), filled(item, variables)]),
  );
}

/** `$`, `.name`, `['name']`, `[0]` and `[?(@.name=='text')]`. */
function select(root: unknown, path: string): unknown[] {
  const parts =
    path.slice(1).match(/\.[\w$-]+|\['[^']*'\]|\[\d+\]|\[\?\(@\.[\w$]+==(?:'[^']*'|true|false)\)\]/g) ?? [];
  return parts.reduce<unknown[]>((nodes, part) => nodes.flatMap((node) => children(node, part)), [root]);
}

function children(node: unknown, part: string): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  const condition = /^\[\?\(@\.([\w$]+)==(.*)\)\]$/.exec(part);
  if (condition) {
    const [, name = '', literal = ''] = condition;
    const wanted = JSON.parse(literal.replaceAll("'", '"')) as unknown;
    return Array.isArray(node) ? node.filter((item) => item?.[name] === wanted) : [];
  }
  const name = part.replace(/^(?:\.|\['?)|'?\]$/g, '');
  return Object.hasOwn(node, name) ? [(node as Record<string, unknown>)[name]] : [];
}

const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.values(value).every((part) => part === ''));

const RULES: Record<string, (nodes: unknown[], value: never) => boolean> = {
  exists: (nodes) => nodes.length > 0,
  absent: (nodes) => nodes.length === 0,
  absentOrEmpty: (nodes) => nodes.every(isBlank),
  nonEmpty: (nodes) => nodes.length > 0 && !nodes.some(isBlank),
  type: (nodes, value: string) => nodes.length > 0 && nodes.every((node) => typeOf(node) === value),
  matches: ([node], value: string) => new RegExp(value).test(String(node)),
  contains: ([node], value: unknown) =>
    Array.isArray(node)
      ? node.some((item) => isDeepStrictEqual(item, value))
      : String(node).includes(String(value)),
  count: ([node], value: number) => (Array.isArray(node) ? node.length : 0) === value,
  not: (nodes, value: unknown) => !nodes.some((node) => isDeepStrictEqual(node, value)),
};

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function broken(where: string, nodes: unknown[], rule: unknown): string | undefined {
  const named = typeof rule === 'object' && rule !== null && 'rule' in rule;
  const { rule: name, value } = (named ? rule : { rule: 'equals', value: rule }) as {
    rule: string;
    value: never;
  };
  const check = name === 'equals' ? () => nodes.some((node) => isDeepStrictEqual(node, value)) : RULES[name];
  if (!check) throw new Error(`unknown rule ${name}`);
  if (check(nodes, value)) return undefined;
  return `${where} is ${JSON.stringify(nodes)}, wanted ${name} ${JSON.stringify(value)}`;
}
