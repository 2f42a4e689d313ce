import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { setProductUserId } from '../../actions/set-product-user-id.ts';
import type { Context } from '../../context.ts';
import { USER_KEYS, userIdsBy } from '../../directory/profiles.ts';
import { AppError, notFound } from '../../errors.ts';
import { ProfileShape } from '../admin/user-shape.ts';
import { tagged } from '../etag.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { idOrNotFound, Label, nullable, ofTenant, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { AccessAnswer, type AccessView, accessView } from './access-shape.ts';

const params = Type.Object({ ...ofTenant, userId: Type.String() });
const tags = ['Access'];
const response = {
  200: AccessAnswer,
  304: Type.Null({ description: 'As If-None-Match has it already' }),
  ...problems,
};
/** As long as SCIM takes them. */
const Key = Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, pattern: '^[^\\0\\p{Cs}]*$' }));
const { userName, externalId, productUserId } = { userName: Key, externalId: Key, productUserId: Key };

/** What a product asks: who is this, may they sign in, and what do they hold? */
export function accessRoutes(scope: TypedScope, context: Context): void {
  const { db } = context;
  const read = async ({ tenantId, settings }: FastifyRequest, userId: string): Promise<AccessView> => {
    const view = await accessView(db, { id: tenantId, settings }, userId);
    if (view === undefined) throw notFound('User');
    return view;
  };

  scope.get(
    '/tenants/:tenant/users/:userId/access',
    {
      schema: {
        tags,
        operationId: 'readAccess',
        summary: 'Read what a user may do, with an ETag that changes when the answer does',
        params,
        response,
      },
    },
    async (request, reply) => {
      const view = await read(request, idOrNotFound(request.params.userId, 'User'));
      return tagged(request, reply, view);
    },
  );

  scope.get(
    '/tenants/:tenant/access',
    {
      schema: {
        tags,
        operationId: 'findAccess',
        summary: 'The same of the user with this userName, externalId or productUserId: exactly one of them',
        params: Type.Object(ofTenant),
        querystring: Type.Object({ userName, externalId, productUserId }, { additionalProperties: false }),
        response,
      },
    },
    async (request, reply) => {
      const [id, another] = await userIdsBy(db, request.tenantId, keyOf(request.query));
      if (id === undefined) throw notFound('User');
      if (another !== undefined) throw ambiguous();
      return tagged(request, reply, await read(request, id));
    },
  );

  scope.put(
    '/tenants/:tenant/users/:userId/product-user-id',
    {
      schema: {
        tags,
        operationId: 'setProductUserId',
        summary: "Note the product's own id of a user, by which it can then be asked for; null takes it away",
        params,
        body: Type.Object({ productUserId: nullable(Label) }, { additionalProperties: false }),
        response: { 200: ProfileShape, ...problems },
      },
    },
    async (request) =>
      setProductUserId(context, actorOf(request), {
        ...request.body,
        tenantId: request.tenantId,
        userId: idOrNotFound(request.params.userId, 'User'),
      }),
  );
}

type Query = { readonly [Key in (typeof USER_KEYS)[number]]?: string };

/** The one key that the query gives. */
function keyOf(query: Query) {
  const given = USER_KEYS.flatMap((key) => (query[key] === undefined ? [] : [{ key, value: query[key] }]));
  const [only, ...others] = given;
  if (only !== undefined && others.length === 0) return only;
  throw new AppError('invalid_request', `Exactly one of ${USER_KEYS.join(', ')} says which user is meant`, {
    pointer: USER_KEYS[0],
  });
}

function ambiguous(): AppError {
  return new AppError('conflict', 'Several users of the tenant have this externalId', {
    reason: 'ambiguous',
    pointer: 'externalId',
    hint: 'An externalId is unique in no more than its directory: ask by userName, productUserId or id.',
  });
}
