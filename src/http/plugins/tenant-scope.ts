import type { onRequestAsyncHookHandler } from 'fastify';
import { validate as isUuid } from 'uuid';
import type { Context, Principal } from '../../context.ts';
import type { Database } from '../../db/database.ts';
import { notFound } from '../../errors.ts';
import { tenantById, tenantByName } from '../../tenants/tenants.ts';
import { isSlug } from '../shapes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant that the path names and the principal may act for; set by `requireTenant`. */
    tenantId: string;
  }
}

/**
 * A hook behind `requirePrincipal` for paths with `:tenant` (an id or a name): finds the tenant. One that the
 * principal does not belong to is not found, like one that is not there.
 */
export function requireTenant({ db }: Context): onRequestAsyncHookHandler {
  return async (request) => {
    const { tenant } = request.params as { tenant: string };
    const tenantId = await reachableTenant(db, request.principal, tenant);
    if (tenantId === undefined) throw notFound('Tenant');
    request.tenantId = tenantId;
  };
}

async function reachableTenant(
  db: Database,
  principal: Principal,
  text: string,
): Promise<string | undefined> {
  if (principal.kind === 'api_key') {
    const { id, name } = principal.tenant;
    return text.toLowerCase() === id || text === name ? id : undefined;
  }
  if (isUuid(text)) return (await tenantById(db, text))?.id;
  // Text that no name can be is not asked for: PostgreSQL refuses some of it with an error.
  return isSlug(text) ? (await tenantByName(db, text))?.id : undefined;
}
