import type { OidcProvider, VerifiedAssertion } from '../types.ts';
import { type FetchJson, type KeySource, openKeySource } from './keys.ts';
import { verifyIdToken } from './verify.ts';

/** The most identity providers whose keys are kept; the one not asked for longest makes room. */
const MAX_SOURCES = 1_000;

/** Whose keys: identity providers share none, not even two of one issuer. */
export interface ProviderKey {
  readonly tenantId: string;
  readonly id: string;
}

export interface IdTokenVerifier {
  /** @throws AssertionError */
  verify(
    key: ProviderKey,
    provider: OidcProvider,
    token: string,
    options?: { readonly nonce?: string | undefined },
  ): Promise<VerifiedAssertion>;
}

export interface IdTokenVerifierOptions {
  readonly fetchJson: FetchJson;
  now(): Date;
  /** Is told when a provider's keys could not be fetched: until they are a day old, sign-ins go on with those held. */
  onKeysMissed(key: ProviderKey, error: Error): void;
}

/** Verifies ID tokens, and keeps each provider's keys from one to the next. */
export function openIdTokenVerifier({
  fetchJson,
  now,
  onKeysMissed,
}: IdTokenVerifierOptions): IdTokenVerifier {
  /** In the order of their last use. */
  const sources = new Map<string, KeySource>();

  /** Other settings make another source: keys of the issuer before are not used for the one after. */
  function sourceOf({ tenantId, id }: ProviderKey, provider: OidcProvider): KeySource {
    const name = JSON.stringify([tenantId, id, provider.issuer, provider.jwksUri]);
    const onFailure = (error: Error) => onKeysMissed({ tenantId, id }, error);
    const source = sources.get(name) ?? openKeySource(provider, { fetchJson, now, onFailure });
    sources.delete(name);
    sources.set(name, source);
    const [oldest] = sources.keys();
    if (sources.size > MAX_SOURCES && oldest !== undefined) sources.delete(oldest);
    return source;
  }

  return {
    verify: (key, provider, token, { nonce } = {}) =>
      verifyIdToken(provider, token, { now: now(), nonce, keys: sourceOf(key, provider) }),
  };
}
