import Type from 'typebox';
import { createTeam } from '../../actions/create-team.ts';
import { deleteTeam } from '../../actions/delete-team.ts';
import { updateTeam } from '../../actions/update-team.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { listTeams, TEAM_KINDS, teamById } from '../../reconcile/teams.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import {
  Id,
  idOrNotFound,
  Label,
  nullable,
  ofTenant,
  pageOf,
  pageQuery,
  problems,
  Timestamp,
} from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const Kind = Type.Enum([...TEAM_KINDS]);
const Team = Type.Object({
  id: Id,
  name: Label,
  kind: Kind,
  externalId: nullable(Label),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
const externalId = Type.Optional(nullable(Label));
// A name may hold anything, a UUID too: a path that took names would mean two things.
const params = Type.Object({ ...ofTenant, team: Type.String({ description: 'Id' }) });
const tags = ['Teams'];
const idOf = (path: { team: string }) => idOrNotFound(path.team, 'Team');

export function teamRoutes(scope: TypedScope, context: Context): void {
  const { kysely } = context.db;

  scope.post(
    '/tenants/:tenant/teams',
    {
      schema: {
        tags,
        operationId: 'createTeam',
        summary: 'Create a team, or a case group: what users are to be members of in the product',
        params: Type.Object(ofTenant),
        body: Type.Object(
          { name: Label, kind: Type.Optional(Kind), externalId },
          { additionalProperties: false },
        ),
        response: { 201: Team, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const team = await createTeam(context, actorOf(request), { ...request.body, tenantId });
      return reply.code(201).send(team);
    },
  );

  scope.get(
    '/tenants/:tenant/teams/:team',
    {
      schema: {
        tags,
        operationId: 'readTeam',
        summary: 'Read a team',
        params,
        response: { 200: Team, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const team = await teamById(kysely, tenantId, idOf(path));
      if (team === undefined) throw notFound('Team');
      return team;
    },
  );

  scope.patch(
    '/tenants/:tenant/teams/:team',
    {
      schema: {
        tags,
        operationId: 'updateTeam',
        summary: 'Change what is named of a team; its kind stays',
        params,
        body: Type.Object({ name: Type.Optional(Label), externalId }, { additionalProperties: false }),
        response: { 200: Team, ...problems },
      },
    },
    async (request) =>
      updateTeam(context, actorOf(request), {
        ...request.body,
        tenantId: request.tenantId,
        teamId: idOf(request.params),
      }),
  );

  scope.delete(
    '/tenants/:tenant/teams/:team',
    {
      schema: {
        tags,
        operationId: 'deleteTeam',
        summary: 'Delete a team',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      await deleteTeam(context, actorOf(request), { tenantId, teamId: idOf(request.params) });
      return reply.code(204).send(null);
    },
  );
}

/** The tenant's teams, which the admin API and the product API give out alike. */
export function teamListRoute(scope: TypedScope, { db }: Context, surface: 'admin' | 'product'): void {
  scope.get(
    '/tenants/:tenant/teams',
    {
      schema: {
        tags,
        operationId: surface === 'admin' ? 'listTeams' : 'readTeams',
        summary: "List the tenant's teams, in the order of their creation",
        params: Type.Object(ofTenant),
        querystring: Type.Object(
          { ...pageQuery, name: Type.Optional(Label), kind: Type.Optional(Kind) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ teams: Type.Array(Team), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { name, kind, ...query } }) => {
      const { items, ...next } = await pageOf(query, (page) =>
        listTeams(db, tenantId, { name, kind, ...page }),
      );
      return { teams: items, ...next };
    },
  );
}
