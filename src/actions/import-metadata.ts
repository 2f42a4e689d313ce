import { type IdpMetadata, readIdpMetadata } from '../assertions/saml/idp-metadata.ts';
import { SAML_METADATA } from '../assertions/saml/sp-metadata.ts';
import { AssertionError } from '../assertions/types.ts';
import type { Actor, Context } from '../context.ts';
import { runAlone } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { fetchRefused } from '../outbound/refusal.ts';
import { readCertificate } from '../tenants/certificates.ts';
import { identityProviderByName } from '../tenants/identity-providers.ts';
import type { ProviderWarning } from '../tenants/provider-warnings.ts';
import type { Review } from './reviewed.ts';
import {
  type UpdatedIdentityProvider,
  type UpdateIdentityProvider,
  updateIdentityProvider,
} from './update-identity-provider.ts';

/** The document, or where it is published. */
export type MetadataSource = { readonly xml: string } | { readonly url: string };

export interface ImportMetadata {
  readonly tenantId: string;
  readonly name: string;
  readonly source: MetadataSource;
  readonly links: UpdateIdentityProvider['links'];
  readonly review: Review;
}

export interface ImportedMetadata extends UpdatedIdentityProvider {
  /** About the document, beside those about the provider. */
  readonly warnings: readonly ProviderWarning[];
}

/**
 * Takes issuer and certificates of a provider from its metadata, in place of those that it has: metadata lists both keys
 * while one is rolled over. What is fetched is fetched once, before the transaction; the URL is not kept.
 * @throws AppError `not_found`; `invalid_request` with what is wrong with the document as `reason`, or at `/url` why it was
 *   not fetched; see `updateIdentityProvider`.
 */
export async function importMetadata(
  context: Context,
  actor: Actor,
  { source, ...request }: ImportMetadata,
): Promise<ImportedMetadata> {
  // Nothing is fetched for what does not exist.
  const [provider] = await runAlone(context.db, identityProviderByName(request.tenantId, request.name));
  if (provider === undefined) throw notFound('Identity provider');
  const metadata = read('xml' in source ? source.xml : await fetched(context, source.url));
  const { usable, warnings } = usableOf(metadata);
  const change = { saml: { issuer: metadata.issuer, certificates: usable } };
  const updated = await updateIdentityProvider(context, actor, { ...request, change });
  return { ...updated, warnings: [...warnings, ...expiryWarnings(metadata, context.now())] };
}

/** The certificates by which signatures can be verified. @throws AppError about the first where there is none. */
function usableOf({ certificates }: IdpMetadata) {
  const usable: string[] = [];
  const refusals: AppError[] = [];
  for (const [index, base64] of certificates.entries()) {
    try {
      usable.push(readCertificate(pemOf(base64), `/saml/certificates/${index}`));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refusals.push(error);
    }
  }
  const [first] = refusals;
  if (usable.length === 0 && first !== undefined) throw first;
  const warnings = refusals.map(({ message, reason = 'invalid_certificate' }) => ({
    code: reason,
    pointer: '/saml/certificates',
    detail: `A certificate of the metadata was left out: ${message}`,
  }));
  return { usable, warnings };
}

function expiryWarnings({ validUntil: [until] }: IdpMetadata, now: Date): ProviderWarning[] {
  if (until === undefined || !(new Date(until) <= now)) return [];
  const detail = `The metadata was valid until ${until.slice(0, 40)}: ask the identity provider for its newest`;
  return [{ code: 'metadata_expired', pointer: '/saml', detail }];
}

/** In bytes: as much as may be pasted. */
const MAX_BYTES = 1024 * 1024;

async function fetched({ outbound }: Context, url: string): Promise<string> {
  try {
    return await outbound.fetchText(url, { maxBytes: MAX_BYTES, accept: `${SAML_METADATA}, */*;q=0.5` });
  } catch (error) {
    throw fetchRefused(error, '/url');
  }
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
