import type { Database } from '../db/database.ts';
import { statement, step } from '../db/statement.ts';
import { runAlone } from '../db/transaction.ts';
import { domainOfEmail } from './domain-name.ts';

/** A tenant that an e-mail address may belong to, and how people with it sign in there. */
export interface Discovered {
  readonly tenant: { readonly id: string; readonly name: string; readonly displayName: string | null };
  readonly domain: string;
  /** The one to which the domain is bound, or else all of the tenant: those that are enabled, by name. */
  readonly identityProviders: readonly {
    readonly name: string;
    readonly displayName: string | null;
    readonly kind: 'saml' | 'oidc' | 'claims';
  }[];
  /** Whether who is new comes in by the verified address alone. */
  readonly emailJit: boolean;
}

/** So many tenants are told of, and so many identity providers of each. */
export const MAX_DISCOVERED = 100;
const MAX_PROVIDERS = 100;

const discoverStatement = statement<Discovered>(
  'discover',
  `select jsonb_build_object('id', t.tenant_id, 'name', t.name, 'displayName', t.display_name) as tenant,
          d.name as domain, coalesce(p.shown, '[]') as "identityProviders",
          d.jit and b.domain is null and coalesce(t.settings ->> 'provisioning', '') <> 'scim' as "emailJit"
   from domain d
        join tenant t on t.tenant_id = d.tenant_id
        left join identity_provider_domain b on b.tenant_id = d.tenant_id and b.domain = d.name
        cross join lateral (
          select jsonb_agg(jsonb_build_object('name', name, 'displayName', display_name, 'kind', kind) order by name) as shown
          from (select * from identity_provider i
                where i.tenant_id = d.tenant_id and i.enabled and i.id = coalesce(b.identity_provider_id, i.id)
                order by i.name limit ${MAX_PROVIDERS}) as enabled) as p
   where d.name = $1 and d.verified_at is not null
   order by t.name limit ${MAX_DISCOVERED}`,
);

/** By the domain alone, so that nothing is told of whether there is such a person. In the order of the tenants' names. */
export async function discover(db: Database, email: string): Promise<Discovered[]> {
  const domain = domainOfEmail(email);
  return domain === undefined ? [] : runAlone(db, step(discoverStatement, [domain]));
}
