import { openIdTokenVerifier } from '../assertions/oidc/verifier.ts';
import { openSamlVerifier } from '../assertions/saml/pool.ts';
import type { Verifiers } from '../assertions/verifiers.ts';
import type { Context } from '../context.ts';

export interface OpenVerifiers extends Verifiers {
  close(): Promise<void>;
}

/**
 * The verifiers of a process; they begin to work with the first sign-in. Claims need none: they are believed because of
 * who sends them.
 */
export function openVerifiers({
  log,
  now,
  outbound: { fetchJson },
}: Pick<Context, 'log' | 'now' | 'outbound'>): OpenVerifiers {
  const saml = openSamlVerifier({ log });
  const oidc = openIdTokenVerifier({
    fetchJson,
    now,
    onKeysMissed: ({ tenantId, id }, err) =>
      log.warn({ err, tenant: tenantId, identityProvider: id }, 'keys of an identity provider not fetched'),
  });
  return { saml, oidc, close: saml.close };
}
