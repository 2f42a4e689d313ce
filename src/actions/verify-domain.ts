import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  challengeRecord,
  type Domain,
  domainByName,
  domainIn,
  verifyDomain as writeProof,
} from '../tenants/domains.ts';

export interface VerifyDomain {
  readonly tenantId: string;
  readonly name: string;
  /** `operator`: on the word of the operator, who has other means to know; DNS is not asked. */
  readonly by: 'dns' | 'operator';
}

/**
 * Verifies that the domain is the tenant's; once it is, doing it again changes nothing.
 * @throws AppError `forbidden` (`operator_only`); `conflict` (`record_missing`) where DNS has no such record;
 * `unavailable` where DNS does not answer.
 */
export async function verifyDomain(
  context: Context,
  actor: Actor,
  { tenantId, name, by }: VerifyDomain,
): Promise<Domain> {
  if (by === 'operator' && actor.principal.kind !== 'operator') {
    throw new AppError('forbidden', '/by: only the operator of the service vouches for a domain', {
      reason: 'operator_only',
      pointer: '/by',
      hint: 'Set the TXT record, and verify by "dns".',
    });
  }
  // Outside of the transaction: DNS takes its time.
  const claimed = await domainByName(context.db, tenantId, name);
  if (claimed === undefined) throw notFound('Domain');
  if (claimed.verifiedAt !== null) return claimed;
  if (by === 'dns') await requireRecord(context, claimed);
  const at = context.now();
  return transaction(context.db, tenantId, async (trx) => {
    const proved = await writeProof(trx, tenantId, { name, challenge: claimed.challenge, by, at });
    const domain = await domainIn(trx, tenantId, name);
    if (domain === undefined) throw notFound('Domain');
    if (!proved) return domain;
    await record(trx, { tenantId, actor, at, changeId: uuid() }, [
      { type: 'domain.verified', resourceType: 'Domain', resourceId: null, after: domain },
    ]);
    return domain;
  });
}

async function requireRecord({ resolveTxt }: Context, domain: Domain): Promise<void> {
  const { name, value } = challengeRecord(domain);
  const found = await resolveTxt(name);
  if (found.includes(value)) return;
  const others = found.length === 0 ? 'no TXT record' : `${found.length} other TXT records`;
  throw new AppError('conflict', `DNS has ${others} at ${name}`, {
    reason: 'record_missing',
    hint: `Set the TXT record ${name} to "${value}". Until everybody sees a new record may take hours.`,
  });
}
