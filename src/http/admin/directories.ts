import Type from 'typebox';
import { createDirectory } from '../../actions/create-directory.ts';
import { deleteDirectory } from '../../actions/delete-directory.ts';
import { updateDirectory } from '../../actions/update-directory.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { directoryByName, listDirectories } from '../../tenants/directories.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import {
  Id,
  Label,
  nullable,
  ofTenant,
  pageOf,
  pageQuery,
  problems,
  Slug,
  slugOrNotFound,
  Timestamp,
} from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { Plan, planQuery, readPlanQuery } from './plan-shape.ts';

const Directory = Type.Object({
  id: Id,
  name: Slug,
  displayName: nullable(Label),
  createdAt: Timestamp,
});
const changeable = { displayName: Type.Optional(nullable(Label)) };
const params = Type.Object({ ...ofTenant, directory: Type.String({ description: 'Name' }) });
const tags = ['Directories'];
const nameOf = (path: { directory: string }) => slugOrNotFound(path.directory, 'Directory');

export function directoryRoutes(scope: TypedScope, context: Context): void {
  const { kysely } = context.db;

  scope.post(
    '/tenants/:tenant/directories',
    {
      schema: {
        tags,
        operationId: 'createDirectory',
        summary: 'Create a directory: one SCIM source of the tenant',
        params: Type.Object(ofTenant),
        body: Type.Object({ name: Slug, ...changeable }, { additionalProperties: false }),
        response: { 201: Directory, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const directory = await createDirectory(context, actorOf(request), { ...request.body, tenantId });
      return reply.code(201).send(directory);
    },
  );

  scope.get(
    '/tenants/:tenant/directories',
    {
      schema: {
        tags,
        operationId: 'listDirectories',
        summary: "List the tenant's directories, in the order of their creation",
        params: Type.Object(ofTenant),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ directories: Type.Array(Directory), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query }) => {
      const { items, ...next } = await pageOf(query, (page) => listDirectories(kysely, tenantId, page));
      return { directories: items, ...next };
    },
  );

  scope.get(
    '/tenants/:tenant/directories/:directory',
    {
      schema: {
        tags,
        operationId: 'readDirectory',
        summary: 'Read a directory',
        params,
        response: { 200: Directory, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const directory = await directoryByName(kysely, tenantId, nameOf(path));
      if (directory === undefined) throw notFound('Directory');
      return directory;
    },
  );

  scope.patch(
    '/tenants/:tenant/directories/:directory',
    {
      schema: {
        tags,
        operationId: 'updateDirectory',
        summary: 'Change what is named of a directory; null takes it away',
        params,
        body: Type.Object(changeable, { additionalProperties: false }),
        response: { 200: Directory, ...problems },
      },
    },
    async (request) =>
      updateDirectory(context, actorOf(request), {
        ...request.body,
        tenantId: request.tenantId,
        name: nameOf(request.params),
      }),
  );

  scope.delete(
    '/tenants/:tenant/directories/:directory',
    {
      schema: {
        tags,
        operationId: 'deleteDirectory',
        summary: 'Delete a directory with its groups and keys; `default` stays',
        params,
        querystring: Type.Object(
          {
            users: Type.Enum(['release', 'deactivate'], {
              description:
                'What becomes of its users: both make them unmanaged, deactivate ends their access too',
            }),
            ...planQuery,
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            {
              plan: Plan,
              shutOut: Type.Integer({ description: 'Users who could not sign in any more' }),
            },
            { description: 'Of a dry run' },
          ),
          204: Type.Null({ description: 'Deleted' }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { users, ...query } = request.query;
      const name = nameOf(request.params);
      const review = readPlanQuery(query);
      const planned = await deleteDirectory(context, actorOf(request), {
        tenantId: request.tenantId,
        name,
        users,
        review,
      });
      return review.dryRun ? reply.code(200).send(planned) : reply.code(204).send(null);
    },
  );
}
