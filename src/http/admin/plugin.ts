import type { FastifyInstance } from 'fastify';
import type { Verifiers } from '../../assertions/verifiers.ts';
import type { Context } from '../../context.ts';
import type { Authenticate } from '../../tenants/authenticate.ts';
import { speakJson } from '../json-surface.ts';
import { hasScope, requireOperator, requireScope } from '../plugins/bearer-auth.ts';
import { requireTenant } from '../plugins/tenant-scope.ts';
import { typedScope } from '../typebox.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { clientRoutes } from './clients.ts';
import { conflictRoutes } from './conflicts.ts';
import { directoryRoutes } from './directories.ts';
import { domainRoutes } from './domains.ts';
import { eventRoutes, serviceEventRoutes } from './events.ts';
import { explainRoutes } from './explain.ts';
import { groupMappingRoutes } from './group-mapping.ts';
import { groupRoutes } from './groups.ts';
import { identityProviderKeyRoutes, metadataRoute } from './identity-provider-keys.ts';
import { identityProviderRoutes } from './identity-providers.ts';
import { importRoute } from './import.ts';
import { invitationRoutes } from './invitations.ts';
import { jobRoutes } from './jobs.ts';
import { manualGrantRoutes } from './manual-grants.ts';
import { memberRoutes } from './members.ts';
import { permissionRoutes } from './permissions.ts';
import { roleRoutes } from './roles.ts';
import { schemaExtensionRoutes } from './schema-extensions.ts';
import { serviceKeyRoutes } from './service-keys.ts';
import { signInRoutes } from './sign-in.ts';
import { teamListRoute, teamRoutes } from './teams.ts';
import { tenantRoutes, tenantsRoutes } from './tenants.ts';
import { userWriteRoutes } from './user-writes.ts';
import { userRoutes } from './users.ts';

interface AdminOptions {
  readonly context: Context;
  readonly authenticate: Authenticate;
  readonly verifiers: Verifiers;
}

/** The admin API under `/api/admin/v1`: the operator everywhere, a tenant's own key in its tenant. */
export async function adminSurface(
  surface: FastifyInstance,
  { context, authenticate, verifiers }: AdminOptions,
): Promise<void> {
  const closePaths = speakJson(surface, authenticate);

  await surface.register(async function operators(scope) {
    scope.addHook('onRequest', requireOperator);
    tenantsRoutes(typedScope(scope), context);
    serviceKeyRoutes(typedScope(scope), context);
    serviceEventRoutes(typedScope(scope), context);
  });
  await surface.register(async function tenantAdmins(scope) {
    scope.addHook(
      'onRequest',
      requireScope('admin', (principal) => principal.kind === 'operator' || hasScope(principal, 'admin')),
    );
    scope.addHook('onRequest', requireTenant(context));
    tenantRoutes(typedScope(scope), context);
    directoryRoutes(typedScope(scope), context);
    identityProviderRoutes(typedScope(scope), context);
    identityProviderKeyRoutes(typedScope(scope), context);
    await scope.register(async (metadata) => metadataRoute(typedScope(metadata), context));
    domainRoutes(typedScope(scope), context);
    invitationRoutes(typedScope(scope), context);
    conflictRoutes(typedScope(scope), context);
    apiKeyRoutes(typedScope(scope), context);
    teamRoutes(typedScope(scope), context);
    teamListRoute(typedScope(scope), context, 'admin');
    memberRoutes(typedScope(scope), context, 'admin');
    userRoutes(typedScope(scope), context);
    userWriteRoutes(typedScope(scope), context);
    signInRoutes(typedScope(scope), context, verifiers);
    explainRoutes(typedScope(scope), context);
    groupRoutes(typedScope(scope), context);
    roleRoutes(typedScope(scope), context);
    groupMappingRoutes(typedScope(scope), context);
    jobRoutes(typedScope(scope), context);
    permissionRoutes(typedScope(scope), context);
    manualGrantRoutes(typedScope(scope), context);
    clientRoutes(typedScope(scope), context);
    schemaExtensionRoutes(typedScope(scope), context);
    eventRoutes(typedScope(scope), context, 'admin');
    await scope.register(async (bodies) => importRoute(bodies, context));
  });
  closePaths();
}
