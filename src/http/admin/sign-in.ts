import Type from 'typebox';
import { allowReturn } from '../../actions/allow-return.ts';
import { assertIdentity } from '../../actions/assert-identity.ts';
import { unlinkIdentity } from '../../actions/unlink-identity.ts';
import type { Verifiers } from '../../assertions/verifiers.ts';
import type { Context } from '../../context.ts';
import { SignedIn } from '../jit/answer-shape.ts';
import { receivedMembers, receivedOf } from '../jit/received.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { idOrNotFound, ofTenant, problems, slugOrNotFound } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const ofProvider = { identityProvider: Type.String({ description: 'Name' }) };
const ofUser = { ...ofTenant, userId: Type.String() };
const Done = { 204: Type.Null({ description: 'Done' }), ...problems };

/** How admins see what a sign-in would do, and mend what it may not. */
export function signInRoutes(scope: TypedScope, context: Context, verifiers: Verifiers): void {
  scope.post(
    '/tenants/:tenant/identity-providers/:identityProvider/test',
    {
      bodyLimit: 512 * 1024,
      schema: {
        tags: ['Identity providers'],
        operationId: 'testIdentityProvider',
        summary:
          'Try what a sign-in would do: nothing is written or used up; `trace` says each check and each step, in a refusal too',
        params: Type.Object({ ...ofTenant, ...ofProvider }),
        body: Type.Object(receivedMembers, { additionalProperties: false }),
        response: { 200: SignedIn, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, params, body } = request;
      const answer = await assertIdentity(context, actorOf(request), verifiers, {
        tenantId,
        identityProvider: slugOrNotFound(params.identityProvider, 'Identity provider'),
        received: receivedOf(body),
        retryHash: null,
        dryRun: true,
      });
      return reply.header('cache-control', 'no-store').send(answer);
    },
  );

  scope.post(
    '/tenants/:tenant/users/:userId/allow-return',
    {
      schema: {
        tags: ['Users'],
        operationId: 'allowReturn',
        summary: 'Let somebody who was deleted sign in again, as somebody new',
        params: Type.Object(ofUser),
        response: Done,
      },
    },
    async (request, reply) => {
      const userId = idOrNotFound(request.params.userId, 'Deleted user');
      await allowReturn(context, actorOf(request), { tenantId: request.tenantId, userId });
      return reply.code(204).send(null);
    },
  );

  scope.delete(
    '/tenants/:tenant/users/:userId/identities/:identityProvider',
    {
      schema: {
        tags: ['Users'],
        operationId: 'unlinkIdentity',
        summary: "End a user's link to an identity provider; what its sign-ins gave stays",
        params: Type.Object({ ...ofUser, ...ofProvider }),
        response: Done,
      },
    },
    async (request, reply) => {
      const { tenantId, params } = request;
      const userId = idOrNotFound(params.userId, 'Identity');
      const identityProvider = slugOrNotFound(params.identityProvider, 'Identity');
      await unlinkIdentity(context, actorOf(request), { tenantId, userId, identityProvider });
      return reply.code(204).send(null);
    },
  );
}
