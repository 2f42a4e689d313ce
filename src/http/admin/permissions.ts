import Type from 'typebox';
import { registerPermission } from '../../actions/register-permission.ts';
import { withdrawPermission } from '../../actions/withdraw-permission.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { listPermissions, MAX_PERMISSIONS, PERMISSION_NAME } from '../../reconcile/permissions.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, Label, nullable, ofTenant, pageOf, pageQuery, problems, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const PermissionName = Type.String({
  pattern: PERMISSION_NAME.source,
  description: 'Letters, digits and underscores, at most 63, a letter first; in any case, kept in upper case',
});
const Permission = Type.Object({
  id: Id,
  name: PermissionName,
  description: nullable(Label),
  createdAt: Timestamp,
});
const params = Type.Object({ ...ofTenant, permission: Type.String({ description: 'Name, in any case' }) });
const tags = ['Permissions'];

/** A permission's name out of a path, upper case; what cannot be one names nothing, and is not asked for. */
export function permissionNameOf({ permission }: { permission: string }): string {
  if (!PERMISSION_NAME.test(permission)) throw notFound('Permission');
  return permission.toUpperCase();
}

/** The permissions that the product knows. */
export function permissionRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants/:tenant/permissions',
    {
      schema: {
        tags,
        operationId: 'registerPermission',
        summary: 'Make a permission known, so that the group mapping and admins can give it',
        params: Type.Object(ofTenant),
        body: Type.Object(
          { name: PermissionName, description: Type.Optional(nullable(Label)) },
          { additionalProperties: false },
        ),
        response: { 201: Permission, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const permission = await registerPermission(context, actorOf(request), { ...request.body, tenantId });
      return reply.code(201).send(permission);
    },
  );

  scope.get(
    '/tenants/:tenant/permissions',
    {
      schema: {
        tags,
        operationId: 'listPermissions',
        summary: `List the permissions, ${MAX_PERMISSIONS} at most, in the order of their registration`,
        params: Type.Object(ofTenant),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ permissions: Type.Array(Permission), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query }) => {
      const { items, ...next } = await pageOf(query, (page) =>
        listPermissions(context.db.kysely, tenantId, page),
      );
      return { permissions: items, ...next };
    },
  );

  scope.delete(
    '/tenants/:tenant/permissions/:permission',
    {
      schema: {
        tags,
        operationId: 'withdrawPermission',
        summary: 'Withdraw a permission; 409 `in_use` while the group mapping names it or somebody holds it',
        params,
        response: { 204: Type.Null({ description: 'Withdrawn' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const name = permissionNameOf(request.params);
      await withdrawPermission(context, actorOf(request), { tenantId, name });
      return reply.code(204).send(null);
    },
  );
}
