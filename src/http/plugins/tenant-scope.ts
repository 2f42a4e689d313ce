import type { onRequestAsyncHookHandler } from 'fastify';
import { validate as isUuid } from 'uuid';
import type { Context, Principal, TenantSettings } from '../../context.ts';
import type { Database } from '../../db/database.ts';
import { notFound } from '../../errors.ts';
import { tenantById, tenantByName } from '../../tenants/tenants.ts';
import { isSlug } from '../shapes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant that the path names and the principal may act for; set by `requireTenant`. */
    tenantId: string;
    /** Its settings, as old as the memory of credentials at most; set likewise. */
    settings: TenantSettings;
  }
}

interface Reached {
  readonly id: string;
  readonly settings: TenantSettings;
}

/**
 * A hook behind `requirePrincipal` for paths with `:tenant` (an id or a name): finds the tenant. One that the
 * principal does not belong to is not found, like one that is not there.
 */
export function requireTenant({ db }: Context): onRequestAsyncHookHandler {
  return async (request) => {
    const { tenant } = request.params as { tenant: string };
    const reached = await reachableTenant(db, request.principal, tenant);
    if (reached === undefined) throw notFound('Tenant');
    request.tenantId = reached.id;
    request.settings = reached.settings;
  };
}

/** The tenant of this id or name, where the principal may act for it. */
export async function reachableTenant(
  db: Database,
  principal: Principal,
  text: string,
): Promise<Reached | undefined> {
  if (principal.kind === 'api_key') {
    const { id, name } = principal.tenant;
    return text.toLowerCase() === id || text === name ? principal.tenant : undefined;
  }
  if (isUuid(text)) return tenantById(db, text);
  // Text that no name can be is not asked for: PostgreSQL refuses some of it with an error.
  return isSlug(text) ? tenantByName(db, text) : undefined;
}
