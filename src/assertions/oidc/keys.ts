import type { OidcProvider } from '../types.ts';
import { isObject } from './json.ts';
import { type KeySet, readJwks } from './jwks.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Between two attempts, however many tokens name keys that are not known: a rotated key is known this much later. */
const COOL_DOWN = 10 * SECOND;
/** After this, keys are asked for again, beside the sign-ins that still use them: a withdrawn key counts so long. */
const REFRESH_AFTER = 10 * MINUTE;
/** While they cannot be had anew, keys are used this long: an outage of the key endpoint stops nobody's sign-in. */
const KEEP_FOR = 24 * 60 * MINUTE;

/**
 * GETs a JSON document by the rules for what tenants configure (public https only, bounded). The message of an error
 * is shown to admins.
 */
export type FetchJson = (url: string) => Promise<unknown>;

/** The keys of an identity provider cannot be had now; the message says why. */
export class KeysUnavailable extends Error {}

/** Where one identity provider's keys come from. */
export interface KeySource {
  /** Its keys, not older than a day. @throws KeysUnavailable */
  current(): Promise<KeySet>;
  /**
   * Keys that were fetched after these, which lack one: fetched now, unless they have been in the last 10 seconds. Then
   * undefined: there are none. @throws KeysUnavailable where the last attempt failed.
   */
  newerThan(known: KeySet): Promise<KeySet | undefined>;
}

export interface KeySourceOptions {
  readonly fetchJson: FetchJson;
  now(): Date;
  /** Is told of each attempt that failed, also of those that no sign-in waits for. */
  onFailure(error: Error): void;
}

/** Keeps the keys of one identity provider. Whoever comes while they are fetched waits for that same attempt. */
export function openKeySource(
  provider: Pick<OidcProvider, 'issuer' | 'jwksUri'>,
  options: KeySourceOptions,
): KeySource {
  const { now, onFailure } = options;
  let held: KeySet | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let attempting: Promise<void> | undefined;
  let failure: Error | undefined;

  async function attempt(): Promise<void> {
    attemptedAt = now().getTime();
    try {
      held = { keys: await fetchKeys(provider, options.fetchJson), fetchedAt: attemptedAt };
      failure = undefined;
    } catch (error) {
      failure = error as Error;
      onFailure(failure);
    } finally {
      attempting = undefined;
    }
  }

  /** The attempt that is under way, or one that begins now, or undefined while the last one cools down. */
  function attempted(): Promise<void> | undefined {
    if (attempting === undefined && since(attemptedAt) >= COOL_DOWN) attempting = attempt();
    return attempting;
  }

  /** A clock that was set back makes nothing young again. */
  function since(time: number): number {
    const age = now().getTime() - time;
    return age < 0 ? Number.POSITIVE_INFINITY : age;
  }

  const isUsable = (keys: KeySet | undefined) => keys !== undefined && since(keys.fetchedAt) < KEEP_FOR;
  const unavailable = () =>
    new KeysUnavailable(failure?.message ?? 'they were asked for a moment ago', { cause: failure });

  return {
    async current() {
      if (held === undefined || since(held.fetchedAt) >= REFRESH_AFTER) {
        const refreshed = attempted();
        if (!isUsable(held)) await refreshed;
      }
      if (held === undefined || !isUsable(held)) throw unavailable();
      return held;
    },
    async newerThan(known) {
      if (held === known) await attempted();
      if (held !== known) return held;
      if (failure !== undefined) throw unavailable();
      return undefined;
    },
  };
}

/** The keys that an identity provider publishes now. @throws Error whose message says what failed. */
async function fetchKeys(
  { issuer, jwksUri }: Pick<OidcProvider, 'issuer' | 'jwksUri'>,
  fetchJson: FetchJson,
) {
  return readJwks(await fetchJson(jwksUri ?? (await discoverJwksUri(issuer, fetchJson))));
}

/** OpenID Connect Discovery 1.0 section 4: the document is an issuer's own only where it names it exactly. */
async function discoverJwksUri(issuer: string, fetchJson: FetchJson): Promise<string> {
  const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!isObject(document)) throw new Error('the discovery document is no JSON object');
  if (document.issuer !== issuer) {
    throw new Error('the discovery document names another issuer: configure exactly the one that it names');
  }
  if (typeof document.jwks_uri !== 'string') throw new Error('the discovery document names no jwks_uri');
  return document.jwks_uri;
}
