import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { openAddressResolver, type ResolveAddresses } from './address-resolver.ts';
import { isLoopback, isPublic } from './addresses.ts';

/**
 * The one way out to the network. Whoever configures an identity provider chooses what is fetched, so nothing but the
 * public Internet is reached: https on port 443, no redirects, no proxy, no credentials; and the addresses are judged
 * inside the connection's own look-up, so that no second answer of the DNS takes their place.
 */

/** Why nothing was fetched. */
export type OutboundReason =
  | 'url' // not a URL that may be fetched
  | 'address' // the host is not on the public Internet
  | 'unreachable' // no connection, no valid certificate, or the answer broke off
  | 'timeout'
  | 'status' // answered otherwise than 200, redirects included
  | 'too_large'
  | 'malformed'; // not the text or JSON that was asked for

/** A fetch that failed. The message is for whoever configured the URL: it holds no address and nothing of the reply. */
export class OutboundError extends Error {
  readonly reason: OutboundReason;

  constructor(reason: OutboundReason, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'OutboundError';
    this.reason = reason;
  }
}

export interface FetchLimits {
  /** Of the reply's body. */
  readonly maxBytes: number;
  /** In all, from the look-up of the host to the last byte. */
  readonly timeoutMs: number;
  /** Media types that are asked for; what comes is not judged by its type. */
  readonly accept: string;
}

export interface Outbound {
  /** Says of a URL, before anything is fetched, that it never would be. @throws OutboundError `url`, `address` */
  requireFetchable(url: string): void;
  /** The reply to a GET as UTF-8 text. @throws OutboundError */
  fetchText(url: string, limits?: Partial<FetchLimits>): Promise<string>;
  /** The same, parsed as JSON. @throws OutboundError */
  fetchJson(url: string, limits?: Partial<FetchLimits>): Promise<unknown>;
}

export interface OutboundOptions {
  /** For test identity providers: `localhost` and loopback addresses may be fetched too, by http and on any port. */
  readonly allowLoopback: boolean;
  /** Who resolves names; DNS unless a test stands in for it. */
  readonly resolve?: ResolveAddresses;
}

const LIMITS: FetchLimits = { maxBytes: 256 * 1024, timeoutMs: 10_000, accept: '*/*' };

export function openOutbound({ allowLoopback, resolve = openAddressResolver() }: OutboundOptions): Outbound {
  async function fetchText(text: string, limits: Partial<FetchLimits> = {}): Promise<string> {
    const target = readTarget(text, allowLoopback);
    const bytes = await get(target, { ...LIMITS, ...limits }, resolve);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new OutboundError('malformed', `${target.shown} did not answer with UTF-8 text`);
    }
  }

  async function fetchJson(url: string, limits: Partial<FetchLimits> = {}): Promise<unknown> {
    const text = await fetchText(url, { accept: 'application/json', ...limits });
    try {
      return JSON.parse(text);
    } catch {
      throw new OutboundError('malformed', `${shownUrl(new URL(url))} did not answer with JSON`);
    }
  }

  return { requireFetchable: (url) => void readTarget(url, allowLoopback), fetchText, fetchJson };
}

interface Target {
  readonly url: URL;
  /** The URL as messages name it: a query may hold secrets. */
  readonly shown: string;
  /** The addresses of a host that needs no look-up. */
  readonly known: readonly string[] | undefined;
  isPermitted(address: string): boolean;
}

const shownUrl = ({ origin, pathname }: URL) => `${origin}${pathname}`;

/** The URL parser has made one spelling of all spellings of an IPv4 address (octal, hexadecimal, one number). */
function readTarget(text: string, allowLoopback: boolean): Target {
  if (!URL.canParse(text)) throw new OutboundError('url', 'The URL to fetch is no absolute URL');
  const url = new URL(text);
  const shown = shownUrl(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isLocal = allowLoopback && (host === 'localhost' || isLoopback(host));
  if (url.username !== '' || url.password !== '') {
    throw new OutboundError('url', `${shown} is not fetched with a user name or password: leave them out`);
  }
  if (isLocal ? !/^https?:$/.test(url.protocol) : url.protocol !== 'https:' || url.port !== '') {
    throw new OutboundError('url', `${shown} is not fetched: only https URLs on port 443 are`);
  }
  const isPermitted = isLocal ? isLoopback : isPublic;
  const known = isIP(host) !== 0 ? [host] : host === 'localhost' ? LOCALHOST : undefined;
  if (known !== undefined && !known.every(isPermitted)) throw notPublic(shown);
  return { url, shown, known, isPermitted };
}

/** Whatever DNS says of it (RFC 6761 section 6.3). */
const LOCALHOST = ['127.0.0.1', '::1'];

function notPublic(shown: string): OutboundError {
  return new OutboundError('address', `${shown} is not fetched: its host is not on the public Internet`);
}

/** A look-up that fails where any address of the answer is not permitted: which one is used is not ours to choose. */
function guarded(
  resolve: ResolveAddresses,
  { shown, known, isPermitted }: Target,
  signal: AbortSignal,
): LookupFunction {
  const permitted = async (host: string): Promise<readonly [string, ...string[]]> => {
    const [first, ...others] = known ?? (await resolve(host, signal));
    if (first === undefined || ![first, ...others].every(isPermitted)) throw notPublic(shown);
    return [first, ...others];
  };
  const withFamily = (address: string) => ({ address, family: isIP(address) });
  return (host, { all }, callback) => {
    permitted(host).then(
      (addresses) => {
        if (all) callback(null, addresses.map(withFamily));
        else callback(null, addresses[0], isIP(addresses[0]));
      },
      (error) => callback(error, []),
    );
  };
}

async function get(target: Target, limits: FetchLimits, resolve: ResolveAddresses): Promise<Buffer> {
  const { shown } = target;
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const reply = await respond(target.url, {
      lookup: guarded(resolve, target, signal),
      signal,
      // An agent of its own: neither a connection that another took nor a proxy of the environment.
      agent: false,
      headers: { accept: limits.accept, 'accept-encoding': 'identity', 'user-agent': 'rollcall' },
      // Stronger than NODE_TLS_REJECT_UNAUTHORIZED.
      rejectUnauthorized: true,
    });
    try {
      requirePlainSuccess(reply, shown);
      return await readBody(addAbortSignal(signal, reply), limits.maxBytes, shown);
    } finally {
      reply.destroy();
    }
  } catch (cause) {
    if (cause instanceof OutboundError) throw cause;
    if (signal.aborted) {
      throw new OutboundError('timeout', `${shown} did not answer within ${limits.timeoutMs} ms`, { cause });
    }
    throw new OutboundError('unreachable', `${shown} could not be fetched: ${codeOf(cause)}`, { cause });
  }
}

/** What Node calls the failure (`ENOTFOUND`, `CERT_HAS_EXPIRED`): its messages name addresses. */
function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'the connection was closed without an answer';
}

function respond(url: URL, options: https.RequestOptions): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, options, resolve);
    request.on('error', reject);
    // An upgrade that nobody asked for closes the request without an error.
    request.on('close', () => reject(new Error('closed without an answer')));
  });
}

function requirePlainSuccess({ statusCode = 0, headers }: http.IncomingMessage, shown: string): void {
  if (statusCode >= 300 && statusCode < 400) {
    throw new OutboundError('status', `${shown} answered with a redirect (${statusCode}): give its target`);
  }
  if (statusCode !== 200) throw new OutboundError('status', `${shown} answered with status ${statusCode}`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new OutboundError('malformed', `${shown} answered compressed, which was not asked for`);
  }
}

async function readBody(reply: http.IncomingMessage, maxBytes: number, shown: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new OutboundError('too_large', `${shown} answered with more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
