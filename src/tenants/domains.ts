import type { Transaction } from 'kysely';
import type { Database } from '../db/database.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Tables, TeamGrant } from '../db/tables.ts';
import { runAlone, runIn } from '../db/transaction.ts';
import { CHALLENGE_LABEL } from './domain-name.ts';
import { type ShownGrant, shownGrants } from './team-grants.ts';

/** E-mail domains of a tenant: what it has proved to own, and what people get who come in by it. */

export interface Domain {
  /** As DNS has it (`domainName`). */
  readonly name: string;
  /** What the TXT record must say; no secret. */
  readonly challenge: string;
  /** null: not proved yet, and means nothing until then. */
  readonly verifiedAt: Date | null;
  readonly verifiedBy: 'dns' | 'operator' | null;
  /** Whether people of this domain come in by their verified e-mail address alone. */
  readonly jit: boolean;
  readonly grants: readonly ShownGrant[];
  /** The provider by which people of this domain sign in, by name; then they never come in by e-mail alone. */
  readonly identityProvider: string | null;
  readonly createdAt: Date;
}

/** The TXT record that proves the domain. */
export function challengeRecord({ name, challenge }: Pick<Domain, 'name' | 'challenge'>) {
  return {
    name: `${CHALLENGE_LABEL}.${name}`,
    type: 'TXT' as const,
    value: `rollcall-domain-verification=${challenge}`,
  };
}

/** So many a tenant may have. */
export const MAX_DOMAINS = 100;

export interface NewDomain extends Pick<Domain, 'name' | 'challenge' | 'jit' | 'createdAt'> {
  readonly grants: readonly TeamGrant[];
}

/** Breaks `domain_pkey` when the tenant has the domain already. */
export async function insertDomain(
  trx: Transaction<Tables>,
  tenantId: string,
  { name, challenge, jit, grants, createdAt }: NewDomain,
): Promise<void> {
  await trx
    .insertInto('domain')
    .values({
      tenant_id: tenantId,
      name,
      challenge,
      jit,
      grants: JSON.stringify(grants),
      created_at: createdAt,
    })
    .execute();
}

/** What an admin changes of a domain; absent: it stays as it is. */
export interface DomainChange {
  readonly jit?: boolean;
  readonly grants?: readonly TeamGrant[];
}

export async function updateDomain(
  trx: Transaction<Tables>,
  { tenantId, name }: { readonly tenantId: string; readonly name: string },
  { jit, grants }: DomainChange,
): Promise<void> {
  await trx
    .updateTable('domain')
    .set({
      ...(jit !== undefined && { jit }),
      ...(grants !== undefined && { grants: JSON.stringify(grants) }),
    })
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .execute();
}

export interface Proof {
  readonly name: string;
  readonly challenge: string;
  readonly by: 'dns' | 'operator';
  readonly at: Date;
}

/** Marks as proved a domain whose challenge is still this one; false: there is none, or it was proved before. */
export async function verifyDomain(
  trx: Transaction<Tables>,
  tenantId: string,
  { name, challenge, by, at }: Proof,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('domain')
    .set({ verified_at: at, verified_by: by })
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .where('challenge', '=', challenge)
    .where('verified_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0;
}

export async function deleteDomainRow(
  trx: Transaction<Tables>,
  tenantId: string,
  name: string,
): Promise<void> {
  await trx.deleteFrom('domain').where('tenant_id', '=', tenantId).where('name', '=', name).execute();
}

const DOMAIN = `select d.name, d.challenge, d.verified_at as "verifiedAt", d.verified_by as "verifiedBy", d.jit,
          ${shownGrants('d')} as grants, p.name as "identityProvider", d.created_at as "createdAt"
   from domain d
        left join identity_provider_domain b on b.tenant_id = $1 and b.domain = d.name
        left join identity_provider p on p.tenant_id = $1 and p.id = b.identity_provider_id
   where d.tenant_id = $1`;
const domainByNameStatement = statement<Domain>('domain_by_name', `${DOMAIN} and d.name = $2`);
const listDomainsStatement = statement<Domain>(
  'list_domains',
  `${DOMAIN} and d.name > $2 order by d.name limit $3`,
);

function domainStep(tenantId: string, name: string): Step<Domain> {
  return step(domainByNameStatement, [tenantId, name]);
}

export async function domainByName(
  db: Database,
  tenantId: string,
  name: string,
): Promise<Domain | undefined> {
  const [domain] = await runAlone(db, domainStep(tenantId, name));
  return domain;
}

/** The domain as the transaction sees it. */
export async function domainIn(
  trx: Transaction<Tables>,
  tenantId: string,
  name: string,
): Promise<Domain | undefined> {
  const [domain] = await runIn(trx, domainStep(tenantId, name));
  return domain;
}

/** In the order of their names. */
export function listDomains(
  db: Database,
  tenantId: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<Domain[]> {
  return runAlone(db, step(listDomainsStatement, [tenantId, after, limit]));
}

export async function countDomains(trx: Transaction<Tables>, tenantId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('domain')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  return count;
}
