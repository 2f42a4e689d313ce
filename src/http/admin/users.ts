import Type from 'typebox';
import type { Context } from '../../context.ts';
import { searchUserIds } from '../../directory/profiles.ts';
import { notFound } from '../../errors.ts';
import { Id, idOrNotFound, Label, ofTenant, pageOf, pageQuery, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { User, userView } from './user-shape.ts';

const tags = ['Users'];

/** How admins read users, whoever manages them. */
export function userRoutes(scope: TypedScope, { db }: Context): void {
  scope.get(
    '/tenants/:tenant/users',
    {
      schema: {
        tags,
        operationId: 'listUsers',
        summary: "List the tenant's users with what they hold, in the order of their creation",
        params: Type.Object(ofTenant),
        querystring: Type.Object(
          {
            ...pageQuery,
            search: Type.Optional({
              ...Label,
              description:
                'Part of the userName, the display name or an e-mail address, in any case; or the whole id, externalId or productUserId',
            }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ users: Type.Array(User), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { search, ...query } }) => {
      const { items, ...next } = await pageOf(query, (page) =>
        searchUserIds(db, tenantId, { search, ...page }),
      );
      const ids = items.map(({ id }) => id);
      return { users: await userView(db, tenantId, ids), ...next };
    },
  );

  scope.get(
    '/tenants/:tenant/users/:userId',
    {
      schema: {
        tags,
        operationId: 'readUser',
        summary: 'Read a user, with what they hold and what their identity providers say',
        params: Type.Object({ ...ofTenant, userId: Type.String() }),
        response: { 200: User, ...problems },
      },
    },
    async ({ tenantId, params }) => {
      const [user] = await userView(db, tenantId, [idOrNotFound(params.userId, 'User')]);
      if (user === undefined) throw notFound('User');
      return user;
    },
  );
}
