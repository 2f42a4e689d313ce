import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantShared } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { deleteDomainRow, domainIn } from '../tenants/domains.ts';
import { tenantForUpdate } from '../tenants/tenants.ts';

export interface DeleteDomain {
  readonly tenantId: string;
  readonly name: string;
}

/**
 * Gives a domain up: nobody comes in by it any more. Who came in keeps what they hold.
 * @throws AppError `conflict` (`domain_bound`) while its people sign in by an identity provider.
 */
export async function deleteDomain(
  context: Context,
  actor: Actor,
  { tenantId, name }: DeleteDomain,
): Promise<void> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  await transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantShared(tenantId));
    if ((await tenantForUpdate(trx, tenantId)) === undefined) throw notFound('Tenant');
    const before = await domainIn(trx, tenantId, name);
    if (before === undefined) throw notFound('Domain');
    const { identityProvider } = before;
    if (identityProvider !== null) {
      const detail = `The domain "${name}" is bound to the identity provider "${identityProvider}"`;
      const hint = 'Take it out of the domains of that identity provider first.';
      throw new AppError('conflict', detail, { reason: 'domain_bound', hint });
    }
    await deleteDomainRow(trx, tenantId, name);
    await record(trx, occasion, [
      { type: 'domain.deleted', resourceType: 'Domain', resourceId: null, before },
    ]);
  });
}
