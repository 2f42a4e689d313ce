import Type from 'typebox';
import type { Context } from '../../context.ts';
import { type Discovered, discover, MAX_DISCOVERED } from '../../tenants/discover.ts';
import { Id, Label, line, nullable, problems, Slug } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const displayName = nullable(Label);
const Shown = Type.Unsafe<Discovered>(
  Type.Object({
    tenant: Type.Object({ id: Id, name: Slug, displayName }),
    domain: Type.String(),
    identityProviders: Type.Array(
      Type.Object({ name: Slug, displayName, kind: Type.Enum(['saml', 'oidc', 'claims']) }),
      { description: 'The enabled one to which the domain is bound, or else all enabled ones of the tenant' },
    ),
    emailJit: Type.Boolean({ description: 'Whether who is new comes in by the verified address alone' }),
  }),
);

/** What a sign-in page asks that knows an address and no tenant yet. */
export function discoverRoute(scope: TypedScope, { db }: Context): void {
  scope.get(
    '/discover',
    {
      schema: {
        tags: ['Discovery'],
        operationId: 'discover',
        summary: `Find the tenants, ${MAX_DISCOVERED} at most, whose verified domain an e-mail address has; says nothing of users`,
        querystring: Type.Object({ email: line(320) }, { additionalProperties: false }),
        response: { 200: Type.Object({ tenants: Type.Array(Shown) }), ...problems },
      },
    },
    async ({ query: { email } }) => ({ tenants: await discover(db, email) }),
  );
}
