import Type from 'typebox';
import { acceptInvitation } from '../../actions/accept-invitation.ts';
import { invite } from '../../actions/invite.ts';
import { revokeInvitation } from '../../actions/revoke-invitation.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { notFound } from '../../errors.ts';
import {
  INVITATION_STATES,
  type Invitation,
  invitationById,
  listInvitations,
} from '../../tenants/invitations.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, idOrNotFound, idParameter, nullable, ofTenant, pageOf, pageQuery, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { NamedGrants, ShownGrants } from './team-grant-shapes.ts';

const State = Type.Enum([...INVITATION_STATES]);
const Moment = Type.String({ format: 'date-time' });
const Shown = Type.Unsafe<Invitation>(
  Type.Object({
    id: Id,
    email: Type.String(),
    state: State,
    grants: ShownGrants,
    expiresAt: Moment,
    createdAt: Moment,
    createdBy: Type.Object({}, { additionalProperties: true, description: 'Who invited, as in events' }),
    endedAt: nullable({ ...Moment, description: 'When it was accepted or revoked' }),
    userId: nullable({ ...Id, description: 'Who accepted' }),
  }),
);
const Email = Type.String({
  maxLength: 320,
  pattern: '^[^\\s\\p{Cc}\\p{Cs}@]+@[^\\s\\p{Cc}\\p{Cs}@]+$',
  description: 'Compared without case',
});
const closed = { additionalProperties: false };
const params = Type.Object({ ...ofTenant, invitation: Type.String({ description: 'Id' }) });
const tags = ['Invitations'];
const idOf = ({ invitation }: { readonly invitation: string }) => idOrNotFound(invitation, 'Invitation');

export function invitationRoutes(scope: TypedScope, context: Context): void {
  readRoutes(scope, context);
  writeRoutes(scope, context);
}

function readRoutes(scope: TypedScope, context: Context): void {
  scope.get(
    '/tenants/:tenant/invitations',
    {
      schema: {
        tags,
        operationId: 'listInvitations',
        summary: 'List invitations, in the order of their creation',
        params: Type.Object(ofTenant),
        querystring: Type.Object({ ...pageQuery, state: Type.Optional(State) }, closed),
        response: {
          200: Type.Object({ invitations: Type.Array(Shown), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { state, ...query } }) => {
      const filter = { now: context.now(), ...(state !== undefined && { state }) };
      const { items, ...next } = await pageOf(query, (page) =>
        listInvitations(context.db, tenantId, { ...page, ...filter }),
      );
      return { invitations: items, ...next };
    },
  );

  scope.get(
    '/tenants/:tenant/invitations/:invitation',
    {
      schema: {
        tags,
        operationId: 'readInvitation',
        summary: 'Read an invitation',
        params,
        response: { 200: Shown, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const [found] = await runAlone(context.db, invitationById(tenantId, idOf(path), context.now()));
      if (found === undefined) throw notFound('Invitation');
      return found;
    },
  );
}

function writeRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants/:tenant/invitations',
    {
      schema: {
        tags,
        operationId: 'invite',
        summary:
          'Invite an e-mail address; the product sends the mail, told by the event `invitation.created`',
        params: Type.Object(ofTenant),
        body: Type.Object(
          {
            email: Email,
            grants: { ...NamedGrants, description: 'What the person gets' },
            expiresAt: Type.Optional({ ...Moment, description: 'In 7 days when left out, in 90 at most' }),
          },
          closed,
        ),
        response: { 201: Shown, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const { expiresAt, ...invited } = body;
      const end = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
      const invitation = await invite(context, actorOf(request), { ...invited, ...end, tenantId });
      return reply.code(201).send(invitation);
    },
  );

  scope.delete(
    '/tenants/:tenant/invitations/:invitation',
    {
      schema: {
        tags,
        operationId: 'revokeInvitation',
        summary: 'Revoke a pending invitation; 409 `not_pending` where it was accepted or has expired',
        params,
        response: { 204: Type.Null({ description: 'Revoked' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      await revokeInvitation(context, actorOf(request), { tenantId, invitationId: idOf(request.params) });
      return reply.code(204).send(null);
    },
  );

  scope.post(
    '/tenants/:tenant/invitations/:invitation/accept',
    {
      schema: {
        tags,
        operationId: 'acceptInvitation',
        summary: "Give a user what an invitation has: the product's own flow; a sign-in does it by itself",
        params,
        body: Type.Object({ userId: idParameter('Who was invited, as the product has made sure') }, closed),
        response: { 200: Shown, ...problems },
      },
    },
    async (request) => {
      const invitationId = idOf(request.params);
      const userId = request.body.userId.toLowerCase();
      const { tenantId } = request;
      return acceptInvitation(context, actorOf(request), { tenantId, invitationId, userId });
    },
  );
}
