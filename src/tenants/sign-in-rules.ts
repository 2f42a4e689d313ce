import type { TenantSettings } from '../context.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { typesWith } from '../scim/resource-types.ts';
import type { ResourceTypes } from '../scim/types.ts';
import { EXTENSIONS_OF_TENANT, extensionsOf } from './schema-extensions.ts';
import { completeSettings } from './settings.ts';

/** What tenant and identity provider say of a sign-in. */
export interface TenantRules {
  readonly settings: TenantSettings;
  readonly types: ResourceTypes;
  /** Of the identity provider; moves with each change of it. */
  readonly providerVersion: number;
}

interface RulesRow extends Omit<TenantRules, 'settings' | 'types'> {
  readonly settings: Record<string, unknown>;
  readonly extensions: string | null;
}

const rulesStatement = statement<RulesRow>(
  'rules_of_sign_in',
  `select t.settings, ${EXTENSIONS_OF_TENANT} as extensions, p.version as "providerVersion"
   from tenant t join identity_provider p on p.tenant_id = $1 and p.id = $2
   where t.tenant_id = $1`,
);

/** No row: the tenant or the identity provider is gone. `rulesOf` reads it. */
export function readRules(tenantId: string, identityProviderId: string): Step<RulesRow> {
  return step(rulesStatement, [tenantId, identityProviderId]);
}

export function rulesOf({ settings, extensions, ...rules }: RulesRow): TenantRules {
  return { ...rules, settings: completeSettings(settings), types: typesWith(extensionsOf(extensions)) };
}
