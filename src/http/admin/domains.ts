import Type from 'typebox';
import { createDomain } from '../../actions/create-domain.ts';
import { deleteDomain } from '../../actions/delete-domain.ts';
import { updateDomain } from '../../actions/update-domain.ts';
import { verifyDomain } from '../../actions/verify-domain.ts';
import type { Context } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { domainName } from '../../tenants/domain-name.ts';
import { challengeRecord, type Domain, domainByName, listDomains } from '../../tenants/domains.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { DEFAULT_LIMIT, line, nullable, ofTenant, pageQuery, problems, Slug, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { NamedGrants, ShownGrants } from './team-grant-shapes.ts';

const Name = { ...line(253), description: 'Such as example.com; subdomains are domains of their own' };
const Proof = Type.Enum(['dns', 'operator']);
const Shown = Type.Object({
  name: Type.String({ description: 'Lower case, punycode' }),
  state: Type.Enum(['pending', 'verified']),
  verifiedAt: nullable(Timestamp),
  verifiedBy: nullable(Proof),
  jit: Type.Boolean(),
  grants: ShownGrants,
  identityProvider: nullable({
    ...Slug,
    description: 'By which its people sign in: then nobody comes in by e-mail address alone',
  }),
  record: Type.Object(
    { name: Type.String(), type: Type.Enum(['TXT']), value: Type.String() },
    { description: 'What DNS must have to verify the domain' },
  ),
  createdAt: Timestamp,
});
const changeable = {
  jit: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Whether people of the domain come in by their verified e-mail address, once it is verified',
    }),
  ),
  grants: Type.Optional({ ...NamedGrants, description: 'What they get when they come in so' }),
};
const closed = { additionalProperties: false };
const params = Type.Object({ ...ofTenant, domain: Type.String({ description: 'Name' }) });
const tags = ['Domains'];

function nameOf({ domain }: { readonly domain: string }): string {
  const name = domainName(domain);
  if (name === undefined) throw notFound('Domain');
  return name;
}

function shown({ challenge, ...domain }: Domain) {
  const state = domain.verifiedAt === null ? ('pending' as const) : ('verified' as const);
  return { ...domain, state, record: challengeRecord({ name: domain.name, challenge }) };
}

export function domainRoutes(scope: TypedScope, context: Context): void {
  readRoutes(scope, context);
  writeRoutes(scope, context);
}

function readRoutes(scope: TypedScope, { db }: Context): void {
  scope.get(
    '/tenants/:tenant/domains',
    {
      schema: {
        tags,
        operationId: 'listDomains',
        summary: "List the tenant's e-mail domains, in the order of their names",
        params: Type.Object(ofTenant),
        querystring: Type.Object({ limit: pageQuery.limit, after: Type.Optional(Name) }, closed),
        response: {
          200: Type.Object({ domains: Type.Array(Shown), next: Type.Optional(Type.String()) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { limit = DEFAULT_LIMIT, after = '' } }) => {
      const found = await listDomains(db, tenantId, { after, limit: limit + 1 });
      const domains = found.slice(0, limit).map(shown);
      const last = domains.at(-1);
      return { domains, ...(last !== undefined && found.length > limit && { next: last.name }) };
    },
  );

  scope.get(
    '/tenants/:tenant/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'readDomain',
        summary: 'Read a domain, with the record that verifies it',
        params,
        response: { 200: Shown, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const domain = await domainByName(db, tenantId, nameOf(path));
      if (domain === undefined) throw notFound('Domain');
      return shown(domain);
    },
  );
}

function writeRoutes(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants/:tenant/domains',
    {
      schema: {
        tags,
        operationId: 'createDomain',
        summary: 'Claim an e-mail domain; the answer has the record to set in DNS',
        params: Type.Object(ofTenant),
        body: Type.Object({ name: Name, ...changeable }, closed),
        response: { 201: Shown, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      const domain = await createDomain(context, actorOf(request), { ...request.body, tenantId });
      return reply.code(201).send(shown(domain));
    },
  );

  scope.patch(
    '/tenants/:tenant/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'updateDomain',
        summary: 'Change what people of the domain get who come in from now on',
        params,
        body: Type.Object(changeable, closed),
        response: { 200: Shown, ...problems },
      },
    },
    async (request) => {
      const change = { ...request.body, tenantId: request.tenantId, name: nameOf(request.params) };
      return shown(await updateDomain(context, actorOf(request), change));
    },
  );

  scope.post(
    '/tenants/:tenant/domains/:domain/verify',
    {
      schema: {
        tags,
        operationId: 'verifyDomain',
        summary: 'Verify a domain by its TXT record; 409 `record_missing` while DNS has it not',
        params,
        body: nullable(
          Type.Object(
            {
              by: Type.Optional({
                ...Proof,
                default: 'dns',
                description: '`operator`: by their key, without DNS',
              }),
            },
            closed,
          ),
        ),
        response: { 200: Shown, ...problems },
      },
    },
    async (request) => {
      const { tenantId, body } = request;
      const proof = { tenantId, name: nameOf(request.params), by: body?.by ?? 'dns' };
      return shown(await verifyDomain(context, actorOf(request), proof));
    },
  );

  scope.delete(
    '/tenants/:tenant/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'deleteDomain',
        summary:
          'Give a domain up that no identity provider is bound to; who came in by it keeps what they hold',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId } = request;
      await deleteDomain(context, actorOf(request), { tenantId, name: nameOf(request.params) });
      return reply.code(204).send(null);
    },
  );
}
