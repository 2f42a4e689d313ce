import Type from 'typebox';
import { NIL } from 'uuid';
import type { Context } from '../../context.ts';
import { type FeedEvent, readFeed } from '../../events/feed.ts';
import { DEFAULT_LIMIT, Id, idParameter, nullable, ofTenant, pageQuery, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const Event = Type.Unsafe<FeedEvent>(
  Type.Object({
    id: Id,
    sequence: Type.Integer({ description: 'Counts the events of the feed from 1, without a gap' }),
    type: Type.String(),
    at: Type.String({ format: 'date-time' }),
    actor: Type.Unknown({ description: 'Who did it: kind, and id and name of the credential' }),
    resource: Type.Object({ type: Type.String(), id: nullable(Id) }),
    reason: Type.Unknown(),
    before: Type.Unknown(),
    after: Type.Unknown(),
    changeId: Type.String({ format: 'uuid', description: 'Shared by the events of one change' }),
    requestId: nullable(Type.String()),
  }),
);
const Word = Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$' });

const feed = {
  tags: ['Events'],
  querystring: Type.Object(
    {
      limit: pageQuery.limit,
      after: Type.Optional(Type.String({ description: 'The `cursor` of the page before' })),
      type: Type.Optional(Word),
      resource: Type.Optional(idParameter('Only events of this resource')),
      change: Type.Optional(
        idParameter('Only events of this change: the `changeId` of an event or of a grant'),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: Type.Object({ events: Type.Array(Event), cursor: Type.String() }), ...problems },
};

/** The tenant's events, which the admin API and the product API give out alike. */
export function eventRoutes(scope: TypedScope, { db }: Context, surface: 'admin' | 'product'): void {
  scope.get(
    '/tenants/:tenant/events',
    {
      schema: {
        ...feed,
        operationId: surface === 'admin' ? 'listEvents' : 'readEvents',
        summary: 'Read what happened in the tenant, behind a cursor and in order',
        params: Type.Object(ofTenant),
      },
    },
    async ({ tenantId, query: { limit = DEFAULT_LIMIT, ...query } }) =>
      readFeed(db, { ...query, tenantId, limit }),
  );
}

/** The events that belong to no tenant. */
export function serviceEventRoutes(scope: TypedScope, { db }: Context): void {
  scope.get(
    '/events',
    {
      schema: {
        ...feed,
        operationId: 'listServiceEvents',
        summary:
          'Read what happened to the service itself: its service keys, and the tenants that were deleted',
      },
    },
    async ({ query: { limit = DEFAULT_LIMIT, ...query } }) =>
      readFeed(db, { ...query, tenantId: NIL, limit }),
  );
}
