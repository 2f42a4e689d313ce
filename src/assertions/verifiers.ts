import type { OidcProvider, SamlProvider, VerifiedAssertion } from './types.ts';

/** What verifies what identity providers sign, opened once by the process. Each throws AssertionError. */
export interface Verifiers {
  readonly saml: {
    /** @param response base64, as browsers post it. */
    verify(
      provider: SamlProvider,
      response: string,
      request: { readonly now: Date; readonly requestId?: string },
    ): Promise<VerifiedAssertion>;
  };
  readonly oidc: {
    /** @param key whose keys of the issuer are remembered: identity providers share none. */
    verify(
      key: { readonly tenantId: string; readonly id: string },
      provider: OidcProvider,
      token: string,
      request: { readonly nonce?: string },
    ): Promise<VerifiedAssertion>;
  };
}
