import Type from 'typebox';
import { createEncryptionKey, deleteEncryptionKey } from '../../actions/change-encryption-key.ts';
import { importMetadata } from '../../actions/import-metadata.ts';
import { SAML_METADATA, serviceProviderMetadata } from '../../assertions/saml/sp-metadata.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { AppError, notFound } from '../../errors.ts';
import { identityProviderByName, identityProviderOf } from '../../tenants/identity-providers.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { ofTenant, problems, slugOrNotFound } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { ChangedIdentityProvider, IdentityProvider, Links, providerView } from './identity-provider-shape.ts';
import { METADATA_TYPES, readMetadataBodies } from './metadata-body.ts';
import { planQuery, readPlanQuery } from './plan-shape.ts';

const params = Type.Object({ ...ofTenant, identityProvider: Type.String({ description: 'Name' }) });
const tags = ['Identity providers'];
const nameOf = (path: { identityProvider: string }) =>
  slugOrNotFound(path.identityProvider, 'Identity provider');

const Metadata = Type.Union([
  Type.Object(
    {
      url: Type.String({ maxLength: 2_000, description: 'Where it is published: https, open to everybody' }),
    },
    { additionalProperties: false, description: 'In JSON' },
  ),
  Type.String({ description: 'An EntityDescriptor in XML, up to 1 MiB' }),
]);

/** The other side's metadata: in a scope of its own, which reads XML. */
export function metadataRoute(scope: TypedScope, context: Context): void {
  readMetadataBodies(scope);
  scope.post(
    '/tenants/:tenant/identity-providers/:identityProvider/metadata',
    {
      schema: {
        tags,
        operationId: 'importMetadata',
        summary:
          "Take issuer and certificates from the identity provider's SAML metadata, as it is or by its URL",
        consumes: ['application/json', ...METADATA_TYPES],
        params,
        querystring: Type.Object(
          { dryRun: planQuery.dryRun, confirm: planQuery.confirm, links: Type.Optional(Links) },
          { additionalProperties: false },
        ),
        body: Metadata,
        response: { 200: ChangedIdentityProvider, ...problems },
      },
    },
    async (request) => {
      const { body, query } = request;
      const { links = 'end', ...asked } = query;
      const review = readPlanQuery(asked);
      const { provider, warnings, ...follows } = await importMetadata(context, actorOf(request), {
        tenantId: request.tenantId,
        name: nameOf(request.params),
        source: typeof body === 'string' ? { xml: body } : body,
        links,
        review,
      });
      const view = providerView(provider, context.now());
      return { ...view, warnings: [...view.warnings, ...warnings], ...(review.dryRun && follows) };
    },
  );
}

/** What the other side of SAML needs of ours: our metadata, and a key to encrypt assertions to. */
export function identityProviderKeyRoutes(scope: TypedScope, context: Context): void {
  scope.get(
    '/tenants/:tenant/identity-providers/:identityProvider/service-provider-metadata',
    {
      schema: {
        tags,
        operationId: 'readServiceProviderMetadata',
        summary: 'Read our SAML metadata, for the identity provider to import',
        params,
        response: {
          200: Type.Unsafe<string>({
            description: 'SAML metadata 2.0',
            content: { [SAML_METADATA]: { schema: Type.String() } },
          }),
          ...problems,
        },
      },
    },
    async ({ tenantId, params: path }, reply) => {
      const [row] = await runAlone(context.db, identityProviderByName(tenantId, nameOf(path)));
      if (row === undefined) throw notFound('Identity provider');
      const { saml, encryptionCertificate } = identityProviderOf(row);
      if (saml === null) {
        throw new AppError('conflict', 'Only identity providers of kind "saml" have SAML metadata', {
          reason: 'not_saml',
        });
      }
      return reply.type(SAML_METADATA).send(serviceProviderMetadata({ ...saml, encryptionCertificate }));
    },
  );

  scope.post(
    '/tenants/:tenant/identity-providers/:identityProvider/encryption-key',
    {
      schema: {
        tags,
        operationId: 'createEncryptionKey',
        summary:
          'Make the key pair to which the identity provider encrypts assertions; the private key stays',
        params,
        response: { 201: IdentityProvider, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const name = nameOf(request.params);
      const provider = await createEncryptionKey(context, actorOf(request), { tenantId, name });
      return reply.code(201).send(providerView(provider, context.now()));
    },
  );

  scope.delete(
    '/tenants/:tenant/identity-providers/:identityProvider/encryption-key',
    {
      schema: {
        tags,
        operationId: 'deleteEncryptionKey',
        summary: 'Forget the key pair, if there is one; encrypted assertions are refused from then on',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      await deleteEncryptionKey(context, actorOf(request), { tenantId, name: nameOf(request.params) });
      return reply.code(204).send(null);
    },
  );
}
