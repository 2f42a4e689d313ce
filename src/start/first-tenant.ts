import { NIL } from 'uuid';
import { createTenantIn } from '../actions/create-tenant.ts';
import { issueApiKeyIn } from '../actions/issue-api-key.ts';
import type { Actor, Context } from '../context.ts';
import { transaction } from '../db/transaction.ts';
import { listTenants } from '../tenants/tenants.ts';

/** The name of the tenant that the first start makes. */
export const FIRST_TENANT = 'default';

const ACTOR: Actor = { principal: { kind: 'system', name: 'first start' }, requestId: 'first-start' };

/**
 * Where there is no tenant yet, makes one and a SCIM key for its directory `default`: both or neither, so that no
 * start finds a tenant whose key was never shown.
 * @returns the key, which nobody can read again; undefined where there was a tenant already.
 */
export async function makeFirstTenant(context: Context): Promise<string | undefined> {
  const occasion = { actor: ACTOR, at: context.now() };
  return transaction(context.db, 'operator', async (trx) => {
    const [existing] = await listTenants(trx, { after: NIL, limit: 1 });
    if (existing) return undefined;
    const tenant = await createTenantIn(trx, occasion, { name: FIRST_TENANT });
    const request = { tenantId: tenant.id, name: 'First key', scopes: ['scim'], expiresAt: null } as const;
    return (await issueApiKeyIn(trx, occasion, request)).key;
  });
}
