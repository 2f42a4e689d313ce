import { domainToASCII } from 'node:url';
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
  /** Whether the domain of the e-mail address is one that the tenant has proved. */
  readonly domainVerified: boolean;
  /** Whether the default team is there. */
  readonly hasDefaultTeam: boolean;
}

interface RulesRow extends Omit<TenantRules, 'settings' | 'types'> {
  readonly settings: Record<string, unknown>;
  readonly extensions: string | null;
}

const rulesStatement = statement<RulesRow>(
  'rules_of_sign_in',
  `select t.settings, ${EXTENSIONS_OF_TENANT} as extensions, p.version as "providerVersion",
          exists (select from domain d where d.tenant_id = $1 and d.name = $3 and d.verified_at is not null)
            as "domainVerified",
          exists (select from team where tenant_id = $1 and id = p.default_team_id) as "hasDefaultTeam"
   from tenant t join identity_provider p on p.tenant_id = $1 and p.id = $2
   where t.tenant_id = $1`,
);

/** No row: the tenant or the identity provider is gone. `rulesOf` reads it. */
export function readRules(
  tenantId: string,
  identityProviderId: string,
  email: string | null,
): Step<RulesRow> {
  return step(rulesStatement, [tenantId, identityProviderId, email === null ? null : domainOf(email)]);
}

export function rulesOf({ settings, extensions, ...rules }: RulesRow): TenantRules {
  return { ...rules, settings: completeSettings(settings), types: typesWith(extensionsOf(extensions)) };
}

/** As DNS has it; an empty text where it can be none. */
function domainOf(email: string): string {
  return domainToASCII(email.slice(email.lastIndexOf('@') + 1)).toLowerCase();
}
