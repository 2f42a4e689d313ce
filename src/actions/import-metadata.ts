import { type IdpMetadata, readIdpMetadata } from '../assertions/saml/idp-metadata.ts';
import { AssertionError } from '../assertions/types.ts';
import type { Actor, Context } from '../context.ts';
import { AppError } from '../errors.ts';
import { type UpdatedIdentityProvider, updateIdentityProvider } from './update-identity-provider.ts';

export interface ImportMetadata {
  readonly tenantId: string;
  readonly name: string;
  /** The document. */
  readonly xml: string;
  readonly dryRun: boolean;
}

/**
 * Takes issuer and certificates of a provider from its metadata, in place of those that it has: metadata lists both keys
 * while one is rolled over.
 * @throws AppError `invalid_request` with what is wrong with the document as `reason`; see `updateIdentityProvider`.
 */
export function importMetadata(
  context: Context,
  actor: Actor,
  { tenantId, name, xml, dryRun }: ImportMetadata,
): Promise<UpdatedIdentityProvider> {
  const { issuer, certificates } = read(xml);
  const pems = certificates.map(pemOf);
  const change = { saml: { issuer, certificates: pems } };
  return updateIdentityProvider(context, actor, { tenantId, name, change, review: { dryRun } });
}

function pemOf(base64: string): string {
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----`;
}

function read(xml: string): IdpMetadata {
  try {
    return readIdpMetadata(xml);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    throw new AppError('invalid_request', error.message, { reason: error.reason, cause: error });
  }
}
