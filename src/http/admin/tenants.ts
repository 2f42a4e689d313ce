import Type from 'typebox';
import { createTenant } from '../../actions/create-tenant.ts';
import { deleteTenant } from '../../actions/delete-tenant.ts';
import { updateTenant } from '../../actions/update-tenant.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { type SettingsChange, SettingsChangeSchema, SettingsSchema } from '../../tenants/settings.ts';
import { listTenants, tenantById } from '../../tenants/tenants.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { requireTenant } from '../plugins/tenant-scope.ts';
import { Id, Label, nullable, ofTenant, pageOf, pageQuery, problems, Slug, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { Plan, planQuery, readPlanQuery } from './plan-shape.ts';

const Tenant = Type.Object({
  id: Id,
  name: Slug,
  displayName: nullable(Label),
  settings: SettingsSchema,
  createdAt: Timestamp,
});
const changeable = {
  displayName: Type.Optional(nullable(Label)),
  settings: Type.Optional(Type.Unsafe<SettingsChange>(SettingsChangeSchema)),
};
const params = Type.Object(ofTenant);
const tags = ['Tenants'];

/** What only the operator may do with tenants. */
export function tenantsRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants',
    {
      schema: {
        tags,
        operationId: 'createTenant',
        summary: 'Create a tenant, with its directory `default`',
        body: Type.Object({ name: Slug, ...changeable }, { additionalProperties: false }),
        response: { 201: Tenant, ...problems },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await createTenant(context, actorOf(request), request.body)),
  );

  scope.get(
    '/tenants',
    {
      schema: {
        tags,
        operationId: 'listTenants',
        summary: 'List the tenants, in the order of their creation',
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ tenants: Type.Array(Tenant), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async (request) => {
      const { items: tenants, ...next } = await pageOf(request.query, (page) =>
        listTenants(context.db.kysely, page),
      );
      return { tenants, ...next };
    },
  );

  scope.delete(
    '/tenants/:tenant',
    {
      onRequest: requireTenant(context),
      schema: {
        tags,
        operationId: 'deleteTenant',
        summary: 'Delete a tenant with everything that belongs to it, its events too',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      await deleteTenant(context, actorOf(request), { tenantId: request.tenantId });
      return reply.code(204).send(null);
    },
  );
}

/** What a tenant's admins may do with their own. */
export function tenantRoutes(scope: TypedScope, context: Context): void {
  scope.get(
    '/tenants/:tenant',
    {
      schema: {
        tags,
        operationId: 'readTenant',
        summary: 'Read a tenant',
        params,
        response: { 200: Tenant, ...problems },
      },
    },
    async (request) => {
      const tenant = await tenantById(context.db, request.tenantId);
      if (tenant === undefined) throw notFound('Tenant');
      return tenant;
    },
  );

  scope.patch(
    '/tenants/:tenant',
    {
      schema: {
        tags,
        operationId: 'updateTenant',
        summary: 'Change what is named of a tenant; null returns it to its default',
        params,
        querystring: Type.Object(planQuery, { additionalProperties: false }),
        body: Type.Object(changeable, { additionalProperties: false }),
        response: {
          200: Type.Object({
            ...Tenant.properties,
            plan: Type.Optional(Plan),
            shutOut: Type.Optional(
              Type.Integer({ description: 'Of a dry run: users who could not sign in any more' }),
            ),
          }),
          ...problems,
        },
      },
    },
    async (request) => {
      const review = readPlanQuery(request.query);
      const { tenantId, body } = request;
      const { tenant, plan, shutOut } = await updateTenant(context, actorOf(request), {
        ...body,
        tenantId,
        review,
      });
      return { ...tenant, ...(review.dryRun && { plan, shutOut }) };
    },
  );
}
