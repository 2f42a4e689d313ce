import Type, { type Static } from 'typebox';
import { MAX } from 'uuid';
import { listRefusedRequests } from '../../clients/refused-requests.ts';
import { listToleranceUses, type ToleranceUse } from '../../clients/tolerance-uses.ts';
import type { Context } from '../../context.ts';
import { TOLERANCES, type ToleranceName } from '../../scim/quirks.ts';
import {
  DEFAULT_LIMIT,
  Id,
  idParameter,
  nullable,
  ofTenant,
  pageOf,
  pageQuery,
  problems,
  Timestamp,
} from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const tags = ['Clients'];
const apiKey = Type.Optional(idParameter('Only of this key'));

const Tolerance = Type.Object({
  name: Type.String(),
  source: Type.String({ description: 'Which clients need it, and where that is documented' }),
  hint: Type.String({ description: 'What a client that follows the RFC sends instead' }),
  count: Type.Integer({ description: 'Requests of this key that needed it' }),
  lastSeenAt: Timestamp,
  apiKey: Type.Object({ id: Id, name: Type.String() }),
});

/** A page of tolerances ends behind a key and a name, which the next page is asked for by. */
const AfterTolerance = Type.String({
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.[A-Za-z]{1,64}$',
  description: 'The `next` of the page before',
});

const RefusedRequest = Type.Object({
  id: Id,
  at: Timestamp,
  apiKey: Type.Object({
    id: Id,
    name: nullable(Type.String({ description: 'null: the key was deleted with its directory' })),
  }),
  method: Type.String(),
  path: Type.String({ description: 'As it was asked, without the query and without what may be a secret' }),
  status: Type.Integer(),
  scimType: nullable(Type.String()),
  detail: Type.String({ description: 'What the client was told' }),
  hint: Type.String({ description: 'What to do about it' }),
  requestId: Type.String(),
});

/** What an admin sees of the tenant's SCIM clients: the quirks that they rely on, and why they were refused. */
export function clientRoutes(scope: TypedScope, { db }: Context): void {
  scope.get(
    '/tenants/:tenant/tolerances',
    {
      schema: {
        tags,
        operationId: 'listTolerances',
        summary: 'List what was read more generously than the RFC asks, by key; strict mode would refuse it',
        params: Type.Object(ofTenant),
        querystring: Type.Object(
          { limit: pageQuery.limit, after: Type.Optional(AfterTolerance), apiKey },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ tolerances: Type.Array(Tolerance), next: Type.Optional(AfterTolerance) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { limit = DEFAULT_LIMIT, after, apiKey } }) => {
      const found = await listToleranceUses(db.kysely, tenantId, {
        apiKey,
        after: readAfter(after),
        limit: limit + 1,
      });
      const uses = found.slice(0, limit);
      const last = uses.at(-1);
      const next = last && found.length > limit ? { next: `${last.apiKey.id}.${last.name}` } : {};
      return { tolerances: uses.map(explained), ...next };
    },
  );

  scope.get(
    '/tenants/:tenant/refused-requests',
    {
      schema: {
        tags,
        operationId: 'listRefusedRequests',
        summary:
          'List the last requests that SCIM clients were refused, the newest first: at least 1,000 are kept',
        params: Type.Object(ofTenant),
        querystring: Type.Object({ ...pageQuery, apiKey }, { additionalProperties: false }),
        response: {
          200: Type.Object({ refusedRequests: Type.Array(RefusedRequest), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { after = MAX, limit = DEFAULT_LIMIT, apiKey } }) => {
      const { items, ...next } = await pageOf({ after, limit }, (page) =>
        listRefusedRequests(db.kysely, tenantId, { ...page, apiKey }),
      );
      return { refusedRequests: items, ...next };
    },
  );
}

function readAfter(after: string | undefined) {
  const [keyId, name] = after?.split('.') ?? [];
  return keyId === undefined || name === undefined ? undefined : { keyId, name };
}

/** With what the closed set says of it; a name that an older release counted stands without. */
function explained(use: ToleranceUse): Static<typeof Tolerance> {
  const known = TOLERANCES[use.name as ToleranceName] as (typeof TOLERANCES)[ToleranceName] | undefined;
  return { ...use, source: known?.source ?? '', hint: known?.hint ?? '' };
}
