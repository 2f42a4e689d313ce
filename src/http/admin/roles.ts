import Type from 'typebox';
import { createRole } from '../../actions/create-role.ts';
import { deleteRole } from '../../actions/delete-role.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { LOWEST_RANK, ROLE_NAME, rolesOf } from '../../reconcile/roles.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { DEFAULT_LIMIT, Label, nullable, ofTenant, pageQuery, problems, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const RoleName = Type.String({
  pattern: ROLE_NAME.source,
  description: 'Letters, digits and underscores, at most 63, a letter first; in any case, kept in upper case',
});
const Rank = Type.Integer({
  minimum: 1,
  maximum: LOWEST_RANK,
  description: 'Lower is more permissive; the built-in roles stand at 100, 200, 300, 400, 500',
});
const Role = Type.Object({
  name: RoleName,
  displayName: nullable(Label),
  rank: Rank,
  builtIn: Type.Boolean(),
  createdAt: nullable(Timestamp),
});
/** Roles have no ids; their order is that of their ranks, and no two have the same. */
const Next = Type.String({ pattern: '^[0-9]{1,5}$', description: 'The `next` of the page before' });
const tags = ['Roles'];

export function roleRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants/:tenant/roles',
    {
      schema: {
        tags,
        operationId: 'createRole',
        summary: 'Add a role to the built-in ones',
        params: Type.Object(ofTenant),
        body: Type.Object(
          { name: RoleName, rank: Rank, displayName: Type.Optional(nullable(Label)) },
          { additionalProperties: false },
        ),
        response: { 201: Role, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const role = await createRole(context, actorOf(request), { ...request.body, tenantId });
      return reply.code(201).send(role);
    },
  );

  scope.get(
    '/tenants/:tenant/roles',
    {
      schema: {
        tags,
        operationId: 'listRoles',
        summary: "List the roles, built-in and the tenant's own, most to least permissive",
        params: Type.Object(ofTenant),
        querystring: Type.Object(
          { limit: pageQuery.limit, after: Type.Optional(Next) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ roles: Type.Array(Role), next: Type.Optional(Next) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { limit = DEFAULT_LIMIT, after = '0' } }) => {
      const left = (await rolesOf(context.db.kysely, tenantId)).filter(({ rank }) => rank > Number(after));
      const roles = left.slice(0, limit);
      return { roles, ...(left.length > limit && { next: String(roles.at(-1)?.rank) }) };
    },
  );

  scope.delete(
    '/tenants/:tenant/roles/:role',
    {
      schema: {
        tags,
        operationId: 'deleteRole',
        summary: 'Delete a role that was added; 409 `in_use` while the group mapping or a grant has it',
        params: Type.Object({ ...ofTenant, role: Type.String({ description: 'Name, in any case' }) }),
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const { role: name } = request.params;
      if (!ROLE_NAME.test(name)) throw notFound('Role');
      await deleteRole(context, actorOf(request), { tenantId, name });
      return reply.code(204).send(null);
    },
  );
}
