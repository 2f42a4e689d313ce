import type { Verifiers } from '../assertions/verifiers.ts';
import { AppError } from '../errors.ts';

/** The verifiers of a process. Claims need none: they are believed because of who sends them. */
export function openVerifiers(): Verifiers {
  const missing = async (what: string): Promise<never> => {
    throw new AppError('unavailable', `This release does not verify ${what} yet`, {
      reason: 'not_implemented',
    });
  };
  return {
    saml: { verify: () => missing('SAML responses') },
    oidc: { verify: () => missing('ID tokens') },
  };
}
