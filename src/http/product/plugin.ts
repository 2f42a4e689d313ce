import type { FastifyInstance } from 'fastify';
import type { Context } from '../../context.ts';
import type { Authenticate } from '../../tenants/authenticate.ts';
import { eventRoutes } from '../admin/events.ts';
import { memberRoutes } from '../admin/members.ts';
import { teamListRoute } from '../admin/teams.ts';
import { speakJson } from '../json-surface.ts';
import { hasScope, requireScope, requireServiceKey } from '../plugins/bearer-auth.ts';
import { requireTenant } from '../plugins/tenant-scope.ts';
import { typedScope } from '../typebox.ts';
import { accessRoutes } from './access.ts';
import { discoverRoute } from './discover.ts';

/** The product API under `/api/v1`: service keys everywhere, a tenant's own key in its tenant; scope `read`. */
export async function productSurface(
  surface: FastifyInstance,
  { context, authenticate }: { context: Context; authenticate: Authenticate },
): Promise<void> {
  const closePaths = speakJson(surface, authenticate);

  await surface.register(async function readers(scope) {
    scope.addHook(
      'onRequest',
      requireScope('read', (principal) => hasScope(principal, 'read')),
    );
    scope.addHook('onRequest', requireTenant(context));
    accessRoutes(typedScope(scope), context);
    teamListRoute(typedScope(scope), context, 'product');
    memberRoutes(typedScope(scope), context, 'product');
    eventRoutes(typedScope(scope), context, 'product');
  });
  await surface.register(async function products(scope) {
    scope.addHook(
      'onRequest',
      requireScope('read', (principal) => hasScope(principal, 'read')),
    );
    scope.addHook('onRequest', requireServiceKey);
    discoverRoute(typedScope(scope), context);
  });
  closePaths();
}
