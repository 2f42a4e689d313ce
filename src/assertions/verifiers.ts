import type { IdTokenVerifier } from './oidc/verifier.ts';
import type { SamlVerifier } from './saml/pool.ts';

/** What verifies what identity providers sign, opened once by the process. Each throws AssertionError. */
export interface Verifiers {
  readonly saml: Pick<SamlVerifier, 'verify'>;
  readonly oidc: IdTokenVerifier;
}
