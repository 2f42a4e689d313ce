import { NIL } from 'uuid';
import { createTenant } from '../actions/create-tenant.ts';
import { issueApiKey } from '../actions/issue-api-key.ts';
import type { Actor, Context } from '../context.ts';
import { listTenants } from '../tenants/tenants.ts';

/** The name of the tenant that the first start makes. */
export const FIRST_TENANT = 'default';

/**
 * Where there is no tenant yet, makes one and a SCIM key for its directory `default`.
 * @returns the key, which nobody can read again; undefined where there was a tenant already.
 */
export async function makeFirstTenant(context: Context): Promise<string | undefined> {
  const [existing] = await listTenants(context.db.kysely, { after: NIL, limit: 1 });
  if (existing) return undefined;
  const actor: Actor = { principal: { kind: 'system', name: 'first start' }, requestId: 'first-start' };
  const tenant = await createTenant(context, actor, { name: FIRST_TENANT });
  const issued = await issueApiKey(context, actor, {
    tenantId: tenant.id,
    name: 'First key',
    scopes: ['scim'],
    expiresAt: null,
  });
  return issued.key;
}
