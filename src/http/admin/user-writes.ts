import Type from 'typebox';
import { addUser } from '../../actions/add-user.ts';
import { editUser } from '../../actions/edit-user.ts';
import { removeUser } from '../../actions/remove-user.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { idOrNotFound, Label, line, nullable, ofTenant, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { User, userView } from './user-shape.ts';

/** What an index holds at most; the action counts its bytes. */
export const Key = line(2_000);
const text = Type.Optional(nullable(Label));
/** What is written of a user by hand besides the name; null: it shall have none. */
export const profile = {
  externalId: Type.Optional(nullable(Key)),
  productUserId: Type.Optional(
    nullable({ ...Label, description: "The product's own id of the user, unique in the tenant" }),
  ),
  active: Type.Optional(Type.Boolean()),
  displayName: text,
  givenName: text,
  familyName: text,
  email: Type.Optional(nullable({ ...line(320), description: 'The primary one; null: none at all' })),
  avatar: Type.Optional(
    nullable({ ...line(2_000), description: 'URL of the primary photo; null: no photo at all' }),
  ),
};
const closed = { additionalProperties: false };
const params = Type.Object({ ...ofTenant, userId: Type.String() });
const tags = ['Users'];
const idOf = ({ userId }: { userId: string }) => idOrNotFound(userId, 'User');

/** How admins write users whom no directory manages. */
export function userWriteRoutes(scope: TypedScope, context: Context): void {
  const answer = async (tenantId: string, userId: string) => {
    const [user] = await userView(context.db, tenantId, [userId]);
    if (user === undefined) throw notFound('User');
    return user;
  };

  scope.post(
    '/tenants/:tenant/users',
    {
      schema: {
        tags,
        operationId: 'createUser',
        summary: 'Create a user whom no directory manages; active unless it says otherwise',
        params: Type.Object(ofTenant),
        body: Type.Object({ userName: Key, ...profile }, closed),
        response: { 201: User, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const userId = await addUser(context, actorOf(request), { ...body, tenantId });
      return reply.code(201).send(await answer(tenantId, userId));
    },
  );

  scope.patch(
    '/tenants/:tenant/users/:userId',
    {
      schema: {
        tags,
        operationId: 'updateUser',
        summary:
          'Change what is named of a user; of one whom a directory manages only `productUserId`, else 409 `managed_user`',
        params,
        body: Type.Object({ userName: Type.Optional(Key), ...profile }, closed),
        response: { 200: User, ...problems },
      },
    },
    async (request) => {
      const { tenantId } = request;
      const { productUserId, ...change } = request.body;
      const userId = idOf(request.params);
      await editUser(context, actorOf(request), {
        tenantId,
        userId,
        profile: change,
        ...(productUserId !== undefined && { productUserId }),
      });
      return answer(tenantId, userId);
    },
  );

  scope.delete(
    '/tenants/:tenant/users/:userId',
    {
      schema: {
        tags,
        operationId: 'deleteUser',
        summary: 'Delete a user with all that they hold; 409 `managed_user` where a directory manages them',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      await removeUser(context, actorOf(request), { tenantId, userId: idOf(request.params) });
      return reply.code(204).send(null);
    },
  );
}
