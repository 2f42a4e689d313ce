import Type from 'typebox';
import { createSchemaExtension } from '../../actions/create-schema-extension.ts';
import { deleteSchemaExtension } from '../../actions/delete-schema-extension.ts';
import { replaceSchemaExtension } from '../../actions/replace-schema-extension.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { EXTENSION_LIMITS, isExtensionUrn } from '../../scim/extension.ts';
import type { Attribute } from '../../scim/types.ts';
import { listSchemaExtensions, schemaExtensionByUrn } from '../../tenants/schema-extensions.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Label, ofTenant, problems, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const LIMITS = EXTENSION_LIMITS;
const Text = Type.String({ maxLength: LIMITS.description, pattern: '^[^\\p{Cc}\\p{Cs}]*$' });
const Urn = Type.String({ maxLength: LIMITS.urn, description: 'URN, compared without case' });

/** RFC 7643 section 7. Everything has a default, so that a declaration can be as short as a name. */
const characteristics = {
  type: Type.Enum(['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex'], {
    description: '`string` by default',
  }),
  multiValued: Type.Boolean(),
  description: Text,
  required: Type.Boolean(),
  caseExact: Type.Boolean({ description: 'For `string`; false by default' }),
  mutability: Type.Enum(['readOnly', 'readWrite', 'immutable', 'writeOnly']),
  returned: Type.Enum(['always', 'never', 'default', 'request']),
  uniqueness: Type.Enum(['none', 'server', 'global'], { description: 'Only `none` is accepted' }),
};
const suggestions = {
  canonicalValues: Type.Optional(
    Type.Array(Label, {
      maxItems: LIMITS.canonicalValues,
      uniqueItems: true,
      description: 'Suggestions; other values are accepted',
    }),
  ),
  referenceTypes: Type.Optional(
    Type.Array(Type.Enum(['User', 'Group', 'Role', 'Entitlement', 'external', 'uri']), { uniqueItems: true }),
  ),
};
const closed = { additionalProperties: false };

/** RFC 7643 section 2.1, figure 1; `$ref` is the one exception, and a part of a complex value. */
const nameLike = (pattern: string) => Type.String({ pattern, maxLength: LIMITS.name });
const attributeName = { name: nameLike('^[A-Za-z][A-Za-z0-9_$-]*$') };
const partName = { name: nameLike('^(?:\\$ref|[A-Za-z][A-Za-z0-9_$-]*)$') };

const declared = { ...Type.Partial(Type.Object(characteristics)).properties, ...suggestions };
const definition = {
  name: Label,
  description: Type.Optional(Text),
  required: Type.Optional(Type.Boolean({ description: 'Every user must have it; false by default' })),
  attributes: Type.Array(
    Type.Object(
      {
        ...attributeName,
        ...declared,
        subAttributes: Type.Optional(
          Type.Array(Type.Object({ ...partName, ...declared }, closed), {
            minItems: 1,
            maxItems: LIMITS.subAttributes,
          }),
        ),
      },
      closed,
    ),
    { minItems: 1, maxItems: LIMITS.attributes },
  ),
};

const whole = { name: Type.String(), ...characteristics, ...suggestions };
const SchemaExtension = Type.Object({
  id: Urn,
  name: Label,
  description: Text,
  required: Type.Boolean(),
  attributes: Type.Unsafe<readonly Attribute[]>(
    Type.Array(Type.Object({ ...whole, subAttributes: Type.Optional(Type.Array(Type.Object(whole))) })),
  ),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});

const params = Type.Object({ ...ofTenant, urn: Type.String({ description: 'URN, in any case' }) });
const tags = ['Schema extensions'];

/** A URN out of a path; what cannot be one names nothing, and is not asked for. */
function urnOf({ urn }: { urn: string }): string {
  if (!isExtensionUrn(urn)) throw notFound('Schema extension');
  return urn;
}

/** The schemas that a tenant adds to its users. */
export function schemaExtensionRoutes(scope: TypedScope, context: Context): void {
  const { kysely } = context.db;

  scope.post(
    '/tenants/:tenant/schema-extensions',
    {
      schema: {
        tags,
        operationId: 'createSchemaExtension',
        summary: 'Declare attributes of users under a URN of one’s own',
        params: Type.Object(ofTenant),
        body: Type.Object({ id: Urn, ...definition }, closed),
        response: { 201: SchemaExtension, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, body: declaration } = request;
      const actor = actorOf(request);
      return reply.code(201).send(await createSchemaExtension(context, actor, { tenantId, declaration }));
    },
  );

  scope.get(
    '/tenants/:tenant/schema-extensions',
    {
      schema: {
        tags,
        operationId: 'listSchemaExtensions',
        summary: `List the tenant's schema extensions, ${LIMITS.extensions} at most, in the order of their creation`,
        params: Type.Object(ofTenant),
        response: { 200: Type.Object({ schemaExtensions: Type.Array(SchemaExtension) }), ...problems },
      },
    },
    async ({ tenantId }) => ({ schemaExtensions: await listSchemaExtensions(kysely, tenantId) }),
  );

  scope.get(
    '/tenants/:tenant/schema-extensions/:urn',
    {
      schema: {
        tags,
        operationId: 'readSchemaExtension',
        summary: 'Read a schema extension',
        params,
        response: { 200: SchemaExtension, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const extension = await schemaExtensionByUrn(kysely, tenantId, urnOf(path));
      if (extension === undefined) throw notFound('Schema extension');
      return extension;
    },
  );

  scope.put(
    '/tenants/:tenant/schema-extensions/:urn',
    {
      schema: {
        tags,
        operationId: 'replaceSchemaExtension',
        summary: 'Replace a definition; what stored values would not fit is 409 `in_use`',
        params,
        body: Type.Object({ id: Type.Optional(Urn), ...definition }, closed),
        response: { 200: SchemaExtension, ...problems },
      },
    },
    async (request) => {
      const { tenantId, body: declaration } = request;
      const urn = urnOf(request.params);
      return replaceSchemaExtension(context, actorOf(request), { tenantId, urn, declaration });
    },
  );

  scope.delete(
    '/tenants/:tenant/schema-extensions/:urn',
    {
      schema: {
        tags,
        operationId: 'deleteSchemaExtension',
        summary: 'Delete a schema extension that no user has a value of; else 409 `in_use`',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      await deleteSchemaExtension(context, actorOf(request), { tenantId, urn: urnOf(request.params) });
      return reply.code(204).send(null);
    },
  );
}
