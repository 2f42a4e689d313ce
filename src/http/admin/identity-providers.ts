import Type from 'typebox';
import { createIdentityProvider } from '../../actions/create-identity-provider.ts';
import { deleteIdentityProvider } from '../../actions/delete-identity-provider.ts';
import { updateIdentityProvider } from '../../actions/update-identity-provider.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { notFound } from '../../errors.ts';
import {
  identityProviderByName,
  identityProviderOf,
  listIdentityProviders,
} from '../../tenants/identity-providers.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, ofTenant, pageOf, pageQuery, problems, slugOrNotFound } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import {
  ChangedIdentityProvider,
  changeable,
  IdentityProvider,
  Links,
  NewIdentityProvider,
  providerView,
  ShutOut,
} from './identity-provider-shape.ts';
import { Plan, planQuery, readPlanQuery } from './plan-shape.ts';

const params = Type.Object({ ...ofTenant, identityProvider: Type.String({ description: 'Name' }) });
const tags = ['Identity providers'];
const nameOf = (path: { identityProvider: string }) =>
  slugOrNotFound(path.identityProvider, 'Identity provider');

export function identityProviderRoutes(scope: TypedScope, context: Context): void {
  readRoutes(scope, context);

  scope.post(
    '/tenants/:tenant/identity-providers',
    {
      schema: {
        tags,
        operationId: 'createIdentityProvider',
        summary: 'Create an identity provider: one way in which people of the tenant sign in',
        params: Type.Object(ofTenant),
        body: NewIdentityProvider,
        response: { 201: IdentityProvider, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, body } = request;
      const provider = await createIdentityProvider(context, actorOf(request), { ...body, tenantId });
      return reply.code(201).send(providerView(provider, context.now()));
    },
  );

  scope.patch(
    '/tenants/:tenant/identity-providers/:identityProvider',
    {
      schema: {
        tags,
        operationId: 'updateIdentityProvider',
        summary: 'Change what is named of an identity provider; null takes it away',
        params,
        querystring: Type.Object(
          { ...planQuery, links: Type.Optional(Links) },
          { additionalProperties: false },
        ),
        body: Type.Object(changeable, { additionalProperties: false }),
        response: {
          200: ChangedIdentityProvider,
          ...problems,
        },
      },
    },
    async (request) => {
      const { links = 'end', ...query } = request.query;
      const review = readPlanQuery(query);
      const { provider, ...follows } = await updateIdentityProvider(context, actorOf(request), {
        tenantId: request.tenantId,
        name: nameOf(request.params),
        change: request.body,
        links,
        review,
      });
      return { ...providerView(provider, context.now()), ...(review.dryRun && follows) };
    },
  );

  scope.delete(
    '/tenants/:tenant/identity-providers/:identityProvider',
    {
      schema: {
        tags,
        operationId: 'deleteIdentityProvider',
        summary: 'Delete an identity provider with its links; its users stay',
        params,
        querystring: Type.Object(
          {
            users: Type.Enum(['keep', 'release'], {
              description: 'What becomes of what its sign-ins gave: kept as given by hand, or ended',
            }),
            ...planQuery,
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ plan: Plan, shutOut: ShutOut }, { description: 'Of a dry run' }),
          204: Type.Null({ description: 'Deleted' }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { users, ...query } = request.query;
      const review = readPlanQuery(query);
      const planned = await deleteIdentityProvider(context, actorOf(request), {
        tenantId: request.tenantId,
        name: nameOf(request.params),
        users,
        review,
      });
      return review.dryRun ? reply.code(200).send(planned) : reply.code(204).send(null);
    },
  );
}

function readRoutes(scope: TypedScope, context: Context): void {
  scope.get(
    '/tenants/:tenant/identity-providers',
    {
      schema: {
        tags,
        operationId: 'listIdentityProviders',
        summary: "List the tenant's identity providers, in the order of their creation",
        params: Type.Object(ofTenant),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({
            identityProviders: Type.Array(IdentityProvider),
            next: Type.Optional(Id),
          }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query }) => {
      const { items, ...next } = await pageOf(query, (page) =>
        runAlone(context.db, listIdentityProviders(tenantId, page)),
      );
      const identityProviders = items.map((row) => providerView(identityProviderOf(row), context.now()));
      return { identityProviders, ...next };
    },
  );

  scope.get(
    '/tenants/:tenant/identity-providers/:identityProvider',
    {
      schema: {
        tags,
        operationId: 'readIdentityProvider',
        summary: 'Read an identity provider',
        params,
        response: { 200: IdentityProvider, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const [row] = await runAlone(context.db, identityProviderByName(tenantId, nameOf(path)));
      if (row === undefined) throw notFound('Identity provider');
      return providerView(identityProviderOf(row), context.now());
    },
  );
}
