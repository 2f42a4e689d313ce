import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { assertIdentity, type Received } from '../../actions/assert-identity.ts';
import type { Verifiers } from '../../assertions/verifiers.ts';
import type { Context } from '../../context.ts';
import { hexHash } from '../../directory/consumed-assertions.ts';
import { AppError, notFound } from '../../errors.ts';
import { actorOf, hasScope } from '../plugins/bearer-auth.ts';
import { reachableTenant } from '../plugins/tenant-scope.ts';
import { problems, slugOrNotFound } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { SignedIn } from './answer-shape.ts';
import { invalid, receivedMembers, receivedOf } from './received.ts';

/** In bytes: a SAML response of 256 KiB in base64, percent-encoded. */
const BODY_LIMIT = 512 * 1024;

const Name = Type.Optional(Type.String({ minLength: 1, maxLength: 100 }));
const named = {
  tenant: Type.Optional({ ...Name, description: 'Id or name; only a service key has to say it' }),
  identityProvider: Type.Optional({ ...Name, description: 'Name' }),
};

/** The one way in: a sign-in in, an access decision out. */
export function assertRoute(scope: TypedScope, context: Context, verifiers: Verifiers): void {
  scope.post(
    '/assert',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['Sign-in'],
        operationId: 'assertIdentity',
        summary:
          'Sign somebody in by a SAML response, an ID token or verified claims: 200, 201 where the user was created; the form that a browser posts is read too',
        querystring: Type.Object(
          { ...named, dryRun: Type.Optional(Type.Enum(['true', 'false'])) },
          { additionalProperties: false },
        ),
        body: Type.Object({ ...named, ...receivedMembers }, { additionalProperties: false }),
        response: { 200: SignedIn, 201: SignedIn, ...problems },
      },
    },
    async (request, reply) => {
      const { query, body } = request;
      const { tenant: inBody, identityProvider: providerInBody, ...form } = body;
      request.tenantId = await tenantIdOf(context, request, only('tenant', inBody, query.tenant));
      const received = receivedOf(form);
      requireScopeFor(request, received);
      const name = only('identityProvider', providerInBody, query.identityProvider);
      if (name === undefined) throw invalid('identityProvider is missing', '/identityProvider');
      const answer = await assertIdentity(context, actorOf(request), verifiers, {
        tenantId: request.tenantId,
        identityProvider: slugOrNotFound(name, 'Identity provider'),
        received,
        retryHash: retryHashOf(request),
        dryRun: query.dryRun === 'true',
      });
      const created = answer.outcome === 'created' && answer.trace === undefined;
      return reply
        .code(created ? 201 : 200)
        .header('cache-control', 'no-store')
        .send(answer);
    },
  );
}

/** What may stand in the body or in the query. */
function only(name: string, inBody: string | undefined, inQuery: string | undefined): string | undefined {
  if (inBody === undefined || inQuery === undefined || inBody === inQuery) return inBody ?? inQuery;
  throw invalid(`${name} in the body and in the query differ: say it once`, name);
}

/** The tenant of a tenant's key, which may name no other; of a service key the one that it names. */
async function tenantIdOf(
  { db }: Context,
  { principal }: FastifyRequest,
  named: string | undefined,
): Promise<string> {
  const text = named ?? (principal.kind === 'api_key' ? principal.tenant.id : undefined);
  if (text === undefined) throw invalid('tenant is missing: a service key serves all tenants', '/tenant');
  const tenant = await reachableTenant(db, principal, text);
  if (tenant === undefined) throw notFound('Tenant');
  return tenant.id;
}

/** Claims are believed because of who sends them: that takes a scope of its own (`jit:claims`). */
function requireScopeFor({ principal }: FastifyRequest, { kind }: Received): void {
  const scope = kind === 'claims' ? 'jit:claims' : 'jit';
  if (hasScope(principal, scope)) return;
  throw new AppError('forbidden', `This credential may not send this: it takes the scope ${scope}`, {
    reason: 'scope_missing',
    hint: 'Use a key that was issued with this scope.',
  });
}

/** What the gateway's own retry has in common with the first request: key, Idempotency-Key and body. */
function retryHashOf({ principal, headers, body }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined || principal.kind === 'operator') return null;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw invalid('Idempotency-Key must be 1 to 200 visible characters of ASCII', 'Idempotency-Key');
  }
  return hexHash(principal.id, key, JSON.stringify(body));
}
