import { certificateWarning } from './certificates.ts';
import { type IdentityProvider, samlProviderOf } from './identity-providers.ts';

/** What an admin may not have meant, or must do soon. */
export interface ProviderWarning {
  readonly code: string;
  /** JSON pointer into the provider. */
  readonly pointer: string;
  readonly detail: string;
}

export function providerWarnings({ saml }: IdentityProvider, now: Date): ProviderWarning[] {
  if (saml === null) return [];
  const dated = saml.certificates.flatMap((pem, index) => {
    const warning = certificateWarning(pem, now);
    return warning === undefined ? [] : [{ ...warning, pointer: `/saml/certificates/${index}` }];
  });
  if (samlProviderOf(saml) !== undefined) return dated;
  const detail = 'Nobody can sign in before the issuer and a certificate are known: send the metadata';
  return [{ code: 'incomplete', pointer: '/saml', detail }, ...dated];
}
