import type { Transaction } from 'kysely';
import { type Step, statement, step } from '../db/statement.ts';
import type { Tables } from '../db/tables.ts';
import { runIn } from '../db/transaction.ts';
import { AppError } from '../errors.ts';
import { domainName } from './domain-name.ts';

/** Domains whose people sign in by an identity provider. Whoever binds them holds the tenant alone. */

interface KnownDomain {
  readonly name: string;
  /** The provider that it is bound to, by name. */
  readonly bound_to: string | null;
}

const knownStatement = statement<KnownDomain>(
  'domains_to_bind',
  // Kept from being deleted until they are bound.
  `select d.name, (select p.name from identity_provider_domain b
                   join identity_provider p on p.tenant_id = $1 and p.id = b.identity_provider_id
                   where b.tenant_id = $1 and b.domain = d.name) as bound_to
   from domain d where d.tenant_id = $1 and d.name = any ($2::text[]) order by d.name for key share of d`,
);

const bindStatement = statement<unknown>(
  'bind_domains',
  `with gone as (
     delete from identity_provider_domain
     where tenant_id = $1 and identity_provider_id = $2 and domain <> all ($3::text[])
   )
   insert into identity_provider_domain (tenant_id, domain, identity_provider_id)
   select $1, domain, $2 from unnest($3::text[]) as d (domain)
   on conflict (tenant_id, domain) do nothing`,
);

/** Makes these the domains that are bound to the provider. */
export function bindDomains(tenantId: string, providerId: string, domains: readonly string[]): Step {
  return step(bindStatement, [tenantId, providerId, domains]);
}

/**
 * The domains as they are kept (`domainName`): each once, sorted.
 * @throws AppError `invalid_request` (`unknown_domain`), `conflict` (`domain_bound`), at the JSON pointer.
 */
export async function domainsToBind(
  trx: Transaction<Tables>,
  tenantId: string,
  { provider, names }: { readonly provider: string; readonly names: readonly string[] },
): Promise<string[]> {
  const wanted = names.map((name) => domainName(name) ?? name);
  const known = new Map(
    (await runIn(trx, step(knownStatement, [tenantId, wanted]))).map((each) => [each.name, each.bound_to]),
  );
  for (const [index, name] of wanted.entries()) {
    const boundTo = known.get(name);
    const pointer = `/domains/${index}`;
    if (boundTo === undefined) {
      throw new AppError('invalid_request', `The tenant has no domain "${name}"`, {
        reason: 'unknown_domain',
        pointer,
        hint: 'Add the domain to the tenant first.',
      });
    }
    if (boundTo !== null && boundTo !== provider) {
      throw new AppError(
        'conflict',
        `The domain "${name}" is bound to the identity provider "${boundTo}" already`,
        { reason: 'domain_bound', pointer, hint: 'Take it from that one first.' },
      );
    }
  }
  return [...new Set(wanted)].sort();
}
