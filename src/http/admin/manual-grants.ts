import Type from 'typebox';
import { grantByHand } from '../../actions/grant-by-hand.ts';
import type { Target } from '../../actions/grants-by-hand.ts';
import { withdrawByHand } from '../../actions/withdraw-by-hand.ts';
import type { Context } from '../../context.ts';
import { ROLE_NAME } from '../../reconcile/roles.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, idOrNotFound, ofTenant, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { permissionNameOf } from './permissions.ts';

const ofUser = { ...ofTenant, userId: Type.String() };
const memberParams = Type.Object({ ...ofUser, team: Type.String({ description: 'Id' }) });
const permissionParams = Type.Object({
  ...ofUser,
  permission: Type.String({ description: 'Name, in any case' }),
});
const held = {
  user: Id,
  origin: Type.String({ description: 'What holds it: a managed grant goes before a manual one' }),
  suspended: Type.Boolean({ description: 'The user is not active: the grant is kept, and holds nothing' }),
};
const withdrawn = { 204: Type.Null({ description: 'There is no such grant any more' }), ...problems };

const teamOf = ({ team }: { team: string }): Target => ({ kind: 'team', id: idOrNotFound(team, 'Team') });
const permissionOf = (path: { permission: string }): Target => ({
  kind: 'permission',
  name: permissionNameOf(path),
});
const OWNER: Target = { kind: 'owner' };
const userOf = ({ userId }: { userId: string }) => idOrNotFound(userId, 'User');

/** What admins give and take by hand. What the group mapping gives a synced user is refused with 409. */
export function manualGrantRoutes(scope: TypedScope, context: Context): void {
  memberRoutes(scope, context);
  ownerRoutes(scope, context);
  holderRoutes(scope, context);
}

function memberRoutes(scope: TypedScope, context: Context): void {
  const path = '/tenants/:tenant/teams/:team/members/:userId';
  const tags = ['Teams'];

  scope.put(
    path,
    {
      schema: {
        tags,
        operationId: 'putMember',
        summary:
          'Make a user a member by hand, in this role; 409 `managed_team` where the group mapping decides',
        params: memberParams,
        body: Type.Object(
          { role: Type.String({ pattern: ROLE_NAME.source, description: 'Name of a role, in any case' }) },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ team: Id, role: Type.String(), ...held }), ...problems },
      },
    },
    async (request) => {
      const { tenantId, params, body } = request;
      const [target, userId] = [teamOf(params), userOf(params)];
      const grant = await grantByHand(context, actorOf(request), { tenantId, userId, target, ...body });
      const { role, origin, suspended } = grant;
      return { team: params.team, user: userId, role: String(role), origin, suspended };
    },
  );

  scope.delete(
    path,
    {
      schema: {
        tags,
        operationId: 'removeMember',
        summary: 'End a membership that was given by hand; 409 `managed_team` where a group holds it',
        params: memberParams,
        response: withdrawn,
      },
    },
    async (request, reply) => {
      const { tenantId, params } = request;
      const [target, userId] = [teamOf(params), userOf(params)];
      await withdrawByHand(context, actorOf(request), { tenantId, userId, target });
      return reply.code(204).send(null);
    },
  );
}

function ownerRoutes(scope: TypedScope, context: Context): void {
  const path = '/tenants/:tenant/owners/:userId';
  const tags = ['Owners'];

  scope.put(
    path,
    {
      schema: {
        tags,
        operationId: 'putOwner',
        summary: 'Make a user tenant owner by hand; 409 `managed_owner` where the group mapping decides',
        params: Type.Object(ofUser),
        response: { 200: Type.Object(held), ...problems },
      },
    },
    async (request) => {
      const { tenantId, params } = request;
      const userId = userOf(params);
      const grant = await grantByHand(context, actorOf(request), {
        tenantId,
        userId,
        target: OWNER,
        role: null,
      });
      return { user: userId, origin: grant.origin, suspended: grant.suspended };
    },
  );

  scope.delete(
    path,
    {
      schema: {
        tags,
        operationId: 'removeOwner',
        summary: 'End an ownership that was given by hand; 409 `last_owner` where there is no other',
        params: Type.Object(ofUser),
        response: withdrawn,
      },
    },
    async (request, reply) => {
      const { tenantId, params } = request;
      const userId = userOf(params);
      await withdrawByHand(context, actorOf(request), { tenantId, userId, target: OWNER });
      return reply.code(204).send(null);
    },
  );
}

function holderRoutes(scope: TypedScope, context: Context): void {
  const path = '/tenants/:tenant/permissions/:permission/:userId';
  const tags = ['Permissions'];

  scope.put(
    path,
    {
      schema: {
        tags,
        operationId: 'putPermissionHolder',
        summary: 'Give a user a permission by hand; 409 `managed_permission` where the group mapping decides',
        params: permissionParams,
        response: { 200: Type.Object({ permission: Type.String(), ...held }), ...problems },
      },
    },
    async (request) => {
      const { tenantId, params } = request;
      const [target, userId] = [permissionOf(params), userOf(params)];
      const grant = await grantByHand(context, actorOf(request), { tenantId, userId, target, role: null });
      const { origin, suspended } = grant;
      return { permission: permissionNameOf(params), user: userId, origin, suspended };
    },
  );

  scope.delete(
    path,
    {
      schema: {
        tags,
        operationId: 'removePermissionHolder',
        summary: 'End a permission that was given by hand; 409 `managed_permission` where a group holds it',
        params: permissionParams,
        response: withdrawn,
      },
    },
    async (request, reply) => {
      const { tenantId, params } = request;
      const [target, userId] = [permissionOf(params), userOf(params)];
      await withdrawByHand(context, actorOf(request), { tenantId, userId, target });
      return reply.code(204).send(null);
    },
  );
}
