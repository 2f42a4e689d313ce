import { isDeepStrictEqual } from 'node:util';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantShared } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Domain, domainIn, updateDomain as writeDomain } from '../tenants/domains.ts';
import { tenantForUpdate } from '../tenants/tenants.ts';
import { type NamedGrant, readGrants } from './named-grants.ts';

export interface UpdateDomain {
  readonly tenantId: string;
  readonly name: string;
  /** Absent: as it is. */
  readonly jit?: boolean;
  readonly grants?: readonly NamedGrant[];
}

/**
 * Changes what is named, for those who come in from now on; where nothing differs, nothing is written.
 * @throws AppError see `readGrants`.
 */
export async function updateDomain(
  context: Context,
  actor: Actor,
  { tenantId, name, jit, grants }: UpdateDomain,
): Promise<Domain> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  return transaction(context.db, tenantId, async (trx) => {
    await runIn(trx, lockTenantShared(tenantId));
    if ((await tenantForUpdate(trx, tenantId)) === undefined) throw notFound('Tenant');
    const before = await domainIn(trx, tenantId, name);
    if (before === undefined) throw notFound('Domain');
    const given = grants && (await readGrants(trx, tenantId, grants));
    const change = { ...(jit !== undefined && { jit }), ...(given !== undefined && { grants: given }) };
    if (Object.keys(change).length === 0) return before;
    await writeDomain(trx, { tenantId, name }, change);
    const after = (await domainIn(trx, tenantId, name)) as Domain;
    if (isDeepStrictEqual(before, after)) return before;
    await record(trx, occasion, [
      { type: 'domain.updated', resourceType: 'Domain', resourceId: null, before, after },
    ]);
    return after;
  });
}
