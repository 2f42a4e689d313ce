import { v7 as uuid } from 'uuid';
import type { ProviderKind } from '../assertions/types.ts';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { sendBy, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  countIdentityProviders,
  DEFAULT_SETTINGS,
  type IdentityProvider,
  insertIdentityProvider,
  type JitMode,
  MAX_IDENTITY_PROVIDERS,
} from '../tenants/identity-providers.ts';
import { bindDomains, domainsToBind } from '../tenants/provider-domains.ts';
import { changedSettings, type ProviderInput } from '../tenants/provider-settings.ts';
import { holdTenant } from '../tenants/tenants.ts';
import { requireMatchDirectory } from './match-directory.ts';
import { readDefaultTeam } from './named-grants.ts';

export interface CreateIdentityProvider extends ProviderInput {
  readonly tenantId: string;
  readonly name: string;
  readonly kind: ProviderKind;
  readonly jit: JitMode;
}

/**
 * Makes a way to sign in. It holds the tenant alone, so that teams, roles and domains that it names stay until it is made.
 * @throws AppError `invalid_request` at the JSON pointer; `conflict`: `name_taken`, `domain_bound`,
 *   `too_many_identity_providers`.
 */
export async function createIdentityProvider(
  context: Context,
  actor: Actor,
  { tenantId, ...input }: CreateIdentityProvider,
): Promise<IdentityProvider> {
  const { name, kind, jit, displayName = null, enabled = true, defaultTeam, domains = [] } = input;
  const at = context.now();
  const occasion = { tenantId, actor, at, changeId: uuid() };
  const { outbound } = context;
  const settings = changedSettings(DEFAULT_SETTINGS, input, { kind, outbound });
  try {
    return await transaction(context.db, tenantId, async (trx) => {
      const send = sendBy(trx);
      await send([lockTenantExclusive(tenantId)]);
      if (!(await holdTenant(trx, tenantId))) throw notFound('Tenant');
      if ((await countIdentityProviders(trx, tenantId)) >= MAX_IDENTITY_PROVIDERS) throw tooMany();
      await requireMatchDirectory(trx, tenantId, settings);
      const provider: IdentityProvider = {
        id: uuid(),
        ...{ name, kind, jit, displayName, enabled },
        ...settings,
        defaultTeam: defaultTeam ? await readDefaultTeam(trx, tenantId, defaultTeam) : null,
        domains: await domainsToBind(trx, tenantId, { provider: name, names: domains }),
        ...{ encryptionCertificate: null, version: 1, createdAt: at, updatedAt: at },
      };
      const { id } = provider;
      await send([insertIdentityProvider(tenantId, provider), bindDomains(tenantId, id, provider.domains)]);
      await record(trx, occasion, [
        {
          type: 'identity_provider.created',
          resourceType: 'IdentityProvider',
          resourceId: id,
          after: provider,
        },
      ]);
      return provider;
    });
  } catch (error) {
    if (!violates(error, 'identity_provider_name_key')) throw error;
    throw new AppError('conflict', `The tenant has an identity provider with the name "${name}" already`, {
      reason: 'name_taken',
      pointer: '/name',
    });
  }
}

function tooMany(): AppError {
  return new AppError(
    'conflict',
    `The tenant has ${MAX_IDENTITY_PROVIDERS} identity providers, the most there can be`,
    { reason: 'too_many_identity_providers', hint: 'Delete one that is not needed.' },
  );
}
