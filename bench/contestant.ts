import type { Population } from './population.ts';

/** What is measured, and what it is asked. */

/** One request, and what its answer must be. */
export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: string;
  /** Of the body; SCIM's when absent. */
  readonly mediaType?: string;
  /** Another credential than the directory's. */
  readonly key?: string;
  expects(status: number, text: string): boolean;
  /** Whether what it wrote is there; asked after the slice of the last exchange of a lane. */
  wrote?(): Promise<boolean>;
}

/** The exchanges of one connection, one after the other. */
export type Lane = Generator<Exchange>;

/** The same exchange over and over. */
export function* again(exchange: Exchange): Lane {
  for (;;) yield exchange;
}

/** A process that takes part in the benchmark. */
export interface Contestant {
  readonly name: string;
  readonly kind: 'service' | 'anchor' | 'peer';
  readonly pid: number;
  /** Whether its work is that of PostgreSQL as well. */
  readonly usesPostgres: boolean;
}

interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** A directory of a contestant that speaks SCIM, with its people in it. */
export interface Directory {
  readonly contestant: Contestant;
  readonly population: Population;
  readonly origin: string;
  /** Of the SCIM base URL. */
  readonly path: string;
  readonly key: string;
  /** A connection asks at most once in so many milliseconds; absent: as soon as it has the answer. */
  readonly pace?: number;
  /** What it cannot do: the name of a case, or of a case and a number of members (`group-get:1000`), and why. */
  readonly cannot: Readonly<Record<string, string>>;
  /** Whether the user is in the group, by what the contestant shows; absent: it shows nobody. */
  isMember?(groupId: string, userId: string): Promise<boolean>;
}

/** Asks once, outside of what is measured. */
export async function ask<Body>(
  { origin, key }: Pick<Directory, 'origin' | 'key'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer<Body>> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
