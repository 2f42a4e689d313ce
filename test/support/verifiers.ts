import type { Verifiers } from '../../src/assertions/verifiers.ts';

const nobody = async (): Promise<never> => {
  throw new Error('nobody verifies here');
};

/** For tests that only claims sign in by. */
export const NO_VERIFIERS: Verifiers = { saml: { verify: nobody }, oidc: { verify: nobody } };
