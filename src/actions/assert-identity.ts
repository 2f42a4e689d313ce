import { type GatewayClaims, readClaims } from '../assertions/claims.ts';
import { readFacts } from '../assertions/facts.ts';
import type { SamlProvider, VerifiedAssertion } from '../assertions/types.ts';
import type { Verifiers } from '../assertions/verifiers.ts';
import type { Actor, Context } from '../context.ts';
import { snapshot } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { groupAttributeOfMapping } from '../reconcile/sign-in.ts';
import { profileFits } from '../scim/profile.ts';
import {
  type IdentityProvider,
  identityProviderByName,
  identityProviderOf,
} from '../tenants/identity-providers.ts';
import { openSecret } from '../tenants/sealed.ts';
import { assertionRefused } from './assertion-refusal.ts';
import { signIn } from './sign-in.ts';
import { ReadAnew } from './sign-in-read.ts';
import { DISABLED, type SignInAnswer } from './sign-in-verdict.ts';

/** What a gateway received at a sign-in. */
export type Received =
  | { readonly kind: 'saml'; readonly response: string; readonly requestId?: string }
  | { readonly kind: 'oidc'; readonly token: string; readonly nonce?: string }
  | ({ readonly kind: 'claims' } & GatewayClaims);

export interface Assertion {
  readonly tenantId: string;
  /** Name. */
  readonly identityProvider: string;
  readonly received: Received;
  /** See `SignInRequest`. */
  readonly retryHash: string | null;
  readonly dryRun: boolean;
}

/** How often what is received is read anew where the identity provider is changed meanwhile. */
const ATTEMPTS = 5;

/**
 * Verifies what was received by the identity provider's settings, reads what it says, and signs the person in.
 * @throws AppError `not_found`; `forbidden` (`identity_provider_disabled`); `invalid_request` (`kind_mismatch`);
 *   `assertion_refused` with an AssertionReason; `unavailable` (`identity_provider_changed`); like `signIn`.
 */
export async function assertIdentity(
  context: Context,
  actor: Actor,
  verifiers: Verifiers,
  assertion: Assertion,
): Promise<SignInAnswer> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await assertNow(context, actor, verifiers, assertion);
    } catch (error) {
      if (!(error instanceof ReadAnew) || attempts === ATTEMPTS) throw error;
    }
  }
}

async function assertNow(
  context: Context,
  actor: Actor,
  verifiers: Verifiers,
  { tenantId, identityProvider, received, retryHash, dryRun }: Assertion,
): Promise<SignInAnswer> {
  const [[row], [mapping]] = await snapshot(context.db, [
    identityProviderByName(tenantId, identityProvider),
    groupAttributeOfMapping(tenantId),
  ]);
  if (row === undefined) throw notFound('Identity provider');
  const provider = identityProviderOf(row);
  if (!provider.enabled && !dryRun) throw disabled();
  const groupAttributeOfDocument = mapping?.documentGroupAttribute ?? null;
  const read = async () => {
    const verified = await verify(
      context,
      verifiers,
      { tenantId, provider, sealedKey: row.encryption_key, requestId: actor.requestId },
      received,
    );
    const reading = {
      ...provider,
      documentGroupAttribute: groupAttributeOfDocument,
      fits: profileFits,
    };
    return { assertion: verified, facts: readFacts(verified, reading) };
  };
  const said = await read().catch((error: unknown) => {
    throw assertionRefused(error, { dryRun });
  });
  const request = { tenantId, provider, ...said, groupAttributeOfDocument, retryHash, dryRun };
  const answer = await signIn(context, actor, request);
  return provider.enabled ? answer : asDisabled(answer);
}

/** A dry run shows what an identity provider would do before it is enabled, and says that it is not. */
function asDisabled({ warnings, trace = [], ...answer }: SignInAnswer): SignInAnswer {
  const check = { check: 'identity_provider_enabled', passed: false };
  return { ...answer, warnings: [DISABLED, ...warnings], trace: [check, ...trace] };
}

/** By whose settings it is verified, in which request. */
interface Believed {
  readonly tenantId: string;
  readonly provider: IdentityProvider;
  /** Our private key, for what is encrypted to us; null: there is none. */
  readonly sealedKey: string | null;
  readonly requestId: string;
}

async function verify(
  context: Context,
  verifiers: Verifiers,
  believed: Believed,
  received: Received,
): Promise<VerifiedAssertion> {
  const { tenantId, provider } = believed;
  const { id, kind, oidc } = provider;
  const now = context.now();
  if (received.kind === 'claims' && kind === 'claims') return readClaims(received, now);
  if (received.kind === 'saml' && kind === 'saml') {
    const { response, requestId } = received;
    const keys = { ...samlOf(provider), ...decryptionKeyOf(context, believed) };
    return verifiers.saml.verify(keys, response, {
      now,
      ...(requestId !== undefined && { requestId }),
    });
  }
  if (received.kind === 'oidc' && oidc !== null) {
    const { token, nonce } = received;
    return verifiers.oidc.verify({ tenantId, id }, oidc, token, nonce === undefined ? {} : { nonce });
  }
  throw new AppError('invalid_request', `The identity provider is of the kind "${kind}"`, {
    reason: 'kind_mismatch',
    hint: `It takes ${TAKES[kind]}.`,
  });
}

/** A key that does not open is none: what is not encrypted still holds, and the log says what to do about the rest. */
function decryptionKeyOf(
  { secretKey, log }: Context,
  { tenantId, provider: { id }, sealedKey, requestId }: Believed,
): { readonly decryptionKey?: string } {
  if (sealedKey === null) return {};
  try {
    return { decryptionKey: openSecret(secretKey, { tenantId, id }, sealedKey) };
  } catch (err) {
    log.error(
      { err, tenant: tenantId, identityProvider: id, requestId },
      'an encryption key does not open: start with the ROLLCALL_SECRET_KEY under which it was made, or delete the key and make a new one',
    );
    return {};
  }
}

/** What responses are verified by: an identity provider whose metadata is still to come verifies none. */
function samlOf({ saml }: IdentityProvider): SamlProvider {
  if (saml !== null && saml.issuer !== null && saml.certificates.length > 0) {
    return { ...saml, issuer: saml.issuer };
  }
  throw new AppError('conflict', 'The identity provider has no issuer or no certificate yet', {
    reason: 'identity_provider_incomplete',
    hint: "Set them, or send the identity provider's metadata.",
  });
}

const TAKES = { saml: 'samlResponse', oidc: 'idToken', claims: 'claims with a requestId' } as const;

function disabled(): AppError {
  return new AppError('forbidden', 'The identity provider is disabled: nobody signs in by it', {
    reason: 'identity_provider_disabled',
    hint: 'An admin enables it (PATCH …/identity-providers/{name}).',
  });
}
